-- Makes one process the only runner of a tool call; its token fences every later write.
--
-- Row (hash): token, until (ms), attempt, runs, started (attempt whose run began), outcome (JSON),
--             settlement (JSON), settled, published, nudge
-- KEYS: row
-- ARGV: op (take, renew, start, answer, next, done, release, decide), token (or ''),
--       lease ms, ttl s, value, value 2 (decide: the outcomes of a call not begun, and of one begun)
-- Returns: take → {state, token, attempt, runs, started, outcome, settlement, settled, published,
--          nudge, ms left}, state = done, held or taken;
--          decide → {0 or 1 (stored now), outcome, runs}; else 1, or 0 when fenced
local row, op, token = KEYS[1], ARGV[1], ARGV[2]
local lease, ttl, value, second = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], ARGV[6]

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function get(field, default)
  return redis.call('HGET', row, field) or default
end

local function until_ms()
  return string.format('%.0f', now + lease)
end

if op == 'take' then
  local left = tonumber(get('until', '0')) - now
  local state = 'taken'
  if get('published', '0') == '1' then
    state = 'done'
  elseif left > 0 then
    state = 'held'
  else
    redis.call('HINCRBY', row, 'token', 1)
    redis.call('HSET', row, 'until', until_ms())
    redis.call('HSETNX', row, 'attempt', '1')
  end
  redis.call('EXPIRE', row, ttl)
  return {state, get('token', '0'), get('attempt', '1'), get('runs', '0'), get('started', '0'),
          get('outcome', ''), get('settlement', ''), get('settled', '0'), get('published', '0'),
          get('nudge', '0'), string.format('%.0f', left)}
end

if op == 'decide' then
  -- The dead letters' outcome for a call that no delivery will answer: a stored one wins.
  local outcome, runs = get('outcome', ''), get('runs', '0')
  if outcome ~= '' then
    return {0, outcome, runs}
  end
  if tonumber(get('started', '0')) >= tonumber(get('attempt', '1')) then
    value = second
  end
  redis.call('HINCRBY', row, 'token', 1)
  redis.call('HSET', row, 'until', '0', 'outcome', value, 'settled', '1')
  redis.call('EXPIRE', row, ttl)
  return {1, value, runs}
end

if get('token', '0') ~= token then
  return 0
end
if op == 'renew' then
  redis.call('HSET', row, 'until', until_ms())
elseif op == 'start' then
  redis.call('HSET', row, 'started', get('attempt', '1'))
  redis.call('HINCRBY', row, 'runs', 1)
elseif op == 'answer' then
  redis.call('HSET', row, 'outcome', value, 'settlement', second)
  if second == '' then
    redis.call('HSET', row, 'settled', '1')
  end
elseif op == 'next' then
  redis.call('HINCRBY', row, 'attempt', 1)
  if value == 'void' then
    redis.call('HINCRBY', row, 'runs', -1)
  end
elseif op == 'done' then
  redis.call('HSET', row, 'published', '1', 'settled', '1', 'until', '0', 'nudge', value)
elseif op == 'release' then
  redis.call('HSET', row, 'until', '0')
end
redis.call('EXPIRE', row, ttl)
return 1
