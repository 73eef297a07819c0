-- Notes an object of the archive and lets go of the events in it: all of it, once, or nothing.
--
-- KEYS  1 raw  2 archive  3 moved  4 … hours' events
-- ARGV  1 object  2 what it holds, JSON  3 number of hours  4 number of events  5 number of tasks
--       then how many events of each hour, the ids, the tasks
-- Returns 'done'; 'noted' if the object was noted before; 'changed' if an event is not as it was.
--
-- An hour's list only grows at its end, so the events of the object are its first ones.

local hours, events, tasks = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local ids = 5 + hours
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return 'noted' end
for i = ids + 1, ids + events do
  local packed = redis.call('HGET', KEYS[1], ARGV[i])
  if not packed or packed == '-' then return 'changed' end
end

redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
for i = ids + 1, ids + events do redis.call('HSET', KEYS[1], ARGV[i], '-') end
for i = 1, hours do redis.call('LTRIM', KEYS[3 + i], ARGV[5 + i], -1) end
for i = ids + events + 1, ids + events + tasks do
  local old = redis.call('HGET', KEYS[3], ARGV[i])
  redis.call('HSET', KEYS[3], ARGV[i], old and old .. ' ' .. ARGV[1] or ARGV[1])
end
return 'done'
