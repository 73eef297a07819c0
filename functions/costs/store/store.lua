-- Stores one event of the ledger, its number and its sums: all of it, once, or nothing.
--
-- KEYS  1 raw  2 numbers  3 chunks  4 counts  5 conflicts  6 hour's events  7 days
--       8 task's events  9 tasks  10 kind's events  11 rows  12 coordinates
--       13 hour's sums  14 day's sums  15 month's sums  16 places  17 places' names
--       18 place's sums  19 day's places  20 agent's places of the day  21 by task  22 by session
--       23 by root  24 totals  25 hour's other sums  26 day's other sums  27 month's other sums
--       28 places of several days  29 sessions  30 sessions of several days  31 day's sessions
--       32 agent's sessions of the day  33 tasks' ends  34 tasks without an end
--       35 days' versions
-- ARGV  1 id  2 packed event  3 chunk's name  4 bit  5 day  6 milliseconds  7 task or ''
--       8 kind or ''  9 coordinates or ''  10 reduced ones  11 least ones  12 rows kept
--       13 place  14 agent  15 conflicts kept  16 epoch  17 number  18 number of the day
--       19 session or ''  20 what else is counted or ''
--       21 … letter, amount of every measure that is not 0
-- Returns 'stored', 'conflict' or 'duplicate'.
--
-- HINCRBY adds whole numbers of 64 bits, so sums stay exact above 2^53. Everything is read and
-- checked before the first write: an error undoes no write.

local bit = tonumber(ARGV[4])
local taken = redis.call('GETBIT', KEYS[2], bit) == 1
local known = redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1

local function row_of(wanted)
  local total = redis.call('HLEN', KEYS[11])
  for tier, name in ipairs(wanted) do
    local row = redis.call('HGET', KEYS[11], name)
    if row then return row, nil end
    if total < tonumber(ARGV[12]) * tier or tier == #wanted then
      return tostring(total + 1), name
    end
  end
end

-- Measures of every question, which have sums of their own and totals of all time.
local function is_first(letter)
  return letter == 'c' or letter == 'n' or letter == 't'
end

-- Notes the days of what is met on more than one, so that days can be added up without any twice.
local function met(several, member, first)
  if first == '' or first == ARGV[18] then return end
  local days = redis.call('HGET', several, member) or first
  if not string.find(days, ARGV[18], 1, true) then
    redis.call('HSET', several, member, days .. ' ' .. ARGV[18])
  end
end

-- The largest sum that an amount is added to has room for it.
local function fits(key, fields)
  for _, sum in ipairs(redis.call('HMGET', key, unpack(fields))) do
    if sum and #sum > 18 then error('a sum in ' .. key .. ' is near 2^63') end
  end
end

local summed = not known and ARGV[9] ~= ''
local row, name
if summed then
  row, name = row_of({ARGV[9], ARGV[10], ARGV[11]})
  local more = {}
  for i = 21, #ARGV, 2 do
    if not is_first(ARGV[i]) then more[#more + 1] = row .. ARGV[i] end
  end
  fits(KEYS[24], {'c ' .. ARGV[14], 't ' .. ARGV[14]})
  if #more > 0 then fits(KEYS[27], more) end
end

redis.call('SETBIT', KEYS[2], bit, 1)
redis.call('SADD', KEYS[3], ARGV[3])
if known then
  redis.call('HINCRBY', KEYS[4], 'duplicates:' .. ARGV[16], 1)
  return 'duplicate'
end

redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HINCRBY', KEYS[4], 'events', 1)
if ARGV[20] ~= '' then redis.call('HINCRBY', KEYS[4], ARGV[20], 1) end
redis.call('RPUSH', KEYS[6], ARGV[1])
redis.call('SADD', KEYS[7], ARGV[5])
redis.call('HINCRBY', KEYS[35], ARGV[5], 1)
if ARGV[7] ~= '' then
  redis.call('RPUSH', KEYS[8], ARGV[1])
  redis.call('ZADD', KEYS[9], 'GT', ARGV[6], ARGV[7])
end
if ARGV[8] ~= '' then redis.call('RPUSH', KEYS[10], ARGV[1]) end

if summed then
  if name then
    redis.call('HSET', KEYS[11], name, row)
    redis.call('HSET', KEYS[12], row, name)
  end
  local known_place = redis.call('HGET', KEYS[16], ARGV[13])
  -- Releases before lists of days were kept noted no first day: recount.lua makes up for it.
  local place, first = string.match(known_place or '', '^(%d+) ?(%d*)$')
  if not place then
    place, first = tostring(redis.call('HLEN', KEYS[16]) + 1), ARGV[18]
    redis.call('HSET', KEYS[16], ARGV[13], place .. ' ' .. first)
    redis.call('HSET', KEYS[17], place, ARGV[13])
    for i = 21, 23 do redis.call('SADD', KEYS[i], place) end
  end
  met(KEYS[28], place, first)
  if ARGV[7] ~= '' and redis.call('HEXISTS', KEYS[33], ARGV[7]) == 0 then
    redis.call('ZADD', KEYS[34], 'GT', ARGV[6], ARGV[7])
  end
  local cost = 0
  for i = 21, #ARGV, 2 do
    local letter, amount = ARGV[i], ARGV[i + 1]
    local field = row .. letter
    local first = 25
    if is_first(letter) then
      first = 13
      redis.call('HINCRBY', KEYS[24], letter .. ' ' .. ARGV[14], amount)
    end
    for i = first, first + 2 do redis.call('HINCRBY', KEYS[i], field, amount) end
    redis.call('HINCRBY', KEYS[18], ARGV[18] .. field, amount)
    if letter == 'c' then cost = amount end
  end
  redis.call('ZINCRBY', KEYS[19], cost, place)
  redis.call('ZINCRBY', KEYS[20], cost, place)
  if ARGV[19] ~= '' then
    if redis.call('HSETNX', KEYS[29], ARGV[19], ARGV[18]) == 0 then
      met(KEYS[30], ARGV[19], redis.call('HGET', KEYS[29], ARGV[19]))
    end
    for i = 31, 32 do redis.call('ZINCRBY', KEYS[i], cost, ARGV[19]) end
  end
end
if taken then
  redis.call('HINCRBY', KEYS[4], 'conflicts', 1)
  redis.call('LPUSH', KEYS[5], ARGV[16] .. ' ' .. ARGV[17] .. ' ' .. ARGV[1])
  redis.call('LTRIM', KEYS[5], 0, ARGV[15] - 1)
  return 'conflict'
end
return 'stored'
