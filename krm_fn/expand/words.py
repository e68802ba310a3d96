"""
What kro says of a node that waits, in its own words: they stand in the conditions of instances, where people and authors read them.

Enters: a node, a `Wait`.  Leaves: text.  Not known here: when it is said.

Source: kro v0.9.3 pkg/runtime/node.go, node_readiness.go, node_resolve.go; pkg/controller/instance/resources.go.
"""

from __future__ import annotations

from krm_fn.expand.outcome import ABSENT, MISSING
from krm_fn.program import model
from krm_fn.schema.plurals import plural

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.expand.outcome import Outcome, Wait
    from krm_fn.program.model import Compiled, Node

_WAITING = "waiting for readiness"
_PENDING = "data pending"


def why_not_ready(node: Node, wait: Wait) -> str:
    """Of a node whose own objects are not ready, or that is not there."""
    if node.kind == model.EXTERNAL:
        why = "not found" if wait.reason == ABSENT else _readiness(node.id, node, wait)
        return f'waiting for external reference "{node.id}": {why}'
    what = "external collection" if node.kind == model.EXTERNAL_COLLECTION else "node"
    return f'waiting for {what} "{node.id}": {_readiness(node.id, node, wait)}'


def why_unresolved(outcome: Outcome, nodes: dict[str, Node]) -> str:
    """Of a node that cannot be made yet, by its first wait."""
    node, wait = outcome.node, outcome.waits[0]
    group_version = node.api_version if "/" in node.api_version else f"/{node.api_version}"
    kind = f'gvr "{group_version}, Resource={plural(node.object_kind.lower())}"'
    own = wait.compiled in node.include_when
    if wait.chain:
        source = nodes[wait.chain[0]]
        where = (
            f'includeWhen dependency "{source.id}" not ready'
            if own
            else f'node "{node.id}": dependent node "{source.id}" not ready'
        )
        return f"{kind}: {where}: {_readiness(source.id, source, wait)} ({_PENDING})"
    if own and wait.compiled is not None:
        return f"{kind}: includeWhen {_quoted(wait.compiled)}: eval {_quoted(wait.compiled)}: {_missing(wait)} ({_PENDING})"
    if node.is_collection or wait.reason != MISSING or wait.compiled is None:
        return f"{kind}: {_PENDING}"
    return f'{kind}: node "{node.id}": failed to evaluate expression: eval {_quoted(wait.compiled)}: {_missing(wait)} ({_PENDING})'


def _readiness(name: str, node: Node, wait: Wait) -> str:
    if wait.reason == ABSENT or wait.compiled is None:
        if not node.is_collection:
            return f'node "{name}": no observed state: {_WAITING}'
        seen, _, wanted = wait.detail.partition(" of ")
        if not wanted:
            return f'node "{name}": collection not computed ({_WAITING})'
        return f'node "{name}": collection not ready: observed {seen} but desired {wanted} ({_WAITING})'
    if not wait.detail:
        return f"readyWhen condition evaluated to false: {_quoted(wait.compiled)} ({_WAITING})"
    if node.is_collection:
        return f'node "{name}": failed to evaluate readyWhen {_quoted(wait.compiled)} (item {wait.item}) ({_WAITING})'
    return f'node "{name}": failed to evaluate readyWhen expression: {_quoted(wait.compiled)} ({_WAITING})'


def _missing(wait: Wait) -> str:
    """What is not there, as cel-go says it: by its last part alone."""
    path, _, what = wait.detail.rpartition(": ")
    if what not in ("no such key", "index out of bounds"):
        return wait.detail
    last = path[path.rfind("[") + 1 : -1].strip('"') if path.endswith("]") else path.rpartition(".")[2]
    return f"{what}: {last}"


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _quoted(compiled: Compiled) -> str:
    """As Go's %q writes it."""
    return '"' + "".join(_ESCAPES.get(c, c) for c in compiled.expression.written) + '"'
