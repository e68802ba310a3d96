"""
The formats in which a command shows diagnostics.

Enters: diagnostics in any order, the name of a format.  Leaves: text.  Not known here: streams; how a format is written, for which
each has a module of its own that is imported when it is asked for.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from krm_fn.report.diagnostic import Diagnostic

TEXT, JSON, SARIF, GITHUB = "text", "json", "sarif", "github"
FORMATS = (TEXT, JSON, SARIF, GITHUB)


def formatted(diagnostics: Iterable[Diagnostic], form: str, *, color: bool = False) -> str:
    """The diagnostics, the most important first. `json` and `sarif` are a document where there are none, too."""
    from krm_fn.report.diagnostic import arranged

    found = arranged(diagnostics)
    if form == JSON:
        from krm_fn.report.json_text import render_json

        return render_json(found)
    if form == SARIF:
        from krm_fn.report.sarif import render_sarif

        return render_sarif(found)
    if form == GITHUB:
        from krm_fn.report.github import render_github

        return render_github(found)
    if not found:
        return ""
    from krm_fn.report.text import render_text

    return render_text(found, color=color)
