-- Stores one event of the ledger, its number and its sums: all of it, once, or nothing.
--
-- KEYS  1 raw  2 numbers  3 sealed  4 chunks  5 counts  6 conflicts  7 hour's events  8 days
--       9 task's events  10 tasks  11 kind's events  12 rows  13 coordinates
--       14 hour's sums  15 day's sums  16 month's sums  17 places  18 places' names
--       19 place's sums  20 day's places  21 month's places
--       22 by task  23 by session  24 by root  25 totals
--       26 hour's other sums  27 day's other sums  28 month's other sums
-- ARGV  1 id  2 packed event  3 chunk's name  4 bit  5 day  6 milliseconds  7 task or ''
--       8 kind or ''  9 coordinates or ''  10 reduced ones  11 least ones  12 rows kept
--       13 place  14 agent  15 conflicts kept  16 epoch  17 number  18 fingerprint
--       19 number of the day  20 … letter, amount of every measure that is not 0
-- Returns {'stored' | 'conflict' | 'duplicate', the agent's cost, invocations, tokens of all time}.
--
-- HINCRBY adds whole numbers of 64 bits, so sums stay exact above 2^53. Everything is read and
-- checked before the first write: an error undoes no write.

local function text(key, field) return redis.call('HGET', key, field) or '0' end

local bit = tonumber(ARGV[4])
local taken = redis.call('GETBIT', KEYS[2], bit) == 1
local known = redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1
if not known and taken then
  known = redis.call('GETRANGE', KEYS[3], bit * 4, bit * 4 + 3) == ARGV[18]
end

local function row_of(wanted)
  local total = redis.call('HLEN', KEYS[12])
  for tier, name in ipairs(wanted) do
    local row = redis.call('HGET', KEYS[12], name)
    if row then return row, nil end
    if total < tonumber(ARGV[12]) * tier or tier == #wanted then
      return tostring(total + 1), name
    end
  end
end

local summed = not known and ARGV[9] ~= ''
if summed then
  for _, field in ipairs({'c ' .. ARGV[14], 't ' .. ARGV[14]}) do
    if #text(KEYS[25], field) > 18 then error('a sum in ' .. KEYS[25] .. ' is near 2^63') end
  end
end

redis.call('SETBIT', KEYS[2], bit, 1)
redis.call('SADD', KEYS[4], ARGV[3])
if known then
  redis.call('HINCRBY', KEYS[5], 'duplicates:' .. ARGV[16], 1)
  return {'duplicate'}
end

redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HINCRBY', KEYS[5], 'events', 1)
redis.call('RPUSH', KEYS[7], ARGV[1])
redis.call('SADD', KEYS[8], ARGV[5])
if ARGV[7] ~= '' then
  redis.call('RPUSH', KEYS[9], ARGV[1])
  redis.call('ZADD', KEYS[10], 'GT', ARGV[6], ARGV[7])
end
if ARGV[8] ~= '' then redis.call('RPUSH', KEYS[11], ARGV[1]) end

local answer = {'stored'}
if summed then
  local row, name = row_of({ARGV[9], ARGV[10], ARGV[11]})
  if name then
    redis.call('HSET', KEYS[12], name, row)
    redis.call('HSET', KEYS[13], row, name)
  end
  local place = redis.call('HGET', KEYS[17], ARGV[13])
  if not place then
    place = tostring(redis.call('HLEN', KEYS[17]) + 1)
    redis.call('HSET', KEYS[17], ARGV[13], place)
    redis.call('HSET', KEYS[18], place, ARGV[13])
    for i = 22, 24 do redis.call('SADD', KEYS[i], place) end
  end
  local cost = 0
  for i = 20, #ARGV, 2 do
    local letter, amount = ARGV[i], ARGV[i + 1]
    local field = row .. letter
    local first = 26
    if letter == 'c' or letter == 'n' or letter == 't' then
      first = 14
      redis.call('HINCRBY', KEYS[25], letter .. ' ' .. ARGV[14], amount)
    end
    for i = first, first + 2 do redis.call('HINCRBY', KEYS[i], field, amount) end
    redis.call('HINCRBY', KEYS[19], ARGV[19] .. field, amount)
    if letter == 'c' then cost = amount end
  end
  redis.call('ZINCRBY', KEYS[20], cost, place)
  redis.call('ZINCRBY', KEYS[21], cost, place)
  for _, letter in ipairs({'c', 'n', 't'}) do
    answer[#answer + 1] = text(KEYS[25], letter .. ' ' .. ARGV[14])
  end
end
if taken then
  redis.call('HINCRBY', KEYS[5], 'conflicts', 1)
  redis.call('LPUSH', KEYS[6], ARGV[16] .. ' ' .. ARGV[17] .. ' ' .. ARGV[1])
  redis.call('LTRIM', KEYS[6], 0, ARGV[15] - 1)
  answer[1] = 'conflict'
end
return answer
