-- Commits a new state: document, step record, outgoing events, stream entries, indexes: one unit.
-- `step` in the hash is what claims are fenced by: past every step once the task is final.
-- KEYS: task, claim, due, steps, stream, index of the old status, index of the new, session
-- ARGV: 1 task id, 2 version expected, 3 token ('' for none), 4 document, 5 step, 6 due score,
--       7 ttl s, 8 created s, 9 session turns ('' or a JSON text), 10 turns kept, 11 final (0 or 1),
--       12 clear waits (0 or 1), 13 hint, 14 stream entries kept when final,
--       then counted lists: step records to append, awaited call ids,
--       events (id, body), stream entries (event, data), whole step records that replace the list
-- Returns: the new version, 0 after a version conflict, -1 when fenced
local task, claim, due, steps, stream = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local id, ttl = ARGV[1], tonumber(ARGV[7])

if redis.call('HGET', task, 'v') ~= ARGV[2] then
  return 0
end
if ARGV[3] ~= '' and redis.call('HGET', claim, 'token') ~= ARGV[3] then
  return -1
end

local at = 15
local function list(width)
  local count, items = tonumber(ARGV[at]), {}
  for i = 1, count * width do
    items[i] = ARGV[at + i]
  end
  at = at + 1 + count * width
  return items
end
local records, awaited, events, entries, replaced = list(1), list(1), list(2), list(2), list(1)

if ARGV[12] == '1' then
  for _, field in ipairs(redis.call('HKEYS', task)) do
    if string.sub(field, 1, 2) == 'r:' then
      redis.call('HDEL', task, field)
    end
  end
end
local version = redis.call('HINCRBY', task, 'v', 1)
redis.call('HSET', task, 'doc', ARGV[4], 'step', ARGV[5])
for _, call in ipairs(awaited) do
  redis.call('HSET', task, 'r:' .. call, '')
end
for i = 1, #events, 2 do
  if redis.call('HSET', task, 'o:' .. events[i], events[i + 1]) == 1 then
    redis.call('HINCRBY', task, 'out', 1)
  end
end
if ARGV[11] == '1' then
  redis.call('HDEL', task, 'cancel')
end
redis.call('EXPIRE', task, ttl)
if #replaced > 0 then
  redis.call('DEL', steps)
  records = replaced
end
for _, record in ipairs(records) do
  redis.call('RPUSH', steps, record)
end
redis.call('EXPIRE', steps, ttl)
for i = 1, #entries, 2 do
  redis.call('XADD', stream, '*', 'event', entries[i], 'data', entries[i + 1])
end
if ARGV[11] == '1' then
  redis.call('XTRIM', stream, 'MAXLEN', ARGV[14])
end
redis.call('EXPIRE', stream, ttl)
redis.call('ZADD', due, ARGV[6], id)
if KEYS[6] ~= KEYS[7] then
  redis.call('ZREM', KEYS[6], id)
  redis.call('ZADD', KEYS[7], ARGV[8], id)
end
if ARGV[9] ~= '' then
  redis.call('RPUSH', KEYS[8], ARGV[9])
  redis.call('LTRIM', KEYS[8], -tonumber(ARGV[10]), -1)
  redis.call('EXPIRE', KEYS[8], ttl)
end
if ARGV[12] == '1' then
  redis.call('DEL', claim)
elseif ARGV[3] ~= '' then
  -- The step goes on later: its token must keep growing, its record must survive.
  redis.call('HSET', claim, 'until', '0')
end
redis.call('PUBLISH', 'tk:hints', ARGV[13])
return version
