"""Laws of admission, over schemas and instances that nobody thought of."""

from __future__ import annotations

import copy
from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from krm_fn.admit.admission import compile_admission
from krm_fn.report.diagnostic import ERROR
from krm_fn.schema.simple_schema import to_openapi
from krm_fn.schema.structural import Found, compile_value

QUIET = settings(deadline=None)  # how long one example takes is the machine's affair
NAMES = st.sampled_from(["a", "b", "c", "with-dash"])
TEXTS = st.sampled_from(["", "a", "ab", "abc", "é", "\U0001f600"])
NUMBERS = st.one_of(st.integers(-3, 9), st.sampled_from([0.5, 2.5, -1.5, 2**53 + 1]))


def scalars() -> st.SearchStrategy[Any]:
    bound = st.integers(0, 4)
    return st.one_of(
        st.builds(
            lambda keys, texts: {"type": "string", **keys, **texts},
            st.fixed_dictionaries({}, optional={"minLength": bound, "maxLength": bound}),
            st.fixed_dictionaries(
                {},
                optional={
                    "enum": st.lists(TEXTS, min_size=1, unique=True),
                    "pattern": st.sampled_from(["^a", "b$", "[é]"]),
                },
            ),
        ),
        st.builds(
            lambda kind, keys: {"type": kind, **keys},
            st.sampled_from(["integer", "number"]),
            st.fixed_dictionaries({}, optional={"minimum": bound, "maximum": bound}),
        ),
        st.just({"type": "boolean"}),
    )


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.builds(
        lambda items, keys: {"type": "array", "items": items, **keys},
        inner,
        st.fixed_dictionaries({}, optional={"minItems": st.integers(0, 2), "maxItems": st.integers(0, 3)}),
    )
    maps = st.builds(lambda items: {"type": "object", "additionalProperties": items}, inner)
    return st.one_of(
        lists, maps, structs(inner), st.just({"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    )


@st.composite
def structs(draw: st.DrawFn, inner: st.SearchStrategy[Any]) -> dict[str, Any]:
    properties = draw(st.dictionaries(NAMES, inner, min_size=1, max_size=3))
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    required = draw(st.lists(st.sampled_from(sorted(properties)), unique=True))
    return {**schema, "required": required} if required else schema


SCHEMAS = structs(st.recursive(scalars(), containers, max_leaves=6))
VALUES = st.recursive(
    st.one_of(TEXTS, NUMBERS, st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=8,
)


def values_of(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Draw values that often suit *schema*: only then do the deeper checks have work."""
    kind = schema["type"]
    fitting: st.SearchStrategy[Any]
    if kind == "object" and "properties" in schema:
        fitting = st.fixed_dictionaries(
            {}, optional={name: values_of(sub) for name, sub in schema["properties"].items()}
        )
    elif kind == "object":
        fitting = st.dictionaries(
            NAMES, values_of(schema["additionalProperties"]) if "additionalProperties" in schema else VALUES
        )
    elif kind == "array":
        fitting = st.lists(values_of(schema["items"]), max_size=3)
    elif kind == "string":
        fitting = TEXTS
    else:
        fitting = st.booleans() if kind == "boolean" else NUMBERS
    return st.one_of(fitting, fitting, fitting, VALUES)


CASES = SCHEMAS.flatmap(lambda schema: st.tuples(st.just(schema), values_of(schema)))


@given(CASES)
@QUIET
def test_the_check_agrees_with_jsonschema(case: tuple[dict[str, Any], Any]) -> None:
    """On the vocabulary that the two share, nothing defaulted and unknown fields allowed, they give one verdict."""
    schema, value = case
    found = Found()
    compile_value(schema, as_written=True)(value, ("spec",), found)
    mistakes = [violation for violation in found.errors if violation.code != "instance-unknown-field"]
    assert (not mistakes) == jsonschema.Draft202012Validator(schema).is_valid(value)


@given(CASES)
@QUIET
def test_admission_is_idempotent_and_leaves_its_input_alone(case: tuple[dict[str, Any], Any]) -> None:
    schema, value = case
    admission = compile_admission(schema)
    instance = {"kind": "Thing", "spec": value}
    before = copy.deepcopy(instance)
    admitted, violations = admission.admit(instance)
    again, violations_again = admission.admit(admitted)
    assert repr(instance) == repr(before)
    assert again is admitted
    errors = [violation.message for violation in violations if violation.severity == ERROR]
    assert [violation.message for violation in violations_again] == [
        error.removesuffix(" (it is null, which counts as missing)") for error in errors
    ]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> dict[tuple[Any, ...], Any]:
    if isinstance(value, dict) and value:
        return {place: leaf for key, item in value.items() for place, leaf in leaves(item, (*path, key)).items()}
    if isinstance(value, list) and value:
        return {place: leaf for index, item in enumerate(value) for place, leaf in leaves(item, (*path, index)).items()}
    return {path: value}


@given(CASES)
@QUIET
def test_nothing_is_invented_without_a_default(case: tuple[dict[str, Any], Any]) -> None:
    """Every scalar of the admitted instance stands in the given one, at the same place; a number may be the nearest double."""
    schema, value = case
    admitted, _ = compile_admission(schema).admit({"spec": value})
    given_leaves = leaves(value)
    for place, leaf in leaves(admitted.get("spec", {})).items():
        if not isinstance(leaf, (dict, list)):
            given = given_leaves[place]
            assert (float(given) if type(leaf) is float else given) == leaf


FIELDS = st.sampled_from(
    [
        "string",
        'string | default="d"',
        'string | required=true default="d"',
        "integer | default=3 minimum=1",
        "float | default=2",
        "[]integer | default=[1]",
        'map[string]A | default={"k": {}}',
        "A",
        "[]A",
        "A | default={}",
        "boolean | required=true",
    ]
)
SPECS = st.recursive(
    st.dictionaries(NAMES, FIELDS, max_size=3),
    lambda inner: st.dictionaries(NAMES, inner | FIELDS, max_size=3),
    max_leaves=4,
)


@given(SPECS, VALUES)
@QUIET
def test_defaults_survive_a_second_admission(spec: dict[str, Any], value: Any) -> None:
    """What has been defaulted has nothing left to default, and a default never breaks its own schema."""
    schema = to_openapi(spec, {"A": {"x": "string | default=y", "n": "integer"}})
    admission = compile_admission(schema)
    admitted, _ = admission.admit({"spec": value})
    assert admission.admit(admitted)[0] is admitted
    bare, violations = admission.admit({})
    assert not violations
    assert ("spec" in bare) == ("default" in schema)
