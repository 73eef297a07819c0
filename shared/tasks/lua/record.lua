-- Writes down what an event brings; commutes with itself, so eight results may come at once.
-- KEYS: task
-- ARGV: kind (result, cancel, look), call id, value, ttl s
-- Returns: the task's hash as a flat list, empty if there is no task
local key = KEYS[1]
local kind, call, value, ttl = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

if kind == 'result' then
  -- A placeholder says that the step waits for the call; only the first result counts.
  if redis.call('HGET', key, 'r:' .. call) == '' then
    redis.call('HSET', key, 'r:' .. call, value)
  end
elseif kind == 'cancel' then
  redis.call('HSETNX', key, 'cancel', value)
  redis.call('EXPIRE', key, ttl)
end
return redis.call('HGETALL', key)
