"""The list of changes: exact text, exact Markdown, and nothing that foreign names and values could do in either."""

from __future__ import annotations

import re
from typing import Any

import pytest

from krm_fn.report.changes import MAX_COMMENT, MAX_LINES, changes_markdown, changes_text

HOSTILE = "a`b``c | <img src=x> @team #1 [x](http://y) \x1b[31m\u202e\n# heading\\|"


def change(kind: str, field: str, description: str, old: str = "", new: str = "", **more: str) -> dict[str, str]:
    return {"type": kind, "field": field, "old": old, "new": new, "description": description, "path": "", **more}


def api(name: str, state: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "state": state, **more}


def kro(*breaking: dict[str, str], others: tuple[dict[str, str], ...] = ()) -> dict[str, Any]:
    return {"compatible": not breaking, "summary": "", "breaking": list(breaking), "nonBreaking": list(others)}


def report(*apis: dict[str, Any], against: str = "main") -> dict[str, Any]:
    return {"against": against, "apis": list(apis)}


FULL = report(
    api(
        "web",
        "refused",
        crd="webs.kro.run",
        kro=kro(
            change("MAXIMUM_DECREASED", "spec.replicas", "Maximum was decreased from 5 to 3", "5", "3"),
            change(
                "PROPERTY_ADDED", "spec.size", "Optional property size was added", "required=false", "required=true"
            ),
            others=(change("PROPERTY_ADDED", "spec.zone", "Optional property zone was added"),),
        ),
        uncompared=[
            change("RULE_ADDED", "spec.ports[].name", "Validation rule self != '' was added", "", "self != ''")
        ],
    ),
    api(
        "web-2",
        "refused",
        crd="caches.kro.run",
        formerName="cache",
        immutable=[{"field": "scope", "old": "Namespaced", "new": "Cluster"}],
    ),
    api("same", "unchanged", crd="sames.kro.run"),
    api("new", "added", crd="news.kro.run"),
    api("broken", "not-compared"),
)


def test_text() -> None:
    assert (
        changes_text(FULL)
        == """\
compared with main: 2 refused, 1 added, 1 not compared, 1 unchanged

webs.kro.run (web): kro refuses this change
  breaking      spec.replicas      Maximum was decreased from 5 to 3
  breaking      spec.size          Required property size was added, without a default
  not seen      spec.ports[].name  Validation rule self != '' was added
  non-breaking  spec.zone          Optional property zone was added

caches.kro.run (web-2): the API server refuses this change
  immutable     metadata.name  The CRD belongs to ResourceGraphDefinition cache
  immutable     scope          Changed from Namespaced to Cluster, which no RGD may

news.kro.run (new): new

broken: not compared: one of the two versions is not valid
"""
    )


def test_markdown() -> None:
    assert (
        changes_markdown(FULL)
        == """\
### API changes against `main`

2 refused, 1 added, 1 not compared, 1 unchanged

#### `webs.kro.run`: kro refuses this change

| | field | change | before | after |
|---|---|---|---|---|
| **breaking** | `spec.replicas` | maximum decreased | `5` | `3` |
| **breaking** | `spec.size` | property added | `required=false` | `required=true` |
| not seen | `spec.ports[].name` | rule added |  | `self != ''` |
| non-breaking | `spec.zone` | property added |  |  |

#### `caches.kro.run`: the API server refuses this change

| | field | change | before | after |
|---|---|---|---|---|
| **immutable** | `metadata.name` | rgd renamed | `cache` | `web-2` |
| **immutable** | `scope` | immutable field | `Namespaced` | `Cluster` |

#### `news.kro.run`: new

#### `broken`: not compared: one of the two versions is not valid
"""
    )


@pytest.mark.parametrize("show", [changes_text, changes_markdown])
def test_nothing_to_compare(show: Any) -> None:
    assert "no ResourceGraphDefinition" in show(report())
    assert "1 unchanged" in show(report(api("same", "unchanged")))


def hostile(count: int = 1) -> dict[str, Any]:
    changes = [change("DEFAULT_CHANGED", f"spec.{HOSTILE}", HOSTILE, HOSTILE, HOSTILE * 40) for _ in range(count)]
    return report(api(HOSTILE, "refused", crd=HOSTILE, kro=kro(*changes)), against=HOSTILE)


def test_text_is_harmless_to_a_terminal() -> None:
    lines = changes_text(hostile()).split("\n")
    assert len(lines) == 5, "a heading, a blank line, the API, its change, and the end"
    assert all(line.isprintable() for line in lines)


def code_spans_removed(line: str) -> str:
    """What is left of a line of Markdown once its code spans are gone, as CommonMark reads them."""
    return re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", line)


def test_in_markdown_foreign_text_stands_in_code_spans() -> None:
    for line in changes_markdown(hostile()).split("\n"):
        assert line.isprintable()
        rest = code_spans_removed(line)
        assert not set(rest) & set("<@[\\`"), rest
        if line.startswith("| **"):
            assert len(re.findall(r"(?:\\.|[^\\|])*\|", line)) == 6, "five cells, whatever bars the values hold"


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        pytest.param(r"a|b", r"`a\|b`", id="a bar"),
        pytest.param(r"a\\|b", r"`a\\\|b`", id="a bar behind an even number of backslashes"),
        pytest.param(r"a\|b", r"`a\\\|b`", id="a bar behind one backslash, which is doubled"),
        pytest.param("a`b", "``a`b``", id="a backtick"),
        pytest.param("`a", "`` `a ``", id="a backtick at the edge"),
        pytest.param("x" * 300, f"`{'x' * 200}…`", id="a long value"),
    ],
)
def test_a_value_in_a_cell(value: str, cell: str) -> None:
    document = report(api("a", "refused", kro=kro(change("PATTERN_ADDED", "spec.x", "", "", value))))
    assert changes_markdown(document).splitlines()[-1] == f"| **breaking** | `spec.x` | pattern added |  | {cell} |"


def test_long_lists_are_counted() -> None:
    text = changes_text(hostile(MAX_LINES + 5))
    assert text.endswith("  and 5 more\n")
    assert text.count("  breaking ") == MAX_LINES


def test_a_comment_has_a_size() -> None:
    comment = changes_markdown(hostile(2000))
    assert len(comment) < 65_536
    shown = comment.count("| **breaking** |")
    assert comment.endswith(f"and {2000 - shown} more, which do not fit into a comment\n")
    many = changes_markdown(report(*(api(f"api-{i}", "added") for i in range(5000))))
    assert len(many) <= MAX_COMMENT + 100
    assert many.endswith(f"and {5000 - many.count('####')} more, which do not fit into a comment\n")
