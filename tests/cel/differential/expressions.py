"""
Well-typed expressions at random, so that most have a value; and a few through `dyn` whose operands do not fit.

Enters: nothing.  Leaves: two strategies of hypothesis, `EXPRESSIONS` and `BINDINGS`.
"""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

_EDGES = [0, 1, -1, 2, 3, 7, 9223372036854775807, -9223372036854775807]
_TEXTS = ["", "a", "ab", "a-b", "1", "ünï", "😀", "A b"]
_FLOATS = [0.0, 1.0, -1.5, 0.1, 1e10, 2.5]
_SCALARS = st.sampled_from([*_EDGES, *_TEXTS, *_FLOATS, True, False, None])

BINDINGS = st.fixed_dictionaries(
    {
        "n": st.one_of(st.integers(-9, 9), st.sampled_from(_EDGES)),
        "f": st.sampled_from(_FLOATS),
        "s": st.sampled_from(_TEXTS),
        "b": st.booleans(),
        "xs": st.lists(st.one_of(st.integers(-9, 9), st.sampled_from(_EDGES)), max_size=4),
        "ss": st.lists(st.sampled_from(_TEXTS), max_size=3),
        "o": st.dictionaries(st.sampled_from("abc"), _SCALARS, max_size=3),
    }
)

_ATOMS: dict[str, list[str]] = {
    "int": ["n", "n", "0", "1", "2", "3", "-3", "5", "7", "9223372036854775807", "o.a"],
    "uint": ["0u", "1u", "7u", "18446744073709551615u"],
    "double": ["f", "0.5", "2.0", "-1.25", "1e3"],
    "string": ["s", "s", '""', '"a"', '"b"', '"a-b"', '"ü"', "o.b"],
    "bool": ["b", "true", "false", "has(o.a)", "has(o.c)", '"a" in o'],
    "ints": ["xs", "[]", "[1, 2, 3]", "[n]"],
    "strings": ["ss", "[s]", '["a", "b"]'],
    "map": ["o", '{"a": 1}', '{"a": s, "b": [n]}'],
}
_NUMBERS = ("int", "uint", "double")
_SAME = (*_NUMBERS, "string", "bool", "ints", "strings")
_FORMS: dict[str, list[tuple[str, str]]] = {
    "int": [
        *((f"({{}} {operator} {{}})", "int int") for operator in "+-*/%"),
        ("-({})", "int"),
        ("size({})", "string"),
        ("{}.size()", "ints"),
        ("size({})", "map"),
        ("{}[{}]", "ints int"),
        ("({} ? {} : {})", "bool int int"),
        ("{}.map(v, v + {})[0]", "ints int"),
        ("int({})", "int"),
    ],
    "uint": [*((f"({{}} {operator} {{}})", "uint uint") for operator in "+-*/%"), ("({} ? {} : {})", "bool uint uint")],
    "double": [
        *((f"({{}} {operator} {{}})", "double double") for operator in "+-*"),
        ("-({})", "double"),
        ("double({})", "int"),
    ],
    "string": [
        ("({} + {})", "string string"),
        ("string({})", "int"),
        ("string({})", "string"),
        ("{}[{}]", "strings int"),
        ("({} ? {} : {})", "bool string string"),
    ],
    "bool": [
        *((f"({{}} {operator} {{}})", f"{kind} {kind}") for operator in ("==", "!=") for kind in _SAME),
        *((f"({{}} {operator} {{}})", f"{kind} {kind}") for operator in ("<", "<=", ">", ">=") for kind in _SAME[:4]),
        *((f"({{}} {operator} {{}})", "bool bool") for operator in ("&&", "||", "&&", "||")),
        ("!({})", "bool"),
        ("({} in {})", "int ints"),
        ("({} in {})", "string strings"),
        ("({} in {})", "string map"),
        *((f"({{}}).{name}({{}})", "string string") for name in ("contains", "startsWith", "endsWith")),
        ("{}.all(v, v > {})", "ints int"),
        ("{}.exists(v, v == {})", "ints int"),
        ("{}.exists_one(v, v % 2 == {})", "ints int"),
        ("{}.exists(v, {} / v > 1)", "ints int"),
        ("{}.all(v, v.startsWith({}))", "strings string"),
        ("({} ? {} : {})", "bool bool bool"),
    ],
    "ints": [
        ("[{}, {}]", "int int"),
        ("({} + {})", "ints ints"),
        ("{}.filter(v, v > {})", "ints int"),
        ("{}.map(v, v * {})", "ints int"),
        ("{}.map(v, size(v))", "strings"),
        ("({} ? {} : {})", "bool ints ints"),
    ],
    "strings": [
        ("[{}, {}]", "string string"),
        ("{}.map(v, v + {})", "strings string"),
        ("{}.filter(v, v.contains({}))", "strings string"),
        ("{}.map(v, string(v))", "ints"),
    ],
    "map": [('{{"a": {}, "b": {}}}', "int bool"), ("{{{}: {}}}", "string ints")],
}
_MISFITS = (
    "(dyn({}) + dyn({}))", "(dyn({}) - dyn({}))", "(dyn({}) == dyn({}))", "(dyn({}) < dyn({}))", "(dyn({}) && dyn({}))",
    "(dyn({}) || dyn({}))", "(dyn({}) in dyn({}))", "dyn({})[dyn({})]",
)  # fmt: skip


@cache
def _of(kind: str, depth: int) -> st.SearchStrategy[str]:
    atoms = st.sampled_from(_ATOMS[kind])
    if depth == 0:
        return atoms
    filled = [_filled(form, *(_of(part, depth - 1) for part in kinds.split())) for form, kinds in _FORMS[kind]]
    return st.one_of(atoms, *filled, *filled)


def _filled(form: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda texts: form.format(*texts))


_FITTING = st.sampled_from(sorted(_FORMS)).flatmap(lambda kind: _of(kind, 3))
_ANY = st.sampled_from(sorted(_FORMS)).flatmap(lambda kind: _of(kind, 1))
EXPRESSIONS: st.SearchStrategy[str] = st.one_of(
    _FITTING, _FITTING, _FITTING, st.sampled_from(_MISFITS).flatmap(lambda form: _filled(form, _ANY, _ANY))
)
