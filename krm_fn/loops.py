"""
RGDs that make instances of each other in a loop, and what is wrong with that.

Enters: the RGDs of a loop, their Programs, the kinds that CRDs of the input define.  Leaves: one diagnostic at most.  Not known
here: how loops are found (`program.nesting`), instances.
"""

from __future__ import annotations

from krm_fn.program.nesting import endless_loop, kinds_named, loop_in
from krm_fn.report.diagnostic import Diagnostic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from krm_fn.inputs import Entry
    from krm_fn.program.model import Program
    from krm_fn.program.template import Path

    Key = tuple[str, str]
    Add = Callable[[Diagnostic], None]


def refuse_loop(
    entries: Mapping[Key, Entry], programs: Mapping[Key, Program], defined: Container[Key], add: Add
) -> None:
    """Report RGDs whose instances never end, or else that wait for each other's CRDs. *entries*, *programs*: by kind."""
    endless = endless_loop(programs)
    if endless:
        key, node = endless[0]
        add(
            _at(
                entries[key],
                (*node.path, "template", "kind"),
                node.object_kind,
                "nesting-loop",
                f"instances make each other without end: {_trail([*(key for key, _ in endless), key])}",
                "one of these resources needs an includeWhen that is false in the end",
            )
        )
        return
    places = {key: place for place, key in enumerate(entries)}
    needs = {key: dict(kinds_named(entry.value)) for key, entry in entries.items()}
    # A kind that a CRD of the input defines is in the cluster already: nobody waits for it.
    waits = [[places[other] for other in needs[key] if other in places and other not in defined] for key in entries]
    keys = list(entries)
    loop = [keys[place] for place in loop_in(waits)]
    if loop:
        add(
            _at(
                entries[loop[0]],
                needs[loop[0]][loop[1]],
                loop[1][1],
                "rgd-loop",
                f"each of these kinds needs the CRD of the next one first: {_trail(loop)}",
                "kro takes such RGDs where the cluster has the CRDs from before: give one of them with --crds",
            )
        )


def _trail(keys: list[Key]) -> str:
    return " -> ".join(kind for _, kind in keys)


def _at(entry: Entry, path: Path, kind: str, code: str, message: str, advice: str) -> Diagnostic:
    from krm_fn.program.template import path_text

    return Diagnostic(
        code,
        message,
        position=entry.locate(path),
        span=len(kind),
        subject=entry.subject(),
        where=path_text(path),
        help=advice,
    )
