"""Labels and annotations of rendered objects: strings, whoever gives them."""

from __future__ import annotations

import pytest

from tests.rendering import config_map, instance, render, rgd

FREE = config_map("cm").replace("metadata: {", 'metadata: {FIELD: "${schema.spec.texts}", ')


@pytest.mark.parametrize("field", ["labels", "annotations"])
@pytest.mark.parametrize(
    ("texts", "errors"),
    [
        pytest.param("{a: b}", [], id="strings"),
        pytest.param("{}", [], id="none"),
        pytest.param("{a: null}", [], id="null, which a server takes for an empty string"),
        pytest.param("{a: b, c: 1}", ["metadata-not-text"], id="a number"),
        pytest.param("{a: {}}", ["metadata-not-text"], id="a mapping"),
    ],
)
@pytest.mark.parametrize("kro_labels", [False, True])
def test_of_a_value_that_nobody_could_check(field: str, texts: str, errors: list[str], *, kro_labels: bool) -> None:
    text = rgd(FREE.replace("FIELD", field), spec="{texts: object}")
    assert render(text, instance(f"{{texts: {texts}}}"), kro_labels=kro_labels).errors == errors


@pytest.mark.parametrize("value", ["x", "[a]", "5", "{a: 1}", '{"a b": c}'])
def test_of_an_instance(value: str) -> None:
    given = instance().replace("namespace: store", f"namespace: store, labels: {value}")
    [error] = [each for each in render(rgd(config_map("cm")), given).findings if each.severity == "error"]
    assert error.code in ("instance-wrong-type", "invalid-label")
    assert error.position is not None
