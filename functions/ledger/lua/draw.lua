-- Takes chunks of a cap for one tenant, or notes what a tenant has given back.
--
-- Both counters of a tenant only grow: `in.<tenant>` is what it ever took, decided here;
-- `out.<tenant>` what it ever gave back, decided in its own slot and copied here. A copy that is
-- late makes the pool look emptier than it is, never fuller.
--
-- KEYS  1 pool of a cap's window
-- ARGV  1 tenant  2 what to take, 0 for nothing  3 what the tenant ever gave back
--       4 the cap's limit  5 chunk  6 TTL, s (0 for none)
-- Returns {ever taken by the tenant, taken by all and not given back}, '%.0f'

local function text(n) return string.format('%.0f', n) end

local mine = redis.call('HMGET', KEYS[1], 'in.' .. ARGV[1], 'out.' .. ARGV[1], 'used')
local taken, back, used = tonumber(mine[1] or 0), tonumber(mine[2] or 0), tonumber(mine[3] or 0)
local given = math.max(tonumber(ARGV[3]), back)
used = used - (given - back)
local chunk, left = tonumber(ARGV[5]), ARGV[4] - used
local want = math.ceil(ARGV[2] / chunk) * chunk
-- The last chunk may be a smaller one; less than is wanted helps nobody.
if want > left then want = (tonumber(ARGV[2]) <= left) and tonumber(ARGV[2]) or 0 end
taken, used = taken + want, used + want
redis.call('HSET', KEYS[1], 'in.' .. ARGV[1], text(taken), 'out.' .. ARGV[1], text(given), 'used',
  text(used))
if ARGV[6] ~= '0' and not mine[3] then redis.call('EXPIRE', KEYS[1], ARGV[6]) end
return {text(taken), text(used)}
