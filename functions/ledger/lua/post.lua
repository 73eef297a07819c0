-- Charges a finished call that was never reserved (Redis lost it), once; after preamble.lua.
--
-- KEYS  1 sequence  2 outbox  3 row  4… one per account
-- ARGV  1 id  2 fingerprint of call and settlement  3 usd  4 tok  5 accounts, joined by spaces
--       6 the call and its accounts, packed, or as JSON: then the row is as ledgers of before packed
--       rows read it  7 the outcome, packed or as JSON  8 row's TTL, s
--       9 position of the task's account
--       10… per account: TTL s (0 none, < 0 set only when new), then per account: marks
--       'unit:limit:p,p:hard;…' or ''; absent if no account has any
-- Returns DONE state usd tok | REPLAY state usd tok | CONFLICT | NO_EPOCH | TOO_LARGE account

local row = call('HMGET', KEYS[3], 'state', 'settled', 'cost', 'cost_tok')
if row[1] then
  if row[2] == ARGV[2] then return {'REPLAY', row[1], row[3], row[4]} end
  return {'CONFLICT'}
end
local numbers = call('HMGET', KEYS[1], 'epoch', 'n', 'SETTLED')
if not numbers[1] then return {'NO_EPOCH'} end
local names = {}
for name in string.gmatch(ARGV[5], '%S+') do names[#names + 1] = name end
local amounts = {ARGV[3], ARGV[4], 1}
local posted, fresh = {}, {}
for i = 1, #names do
  local have = call('HMGET', KEYS[3 + i], 'usd.pst', 'tok.pst', 'calls.pst', 'usd.unr',
    'usd.res', 'tok.res', 'calls.res')
  fresh[i] = not have[3]
  posted[i] = {}
  for u = 1, 3 do
    posted[i][u] = (have[u] or 0) + amounts[u]
    if posted[i][u] > LIMIT then return {'TOO_LARGE', names[i]} end
  end
  posted[i][4] = (have[4] or 0) + amounts[1]
  posted[i].held = {have[5] or 0, have[6] or 0, have[7] or 0}
end

local n = (numbers[2] or 0) + 1
call('HSET', KEYS[1], 'n', n, 'SETTLED', (numbers[3] or 0) + 1)
local accounts = string.sub(redis.sha1hex(ARGV[5]), 1, 16)
if string.sub(ARGV[6], 1, 1) == '{' then accounts = ARGV[5] end
call('HSET', KEYS[3], 'state', 'SETTLED', 'settled', ARGV[2], 'cost', ARGV[3], 'cost_tok',
  ARGV[4], 'accounts', accounts, 'call', ARGV[6], 'unreserved', '1', 'usd', '0')
call('EXPIRE', KEYS[3], ARGV[8])
for i = 1, #names do
  local p, ttl = posted[i], tonumber(ARGV[9 + i])
  call('HSET', KEYS[3 + i], 'usd.pst', p[1], 'tok.pst', p[2], 'calls.pst', p[3], 'usd.unr', p[4])
  if ttl > 0 or (ttl < 0 and fresh[i]) then call('EXPIRE', KEYS[3 + i], math.abs(ttl)) end
end
call('HINCRBY', KEYS[3 + ARGV[9]], 'n.SETTLED', 1)
call('XADD', KEYS[2], numbers[1] .. '-' .. text(n), 'kind', 'attributed', 'id', ARGV[1], 'at', now,
  'held_at', now, 'ending', 'SETTLED', 'cause', 'post', 'cost', ARGV[3], 'reserved', '0', 'outcome',
  ARGV[7])
for i = 1, #names do
  local p, marks = posted[i], ARGV[9 + #names + i] or ''
  if marks ~= '' then
    n = alert(KEYS[1], KEYS[2], numbers[1], n, names[i], KEYS[3 + i], marks,
      {p[1] + p.held[1], p[2] + p.held[2], p[3] + p.held[3]})
  end
end
return {'DONE', 'SETTLED', ARGV[3], ARGV[4]}
