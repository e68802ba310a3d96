"""The formats for programs: the same facts in each, valid as its reader asks, and hostile text is never more than text."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from krm_fn.report.catalogue import MEANINGS
from krm_fn.report.diagnostic import ERROR, INFO, WARNING, Diagnostic, Position, Subject
from krm_fn.report.formats import FORMATS, formatted

RGD = Subject("kro.run/v1alpha1", "ResourceGraphDefinition", "web")
FULL = Diagnostic(
    "undefined-field",
    "'replica' is not a field of schema.spec",
    position=Position("apps/rgd.yaml", 2, 31, 27, "  replicas: ${schema.spec.replica}"),
    span=7,
    subject=RGD,
    where="spec.resources[2].template.spec.replicas",
    help="did you mean 'replicas'?",
)
BARE = Diagnostic("empty-output", "there is nothing to apply", severity=WARNING)


# -- json -------------------------------------------------------------------------------------------------------------


def test_json_has_every_fact() -> None:
    assert json.loads(formatted([FULL], "json")) == {
        "apiVersion": "rookery.dev/v1alpha1",
        "kind": "DiagnosticList",
        "summary": {"errors": 1, "warnings": 0, "notes": 0},
        "diagnostics": [
            {
                "code": "undefined-field",
                "severity": "error",
                "message": "'replica' is not a field of schema.spec",
                "help": "did you mean 'replicas'?",
                "position": {"file": "apps/rgd.yaml", "document": 2, "line": 31, "column": 27, "length": 7},
                "resource": {"apiVersion": "kro.run/v1alpha1", "kind": "ResourceGraphDefinition", "name": "web"},
                "field": "spec.resources[2].template.spec.replicas",
            }
        ],
    }


def test_json_leaves_out_what_is_not_known() -> None:
    document = json.loads(formatted([BARE], "json"))
    assert document["summary"] == {"errors": 0, "warnings": 1, "notes": 0}
    assert document["diagnostics"] == [
        {"code": "empty-output", "severity": "warning", "message": "there is nothing to apply"}
    ]


# -- sarif ------------------------------------------------------------------------------------------------------------

_TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
_COUNT = {"type": "integer", "minimum": 1}


def _object(required: str, **properties: Any) -> dict[str, Any]:
    """An object as SARIF's schema has them: nothing but what is declared."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required.split(),
        "properties": properties,
    }


_LOCATION = _object(
    "",
    physicalLocation=_object(
        "artifactLocation",
        artifactLocation=_object("uri", uri={"type": "string", "format": "uri-reference", "pattern": r"^[!-~]+$"}),
        region=_object("startLine startColumn", startLine=_COUNT, startColumn=_COUNT, endColumn=_COUNT),
    ),
    logicalLocations={"type": "array", "items": _object("", fullyQualifiedName={"type": "string"})},
)
_RULE = _object("id", id={"type": "string"}, shortDescription=_TEXT, helpUri={"type": "string", "pattern": "^https://"})
_RESULT = _object(
    "message",
    ruleId={"type": "string"},
    ruleIndex={"type": "integer", "minimum": 0},
    level={"enum": ["none", "note", "warning", "error"]},
    message=_TEXT,
    locations={"type": "array", "items": _LOCATION},
)
_DRIVER = _object(
    "name",
    name={"type": "string"},
    version={"type": "string"},
    informationUri={"type": "string", "pattern": "^https://"},
    rules={"type": "array", "uniqueItems": True, "items": _RULE},
)
_RUN = _object(
    "tool",
    tool=_object("driver", driver=_DRIVER),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results={"type": "array", "items": _RESULT},
)
SARIF = _object(
    "version runs",
    **{"$schema": {"type": "string", "format": "uri"}, "version": {"const": "2.1.0"}},
    runs={"type": "array", "minItems": 1, "items": _RUN},
)
"""The part of the published schema, sarif-schema-2.1.0.json, that a log of ours can reach."""


def sarif(*diagnostics: Diagnostic) -> dict[str, Any]:
    log = json.loads(formatted(diagnostics, "sarif"))
    jsonschema.validate(log, SARIF)
    [run] = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [r["ruleId"] for r in run["results"]]
    return dict(run)


def test_sarif_has_every_fact() -> None:
    [result] = sarif(FULL)["results"]
    assert result == {
        "ruleId": "undefined-field",
        "ruleIndex": 0,
        "level": "error",
        "message": {"text": "'replica' is not a field of schema.spec; did you mean 'replicas'?"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "apps/rgd.yaml"},
                    "region": {"startLine": 31, "startColumn": 27, "endColumn": 34},
                },
                "logicalLocations": [
                    {"fullyQualifiedName": "ResourceGraphDefinition/web spec.resources[2].template.spec.replicas"}
                ],
            }
        ],
    }


def test_sarif_describes_each_rule_once_with_its_page() -> None:
    [rule, other] = sarif(FULL, FULL, BARE)["tool"]["driver"]["rules"]
    assert rule == {
        "id": "undefined-field",
        "shortDescription": {"text": MEANINGS["undefined-field"]},
        "helpUri": "https://rookery.dev/errors/undefined-field",
    }
    assert other["id"] == "empty-output"


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        pytest.param("a.yaml", "a.yaml", id="relative, as given"),
        pytest.param("../a b.yaml", "../a%20b.yaml", id="a blank"),
        pytest.param("a:b%.yaml", "a%3Ab%25.yaml", id="no scheme"),
        pytest.param("/srv/é.yaml", "file:///srv/%C3%A9.yaml", id="absolute"),
    ],
)
def test_sarif_names_a_file_by_its_uri(file: str, uri: str) -> None:
    [result] = sarif(Diagnostic("yaml-syntax", "m", position=Position(file, 1, 1, 1)))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": uri}


def test_a_stream_is_no_file() -> None:
    found = Diagnostic("yaml-syntax", "m", position=Position("<stdin>", 1, 3, 1))
    assert "locations" not in sarif(found)["results"][0]
    assert formatted([found], "github") == "::error title=yaml-syntax::m\n"


# -- github -----------------------------------------------------------------------------------------------------------


def test_github_has_every_fact() -> None:
    assert formatted([FULL], "github") == (
        "::error file=apps/rgd.yaml,line=31,col=27,endColumn=34,title=undefined-field::'replica' is not a field of"
        " schema.spec; did you mean 'replicas'? (in ResourceGraphDefinition/web at"
        " spec.resources[2].template.spec.replicas)\n"
    )


@pytest.mark.parametrize(("severity", "command"), [(ERROR, "error"), (WARNING, "warning"), (INFO, "notice")])
def test_github_has_a_command_for_each_severity(severity: str, command: str) -> None:
    assert formatted([Diagnostic("held", "m", severity=severity)], "github") == f"::{command} title=held::m\n"


def test_github_text_cannot_begin_a_command_or_a_property() -> None:
    bad = "x\r\n::set-env name=A::b\x1b[2J%0A"
    found = Diagnostic("held", bad, position=Position("a,line=1:b\n%.yaml", 1, 2, 3), help=bad)
    safe = "x\\r\\n::set-env name=A::b\\x1b[2J%250A"
    assert formatted([found], "github") == (
        f"::error file=a%2Cline=1%3Ab\\n%25.yaml,line=2,col=3,title=held::{safe}; {safe}\n"
    )


# -- all --------------------------------------------------------------------------------------------------------------


def test_a_culprit_ends_with_its_line() -> None:
    """An expression may go on over several lines; a column behind the line's end is none."""
    found = Diagnostic("cel-type", "m", position=Position("a.yaml", 1, 1, 4, "a: ${x"), span=100)
    assert json.loads(formatted([found], "json"))["diagnostics"][0]["position"]["length"] == 3
    assert "endColumn=7," in formatted([found], "github")
    assert sarif(found)["results"][0]["locations"][0]["physicalLocation"]["region"]["endColumn"] == 7


@pytest.mark.parametrize("form", FORMATS)
def test_the_most_important_comes_first(form: str) -> None:
    text = formatted([BARE, FULL], form)
    assert text.index("nothing to apply") > text.index("'replica'")


def test_nothing_to_say() -> None:
    """A document is a document all the same."""
    assert formatted([], "text") == formatted([], "github") == ""
    assert json.loads(formatted([], "json"))["diagnostics"] == []
    assert sarif()["results"] == []


_ANY = st.text(st.characters(), max_size=20)
_HOSTILE = st.builds(
    Diagnostic,
    st.sampled_from(sorted(MEANINGS)),
    _ANY,
    severity=st.sampled_from([ERROR, WARNING, INFO]),
    position=st.none() | st.builds(Position, _ANY.filter(bool), st.just(1), st.integers(1, 9), st.integers(1, 9), _ANY),
    span=st.integers(0, 30),
    where=_ANY,
    subject=st.none() | st.builds(Subject, _ANY, _ANY, _ANY, _ANY),
    help=_ANY,
)
_COMMAND = re.compile(r"::(?:error|warning|notice) ((?:[a-zA-Z]+=[^,:]*,)*title=[a-z-]+)::(.*)", re.DOTALL)


@pytest.mark.thorough
@settings(deadline=None)
@example([Diagnostic("held", "\x7f\u202e\ud800", help="\x7f")])
@given(st.lists(_HOSTILE, max_size=4))
def test_hostile_text_is_text_in_every_format(found: list[Diagnostic]) -> None:
    """Lone surrogates and control characters included: what is written is printable, and has the form that it must have."""
    for form in FORMATS:
        text = formatted(found, form)
        assert text.encode().decode() == text
        assert text.replace("\n", "").isprintable()
    sarif(*found)
    json.loads(formatted(found, "json"))
    for line in formatted(found, "github").splitlines():
        assert _COMMAND.fullmatch(line)
