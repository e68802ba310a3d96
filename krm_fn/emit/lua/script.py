"""
One health check of Argo CD: what is asked of the nodes of one kind.

Enters: the conditions of nodes, already in Lua.  Leaves: the text of the check.  Not known here: CEL, where a check is put.

Argo CD has one check for a kind. This one looks up whose an object is by its marks, and asks what the readyWhen of that node asks;
an object that bears none is Healthy, as one of a kind without a check is to Argo CD. What Argo CD does with answers decides:

* It waits for what is Progressing. Everything that may still become true is Progressing: false, absent, an error.
* Degraded ends a sync, and for good: it is not looked at again. Two things are: a condition that reads nothing of the object and
  does not hold, and an object whose controller says that it gave up, which is what a `Stalled` condition means (kstatus).
* A sync that waits takes no new commit. That is why Stalled is not ignored.
* A status that is of an earlier generation says nothing. Nor does what a readyWhen sees in an object without a status, where its
  kind has an observedGeneration.
* nil, an error, or a message that is no string stop an application or let it wait for ever. So all of it runs in pcall.
"""

from __future__ import annotations

from hashlib import sha256

from krm_fn.emit.lua.library import functions
from krm_fn.emit.lua.words import lua_name, quoted
from krm_fn.expand.ownership import INSTANCE, NODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krm_fn.emit.lua.expression import Condition

HEAD = "-- Made by rookery health "
_MADE_FOR = "-- For: "
_SHOWN = 300
_DIGEST = 12


class Asked:
    """One readyWhen. shown: its text.  condition: None where it can never be true."""

    __slots__ = ("condition", "shown")

    def __init__(self, shown: str, condition: Condition | None) -> None:
        self.shown = shown
        self.condition = condition


class NodeCheck:
    """What is asked of a node. maker: group/Kind of the instances.  name: what its conditions call the object."""

    __slots__ = ("asked", "maker", "name", "node")

    def __init__(self, maker: str, node: str, name: str, asked: Sequence[Asked]) -> None:
        self.maker = maker
        self.node = node
        self.name = name
        self.asked = asked


def script(checks: Sequence[NodeCheck], *, generations: bool) -> str:
    """
    The check of one kind.

    generations: whether objects of the kind have a status.observedGeneration.
    """
    ordered = sorted(checks, key=lambda check: (check.maker, check.node))
    called = {"get", "exists", "starts_with"}
    for check in ordered:
        for asked in check.asked:
            if asked.condition is not None:
                called |= asked.condition.called
    makers = list(dict.fromkeys(check.maker for check in ordered))
    parts = [f"{_MADE_FOR}{' '.join(makers)}", "", *functions(frozenset(called)), "", "local checks = {"]
    for maker in makers:
        parts.append(f"  [{quoted(maker)}] = {{")
        for check in ordered:
            if check.maker == maker:
                parts += _node(check)
        parts.append("  },")
    parts += ["}", "", _TAIL.replace("NOT_YET", _NOT_YET if generations else "")]
    body = "\n".join(parts)
    return f"{HEAD}{_digest(body)}: changes by hand are kept, and then nothing is merged into it.\n{body}"


def is_made_here(text: str) -> bool:
    """Whether a check is as `script` made it: nobody changed it since."""
    head, _, body = text.partition("\n")
    return head.startswith(f"{HEAD}{_digest(body.rstrip(chr(10)) + chr(10))}:")


def makers_of(text: str) -> list[str]:
    """The kinds of instances that a check made here asks for."""
    line = text.partition("\n")[2].partition("\n")[0]
    return line.removeprefix(_MADE_FOR).split() if line.startswith(_MADE_FOR) else []


def _digest(body: str) -> str:
    return sha256(body.encode()).hexdigest()[:_DIGEST]


def _node(check: NodeCheck) -> list[str]:
    lines = [f"    [{quoted(check.node)}] = {{"]
    for asked in check.asked:
        shown = asked.shown if len(asked.shown) <= _SHOWN else f"{asked.shown[:_SHOWN]}…"
        if asked.condition is None:
            lines.append(f"      {{{_message(shown)}}},  -- whatever the object says")
            continue
        lines += [f"      {{{_message(shown)}, function({lua_name(check.name)})"]
        lines += [f"        {line}" for line in f"return {asked.condition.text}".split("\n")]
        lines += ["      end},"]
    return [*lines, "    },"]


def _message(text: str) -> str:
    """A string of Lua that can be read: CEL is full of quotes."""
    line = " ".join(text.split())
    if '"' in line and "]]" not in line and not line.endswith("]") and line.isprintable():
        return f"[[{line}]]"
    return quoted(line)


_NOT_YET = """
  if get(obj, "status") == nil then
    return {status = "Progressing", message = node .. ": its controller has not looked at it yet"}
  end"""

_TAIL = f"""\
local function conditions_of(maker, node)
  local nodes = checks[maker]
  return nodes and nodes[node]
end

-- Whose the object is: by Rookery's annotations, or by kro's labels where those stand in for them.
local function marks()
  local instance = get(obj, "metadata", "annotations", {quoted(INSTANCE)})
  local node = get(obj, "metadata", "annotations", {quoted(NODE)})
  if instance ~= nil and node ~= nil then
    for maker in pairs(checks) do
      if starts_with(instance, maker .. "/") then return node, conditions_of(maker, node) end
    end
    return nil
  end
  local labels = get(obj, "metadata", "labels") or {{}}
  local group, kind = labels["kro.run/instance-group"], labels["kro.run/instance-kind"]
  if labels["kro.run/owned"] ~= "true" or group == nil or kind == nil or labels["kro.run/node-id"] == nil then return nil end
  return labels["kro.run/node-id"], conditions_of(group .. "/" .. kind, labels["kro.run/node-id"])
end

local function verdict()
  local node, conditions = marks()
  if conditions == nil then
    return {{status = "Healthy", message = ""}}  -- as without this check
  end
  local generation, observed = get(obj, "metadata", "generation"), get(obj, "status", "observedGeneration")
  if type(generation) == "number" and type(observed) == "number" and generation ~= observed then
    return {{status = "Progressing", message = node .. ": its controller has not looked at generation " .. generation .. " yet"}}
  endNOT_YET
  for _, condition in ipairs(conditions) do
    local shown, holds = condition[1], condition[2]
    if holds == nil then
      return {{status = "Degraded", message = node .. " can never be ready: " .. shown}}
    end
    if not holds(obj) then
      local stalled = exists(get(obj, "status", "conditions"), function(c)
        return get(c, "type") == "Stalled" and get(c, "status") == "True"
      end)
      if stalled then
        return {{status = "Degraded", message = node .. " is stalled, and not ready: " .. shown}}
      end
      return {{status = "Progressing", message = node .. " waits for " .. shown}}
    end
  end
  return {{status = "Healthy", message = node .. " is ready"}}
end

local worked, answer = pcall(verdict)
if not worked then
  answer = {{status = "Progressing", message = "the check of rookery health failed: " .. tostring(answer)}}
end
return answer
"""
