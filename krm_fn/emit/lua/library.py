"""
The functions that a health check calls: what CEL means, in the Lua that Argo CD runs.

Enters: the names that a script calls.  Leaves: their text, those that they call first.  Not known here: expressions.

Argo CD's interpreter has Lua 5.1 with the libraries base, table and package; there is no string library, and strings can only be
joined, compared (byte by byte) and measured. A JSON null is nil, as is what is absent; all numbers are floats; a list cannot be
told from a map once it is empty. So the rules here:

* A value that cannot be had (absent, of a wrong type, an error of CEL) is nil. Nothing here raises an error.
* What may be true, false or an error in CEL is true, false or nil here.
* `none` is an optional without a value; nil in its place is an error.
"""

from __future__ import annotations

NONE = "none"
STEPS = 25_000
"""What one check may spend: an item that it looks at is a step. That takes some hundredths of a second on an idle machine; Argo CD gives one second, and stops the whole application behind a check that needs more."""
LONGEST = 1_024
"""Bytes of a string that is taken apart: each is found by comparing."""
EXACT = "9007199254740992"
"""2^53: from here on a float may stand for several ints."""

_TEXTS: dict[str, tuple[tuple[str, ...], str]] = {
    NONE: ((), "local none = {}  -- an optional without a value"),
    "pay": (
        (),
        f"""\
local steps = 0
local function pay(count)  -- false once a check has done so much that Argo CD might stop it, and the application with it
  steps = steps + count
  return steps <= {STEPS}
end""",
    ),
    "get": (
        (),
        """\
local function get(value, ...)
  for i = 1, select("#", ...) do
    local key = select(i, ...)
    if type(value) ~= "table" or key == nil then return nil end
    if type(key) == "number" then value = value[key + 1] else value = value[key] end
  end
  return value
end""",
    ),
    "lacks": (
        (),
        """\
local function lacks(value, field)
  if value == nil or (type(value) == "table" and value[1] ~= nil) then return false end
  return type(value) ~= "table" or value[field] == nil
end""",
    ),
    "maybe": (
        (NONE, "get"),
        """\
local function maybe(value, ...)
  for i = 1, select("#", ...) do
    local key = select(i, ...)
    if value == nil or key == nil then return nil end
    if type(value) == "table" and value[1] ~= nil and type(key) ~= "number" then return nil end
    value = get(value, key)
    if value == nil then value = none end
  end
  return value
end""",
    ),
    "or_value": (
        (NONE,),
        """\
local function or_value(value, default)
  if value == none then return default end
  return value
end""",
    ),
    "value_of": (
        (NONE,),
        """\
local function value_of(value)
  if value == none then return nil end
  return value
end""",
    ),
    "some": ((NONE,), "local function some(value) return value ~= nil and value ~= none end"),
    "with": (
        (NONE,),
        """\
local function with(value, f)
  if value == nil or value == none then return value end
  return f(value)
end""",
    ),
    "same": (
        ("pay",),
        f"""\
local function same(a, b)
  if a == nil or b == nil then return nil end
  if type(a) ~= type(b) then return false end
  if type(a) == "number" and a == b and (a >= {EXACT} or a <= -{EXACT}) then return nil end
  if type(a) == "string" and not pay(#a / 64) then return nil end
  if type(a) ~= "table" then return a == b end
  for key, value in pairs(a) do
    if not pay(1) then return nil end
    local equal = b[key] ~= nil and same(value, b[key])
    if not equal then return equal end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end""",
    ),
    "compared": (
        ("pay",),
        f"""\
local function compared(a, b)
  if type(a) == "boolean" and type(b) == "boolean" then a, b = a and 1 or 0, b and 1 or 0 end
  if type(a) ~= type(b) or (type(a) ~= "number" and type(a) ~= "string") then return nil end
  if a == b and type(a) == "number" and (a >= {EXACT} or a <= -{EXACT}) then return nil end
  if type(a) == "string" and not pay(#a / 16) then return nil end
  return a < b and -1 or a > b and 1 or 0
end""",
    ),
    "less": (("compared",), "local function less(a, b) return compared(a, b) == -1 end"),
    "more": (("compared",), "local function more(a, b) return compared(a, b) == 1 end"),
    "at_most": (
        ("compared",),
        "local function at_most(a, b) local order = compared(a, b) return order == -1 or order == 0 end",
    ),
    "at_least": (
        ("compared",),
        "local function at_least(a, b) local order = compared(a, b) return order == 1 or order == 0 end",
    ),
    "truth": (
        (),
        """\
local function truth(is_true, is_false)
  if is_true then return true end
  if is_false then return false end
  return nil
end""",
    ),
    "pick": (
        (),
        """\
local function pick(is_true, is_false, a, b)
  if is_true then return a end
  if is_false then return b end
  return nil
end""",
    ),
    "list": (
        (),
        """\
local function list(...)
  for i = 1, select("#", ...) do
    if select(i, ...) == nil then return nil end
  end
  return {...}
end""",
    ),
    "items": (
        ("pay",),
        """\
local function items(value)
  if type(value) ~= "table" then return nil end
  local found = value
  if value[1] == nil then  -- a map: its keys
    found = {}
    for key in pairs(value) do
      if not pay(5) then return nil end
      found[#found + 1] = key
    end
    table.sort(found)
  end
  if not pay(#found) then return nil end
  return found
end""",
    ),
    "exists": (
        ("items",),
        """\
local function exists(range, holds)
  for _, item in ipairs(items(range) or {}) do
    if holds(item) then return true end
  end
  return false
end""",
    ),
    "all": (
        ("items",),
        """\
local function all(range, holds)
  local found = items(range)
  for _, item in ipairs(found or {}) do
    if not holds(item) then return false end
  end
  return found ~= nil
end""",
    ),
    "filter": (
        ("items",),
        """\
local function filter(range, holds)
  local found, taken = items(range), {}
  for _, item in ipairs(found or {}) do
    local answer = holds(item)
    if answer == nil then return nil end
    if answer then taken[#taken + 1] = item end
  end
  return found and taken
end""",
    ),
    "map": (
        ("items",),
        """\
local function map(range, f)
  local found, made = items(range), {}
  for i, item in ipairs(found or {}) do
    made[i] = f(item)
    if made[i] == nil then return nil end
  end
  return found and made
end""",
    ),
    "exists_one": (
        ("filter",),
        """\
local function exists_one(range, holds)
  local taken = filter(range, holds)
  return taken and #taken == 1
end""",
    ),
    "among": (
        ("items", "same"),
        """\
local function among(value, range)
  if value == nil or type(range) ~= "table" then return nil end
  if range[1] == nil then return type(value) == "string" and range[value] ~= nil end
  local found = items(range)
  for _, item in ipairs(found or {}) do
    if same(value, item) then return true end
  end
  return found and false
end""",
    ),
    "bytes": (
        ("pay",),
        f"""\
local byte = loadstring('return {{' .. (function()
  local all = ""
  for i = 0, 255 do all = all .. '"\\\\' .. i .. '",' end
  return all
end)() .. '}}')()
local function bytes(text)  -- there is no string library: each byte is found by comparing
  local found, before = {{}}, ""
  if #text > {LONGEST} or not pay(#text * 4 + #text * #text / 128) then return nil end
  for i = 1, #text do
    local low, high = 1, 256
    while low < high do
      local middle = low + high + 1
      middle = (middle - middle % 2) / 2
      if before .. byte[middle] <= text then low = middle else high = middle - 1 end
    end
    found[i] = byte[low]
    before = before .. byte[low]
  end
  return found
end""",
    ),
    "size": (
        ("bytes", "pay"),
        """\
local function size(value)
  local count = 0
  if type(value) == "string" then
    for _, b in ipairs(bytes(value) or {}) do
      if b < "\\128" or b >= "\\192" then count = count + 1 end  -- of a character, the first byte
    end
    if count == 0 and value ~= "" then return nil end
    return count
  end
  if type(value) ~= "table" then return nil end
  for _ in pairs(value) do
    if not pay(1) then return nil end
    count = count + 1
  end
  return count
end""",
    ),
    "starts_with": (
        ("pay",),
        """\
local function starts_with(text, part)
  if type(text) ~= "string" or type(part) ~= "string" then return nil end
  if not pay(#part / 64) then return nil end
  return part <= text and text < part .. "\\255"
end""",
    ),
    "contains": (
        ("bytes", "pay"),
        """\
local function contains(text, part)
  if type(text) ~= "string" or type(part) ~= "string" then return nil end
  local found = bytes(text)
  if found == nil then return nil end
  for i = 1, #text - #part + 1 do
    if not pay(1 + #part / 8) then return nil end
    if table.concat(found, "", i, i + #part - 1) == part then return true end
  end
  return false
end""",
    ),
    "ends_with": (
        ("bytes",),
        """\
local function ends_with(text, part)
  if type(text) ~= "string" or type(part) ~= "string" then return nil end
  local found = bytes(text)
  return found and #part <= #text and table.concat(found, "", #text - #part + 1, #text) == part
end""",
    ),
    "whole": (
        (),
        f"""\
local function whole(value)  -- an int that a float holds exactly; what an API server stores without a fraction is an int
  return type(value) == "number" and value % 1 == 0 and value < {EXACT} and value > -{EXACT}
end""",
    ),
    "alike": (
        ("whole",),
        """\
local function alike(a, b)  -- CEL has no arithmetic of an int with a double
  return type(a) == "number" and type(b) == "number" and whole(a) == whole(b)
end""",
    ),
    "exact": (
        ("whole",),
        """\
local function exact(value, a)  -- the result of arithmetic on ints
  if whole(a) and not whole(value) then return nil end
  return value
end""",
    ),
    "add": (
        ("alike", "exact", "pay"),
        """\
local function add(a, b)
  if type(a) == "string" and type(b) == "string" then
    if not pay((#a + #b) / 64) then return nil end
    return a .. b
  end
  if type(a) == "table" and type(b) == "table" then
    local joined = {}
    for _, part in ipairs({a, b}) do
      if part[1] == nil and next(part) ~= nil then return nil end
      if not pay(#part) then return nil end
      for _, item in ipairs(part) do joined[#joined + 1] = item end
    end
    return joined
  end
  if not alike(a, b) then return nil end
  return exact(a + b, a)
end""",
    ),
    "subtract": (
        ("alike", "exact"),
        """\
local function subtract(a, b)
  if not alike(a, b) then return nil end
  return exact(a - b, a)
end""",
    ),
    "multiply": (
        ("alike", "exact"),
        """\
local function multiply(a, b)
  if not alike(a, b) then return nil end
  return exact(a * b, a)
end""",
    ),
    "modulo": (
        ("whole",),
        """\
local function modulo(a, b)
  if not whole(a) or not whole(b) or b == 0 then return nil end
  local rest = (a < 0 and -a or a) % (b < 0 and -b or b)
  return a < 0 and -rest or rest
end""",
    ),
    "divide": (
        ("alike", "modulo"),
        """\
local function divide(a, b)
  if not alike(a, b) then return nil end
  if not whole(a) then return a / b end
  if b == 0 then return nil end
  return (a - modulo(a, b)) / b
end""",
    ),
    "negate": (
        (),
        """\
local function negate(a)
  if type(a) ~= "number" then return nil end
  return -a
end""",
    ),
    "int": (
        ("bytes", "whole"),
        """\
local function int(value)
  if type(value) == "number" then
    local rest = (value < 0 and -value or value) % 1
    value = value < 0 and value + rest or value - rest
  elseif type(value) == "string" then
    local digits, made, sign = bytes(value), nil, 1
    for i, b in ipairs(digits or {}) do
      if i == 1 and (b == "-" or b == "+") then
        if b == "-" then sign = -1 end
      elseif b >= "0" and b <= "9" then
        made = (made or 0) * 10 + tonumber(b)
      else
        return nil
      end
    end
    value = made and sign * made
  end
  if not whole(value) then return nil end
  return value
end""",
    ),
    "text": (
        ("whole",),
        """\
local function text(value)
  if type(value) == "number" and not whole(value) and (value >= 1000000 or value <= -1000000) then return nil end
  if type(value) == "string" or type(value) == "boolean" or type(value) == "number" then return tostring(value) end
  return nil
end""",
    ),
}

NAMES = frozenset(_TEXTS)


def functions(called: frozenset[str]) -> list[str]:
    """The text of every function in *called*, behind that of the functions which it calls; always in the same order."""
    needed = set(called)
    for name in reversed(_TEXTS):  # a function stands behind those that it calls
        if name in needed:
            needed.update(_TEXTS[name][0])
    return [text for name, (_, text) in _TEXTS.items() if name in needed]
