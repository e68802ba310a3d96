"""readyWhen in the words that Flux has: the fields of an object are variables, and what is missing is an error."""

from __future__ import annotations

import pytest

from krm_fn.cel import parse
from krm_fn.emit.flux.expression import NotCarried, carried
from krm_fn.emit.flux.kustomizations import kustomization_name

STATUS = {"properties": {"status": {"properties": {"list": {"type": "array"}, "text": {"type": "string"}}}}}


def of_flux(text: str) -> str:
    return carried(parse(text), "db", schema=STATUS)


@pytest.mark.parametrize(
    ("kro", "flux"),
    [
        ("db.status.phase == 'Ready'", 'status.phase == "Ready"'),
        ("db['status'].phase == db.spec.phase", "status.phase == spec.phase"),
        ("db.metadata.annotations['a/b'] == 'c'", 'metadata.annotations["a/b"] == "c"'),
        ("has(db.status.phase)", "has(status.phase)"),
        ("has(db.status) && db.status.ok", "size([status]) == 1 && status.ok"),
        ("'status' in db && db.status.ok", "size([status]) == 1 && status.ok"),
        ("has(db.metadata) && db.status.ok", "true && status.ok"),
        ("has(db.status) ? db.status.ok : false", "size([status]) == 1 ? status.ok : false"),
        ("db.?status.?ok.orValue(false)", "optional.of(status).?ok.orValue(false)"),
        ("db.status.?ok.orValue(true)", "status.?ok.orValue(true)"),
        ("db[?'status'].?ok.hasValue()", "optional.of(status).?ok.hasValue()"),
        ("db.status.list.exists(c, c.ok)", "status.list.exists(c, c.ok)"),
        ("db.status.list.all(status, db.status.x == status)", "status.list.all(status_, status.x == status_)"),
        ("db.status.list.map(db, db.x).size() == 2", "status.list.map(db, db.x).size() == 2"),
        ("db.status.list.map(int, int * 2) == [2]", "status.list.map(int_, int_ * 2) == [2]"),
        ("cel.bind(s, db.status, s.a == s.b)", "status.a == status.b"),
        (
            "cel.bind(x, db.status.x, db.status.list.exists(c, cel.bind(y, c, [1].exists(c, c == y && x == 1))))",
            "status.list.exists(c, [1].exists(c_, c_ == c && status.x == 1))",
        ),
        ("db.status.x.optMap(v, v == 1).orValue(false)", "status.x.optMap(v, v == 1).orValue(false)"),
        ("db.status.text.indexOf('a') == 0", 'status.text.indexOf("a") == 0'),
        ("string(db.status.n).reverse() == '1'", 'string(status.n).reverse() == "1"'),
        ("base64.decode(db.status.x) == b'a'", 'base64.decode(status.x) == b"a"'),
        ("true", "true"),
    ],
)
def test_is_carried_as(kro: str, flux: str) -> None:
    assert of_flux(kro) == flux


@pytest.mark.parametrize(
    ("text", "what", "where"),
    [
        ("db == db", "Flux has no name for the whole object", "db"),
        ("size(db) > 3", "Flux has no name for the whole object", "db"),
        ("!has(db.status)", "it may hold while there is no status, which is an error in Flux", "has(db.status)"),
        ("has(db.status) ? db.status.ok : true", "it may hold while there is no status, which is an error in Flux", "has(db.status)"),
        ("db.?status.?ok.orValue(true)", "it may hold while there is no status, which is an error in Flux", "db.?status"),
        ("!has(db.spec) && !has(db.status)", "it may hold while there is no spec, which is an error in Flux", "has(db.spec)"),
        ("quantity(db.status.size).isInteger()", "Flux's CEL has no quantity()", "quantity(db.status.size)"),
        ("db.status.list.first().hasValue()", "Flux's CEL has no first()", "db.status.list.first()"),
        ("lists.range(3) == db.status.list", "Flux's CEL has no lists.range()", "lists.range(3)"),
        ("json.unmarshal(db.status.text).ok", "Flux's CEL has no json.unmarshal()", "json.unmarshal(db.status.text)"),
        ("url(db.status.url).getHost() == 'a'", "Flux's CEL has no url()", "url(db.status.url)"),
        ("db.status.list.indexOf(1) == 0", "Flux's CEL has indexOf() for texts alone", "db.status.list.indexOf(1)"),
        ("db.status.list.all(i, v, v > i)", "Flux's CEL has no all() with 2 variables", "db.status.list.all(i, v, v > i)"),
        ("db.status.list.sortBy(e, e) == [1]", "Flux's CEL has no sortBy()", "db.status.list.sortBy(e, e)"),
        ("db.package.ok", "package cannot be a variable, which the fields of an object are in Flux", "db.package"),
        ("db['a-b'].ok", "a-b cannot be a variable, which the fields of an object are in Flux", "db['a-b']"),
        ("db.type == 'a'", "type cannot be a variable, which the fields of an object are in Flux", "db.type"),
        ("db.status.a__dash__b", "a__dash__b is how kro writes a name that is none", "db.status.a__dash__b"),
        ("db.status.n == int('a')", "it fails whatever the object is", "int('a')"),
        ("db.status.text.matches('(')", "it fails whatever the object is", "db.status.text.matches('(')"),
        ("matches(db.status.text, '(')", "it fails whatever the object is", "matches(db.status.text, '(')"),
        ("other.status.ok", "other is nothing that Flux knows of an object", "other"),
    ],
)  # fmt: skip
def test_is_not_carried(text: str, what: str, where: str) -> None:
    with pytest.raises(NotCarried) as raised:
        of_flux(text)
    refusal = raised.value
    assert (refusal.what, text[refusal.offset : refusal.offset + refusal.length]) == (what, where)


def test_no_function_reads_the_values_of_a_secret() -> None:
    """As in kro, where each of them fails: https://github.com/kubernetes-sigs/kro, readyWhen of a Secret."""
    for text in ("base64.decode(s.data.x) == b'a'", "s.data.x.startsWith('a')"):
        with pytest.raises(NotCarried, match="Secret"):
            carried(parse(text), "s", is_secret=True)
    assert carried(parse("has(s.data.x) && size(s.data) > 1"), "s", is_secret=True) == "has(data.x) && size(data) > 1"


def test_what_names_grow_into_is_bounded() -> None:
    """Each cel.bind doubles what it names."""
    text = "x29 == 1"
    for i in range(29, -1, -1):
        text = f"cel.bind(x{i}, {f'x{i - 1} + x{i - 1}' if i else 'db.status.n'}, {text})"
    with pytest.raises(NotCarried, match="too long"):
        of_flux(text)


def test_the_name_of_a_kustomization_fits_into_a_label() -> None:
    assert kustomization_name("app.store.shop", 3) == "app.store.shop.3"
    names = [kustomization_name(f"app.store.{'very-' * 20}{end}", 12) for end in ("long", "longer")]
    assert names[0] != names[1]
    assert all(len(name) <= 63 and name.endswith(".12") and "-.12" not in name for name in names)
    assert kustomization_name("a" * 49 + "-" + "b" * 30, 0)[48:50] != "--"
