"""Laws of a function that is run over its own output."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.function.lists import KPTFILE, app, definition, entries, fn, resource_list
from tests.rendering import config_map

RESOURCES = config_map("cm", '{x: "${schema.spec.x}"}', more="includeWhen: ['${schema.spec.enabled}']") + config_map(
    "per", '{r: "${r}"}', name="${schema.metadata.name}-${r}", more="forEach: [{r: '${schema.spec.list}'}]"
)
FIELDS = '{x: "string | default=y", enabled: "boolean | default=true", list: "[]string"}'

specs = st.fixed_dictionaries(
    {
        "x": st.sampled_from(["a", "y", "1e3"]),
        "enabled": st.booleans(),
        "list": st.lists(st.sampled_from("abc"), unique=True),
    }
)
instances = st.dictionaries(st.sampled_from(["one", "two", "three"]), specs, max_size=3)


def sources(wanted: dict[str, dict[str, Any]]) -> list[str]:
    import json

    return [KPTFILE, definition(RESOURCES, spec=FIELDS), *(app(json.dumps(s), name=n) for n, s in wanted.items())]


@settings(max_examples=25, deadline=None)
@given(before=instances, after=instances, seed=st.randoms(use_true_random=False))
def test_what_was_there_before_does_not_matter(before: dict[str, Any], after: dict[str, Any], seed: Any) -> None:
    """Whatever an earlier run has left, in whatever order the host shows it, the package ends as if it were rendered afresh."""
    output = entries(fn(resource_list(*sources(before))).stdout)[2 + len(before) :]
    shown = [*sources(after), *output]
    seed.shuffle(shown)
    again = fn(resource_list(*shown))
    assert again.code == 0, again.stderr
    assert again.items == fn(resource_list(*sources(after))).items


@settings(max_examples=10, deadline=None)
@given(wanted=instances)
def test_twice_is_once(wanted: dict[str, Any]) -> None:
    first = fn(resource_list(*sources(wanted)))
    assert fn(first.stdout).stdout == first.stdout
