-- Stores one event of the ledger, its number and its sums: all of it, once, or nothing.
--
-- KEYS  1 raw  2 numbers  3 chunks  4 counts  5 conflicts  6 day  7 days  8 task  9 tasks
--       10 kind  11 sums  12 fine sums  13 total
-- ARGV  1 id  2 packed event  3 chunk's name  4 bit  5 day  6 milliseconds  7 task or ''
--       8 kind or ''  9 sums' field or ''  10 fine sums' field  11 agent
--       12 nano-USD  13 invocations  14 tokens  15 conflicts kept  16 epoch  17 number
-- Returns {'stored' | 'conflict' | 'duplicate', the agent's sums of all time or ''}.
--
-- Everything is read and checked before the first write: an error undoes no write.

local LIMIT = 9007199254740991

local function added(key, field)
  local cost, calls, tokens = 0, 0, 0
  local old = redis.call('HGET', key, field)
  if old then cost, calls, tokens = string.match(old, '^(%-?%d+) (%d+) (%-?%d+)$') end
  cost, calls, tokens = cost + ARGV[12], calls + ARGV[13], tokens + ARGV[14]
  if math.abs(cost) > LIMIT or math.abs(tokens) > LIMIT then
    error('a sum in ' .. key .. ' is above 2^53 - 1')
  end
  return string.format('%.0f %.0f %.0f', cost, calls, tokens)
end

local known = redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1
local taken = redis.call('GETBIT', KEYS[2], ARGV[4]) == 1
local summed = not known and ARGV[9] ~= ''
local sum, fine, total = '', '', ''
if summed then
  sum = added(KEYS[11], ARGV[9])
  fine = added(KEYS[12], ARGV[10])
  total = added(KEYS[13], ARGV[11])
end

redis.call('SETBIT', KEYS[2], ARGV[4], 1)
redis.call('SADD', KEYS[3], ARGV[3])
if known then
  redis.call('HINCRBY', KEYS[4], 'duplicates:' .. ARGV[16], 1)
  return {'duplicate', ''}
end

redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HINCRBY', KEYS[4], 'events', 1)
redis.call('RPUSH', KEYS[6], ARGV[1])
redis.call('SADD', KEYS[7], ARGV[5])
if ARGV[7] ~= '' then
  redis.call('RPUSH', KEYS[8], ARGV[1])
  redis.call('ZADD', KEYS[9], 'GT', ARGV[6], ARGV[7])
end
if ARGV[8] ~= '' then redis.call('RPUSH', KEYS[10], ARGV[1]) end
if summed then
  redis.call('HSET', KEYS[11], ARGV[9], sum)
  redis.call('HSET', KEYS[12], ARGV[10], fine)
  redis.call('HSET', KEYS[13], ARGV[11], total)
end
if taken then
  redis.call('HINCRBY', KEYS[4], 'conflicts', 1)
  redis.call('LPUSH', KEYS[5], ARGV[16] .. ' ' .. ARGV[17] .. ' ' .. ARGV[1])
  redis.call('LTRIM', KEYS[5], 0, ARGV[15] - 1)
  return {'conflict', total}
end
return {'stored', total}
