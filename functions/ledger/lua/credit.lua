-- Sets a tenant's own limit under a cap: what it ever took less what it ever gave back.
--
-- KEYS  1 account
-- ARGV  1 unit  2 what the tenant ever took, '' to leave it  3 give back whole chunks (1 or 0)
--       4 chunk  5 TTL, s, of a new account (0 for none)
-- Returns {limit, ever given back, held and posted}, '%.0f'
--
-- Idempotent: `in` is a copy of the pool's counter and only grows; only what is neither held nor
-- posted is given back, so that the limit never falls below what is used.

local function text(n) return string.format('%.0f', n) end

local unit = ARGV[1]
local have = redis.call('HMGET', KEYS[1], unit .. '.in', unit .. '.out', unit .. '.res',
  unit .. '.pst', 'calls.res')
local taken, back = tonumber(have[1] or 0), tonumber(have[2] or 0)
local used = (have[3] or 0) + (have[4] or 0)
if ARGV[2] ~= '' then taken = math.max(taken, tonumber(ARGV[2])) end
if ARGV[3] == '1' then
  local chunk, free = tonumber(ARGV[4]), taken - back - used
  back = back + math.max(math.floor(free / chunk) * chunk, 0)
end
redis.call('HSET', KEYS[1], unit .. '.in', text(taken), unit .. '.out', text(back),
  unit .. '.lim', text(taken - back))
if ARGV[5] ~= '0' and not have[1] and not have[5] then redis.call('EXPIRE', KEYS[1], ARGV[5]) end
return {text(taken - back), text(back), text(used)}
