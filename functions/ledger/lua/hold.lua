-- Changes an open hold: dispatches it once, or extends its lease.
--
-- KEYS  1 leases  2 row
-- ARGV  1 how: dispatch, extend  2 id  3 holder  4 ticket, or lease in ms
-- Returns {'OK', expires} | {'BUSY', holder, state, sent} | {'UNKNOWN'}

local row = redis.call('HMGET', KEYS[2], 'state', 'holder', 'sent', 'ticket', 'expires')
if not row[1] then return {'UNKNOWN'} end
local busy = {'BUSY', row[2] or '', row[1], row[3] or '0'}
if row[1] ~= 'PENDING' or row[2] ~= ARGV[3] then return busy end
if ARGV[1] == 'dispatch' then
  -- The same ticket again is the same request, whose answer was lost: still one permission.
  if row[3] == '1' and (ARGV[4] == '' or row[4] ~= ARGV[4]) then return busy end
  redis.call('HSET', KEYS[2], 'sent', '1', 'ticket', ARGV[4])
  return {'OK', row[5]}
end
local time = redis.call('TIME')
local expires = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[4])
redis.call('HSET', KEYS[2], 'expires', expires)
redis.call('ZADD', KEYS[1], expires, ARGV[2])
return {'OK', expires}
