"""Diagnostics as `results` and as lines on stderr."""

from __future__ import annotations

import pytest

from krm_fn.report.diagnostic import ERROR, INFO, WARNING, Diagnostic, Position, Subject
from krm_fn.report.krm import lines, results

SUBJECT = Subject("kro.run/v1alpha1", "App", "shop", "store")
PLACE = Position("apps/shop.yaml", 2, 7, 3)


@pytest.mark.parametrize(
    ("diagnostic", "result", "line"),
    [
        pytest.param(
            Diagnostic("wrong", "spec.x is 5", position=PLACE, subject=SUBJECT, where="spec.x", help="write text"),
            {
                "message": "spec.x is 5; write text",
                "severity": "error",
                "resourceRef": {"apiVersion": "kro.run/v1alpha1", "kind": "App", "name": "shop", "namespace": "store"},
                "field": {"path": "spec.x"},
                "file": {"path": "apps/shop.yaml", "index": 1},
                "tags": {"code": "wrong"},
            },
            "apps/shop.yaml: error[wrong]: App/store/shop spec.x: spec.x is 5; write text\n",
            id="all",
        ),
        pytest.param(
            Diagnostic("odd", "nothing is known", severity=WARNING),
            {"message": "nothing is known", "severity": "warning", "tags": {"code": "odd"}},
            "warning[odd]: nothing is known\n",
            id="nothing",
        ),
        pytest.param(
            Diagnostic("note", "no name", severity=INFO, subject=Subject("v1", "ConfigMap", ""), where="data"),
            {"message": "no name", "severity": "info", "tags": {"code": "note"}},
            "info[note]: ConfigMap data: no name\n",
            id="a-reference-needs-a-name-and-a-field-needs-a-reference",
        ),
        pytest.param(
            Diagnostic("syntax", "bad", position=Position("<stdin>", 1, 3, 5)),
            {"message": "bad", "severity": "error", "tags": {"code": "syntax"}},
            "<stdin>:3:5: error[syntax]: bad\n",
            id="a-stream-is-no-file",
        ),
        pytest.param(
            Diagnostic("forged", "a\nb\x1b[2J", severity=ERROR),
            {"message": "a\\nb\\x1b[2J", "severity": "error", "tags": {"code": "forged"}},
            "error[forged]: a\\nb\\x1b[2J\n",
            id="control-characters",
        ),
    ],
)
def test_a_diagnostic(diagnostic: Diagnostic, result: dict[str, object], line: str) -> None:
    assert results([diagnostic]) == [result]
    assert lines([diagnostic]) == line


def test_stderr_has_an_end() -> None:
    many = [Diagnostic("wrong", f"number {i}") for i in range(70)]
    printed = lines(many).splitlines()
    assert len(printed) == 51
    assert printed[-1] == "and 20 errors more"
    assert len(results(many)) == 70
