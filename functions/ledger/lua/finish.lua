-- Ends a reservation once: releases its holds, posts the cost, numbers and writes its event;
-- after preamble.lua.
--
-- KEYS  1 sequence  2 outbox  3 leases  4 row  5… one per account
-- ARGV  1 how: settle, void, resolve, sweep  2 holder  3 the row's accounts, joined by spaces
--       4 usd  5 tok (of a settle)  6 settlement's fingerprint or ''  7 the outcome, packed
--       8 TTL of the row and of idle accounts, s  9 position of the task's account  10 id
--       11 the call and its accounts, packed: all that an ended row keeps of them; or as JSON:
--       then the row keeps what it has, as ledgers of before packed rows read it
--       12… marks per account, 'unit:limit:p,p:hard;…' or ''; absent if no account has any
-- Returns {outcome, …}:
--   DONE state usd tok drift   REPLAY state usd tok   ALREADY state usd   ADJUSTED state usd tok
--   UNKNOWN   BUSY holder   EARLY expires   CONFLICT   STALE   NO_EPOCH   TOO_LARGE account
--
-- Everything is read and checked before the first write: an error undoes no write.

local IDLE = {task = true, session = true}
local BRACE = 123  -- with which JSON begins
local how, print = ARGV[1], ARGV[6]
local row = call('HMGET', KEYS[4], 'state', 'holder', 'sent', 'expires', 'usd', 'tok',
  'calls', 'accounts', 'print', 'at', 'settled', 'cost', 'cost_tok', 'adjustments')
local state = row[1]
if not state then return {'UNKNOWN'} end
if state == 'DENIED' then return {'ALREADY', state, '0'} end
local late = false
if state ~= 'PENDING' then
  if how ~= 'settle' then return {'ALREADY', state, row[12]} end
  if row[11] == print then return {'REPLAY', state, row[12], row[13]} end
  if row[11] then return {'CONFLICT'} end
  late = true  -- forfeited or voided before the answer came: the truth is posted
end
local digest = string.sub(redis.sha1hex(ARGV[3]), 1, 16)
if row[8] ~= ARGV[3] and row[8] ~= digest then return {'STALE'} end
local numbers = call('HMGET', KEYS[1], 'epoch', 'n', 'SETTLED', 'VOIDED', 'FORFEITED')
if not numbers[1] then return {'NO_EPOCH'} end

-- Decide ---------------------------------------------------------------------------------------
local held = {tonumber(row[5]), tonumber(row[6]), tonumber(row[7] or 1)}
local ending, post
if how == 'settle' then
  ending, post = 'SETTLED', {tonumber(ARGV[4]), tonumber(ARGV[5]), 1}
else
  local by, holder = tonumber(row[2]), tonumber(ARGV[2])
  if how == 'sweep' and now < tonumber(row[4]) then return {'EARLY', row[4]} end
  if how == 'resolve' and holder < by then return {'BUSY', row[2]} end
  if how == 'void' and holder ~= by then return {'BUSY', row[2]} end
  if how == 'void' or row[3] == '0' then
    ending, post = 'VOIDED', {0, 0, 0}
  else
    ending, post = 'FORFEITED', held
  end
end
local release = late and {0, 0, 0} or held
local delta = post
if late then
  local before = state == 'FORFEITED' and 1 or 0
  delta = {post[1] - row[12], post[2] - row[13], 1 - before}
end

-- Check every account --------------------------------------------------------------------------
local accounts_n, task = #KEYS - 4, tonumber(ARGV[9])
local id, alerts = ARGV[10], ARGV[12]
local drift, found, live = 0, {}, {}
for i = 1, accounts_n do
  local have = call('HMGET', KEYS[4 + i], 'usd.res', 'usd.pst', 'tok.res', 'tok.pst', 'calls.res',
    'calls.pst')
  -- A window that has expired is over: nobody reads it, and nothing may bring it back.
  if not late or have[5] or have[6] then live[#live + 1] = i end
  for u = 1, 3 do
    local res, pst = (have[2 * u - 1] or 0) - release[u], (have[2 * u] or 0) + delta[u]
    if res < 0 then res, drift = 0, 1 end
    if pst < 0 then pst, drift = 0, 1 end
    if pst > LIMIT then return {'TOO_LARGE', nth(ARGV[3], i)} end
    have[2 * u - 1], have[2 * u] = res, pst
  end
  found[i] = have
end

-- Apply ----------------------------------------------------------------------------------------
local epoch, n = numbers[1], (numbers[2] or 0) + 1
if late then
  local count = (row[14] or 0) + 1
  call('HSET', KEYS[1], 'n', n)
  call('HSET', KEYS[4], 'cost', post[1], 'cost_tok', post[2], 'settled', print,
    'adjustments', count)
  call('XADD', KEYS[2], epoch .. '-' .. text(n), 'kind', 'adjusted', 'id', id,
    'at', now, 'n', count, 'delta_nano', delta[1], 'delta_tok', delta[2], 'total_nano', post[1],
    'reason', 'late_settlement')
else
  local counter = (ending == 'SETTLED' and 3) or (ending == 'VOIDED' and 4) or 5
  call('HSET', KEYS[1], 'n', n, ending, (numbers[counter] or 0) + 1)
  -- Tokens are what a late settle compares with.
  local last, value = 'tok', row[6]
  if print ~= '' then last, value = 'settled', print end
  if string.byte(ARGV[11]) == BRACE then
    call('HSET', KEYS[4], 'state', ending, 'cost', post[1], 'cost_tok', post[2], last, value)
  else
    -- Written anew: what an ended row needs no more would stay for 14 days.
    call('DEL', KEYS[4])
    call('HSET', KEYS[4], 'state', ending, 'print', row[9], 'usd', row[5], 'cost', post[1],
      'cost_tok', post[2], 'accounts', digest, 'call', ARGV[11], last, value)
  end
  call('ZREM', KEYS[3], id)
  call('XADD', KEYS[2], epoch .. '-' .. text(n), 'kind', 'attributed', 'id',
    id, 'at', now, 'held_at', row[10], 'ending', ending, 'cause', how,
    'cost', post[1], 'reserved', row[5], 'outcome', ARGV[7])
end
call('EXPIRE', KEYS[4], ARGV[8])
local over = post[1] > held[1] or post[2] > held[2] or post[3] > held[3]
for _, i in ipairs(live) do
  local have, key = found[i], KEYS[4 + i]
  call('HSET', key, 'usd.res', text(have[1]), 'usd.pst', text(have[2]), 'tok.res', text(have[3]),
    'tok.pst', text(have[4]), 'calls.res', text(have[5]), 'calls.pst', text(have[6]))
  if i == task and not late then call('HINCRBY', key, 'n.' .. ending, 1) end
  if late and IDLE[match(nth(ARGV[3], i), '^%a+')] then call('EXPIRE', key, ARGV[8]) end
  for u = 1, over and 3 or 0 do
    if post[u] > held[u] then call('HINCRBY', key, UNITS[u] .. '.ovr', text(post[u] - held[u])) end
  end
end
if over then
  -- The bound was none: an account that this took past its limit blocks until that is changed.
  for _, i in ipairs(live) do
    local have, passed = found[i], ''
    for unit, limit in string.gmatch(alerts and ARGV[11 + i] or '', '(%a+):(%d+):[%d,]*:1;') do
      local u = UNIT[unit]
      if post[u] > held[u] and have[2 * u] > tonumber(limit) then
        passed = passed .. unit .. ':' .. limit .. ';'
      end
    end
    local before = passed ~= '' and call('HGET', KEYS[4 + i], 'blk') or ''
    if passed ~= '' and not string.find(before, passed, 1, true) then
      call('HSET', KEYS[4 + i], 'blk', passed .. before)
    end
  end
end
if alerts then
  for _, i in ipairs(live) do
    local have = found[i]
    if ARGV[11 + i] ~= '' then
      n = alert(KEYS[1], KEYS[2], epoch, n, nth(ARGV[3], i), KEYS[4 + i], ARGV[11 + i],
        {have[1] + have[2], have[3] + have[4], have[5] + have[6]})
    end
  end
end
return {late and 'ADJUSTED' or 'DONE', late and state or ending, text(post[1]), text(post[2]), drift}
