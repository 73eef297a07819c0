-- Corrects the cost of an ended reservation, once per key; after preamble.lua.
--
-- KEYS  1 sequence  2 outbox  3 row  4… one per account
-- ARGV  1 id  2 adjustment's key  3 delta, nano-USD  4 reason  5 accounts, joined by spaces
--       6 row's TTL, s
--       7… marks per account, 'unit:limit:p,p:hard;…' or ''; absent if no account has any
-- Returns OK n total | REPLAY n total | CONFLICT | UNKNOWN | OPEN state | BELOW_ZERO total | STALE
--   | NO_EPOCH | TOO_LARGE what

local mark = 'adjusted.' .. ARGV[2]
local row = call('HMGET', KEYS[3], 'state', 'cost', 'adjustments', 'call', 'accounts', mark)
if not row[1] then return {'UNKNOWN'} end
if row[6] then
  local n, delta = string.match(row[6], '^(%d+) (%-?%d+)$')
  if delta ~= ARGV[3] then return {'CONFLICT'} end
  return {'REPLAY', n, row[2]}
end
if row[1] == 'PENDING' or row[1] == 'DENIED' then return {'OPEN', row[1]} end
if row[5] ~= ARGV[5] and row[5] ~= string.sub(redis.sha1hex(ARGV[5]), 1, 16) then
  return {'STALE'}
end
local total = row[2] + ARGV[3]
if total > LIMIT then return {'TOO_LARGE', 'of the reservation'} end
if total < 0 then return {'BELOW_ZERO', row[2]} end
local numbers = call('HMGET', KEYS[1], 'epoch', 'n')
if not numbers[1] then return {'NO_EPOCH'} end
local posted, held = {}, {}
for i = 1, #KEYS - 3 do
  local have = call('HMGET', KEYS[3 + i], 'usd.pst', 'usd.res')
  posted[i], held[i] = (have[1] or 0) + ARGV[3], have[2] or 0
  if posted[i] > LIMIT then return {'TOO_LARGE', KEYS[3 + i]} end
end

local n, count = text((numbers[2] or 0) + 1), text((row[3] or 0) + 1)
call('HSET', KEYS[1], 'n', n)
call('HSET', KEYS[3], 'cost', text(total), 'adjustments', count, mark, count .. ' ' .. ARGV[3])
call('EXPIRE', KEYS[3], ARGV[6])
for i = 1, #KEYS - 3 do
  -- A window that has expired is over: nobody reads it, and nothing may bring it back.
  if call('EXISTS', KEYS[3 + i]) == 1 then
    call('HSET', KEYS[3 + i], 'usd.pst', text(max(posted[i], 0)))
  else
    posted[i] = nil
  end
end
call('XADD', KEYS[2], numbers[1] .. '-' .. n, 'kind', 'adjusted', 'id', ARGV[1], 'at', now,
  'n', count, 'delta_nano', ARGV[3], 'delta_tok', '0', 'total_nano', text(total),
  'reason', ARGV[4])
if tonumber(ARGV[3]) > 0 then
  local last = tonumber(n)
  for i = 1, #KEYS - 3 do
    if posted[i] and (ARGV[6 + i] or '') ~= '' then
      -- Money alone was corrected: nothing else can have passed a threshold now.
      last = alert(KEYS[1], KEYS[2], numbers[1], last, nth(ARGV[5], i), KEYS[3 + i], ARGV[6 + i],
        {posted[i] + held[i], -1, -1})
    end
  end
end
return {'OK', count, text(total)}
