-- Sets or removes fields if all of them still are what the caller read, and raises the version.
--
-- KEYS  1 limits  2 what paused tasks are to be told, if any may wait for these limits
-- ARGV  per field: its name, its text as read ('' if absent), its new text ('' to remove it)
-- Returns 1, or 0 if somebody else was faster; then nothing is changed.

for i = 1, #ARGV, 3 do
  if (redis.call('HGET', KEYS[1], ARGV[i]) or '') ~= ARGV[i + 1] then return 0 end
end
for i = 1, #ARGV, 3 do
  if ARGV[i + 2] == '' then
    redis.call('HDEL', KEYS[1], ARGV[i])
  else
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 2])
  end
end
local version = redis.call('HINCRBY', KEYS[1], 'version', 1)
if KEYS[2] then redis.call('SET', KEYS[2], version) end
return 1
