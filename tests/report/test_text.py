"""Diagnostics as text: the exact form that people see."""

from __future__ import annotations

import pytest

from krm_fn.report.diagnostic import INFO, WARNING, Diagnostic, Position, Subject
from krm_fn.report.text import concise_line, render_text, summary_line

RGD = Subject("kro.run/v1alpha1", "ResourceGraphDefinition", "web")


def test_all_parts() -> None:
    """Place, severity, code and message in the first line; then the excerpt, the object and the remedy."""
    diagnostic = Diagnostic(
        "undefined-field",
        "'replica' is not a field of schema.spec",
        position=Position("rgd.yaml", 1, 31, 27, "  replicas: ${schema.spec.replica}"),
        span=7,
        subject=RGD,
        where="spec.resources[2].template.spec.replicas",
        help="did you mean 'replicas'?",
    )
    assert (
        render_text([diagnostic])
        == """\
rgd.yaml:31:27: error[undefined-field]: 'replica' is not a field of schema.spec
   31 |   replicas: ${schema.spec.replica}
      |                           ^^^^^^^
   in ResourceGraphDefinition/web at spec.resources[2].template.spec.replicas
   help: did you mean 'replicas'?
"""
    )


def test_order_and_distance() -> None:
    """Errors first, then by place; a blank line between two problems."""
    diagnostics = [
        Diagnostic("note", "third", severity=INFO),
        Diagnostic("late", "second of the errors", position=Position("b.yaml", 1, 1, 1)),
        Diagnostic("warn", "warned", severity=WARNING, subject=RGD),
        Diagnostic("early", "first of the errors", position=Position("a.yaml", 1, 9, 1)),
    ]
    assert (
        render_text(diagnostics)
        == """\
a.yaml:9:1: error[early]: first of the errors

b.yaml:1:1: error[late]: second of the errors

warning[warn]: warned
   in ResourceGraphDefinition/web

info[note]: third
"""
    )


EXCERPTS = [
    pytest.param("\ta:\tb", 5, 1, "    1 |     a:    b\n      |           ^\n", id="tabs"),
    pytest.param("漢字: é${x}", 6, 4, "    1 | 漢字: é${x}\n      |        ^^^^\n", id="wide characters before"),
    pytest.param("a: 漢字", 4, 2, "    1 | a: 漢字\n      |    ^^^^\n", id="wide culprit"),
    pytest.param("e\u0301: x", 5, 1, "    1 | e\u0301\u003a x\n      |    ^\n", id="combining characters"),
    pytest.param("a: b", 4, 99, "    1 | a: b\n      |    ^\n", id="span beyond the line"),
    pytest.param("a:", 3, 0, "    1 | a:\n      |   ^\n", id="behind the line"),
    pytest.param("a:", 99, 5, "    1 | a:\n      |   ^\n", id="far behind the line"),
    pytest.param("a: \x1b[31mred\x07\u202e", 4, 1, "    1 | a: \\x1b[31mred\\x07\\u202e\n      |    ^^^^\n", id="terminal escapes"),
    pytest.param("x" * 200, 1, 3, "    1 | " + "x" * 120 + "…\n      | ^^^\n", id="long line, culprit at its start"),
    pytest.param("x" * 200, 101, 3, "    1 | …" + "x" * 120 + "…\n      | " + " " * 41 + "^^^\n", id="long line, culprit inside"),
    pytest.param("x" * 200, 199, 9, "    1 | …" + "x" * 120 + "\n      | " + " " * 119 + "^^\n", id="long line, culprit at its end"),
    pytest.param("a: " + "x" * 500, 4, 500, "    1 | a: " + "x" * 117 + "…\n      |    " + "^" * 117 + "\n", id="long culprit"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "column", "span", "excerpt"), EXCERPTS)
def test_excerpts(line: str, column: int, span: int, excerpt: str) -> None:
    """The carets stand below the culprit, and nothing of the line reaches the terminal as more than text."""
    text = render_text([Diagnostic("c", "m", position=Position("f", 1, 1, column, line), span=span)])
    assert text == f"f:1:{column}: error[c]: m\n{excerpt}"


def test_large_line_numbers() -> None:
    """The margin grows with the number."""
    text = render_text([Diagnostic("c", "m", position=Position("f", 1, 1234567, 1, "ab"))])
    assert text == "f:1234567:1: error[c]: m\n1234567 | ab\n        | ^\n"


def test_control_characters_are_neutralised_everywhere() -> None:
    """File names, messages, paths and remedies may all come from input: one problem stays one message."""
    bad = "x\n\x1b[2J\ry\x85\U000e0001"
    safe = "x\\n\\x1b[2J\\ry\\x85\\U000e0001"
    diagnostic = Diagnostic("c", bad, position=Position(bad, 1, 1, 1), where=bad, help=bad)
    assert render_text([diagnostic]) == f"{safe}:1:1: error[c]: {safe}\n   in {safe}\n   help: {safe}\n"


def test_long_messages_are_cut() -> None:
    """A value of a megabyte in a message does not fill the screen."""
    assert concise_line(Diagnostic("c", "x" * 1_000_000)) == "error[c]: " + "x" * 1000 + "…"


def test_at_most_fifty_are_shown() -> None:
    """The rest is counted by severity."""
    diagnostics = [Diagnostic("e", f"{i:03}") for i in range(52)]
    diagnostics += [Diagnostic("w", "warned", severity=WARNING) for _ in range(3)]
    lines = render_text(diagnostics).split("\n")
    assert lines[0::2][:51] == [f"error[e]: {i:03}" for i in range(50)] + ["and 2 errors, 3 warnings more"]
    assert lines[-1] == ""
    assert render_text(diagnostics[:50]).count("error[e]") == 50
    assert "more" not in render_text(diagnostics[:50])


def test_colour() -> None:
    """Only the severity and the carets are coloured, and only on request."""
    diagnostic = Diagnostic("c", "m", severity=WARNING, position=Position("f", 1, 1, 1, "ab"), span=2)
    assert render_text([diagnostic], color=True) == (
        "f:1:1: \x1b[1;33mwarning[c]\x1b[0m: m\n    1 | ab\n      | \x1b[1;33m^^\x1b[0m\n"
    )


@pytest.mark.parametrize(
    ("severities", "line"),
    [
        pytest.param([], "", id="none"),
        pytest.param(["error"], "1 error", id="one"),
        pytest.param(["error", "warning", "error", "info"], "2 errors, 1 warning, 1 note", id="each"),
        pytest.param(["warning", "warning", "info", "info"], "2 warnings, 2 notes", id="many"),
    ],
)
def test_summary(severities: list[str], line: str) -> None:
    """Counts by severity, what is not there left out."""
    assert summary_line(Diagnostic("c", "m", severity=severity) for severity in severities) == line


def test_nothing_to_say() -> None:
    """No diagnostics, no text."""
    assert render_text([]) == ""
