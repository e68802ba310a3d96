"""The order in which problems are shown, and what is not shown beside its cause."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from krm_fn.report.catalogue import GROUPS, MEANINGS, rank
from krm_fn.report.diagnostic import ERROR, INFO, WARNING, Diagnostic, Position, RenderError, arranged


def at(code: str, line: int = 1, *, file: str = "a.yaml", severity: str = ERROR, where: str = "") -> Diagnostic:
    return Diagnostic(code, "m", severity=severity, position=Position(file, 1, line, 1), where=where)


def shown(*diagnostics: Diagnostic) -> list[str]:
    return [found.code for found in arranged(diagnostics)]


def test_errors_before_warnings_before_notes() -> None:
    notes = at("removed", 1, severity=INFO), at("unknown-kind", 2, severity=WARNING), at("identity-clash", 3)
    assert shown(*notes) == ["identity-clash", "unknown-kind", "removed"]


def test_causes_before_consequences_whatever_the_file() -> None:
    """A type may be wrong since a reference is, an instance may have no definition since that one is broken."""
    found = at("rgd-missing", 1), at("cel-type", 2), at("unknown-reference", 3), at("cel-syntax", 4)
    more = at("type-unknown", 5), at("invalid-id", 6, file="z.yaml"), at("yaml-syntax", 7, file="z.yaml")
    assert shown(*found, *more) == [
        "yaml-syntax", "invalid-id", "type-unknown", "cel-syntax", "unknown-reference", "cel-type", "rgd-missing",
    ]  # fmt: skip


def test_in_a_group_by_place() -> None:
    assert shown(at("cel-type", 9), at("undefined-field", 10), at("cel-type", 11)) == [
        "cel-type", "undefined-field", "cel-type",
    ]  # fmt: skip


def test_a_cause_hides_what_follows_at_its_place() -> None:
    assert shown(at("cel-type"), at("unknown-reference")) == ["unknown-reference"]
    assert shown(at("waits-forever", severity=WARNING), at("invalid-name")) == ["invalid-name"]


def test_another_place_is_another_problem() -> None:
    assert shown(at("cel-type", where="a"), at("unknown-reference", where="b")) == ["unknown-reference", "cel-type"]
    assert shown(at("kustomize-failed"), Diagnostic("file-not-found", "m")) == ["kustomize-failed", "file-not-found"]


def test_problems_of_one_group_do_not_hide_each_other() -> None:
    assert shown(at("rgd-missing-field"), at("template-missing")) == ["rgd-missing-field", "template-missing"]


def test_a_warning_hides_no_error() -> None:
    assert shown(at("unknown-kind", severity=WARNING), at("invalid-identity")) == ["invalid-identity", "unknown-kind"]


def test_what_is_said_twice_is_shown_once() -> None:
    assert shown(at("cel-type"), at("cel-type"), at("cel-type", 2)) == ["cel-type", "cel-type"]


def test_what_a_yaml_alias_repeats_is_shown_once() -> None:
    assert shown(at("cel-type", where="a.x"), at("cel-type", where="b.x")) == ["cel-type"]
    unplaced = [Diagnostic("cel-type", "m", where=where) for where in ("a", "a", "b")]
    assert shown(*unplaced) == ["cel-type", "cel-type"]


def test_a_refusal_is_arranged() -> None:
    error = RenderError([at("cel-type"), at("yaml-syntax", 2), at("yaml-syntax", 2)])
    assert [found.code for found in error.diagnostics] == ["yaml-syntax", "cel-type"]


@given(
    st.lists(
        st.builds(
            at,
            st.sampled_from([*MEANINGS, "not-in-the-catalogue"]),
            st.integers(1, 3),
            severity=st.sampled_from([ERROR, WARNING, INFO]),
        )
    ),
    st.randoms(),
)
def test_the_result_depends_on_what_there_is_alone(found: list[Diagnostic], random: st.DataObject) -> None:
    once = [(d.code, d.severity, str(d.position)) for d in arranged(found)]
    random.shuffle(found)  # type: ignore[attr-defined]
    assert [(d.code, d.severity, str(d.position)) for d in arranged(found)] == once
    assert {d.severity for d in arranged(found)} >= {d.severity for d in found if d.severity == ERROR}


def test_what_is_not_in_the_catalogue_comes_last() -> None:
    assert rank("not-in-the-catalogue") == len(GROUPS) > max(map(rank, MEANINGS))
