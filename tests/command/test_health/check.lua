-- Made by rookery health e30708a1ef86: changes by hand are kept, and then nothing is merged into it.
-- For: kro.run/App kro.run/Shop

local none = {}  -- an optional without a value
local steps = 0
local function pay(count)  -- false once a check has done so much that Argo CD might stop it, and the application with it
  steps = steps + count
  return steps <= 25000
end
local function get(value, ...)
  for i = 1, select("#", ...) do
    local key = select(i, ...)
    if type(value) ~= "table" or key == nil then return nil end
    if type(key) == "number" then value = value[key + 1] else value = value[key] end
  end
  return value
end
local function lacks(value, field)
  if value == nil or (type(value) == "table" and value[1] ~= nil) then return false end
  return type(value) ~= "table" or value[field] == nil
end
local function maybe(value, ...)
  for i = 1, select("#", ...) do
    local key = select(i, ...)
    if value == nil or key == nil then return nil end
    if type(value) == "table" and value[1] ~= nil and type(key) ~= "number" then return nil end
    value = get(value, key)
    if value == nil then value = none end
  end
  return value
end
local function or_value(value, default)
  if value == none then return default end
  return value
end
local function same(a, b)
  if a == nil or b == nil then return nil end
  if type(a) ~= type(b) then return false end
  if type(a) == "number" and a == b and (a >= 9007199254740992 or a <= -9007199254740992) then return nil end
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
end
local function compared(a, b)
  if type(a) == "boolean" and type(b) == "boolean" then a, b = a and 1 or 0, b and 1 or 0 end
  if type(a) ~= type(b) or (type(a) ~= "number" and type(a) ~= "string") then return nil end
  if a == b and type(a) == "number" and (a >= 9007199254740992 or a <= -9007199254740992) then return nil end
  if type(a) == "string" and not pay(#a / 16) then return nil end
  return a < b and -1 or a > b and 1 or 0
end
local function at_least(a, b) local order = compared(a, b) return order == 1 or order == 0 end
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
end
local function exists(range, holds)
  for _, item in ipairs(items(range) or {}) do
    if holds(item) then return true end
  end
  return false
end
local function among(value, range)
  if value == nil or type(range) ~= "table" then return nil end
  if range[1] == nil then return type(value) == "string" and range[value] ~= nil end
  local found = items(range)
  for _, item in ipairs(found or {}) do
    if same(value, item) then return true end
  end
  return found and false
end
local byte = loadstring('return {' .. (function()
  local all = ""
  for i = 0, 255 do all = all .. '"\\' .. i .. '",' end
  return all
end)() .. '}')()
local function bytes(text)  -- there is no string library: each byte is found by comparing
  local found, before = {}, ""
  if #text > 1024 or not pay(#text * 4 + #text * #text / 128) then return nil end
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
end
local function size(value)
  local count = 0
  if type(value) == "string" then
    for _, b in ipairs(bytes(value) or {}) do
      if b < "\128" or b >= "\192" then count = count + 1 end  -- of a character, the first byte
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
end
local function starts_with(text, part)
  if type(text) ~= "string" or type(part) ~= "string" then return nil end
  if not pay(#part / 64) then return nil end
  return part <= text and text < part .. "\255"
end

local checks = {
  ["kro.run/App"] = {
    ["database"] = {
      {[[database.status.conditions.exists(c, c.type == "Ready" && c.status == "True")]], function(database)
        return exists(get(database, "status", "conditions"), function(c) return get(c, "type") == "Ready" and get(c, "status") == "True" end)
      end},
      {"!has(database.status.error) || size(database.status.error) == 0", function(database)
        return lacks(get(database, "status"), "error") or size(get(database, "status", "error")) == 0
      end},
      {"database.status.?replicas.orValue(0) >= database.spec.replicas", function(database)
        return at_least(or_value(maybe(get(database, "status"), "replicas"), 0), get(database, "spec", "replicas"))
      end},
      {"1 == 2"},  -- whatever the object says
    },
  },
  ["kro.run/Shop"] = {
    ["end"] = {
      {"end.status.host.startsWith('db-') ? end.status.port in [1, 2] :end.status.port != 3", function(end_)
        return (starts_with(get(end_, "status", "host"), "db-") == true
          and among(get(end_, "status", "port"), {1, 2}) == true)
          or (starts_with(get(end_, "status", "host"), "db-") == false
          and same(get(end_, "status", "port"), 3) == false)
      end},
    },
  },
}

local function conditions_of(maker, node)
  local nodes = checks[maker]
  return nodes and nodes[node]
end

-- Whose the object is: by Rookery's annotations, or by kro's labels where those stand in for them.
local function marks()
  local instance = get(obj, "metadata", "annotations", "rookery.dev/instance")
  local node = get(obj, "metadata", "annotations", "rookery.dev/node")
  if instance ~= nil and node ~= nil then
    for maker in pairs(checks) do
      if starts_with(instance, maker .. "/") then return node, conditions_of(maker, node) end
    end
    return nil
  end
  local labels = get(obj, "metadata", "labels") or {}
  local group, kind = labels["kro.run/instance-group"], labels["kro.run/instance-kind"]
  if labels["kro.run/owned"] ~= "true" or group == nil or kind == nil or labels["kro.run/node-id"] == nil then return nil end
  return labels["kro.run/node-id"], conditions_of(group .. "/" .. kind, labels["kro.run/node-id"])
end

local function verdict()
  local node, conditions = marks()
  if conditions == nil then
    return {status = "Healthy", message = ""}  -- as without this check
  end
  local generation, observed = get(obj, "metadata", "generation"), get(obj, "status", "observedGeneration")
  if type(generation) == "number" and type(observed) == "number" and generation ~= observed then
    return {status = "Progressing", message = node .. ": its controller has not looked at generation " .. generation .. " yet"}
  end
  for _, condition in ipairs(conditions) do
    local shown, holds = condition[1], condition[2]
    if holds == nil then
      return {status = "Degraded", message = node .. " can never be ready: " .. shown}
    end
    if not holds(obj) then
      local stalled = exists(get(obj, "status", "conditions"), function(c)
        return get(c, "type") == "Stalled" and get(c, "status") == "True"
      end)
      if stalled then
        return {status = "Degraded", message = node .. " is stalled, and not ready: " .. shown}
      end
      return {status = "Progressing", message = node .. " waits for " .. shown}
    end
  end
  return {status = "Healthy", message = node .. " is ready"}
end

local worked, answer = pcall(verdict)
if not worked then
  answer = {status = "Progressing", message = "the check of rookery health failed: " .. tostring(answer)}
end
return answer
