-- Makes one process the only one that takes a step; its token fences every later write.
-- KEYS: claim, task
-- ARGV: op (take, held, renew, store, release), step, token (or ''), lease ms, record (to store; take: if none), ttl s
-- Returns: take → {token, record} or {0, ms left} held or {-1, ''} committed; else 1 or 0 (fenced)
local claim, task = KEYS[1], KEYS[2]
local op, step, token = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local lease, record, ttl = tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6])

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

if op == 'take' then
  local committed = tonumber(redis.call('HGET', task, 'step') or '-1')
  if committed >= step or committed < 0 then
    return {-1, ''}
  end
  local left = tonumber(redis.call('HGET', claim, 'until') or '0') - now
  if left > 0 then
    return {0, tostring(left)}
  end
  local taken = redis.call('HINCRBY', claim, 'token', 1)
  redis.call('HSET', claim, 'until', string.format('%.0f', now + lease))
  if record ~= '' then
    redis.call('HSETNX', claim, 'record', record)
  end
  redis.call('EXPIRE', claim, ttl)
  return {taken, redis.call('HGET', claim, 'record') or ''}
end

if op == 'held' then
  return tonumber(redis.call('HGET', claim, 'until') or '0') > now and 1 or 0
end
if redis.call('HGET', claim, 'token') ~= token then
  return 0
end
if op == 'renew' then
  redis.call('HSET', claim, 'until', string.format('%.0f', now + lease))
elseif op == 'store' then
  redis.call('HSET', claim, 'record', record)
  redis.call('EXPIRE', claim, ttl)
elseif op == 'release' then
  redis.call('HSET', claim, 'until', '0')
end
return 1
