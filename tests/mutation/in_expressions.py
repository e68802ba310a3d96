"""Mutations of expressions, of the conditions and loops that hold them, and of status."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tests.mutation.edits import Edit
from tests.mutation.kinds import misspelt, mutation
from tests.mutation.places import SCHEMA, Token, expressions, get, ids, resources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mutation.places import Text

_OPERATORS = {
    "==": ("=", "!=", "===", "in", "+"), "!=": ("<>", "==", "<"), "&&": ("&", "||", "and", "=="), "||": ("|", "&&", "or"),
    "+": ("-", "&&", "++", "=="), "-": ("+", "*"), "*": ("/", "&&"), "/": ("%", "*"), "%": ("/",), "<": (">", "<<", "+"), ">": ("<", "=>"),
    "<=": ("<", "=<"), ">=": (">", "=>"), "?": (":", "??"), ":": ("?", ","), "!": ("", "-", "!!"), ".?": (".", "?."), "[?": ("[",),
    ",": ("", ";", ",,"),
}  # fmt: skip
_LITERALS = {
    "string": ("1", "true", "null", "[]"),
    "number": ('"x"', "true", "1.5", "null", "-1", "99999999999999999999"),
}
_KEYWORDS = ("true", "false", "null", "in")


def _changed(kind: str, text: Text, token: Token, new: str) -> Edit:
    return Edit(kind, text.path, "text", [token.start, len(token.text), new])


def _words(text: Text) -> Iterator[tuple[Token | None, Token, Token | None]]:
    """Names with what stands before and behind each."""
    tokens: list[Token | None] = [None, *text.tokens, None]
    for before, token, behind in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if token is not None and token.kind == "word" and token.text not in _KEYWORDS:
            yield before, token, behind


def _is(token: Token | None, *texts: str) -> bool:
    return token is not None and token.text in texts


@mutation
def reference_misspelt(rgd: dict[str, Any]) -> Iterator[Edit]:
    others = ids(rgd)
    for text in expressions(rgd):
        for before, token, behind in _words(text):
            if not _is(before, ".", ".?") and not _is(behind, "("):
                for new in (
                    misspelt(token.text),
                    token.text.capitalize(),
                    *others[:3],
                    "schema",
                    "each",
                    "runtime",
                    "self",
                ):
                    if new != token.text:
                        yield _changed("reference-misspelt", text, token, new)


@mutation
def field_misspelt(rgd: dict[str, Any]) -> Iterator[Edit]:
    for text in expressions(rgd):
        for before, token, behind in _words(text):
            if _is(before, ".", ".?") and not _is(behind, "("):
                for new in (misspelt(token.text), token.text + "s", "status", "spec"):
                    if new != token.text:
                        yield _changed("field-misspelt", text, token, new)


@mutation
def field_gone(rgd: dict[str, Any]) -> Iterator[Edit]:
    """A step of a path is left out, so that its type is another."""
    for text in expressions(rgd):
        for before, token, behind in _words(text):
            if before is not None and _is(before, ".", ".?") and not _is(behind, "("):
                length = token.start + len(token.text) - before.start
                yield Edit("field-gone", text.path, "text", [before.start, length, ""])


@mutation
def field_more(rgd: dict[str, Any]) -> Iterator[Edit]:
    for text in expressions(rgd):
        for before, token, behind in _words(text):
            if _is(before, ".", ".?") and not _is(behind, "(", ".", ".?", "["):
                for new in (
                    ".more",
                    ".?more",
                    "[0]",
                    "['x']",
                    "[?0]",
                    ".orValue('x')",
                    ".size()",
                    ".value()",
                    ".hasValue()",
                ):
                    yield Edit("field-more", text.path, "text", [token.start + len(token.text), 0, new])


@mutation
def function_misspelt(rgd: dict[str, Any]) -> Iterator[Edit]:
    for text in expressions(rgd):
        for _, token, behind in _words(text):
            if _is(behind, "("):
                for new in (
                    misspelt(token.text),
                    token.text.capitalize(),
                    "size",
                    "string",
                    "has",
                    "join",
                    "deepMerge",
                ):
                    if new != token.text:
                        yield _changed("function-misspelt", text, token, new)


@mutation
def arguments_changed(rgd: dict[str, Any]) -> Iterator[Edit]:
    for text in expressions(rgd):
        tokens = text.tokens
        for token, behind in pairwise(tokens):
            if token.text == "(" and behind.text != ")":
                yield Edit("arguments-changed", text.path, "text", [token.start + 1, 0, "1, "])
                yield Edit("arguments-changed", text.path, "text", [behind.start, len(behind.text), ""])
            elif token.text == "(":
                yield Edit("arguments-changed", text.path, "text", [token.start + 1, 0, "'x'"])


@mutation
def operator_changed(rgd: dict[str, Any]) -> Iterator[Edit]:
    for text in expressions(rgd):
        for token in text.tokens:
            for new in _OPERATORS.get(token.text, ()) if token.kind == "operator" else ():
                yield _changed("operator-changed", text, token, new if not new.isalpha() else f" {new} ")


@mutation
def literal_changed(rgd: dict[str, Any]) -> Iterator[Edit]:
    for text in expressions(rgd):
        for token in text.tokens:
            choices = ('"x"', "1", "True") if token.text in ("true", "false", "null") else _LITERALS.get(token.kind, ())
            for new in choices:
                yield _changed("literal-changed", text, token, new)


@mutation
def bracket_gone(rgd: dict[str, Any]) -> Iterator[Edit]:
    for text in expressions(rgd):
        for token in text.tokens:
            if token.text in ("(", ")", "[", "]", "{", "}"):
                yield _changed("bracket-gone", text, token, "")
                yield _changed("bracket-gone", text, token, token.text * 2)


@mutation
def quote_gone(rgd: dict[str, Any]) -> Iterator[Edit]:
    for text in expressions(rgd):
        for token in text.tokens:
            if token.kind == "string":
                yield Edit("quote-gone", text.path, "text", [token.start, 1, ""])
                yield Edit("quote-gone", text.path, "text", [token.start + len(token.text) - 1, 1, ""])


@mutation
def brace_gone(rgd: dict[str, Any]) -> Iterator[Edit]:
    """What bounds an expression in its text."""
    for text in expressions(rgd):
        end = text.start + len(text.text)
        for start, length, new in (
            (text.start - 2, 2, ""), (text.start - 2, 1, ""), (text.start - 1, 1, ""), (end, 1, ""), (text.start, 0, "${"),
            (end, 0, "}"), (text.start - 2, 0, "$"), (text.start - 2, 0, " "), (end + 1, 0, "\n"), (text.start - 2, 0, "a-"),
            (end + 1, 0, "${'b'}"), (text.start, 0, "// "), (text.start, 0, "\n"),
        ):  # fmt: skip
            yield Edit("brace-gone", text.path, "text", [start, length, new])


@mutation
def wrapped(rgd: dict[str, Any]) -> Iterator[Edit]:
    wraps = (
        ("string(", ")"), ("int(", ")"), ("double(", ")"), ("[", "]"), ("size(", ")"), ("has(", ")"), ("type(", ")"), ("dyn(", ")"),
        ("optional.of(", ")"), ("!(", ")"), ("-(", ")"), ("bool(", ")"), ('{"a": ', "}"), ("(", ") == true"), ("(", ").orValue(1)"),
        ("true ? ", " : null"), ("true ? ", " : 1"), ("true ? ", ' : "x"'), ("json.marshal(", ")"), ("json.unmarshal(", ")"),
        ("", ".map(x, x)"), ("", ".filter(x, true)"), ("", ".exists(x, x)"), ("", ' + "x"'), ("", " + 1"), ("", " ;"),
    )  # fmt: skip
    for text in expressions(rgd):
        for before, behind in wraps:
            yield Edit("wrapped", text.path, "wrap", [text.start, len(text.text), before, behind])


# -- conditions and loops ---------------------------------------------------------------------------------------------

_CONDITIONS = (
    "${true}", "${1}", "${'x'}", "${null}", "${schema.spec}", "${schema.metadata.name}", "${schema.metadata.name == ''}", "true", "",
    "${schema.status.ready}", "${nothing}", "${dyn(true)}", "${optional.of(true)}", "${[true]}", "${true} ", "${true}${false}", True, 1,
    None, "${has(schema.metadata.labels)}", "${has(schema.spec)}", "${omit()}", "${true ? true : 1}", "${",
    "${schema.metadata.?labels.?a.hasValue()}", "${schema.metadata.labels['a'] == 'b'}", "${schema.metadata.namespace != 'x'}",
)  # fmt: skip


@mutation
def include_when(rgd: dict[str, Any]) -> Iterator[Edit]:
    for path, resource in resources(rgd):
        others = [f"${{{name}.metadata.name != ''}}" for name in ids(rgd)]
        for text in (*_CONDITIONS, *others):
            yield Edit("include-when", (*path, "includeWhen"), "set", [text])
        if isinstance(resource.get("includeWhen"), list):
            yield Edit("include-when", (*path, "includeWhen"), "set", ["${true}", "${1 == 'x'}"])


@mutation
def ready_when(rgd: dict[str, Any]) -> Iterator[Edit]:
    for path, resource in resources(rgd):
        name = resource.get("id")
        others = [f"${{{other}.metadata.name != ''}}" for other in ids(rgd)]
        own = (
            f"${{{name}.metadata.name}}", f"${{{name}.nothing}}", f"${{has({name}.status)}}", f"${{{name}.status.nothing == 1}}",
            f"${{{name}.?status.?nothing.orValue(true)}}", f"${{size({name}) > 0}}", f"${{{name}.all(x, true)}}", f"${{{name}[0] == 1}}",
            "${each.metadata.name != ''}", "${each.nothing == 1}", "${each}", f"${{{name}}}",
        )  # fmt: skip
        for text in (*own, *others, *_CONDITIONS):
            yield Edit("ready-when", (*path, "readyWhen"), "set", [text])


@mutation
def for_each(rgd: dict[str, Any]) -> Iterator[Edit]:
    for path, resource in resources(rgd):
        loops = resource.get("forEach")
        if not isinstance(loops, list):
            if "template" in resource:
                yield Edit("for-each", (*path, "forEach"), "set", [{"spare": "${[1, 2]}"}])
            continue
        for i, loop in enumerate(loops):
            for name in loop if isinstance(loop, dict) else ():
                place = (*path, "forEach", i, name)
                texts: tuple[Any, ...] = (
                    "${schema.metadata.name}", "${1}", '${{"a": 1}}', "${[]}", "${['a']}", "${[1, 'a']}", "${dyn([1])}", "${schema.spec}", "${nothing}",
                    f"${{{name}}}", f"${{{resource.get('id')}}}", "['a']", "", "${omit()}", "${optional.of([1])}", "${[1].map(x, x)}", 1, [], None,
                    "${schema.metadata.labels.map(k, k)}", "${null}",
                )  # fmt: skip
                for text in texts:
                    yield Edit("for-each", place, "set", text)
                for new in (f"{name}x", ids(rgd)[0], "each", "schema", f"{name}-x", "Item", "item", ""):
                    yield Edit("for-each", place, "rename", new)
                yield Edit("for-each", place, "delete")
                yield Edit("for-each", (*path, "forEach", i, "second"), "set", "${[1]}")
        yield Edit("for-each", (*path, "forEach", 0), "insert", {"second": "${[1]}"})
        yield Edit("for-each", (*path, "forEach", 0), "insert", dict(loops[0]) if loops else {})
        yield Edit("for-each", (*path, "forEach"), "delete")


# -- status -----------------------------------------------------------------------------------------------------------

_STATUS: tuple[Any, ...] = (
    "text", 1, True, None, [], {}, "${1}", "${'x'}", "${schema.metadata.name}", "${schema.spec}", "${schema.metadata}", "${schema}",
    "${schema.status.x}", "${nothing.x}", "x-${schema.metadata.name}", "${[schema.metadata.name, 1]}", "${[schema.metadata.name]}",
    '${{"a": schema.metadata.name}}', '${{"a": schema.metadata.name, "b": 1}}', "${omit()}", ["${schema.metadata.name}"], ["x"],
    {"a": {"b": "${schema.metadata.name}"}}, {"a": "x"}, "${optional.of(schema.metadata.name)}", "${schema.metadata.?labels}",
    "${schema.metadata.?labels.?a}", "${[schema.metadata.name, ''].map(x, size(x))}", "${{1: schema.metadata.name}}",
    "${type(schema.metadata.name)}", "${duration('1s') > duration('2s') ? schema.metadata.name : ''}", "${schema.metadata.generation}",
    "${timestamp(schema.metadata.name)}", "${dyn(schema.metadata.name)}", "${bytes(schema.metadata.name)}", "${each}", "${runtime}",
    "${schema.metadata.name == 'x' ? 1 : 'x'}", "${schema.metadata.name == 'x' ? 1 : null}", "${uint(size(schema.metadata.name))}",
    "${quantity(schema.metadata.name)}", "${json.unmarshal(schema.metadata.name)}", "${[[schema.metadata.name]]}", "${schema.metadata.name",
)  # fmt: skip


@mutation
def status_field(rgd: dict[str, Any]) -> Iterator[Edit]:
    status = get(rgd, (*SCHEMA, "status"))
    for value in _STATUS:
        if isinstance(status, dict):
            yield Edit("status-field", (*SCHEMA, "status", "surplus"), "set", value)
        else:
            yield Edit("status-field", (*SCHEMA, "status"), "set", {"surplus": value})


@mutation
def status_of_a_node(rgd: dict[str, Any]) -> Iterator[Edit]:
    status = get(rgd, (*SCHEMA, "status"))
    for name in ids(rgd):
        for path in (
            "metadata.name", "metadata", "spec", "status", "status.nothing", "metadata.nothing", "nothing", "metadata.labels",
            "metadata.creationTimestamp", "metadata.labels.a", "metadata.ownerReferences[0].uid", "data", "spec.nothing", "kind",
            "metadata.?labels['a']", "metadata.labels['a']", "metadata.managedFields", "status.?conditions[0]",
        ):  # fmt: skip
            value = f"${{{name}.{path}}}"
            if isinstance(status, dict):
                yield Edit("status-of-a-node", (*SCHEMA, "status", "surplus"), "set", value)
            else:
                yield Edit("status-of-a-node", (*SCHEMA, "status"), "set", {"surplus": value})
        for text in (
            f"${{{name}}}",
            f"${{size({name}) + 1}}",
            f"${{{name}.map(x, x.metadata.name)}}",
            f"${{{name}[0].metadata.name}}",
        ):
            if isinstance(status, dict):
                yield Edit("status-of-a-node", (*SCHEMA, "status", "surplus"), "set", text)


@mutation
def status_name(rgd: dict[str, Any]) -> Iterator[Edit]:
    status = get(rgd, (*SCHEMA, "status"))
    if isinstance(status, dict):
        for name in ("state", "conditions", "with-dash", "a.b", "", "x y", "${'a'}"):
            for text in ("${schema.metadata.name}", "${size(schema.metadata.name)}"):
                yield Edit("status-name", (*SCHEMA, "status", name), "set", text)


_NEW = '${runtime.newCondition({"type": "A", "status": "True", "reason": "R", "message": "m"})}'


@mutation
def own_conditions(rgd: dict[str, Any]) -> Iterator[Edit]:
    status = get(rgd, (*SCHEMA, "status"))
    for value in (
        [_NEW], _NEW, {"a": _NEW}, [1], ["text"], [_NEW.replace('"type": "A", ', "")], [_NEW.replace('"A"', "schema.metadata.name")],
        [_NEW.replace('"A"', "1")], [_NEW.replace('"True"', '"true"')], [_NEW.replace("message", "massage")], [_NEW.replace('"R"', '"not a word"')],
        [_NEW.replace("newCondition", "condition")], ["${runtime.condition('Ready')}"], ["${true}"], ["${[1].map(x, 1)}"], [f"a {_NEW}"],
        [_NEW.replace('"True"', 'runtime.condition("ResourcesReady").status')], [_NEW.replace('"True"', 'runtime.condition("A").status')],
        [_NEW.replace("${", "${[").replace(")}", ")]}")], [_NEW, _NEW], [_NEW.replace('"m"', "1")], [_NEW.replace('"A"', '"Ready"')],
        [_NEW.replace('"A"', '""')], [_NEW.replace('"m"', "schema.nothing")], [],
    ):  # fmt: skip
        if isinstance(status, dict):
            yield Edit("own-conditions", (*SCHEMA, "status", "conditions"), "set", value)
        else:
            yield Edit("own-conditions", (*SCHEMA, "status"), "set", {"conditions": value})
