"""
Colours and type of the picture, by day and by night.

Leaves: the text of a style sheet, and how wide a text is about. Not known here: graphs.

Every rule says its colours outright: not every viewer knows custom properties, and one that knows no media queries shows the day.
"""

from __future__ import annotations

_DAY = {
    "page": "#ffffff", "band": "#f4f6f9", "line": "#9aa5b4", "ink": "#18202b", "muted": "#5d6b7c", "card": "#ffffff", "edge": "#c9d1db",
    "box": "#fbfcfd", "gate": "#3555d1", "amber": "#9a5b00", "amber edge": "#dfa23a", "amber card": "#fffaf0", "hatch": "#fdeed2",
    "faint": "#8a96a5", "faint card": "#f4f6f9", "live": "#0b7a5b",
}  # fmt: skip
_NIGHT = {
    "page": "#0d1117", "band": "#141a22", "line": "#66727f", "ink": "#e8edf3", "muted": "#9ba8b6", "card": "#1d2530", "edge": "#3b4654",
    "box": "#171e27", "gate": "#8fabff", "amber": "#f3bd5a", "amber edge": "#a97a22", "amber card": "#2a2214", "hatch": "#35290f",
    "faint": "#77838f", "faint card": "#141a22", "live": "#56cfa6",
}  # fmt: skip
_COLOURS = (
    (".page", "fill", "page"),
    (".band", "fill", "band"),
    (".ink", "fill", "ink"),
    (".muted", "fill", "muted"),
    (".card", "fill", "card"),
    (".card,.box,.frame", "stroke", "edge"),
    (".box", "fill", "box"),
    (".external", "stroke", "line"),
    (".external", "fill", "band"),
    (".line", "stroke", "line"),
    (".head", "fill", "line"),
    (".gate,.sign", "stroke", "gate"),
    (".gate-head,.ready,.accent", "fill", "gate"),
    (".value", "fill", "band"),
    (".deferred,.held", "stroke", "amber edge"),
    (".ground,.held", "fill", "amber card"),
    (".hatch", "stroke", "hatch"),
    (".amber", "fill", "amber"),
    (".excluded", "fill", "faint card"),
    (".excluded", "stroke", "edge"),
    (".faint", "fill", "faint"),
    (".apply-time", "stroke", "live"),
    (".live", "fill", "live"),
)
_SHAPES = """\
text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;white-space:pre}
.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.card,.box,.frame{stroke-width:1.25}
.frame{fill:none}
.external,.excluded{stroke-dasharray:5 4}
.line,.gate{fill:none;stroke-width:1.5;stroke-linecap:round}
.gate{stroke-width:2}
.off{stroke-dasharray:2 5}
.sign{stroke-width:1.75;stroke-linejoin:round}
.hatch{stroke-width:5}
.card.deferred{fill:url(#waits)}
"""
MONO_WIDTH = 0.605
_NARROW, _WIDE = frozenset("ijlIft.,:;'|!()[]{}-/ "), frozenset("mwMW@%&")


def style_sheet() -> str:
    """The rules of both; what differs by night stands in a media query."""
    return f"{_SHAPES}{_rules(_DAY)}@media (prefers-color-scheme:dark){{\n{_rules(_NIGHT)}}}\n"


def _rules(colours: dict[str, str]) -> str:
    return "".join(f"{selector}{{{field}:{colours[name]}}}\n" for selector, field, name in _COLOURS)


def fitted(text: str, room: int, size: float, *, mono: bool = False) -> str:
    """*text*, or as much of it as surely has room, with an ellipsis."""
    used = 0.0
    for i, character in enumerate(text):
        used += size * (_mono_width(character) if mono else _width(character))
        if used > room:
            kept = max(i - 1, 0)
            return f"{text[:kept].rstrip()}…"
    return text


def width_of(text: str, size: float) -> float:
    """How wide a text is at most."""
    return size * sum(map(_width, text))


def _width(character: str) -> float:
    """In parts of the font's size: that of a wide one among the fonts that may be there."""
    if character in _NARROW:
        return 0.4
    if character in _WIDE:
        return 0.98
    if character > "\u2e80":
        return 1.1
    return 0.74 if character.isupper() else 0.63


def _mono_width(character: str) -> float:
    return 1.21 if character > "\u2e80" else MONO_WIDTH
