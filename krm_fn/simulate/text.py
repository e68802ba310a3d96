"""
The steps of a simulation, to be read.

Enters: `StepRecord`s.  Leaves: text.  Not known here: how it came to be.

Each node of an instance is a line: `+` made, `~` changed, `=` as it was, `!` refused, `…` waits, `·` left out, `?` an external
reference, `-` pruned or deleted. Below stand what changed in an object, and what changed in the status.
"""

from __future__ import annotations

from krm_fn.expand.outcome import ABSENT, DEPENDENCY, MISSING, NOT_READY
from krm_fn.program.template import path_text
from krm_fn.simulate import history
from krm_fn.simulate.differences import differences, without_stamps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from krm_fn.expand.observed import Identity
    from krm_fn.expand.outcome import Wait
    from krm_fn.simulate.history import GraphRecord, InstanceRecord, NodeRecord, Removed, Sent, StepRecord

_MARKS = {
    history.CREATED: "+",
    history.CHANGED: "~",
    history.RESTORED: "~",
    history.UNCHANGED: "=",
    history.REFUSED: "!",
    history.TAKEN: "!",
    history.APPLIED: "=",
    history.SEEN: "?",
    history.WAITING: "…",
    history.HELD: "…",
    history.EXCLUDED: "·",
}
_WIDEST = 60
_SILENT = ("InstanceManaged", "GraphResolved", "Ready")


def steps_text(records: Iterable[StepRecord]) -> str:
    return "\n".join(_step(record) for record in records)


def _step(record: StepRecord) -> str:
    lines = [f"── {record.name}"]
    lines += [f"  {line}" for done in record.done for line in _done(done)]
    lines += [line for graph in record.graphs for line in _graph(graph)]
    for instance in record.instances:
        lines += ["", *_instance(instance, record)]
    if not record.settled:
        lines += ["", "  this does not come to rest: what is shown is not the end of it"]
    return "\n".join(lines) + "\n"


def _done(done: history.Done) -> Iterator[str]:
    yield f"{done.verb} {_name(done.key)}"
    if done.message:
        yield f"  refused: {done.message}"


def _graph(graph: GraphRecord) -> Iterator[str]:
    order = f"  {' → '.join(graph.order)}" if graph.order else ""
    yield f"  RGD {graph.name} is {graph.state}{order}"
    for problem in graph.problems:
        where = f" at {path_text(problem.path)}" if problem.path else ""
        yield f"    {problem.severity}: {problem.message}{where}"
    if graph.refusal:
        yield f"    {graph.refusal}"


def _instance(instance: InstanceRecord, record: StepRecord) -> Iterator[str]:
    if instance.is_gone:
        yield f"  {_name(instance.key)} is gone"
    else:
        suspended = ", suspended" if instance.is_suspended else ""
        yield f"  {_name(instance.key)} is {instance.state or 'without a status'}{suspended}"
    rows = list(_rows(instance, record))
    width = min(max((len(row[1]) for row in rows), default=0), _WIDEST)
    wide = min(max((len(row[2]) for row in rows), default=0), _WIDEST)
    for mark, node, what, why, more in rows:
        yield f"    {mark} {node:<{width}}  {what:<{wide}}  {why}".rstrip()
        for line in more:
            yield f"        {line}"
    if instance.problem:
        yield f"    ! {instance.problem}"
    if not instance.is_gone:
        changed = differences(_fields(instance.before), _fields(instance.status))
        changed += _conditions(instance.before, instance.status)
        if changed:
            yield "    status"
            yield from (f"      {line}" for line in changed)


_Row = tuple[str, str, str, str, list[str]]


def _rows(instance: InstanceRecord, record: StepRecord) -> Iterator[_Row]:
    """Mark, node, object, reason, and what changed in the object."""
    last: dict[Identity, Sent] = {}
    first: dict[Identity, Sent] = {}
    for sent in record.sent:
        if sent.instance == instance.key:
            last[sent.key] = sent
            first.setdefault(sent.key, sent)
    for node in instance.nodes:
        sent_now = [key for key, sent in last.items() if sent.node == node.id]
        if node.state != history.APPLIED:
            yield _MARKS[node.state], node.id, ", ".join(map(_name, node.live[:3])), _why(node), []
        for key in sent_now:
            yield _sent(first[key], last.pop(key))
        if node.state == history.APPLIED:
            for key in node.live:
                if key not in sent_now:
                    yield "=", node.id, _name(key), "", []
    for key, sent in last.items():
        yield _sent(first[key], sent)
    for removed, how in [*((r, "pruned") for r in record.pruned), *((r, "deleted") for r in record.deleted)]:
        if removed.instance == instance.key:
            yield _removed(removed, how)


def _sent(first: Sent, last: Sent) -> _Row:
    became = first.became if first.became == history.CREATED and not last.message else last.became
    more: list[str] = []
    if last.message:
        more = [f"refused: {last.message}"]
    elif became in (history.CHANGED, history.RESTORED):
        more = differences(without_stamps(first.before), without_stamps(last.after))
        if last.key[:2] == ("", "Secret"):
            more = [line.partition(": ")[0] for line in more]
    why = "put back as it should be" if became == history.RESTORED else ""
    return _MARKS[became], last.node, _name(last.key), why, more


def _removed(removed: Removed, how: str) -> _Row:
    return "-", removed.node, _name(removed.key), how, []


def _why(node: NodeRecord) -> str:
    if node.state == history.EXCLUDED:
        dependency, condition = node.why
        if condition is not None:
            return f"left out: {_quoted(condition.expression.written)} is false"
        return f"left out with {dependency}"
    if node.state == history.SEEN:
        return "" if not node.waits else "; ".join(_wait(wait) for wait in node.waits)
    held = "stays as it is, and " if node.state == history.HELD else ""
    return held + "; ".join(dict.fromkeys(_wait(wait) for wait in node.waits))


def _wait(wait: Wait) -> str:
    source = wait.chain[0] if wait.chain else ""
    if wait.reason == DEPENDENCY:
        return f"waits for {source}"
    if wait.reason == ABSENT or wait.compiled is None:
        return f"waits for {source or ', '.join(wait.paths)} to be there"
    if wait.reason == NOT_READY or (source and wait.reason != MISSING):
        return f"waits for {source or ', '.join(wait.paths)} to be ready: {_quoted(wait.compiled.expression.written)} does not hold"
    return f"waits for {', '.join(wait.paths)} in {_quoted(wait.compiled.expression.written)}"


def _quoted(expression: str) -> str:
    line = " ".join(expression.split())
    return "${" + (line if len(line) <= 100 else f"{line[:100]}…") + "}"


def _fields(status: dict[str, Any] | None) -> dict[str, Any]:
    """The author's part of a status."""
    return {key: value for key, value in (status or {}).items() if key not in ("conditions", "state")}


def _conditions(before: dict[str, Any] | None, after: dict[str, Any]) -> list[str]:
    """Those that changed. Of kro's own four one says what there is to say."""
    old, new = (
        {str(each.get("type")): _condition(each) for each in (status or {}).get("conditions") or []}
        for status in (before, after)
    )
    return [f"{kind}: {said}" for kind, said in new.items() if kind not in _SILENT and old.get(kind) != said] + [
        f"{kind}: no longer said" for kind in old if kind not in new
    ]


def _condition(each: dict[str, Any]) -> str:
    reason = f" ({each['reason']})" if each.get("reason") else ""
    message = " ".join(str(each.get("message") or "").split())
    return f"{each.get('status')}{reason}" + (f": {message}" if message else "")


def _name(key: Identity) -> str:
    return "/".join(part for part in key[1:] if part)
