-- Begins a new epoch of a tenant's sequence, if the one that is to end still runs.
--
-- KEYS  1 sequence
-- ARGV  1 the epoch that ends  2 the new one
-- Returns 1, or 0 if another epoch runs already.

if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'n', '0')
return 1
