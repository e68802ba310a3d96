"""
YAML syntax errors in words that say what to do.

Enters: the C parser's error and the source.  Leaves: one diagnostic.  Called when a text cannot be parsed; nothing is decided
here, the text is refused in any case, so it may look at libyaml's sentences: they only choose the better sentence.
"""

from __future__ import annotations

import re

from yaml import MarkedYAMLError

from krm_fn.report.diagnostic import Diagnostic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from krm_fn.read.yaml import Source

_NOT_PRINTABLE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NO_SPACE_AFTER_COLON = re.compile(r"[ \t]*(?:- +)*[\w.-]+:(?=[^\s:/])")
_KEY_WITH_VALUE = re.compile(r"([ \t]*(?:- +)*)[^\s#][^#]*?: +[^\s#|>&!]")
_MAX_KEY = 1024
_TEMPLATE_HELP = "this looks like a Helm or Go template; render it first, or quote the value"
_EXPRESSION_HELP = "quote the whole value, with quotes that the expression does not use: '${…}' or \"${…}\""

Answer = tuple[int, str, str]
"""Place in the source, message, help."""


class _Fault:
    """What the sentences below need to know about one error."""

    __slots__ = (
        "at",
        "character",
        "context",
        "context_at",
        "line",
        "line_start",
        "previous",
        "previous_start",
        "problem",
        "text",
    )

    def __init__(self, text: str, error: MarkedYAMLError, base: int) -> None:
        self.text = text
        self.problem = str(error.problem or "")
        self.context = str(error.context or "")
        mark = error.problem_mark or error.context_mark
        self.at = min(mark.index + base, len(text)) if mark is not None else 0
        self.context_at = error.context_mark.index + base if error.context_mark is not None else self.at
        self.character = text[self.at : self.at + 1]
        self.line_start, self.line = _line_at(text, self.at)
        self.previous_start, self.previous = _line_at(text, self.line_start - 1) if self.line_start else (0, "")

    def before(self) -> str:
        """The line up to the fault."""
        return self.line[: self.at - self.line_start]


def explain_syntax(source: Source, error: Exception, base: int) -> Diagnostic:
    """
    Describe why a text cannot be parsed.

    Units:  *base* is the number of code points that the parser was not given (a byte order mark).
    Errors: gives yaml-syntax, or yaml-encoding when a character is not allowed in YAML at all.
    """
    if not isinstance(error, MarkedYAMLError):
        return _encoding(source)
    fault = _Fault(source.text, error, base)
    at, message, help_ = _answer(fault)
    position = source.position(at, _document_of(source.text, at))
    if "{{" in position.text or "{{" in fault.previous:
        help_ = _TEMPLATE_HELP
    return Diagnostic("yaml-syntax", message, position=position, span=1, help=help_)


def _answer(fault: _Fault) -> Answer:
    for words, sentence in _SENTENCES:
        if words in fault.problem:
            return sentence(fault)
    return fault.at, fault.problem + (f" {fault.context}" if fault.context else ""), ""


def _encoding(source: Source) -> Diagnostic:
    match = _NOT_PRINTABLE.search(source.text)
    at = match.start() if match is not None else 0
    code = ord(source.text[at]) if source.text else 0
    help_ = (
        f'inside double quotes it can be written as "\\x{code:02x}"'
        if 0 < code < 0x100
        else "save the file as UTF-8 text"
    )
    position = source.position(at, _document_of(source.text, at))
    return Diagnostic(
        "yaml-encoding", f"the character U+{code:04X} is not allowed in YAML", position=position, span=1, help=help_
    )


def _line_at(text: str, at: int) -> tuple[int, str]:
    start = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
    ends = [end for end in (text.find("\n", start), text.find("\r", start)) if end >= 0]
    return start, text[start : min(ends, default=len(text))]


def _document_of(text: str, at: int) -> int:
    """Which document of the source the place is in: the number of `---` lines before it, the first line's aside."""
    markers = [match.start() for match in re.finditer(r"^---(?=\s|$)", text[:at], re.MULTILINE)]
    lead = text[: markers[0]] if markers else ""
    implicit_first = any(line.strip() and line.lstrip()[0] not in "#%\ufeff" for line in lead.splitlines())
    return len(markers) - (0 if implicit_first or not markers else 1)


def _bad_start(fault: _Fault) -> Answer:
    if fault.character == "\t":
        return _tab(fault)
    return fault.at, f"'{fault.character}' cannot begin an unquoted value", "quote the value"


def _tab(fault: _Fault) -> Answer:
    tab = fault.text.find("\t", fault.line_start, fault.line_start + len(fault.line))
    return (tab if tab >= 0 else fault.at), "a tab cannot be used for indentation", "indent with spaces"


def _second_colon(fault: _Fault) -> Answer:
    if "${" in fault.before():
        return fault.at, "': ' ends an unquoted value, inside an expression too", _EXPRESSION_HELP
    if len(fault.before()) > _MAX_KEY:
        return (
            fault.at,
            f"a key is longer than {_MAX_KEY:,} characters",
            "write it as '? key', with ': value' on the next line",
        )
    glued = _NO_SPACE_AFTER_COLON.match(fault.previous)
    if glued is not None and ": " not in fault.before():
        return fault.previous_start + glued.end() - 1, "a space is missing after ':'", "write 'key: value'"
    above = _KEY_WITH_VALUE.match(fault.previous)
    if above is not None and ": " not in fault.before() and fault.line[: len(above[1]) + 1].isspace():
        first = fault.line_start + len(fault.line) - len(fault.line.lstrip())
        return (
            first,
            "this key is indented below a key that has a value",
            "align it with the key above, or remove the value above",
        )
    return fault.at, "': ' is not allowed in an unquoted value", "quote the value"


def _expected_key(fault: _Fault) -> Answer:
    before = fault.before().rstrip()
    if before.endswith(('"', "'")) and before.strip():
        return fault.at, "text follows the closing quote", "quote the whole value, with quotes that it does not contain"
    if before.endswith(("}", "]")):
        return fault.at, f"text follows the closing '{before[-1]}'", "quote the value if it is meant as text"
    if fault.character == "-":
        return fault.at, "a list item stands where a key is expected", "check the indentation"
    return fault.at, "the indentation fits no mapping above", "align the key with the other keys of its mapping"


def _expected_item(fault: _Fault) -> Answer:
    return fault.at, "a list item is expected here", "begin it with '- ', or check the indentation"


def _list_on_key_line(fault: _Fault) -> Answer:
    return (
        fault.at,
        "a list cannot begin on the line of its key",
        "put each '- ' on a line of its own, or quote the value",
    )


def _open_quote(fault: _Fault) -> Answer:
    return fault.context_at, "this quote is never closed", "close the quote"


def _open_bracket(fault: _Fault) -> Answer:
    bracket = fault.text[fault.context_at : fault.context_at + 1]
    closing = {"[": "]", "{": "}"}.get(bracket, bracket)
    if "${" in fault.before() + fault.character:
        help_ = f"quote each expression inside {bracket}…{closing}"
        return fault.at, f"',' or '{closing}' is expected; braces of an unquoted expression are YAML here", help_
    if not fault.character:
        return fault.context_at, f"this '{bracket}' is never closed", f"add '{closing}'"
    if fault.line_start > fault.context_at:
        opened = fault.text.count("\n", 0, fault.context_at) + 1
        return (
            fault.at,
            f"',' or '{closing}' is expected, for the '{bracket}' of line {opened}",
            f"add '{closing}' where it ends",
        )
    return fault.at, f"',' or '{closing}' is expected", "quote the value if it is meant as text"


def _no_content(fault: _Fault) -> Answer:
    shown = fault.character.strip() or "the end of the line"
    return (
        fault.at,
        f"a value is expected, not '{shown}'" if fault.character.strip() else "a value is expected",
        "quote the value",
    )


def _no_colon(fault: _Fault) -> Answer:
    at = fault.context_at
    _, line = _line_at(fault.text, at)
    glued = _NO_SPACE_AFTER_COLON.match(line)
    if glued is not None:
        return _line_at(fault.text, at)[0] + glued.end() - 1, "a space is missing after ':'", "write 'key: value'"
    return at, "this line has no ': '", "write 'key: value', or indent the line if it continues the one above"


def _escape(fault: _Fault) -> Answer:
    shown = fault.text[fault.at : fault.at + 2]
    return (
        fault.at,
        f"'{shown}' is no escape inside double quotes",
        "write '\\\\' for a backslash, or use single quotes",
    )


def _surrogate(fault: _Fault) -> Answer:
    return fault.at, "the escape is not a character", "write the character itself, or \\U and eight digits"


def _after_document(fault: _Fault) -> Answer:
    return fault.at, "text follows the end of the document", "begin the next document with a line '---'"


def _name(fault: _Fault) -> Answer:
    sign = fault.text[fault.context_at : fault.context_at + 1]
    return fault.context_at, f"'{sign}' cannot begin an unquoted value", "quote the value"


def _block_header(fault: _Fault) -> Answer:
    sign = fault.text[fault.context_at : fault.context_at + 1]
    return fault.at, f"only a line break may follow '{sign}'", "put the text on the next line, indented"


_SENTENCES: tuple[tuple[str, Callable[[_Fault], Answer]], ...] = (
    ("cannot start any token", _bad_start),
    ("found a tab character", _tab),
    ("mapping values are not allowed", _second_colon),
    ("did not find expected key", _expected_key),
    ("did not find expected '-' indicator", _expected_item),
    ("block sequence entries are not allowed", _list_on_key_line),
    ("found unexpected end of stream", _open_quote),
    ("found unexpected document indicator", _open_quote),
    ("did not find expected ',' or", _open_bracket),
    ("did not find expected node content", _no_content),
    ("could not find expected ':'", _no_colon),
    ("found unknown escape character", _escape),
    ("invalid Unicode character escape", _surrogate),
    ("did not find expected <document start>", _after_document),
    ("did not find expected alphabetic or numeric", _name),
    ("did not find expected comment or line break", _block_header),
)
