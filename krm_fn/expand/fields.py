"""
The author's status fields, as far as they are known.

Enters: a Program, the `Scene` of an expansion or of a step of kro.  Leaves: the fields, and the paths of those that are not known.
Not known here: conditions and state (`status`), who writes them.
"""

from __future__ import annotations

from krm_fn.cel import EvaluationError
from krm_fn.cel.values import OMIT, Unknown
from krm_fn.program.template import path_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.expand.scene import Scene
    from krm_fn.program.model import Program
    from krm_fn.program.template import Path


def user_fields(program: Program, scene: Scene, problems: list[str] | None = None) -> tuple[dict[str, Any], list[str]]:
    """
    The author's status fields, one by one, as far as they are known, and the paths of those that are not: kro's softResolve.

    A field whose expression fails is left out too and named in *problems*; kro then writes no status at all.
    """
    fields: dict[str, Any] = {}
    unknown: list[str] = []
    for path, compiled in program.status:
        try:
            value = scene.evaluate(compiled)
        except EvaluationError as error:
            value = Unknown(path_text(path))
            if problems is not None and not error.is_pending:
                problems.append(f"status.{path_text(path)}: {error}")
        if type(value) is Unknown:
            unknown.append(path_text(path))
        elif value is not OMIT:
            put(fields, path, value)
    return fields, unknown


def put(target: Any, path: Path, value: Any) -> None:
    """Set a value, making the maps and lists on the way: kro v0.9.3 pkg/runtime/resolver, UpsertValueAtPath."""
    for i, part in enumerate(path):
        if isinstance(part, int):
            while len(target) <= part:
                target.append(None)
        if i == len(path) - 1:
            target[part] = value
            return
        following: Any = [] if isinstance(path[i + 1], int) else {}
        if isinstance(part, int):
            if target[part] is None:
                target[part] = following
        elif target.get(part) is None:
            target[part] = following
        target = target[part]
