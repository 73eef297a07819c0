-- Ends a reservation once: releases its holds, posts the cost, numbers and writes its event.
--
-- KEYS  1 sequence  2 outbox  3 leases  4 row  5… one per account
-- ARGV  1 how: settle, void, resolve, sweep  2 holder  3 the row's accounts, joined by spaces
--       4 usd  5 tok (of a settle)  6 settlement's fingerprint or ''  7 the outcome, packed
--       8 TTL of the row and of idle accounts, s  9 position of the task's account  10 id
--       11 the call and its accounts, packed: all that an ended row keeps of them
--       12… marks per account, 'unit:limit:p,p:hard;…' or ''; absent if no account has any
-- Returns {outcome, …}:
--   DONE state usd tok drift   REPLAY state usd tok   ALREADY state usd   ADJUSTED state usd tok
--   UNKNOWN   BUSY holder   EARLY expires   CONFLICT   STALE   NO_EPOCH   TOO_LARGE account
--
-- Everything is read and checked before the first write: an error undoes no write.

local LIMIT = 9007199254740991
local UNITS = {'usd', 'tok', 'calls'}
local IDLE = {task = true, session = true}
local call, format = redis.call, string.format

local function text(n) return format('%.0f', n) end

local function name(i)
  for each in string.gmatch(ARGV[3], '%S+') do
    i = i - 1
    if i == 0 then return each end
  end
end

local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
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
  local was_held, was_posted = have[5], have[6]
  for u = 1, 3 do
    local res = (have[2 * u - 1] or 0) - release[u]
    local pst = (have[2 * u] or 0) + delta[u]
    if res < 0 then res, drift = 0, 1 end
    if pst < 0 then pst, drift = 0, 1 end
    if pst > LIMIT then return {'TOO_LARGE', name(i)} end
    have[2 * u - 1], have[2 * u] = res, pst
  end
  -- A window that has expired is over: nobody reads it, and nothing may bring it back.
  if not late or was_held or was_posted then live[#live + 1] = i end
  found[i] = have
end

-- Apply ----------------------------------------------------------------------------------------
local epoch, n = numbers[1], (numbers[2] or 0) + 1
if late then
  local count = (row[14] or 0) + 1
  call('HSET', KEYS[1], 'n', text(n))
  call('HSET', KEYS[4], 'cost', text(post[1]), 'cost_tok', text(post[2]), 'settled', print,
    'adjustments', text(count))
  call('XADD', KEYS[2], epoch .. '-' .. text(n), 'kind', 'adjusted', 'id', id,
    'at', text(now), 'n', text(count), 'delta_nano', text(delta[1]), 'delta_tok',
    text(delta[2]), 'total_nano', text(post[1]), 'reason', 'late_settlement')
else
  local counter = (ending == 'SETTLED' and 3) or (ending == 'VOIDED' and 4) or 5
  call('HSET', KEYS[1], 'n', text(n), ending, text((numbers[counter] or 0) + 1))
  -- Written anew: what an ended row needs no more would stay for 14 days.
  call('DEL', KEYS[4])
  call('HSET', KEYS[4], 'state', ending, 'print', row[9], 'usd', row[5], 'cost',
    text(post[1]), 'cost_tok', text(post[2]), 'accounts', digest, 'call', ARGV[11])
  if print ~= '' then
    call('HSET', KEYS[4], 'settled', print)
  else
    call('HSET', KEYS[4], 'tok', row[6])  -- what a late settle compares with
  end
  call('ZREM', KEYS[3], id)
  call('XADD', KEYS[2], epoch .. '-' .. text(n), 'kind', 'attributed', 'id',
    id, 'at', text(now), 'held_at', row[10], 'ending', ending, 'cause', how,
    'cost', text(post[1]), 'reserved', row[5], 'outcome', ARGV[7])
end
call('EXPIRE', KEYS[4], ARGV[8])
for _, i in ipairs(live) do
  local have, key = found[i], KEYS[4 + i]
  call('HSET', key, 'usd.res', text(have[1]), 'usd.pst', text(have[2]), 'tok.res', text(have[3]),
    'tok.pst', text(have[4]), 'calls.res', text(have[5]), 'calls.pst', text(have[6]))
  if i == task and not late then call('HINCRBY', key, 'n.' .. ending, 1) end
  if late and IDLE[string.match(name(i), '^%a+')] then call('EXPIRE', key, ARGV[8]) end
  for u = 1, 3 do
    if post[u] > held[u] then call('HINCRBY', key, UNITS[u] .. '.ovr', text(post[u] - held[u])) end
  end
end
if post[1] > held[1] or post[2] > held[2] then
  -- The bound was none: an account that this took past its limit blocks until that is changed.
  for _, i in ipairs(live) do
    local have, passed = found[i], ''
    for unit, limit in string.gmatch(alerts and ARGV[11 + i] or '', '(%a+):(%d+):[%d,]*:1;') do
      local u = (unit == 'usd' and 1) or (unit == 'tok' and 2) or 3
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
    local have, key = found[i], KEYS[4 + i]
    for unit, limit, percents in string.gmatch(ARGV[11 + i], '(%a+):(%d+):([%d,]+):') do
      local u = (unit == 'usd' and 1) or (unit == 'tok' and 2) or 3
      local used = have[2 * u - 1] + have[2 * u]
      for percent in string.gmatch(percents, '%d+') do
        local mark = 'fired.' .. unit .. '.' .. percent
        if used * 100 >= limit * percent and call('HSETNX', key, mark, text(now)) == 1 then
          n = n + 1
          call('HSET', KEYS[1], 'n', text(n))
          call('XADD', KEYS[2], epoch .. '-' .. text(n), 'kind', 'threshold', 'id',
            name(i) .. '|' .. unit .. '|' .. percent, 'at', text(now), 'account', name(i),
            'unit', unit, 'percent', percent, 'limit', limit, 'used', text(used))
        end
      end
    end
  end
end
return {late and 'ADJUSTED' or 'DONE', late and state or ending, text(post[1]), text(post[2]), drift}
