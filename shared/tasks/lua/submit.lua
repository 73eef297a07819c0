-- Creates a task once. Answers the stored document, whoever created it.
-- KEYS: task, due, stream, index all, index agent, index status
-- ARGV: task id, document, event id, event body ('' for none), due score, created s, ttl s, entry,
--       hint
-- Returns: {1, document} created, {0, document} existed, {2, reason} cancelled before it came
local key, due, stream = KEYS[1], KEYS[2], KEYS[3]
local id, doc, event, body = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local score, created, ttl, entry = ARGV[5], ARGV[6], tonumber(ARGV[7]), ARGV[8]

local found = redis.call('HGET', key, 'doc')
if found then
  return {0, found}
end
local cancelled = redis.call('HGET', key, 'cancel')

redis.call('HSET', key, 'v', '1', 'doc', doc, 'step', '0', 'out', '0')
if body ~= '' then
  redis.call('HSET', key, 'o:' .. event, body, 'out', '1')
end
redis.call('EXPIRE', key, ttl)
redis.call('ZADD', due, score, id)
for i = 4, 6 do
  redis.call('ZADD', KEYS[i], created, id)
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', tonumber(created) - ttl)
end
redis.call('XADD', stream, '*', 'event', 'status', 'data', entry)
redis.call('EXPIRE', stream, ttl)
redis.call('PUBLISH', 'tk:hints', ARGV[9])
if cancelled then
  return {2, cancelled}
end
return {1, doc}
