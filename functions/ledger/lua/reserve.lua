-- Holds the most a call can cost on all of its accounts at once, or on none; after preamble.lua.
--
-- KEYS  1 limits  2 sequence  3 outbox  4 leases  5 row  6… one per account
-- ARGV  1 version of the limits  2 and 3 valid from and until, ms (window boundaries)
--       4 id  5 fingerprint  6 holder  7 lease, ms  8 usd  9 tok  10 calls
--       11 accounts, joined by spaces  12 the call as JSON  13 dispatch now (1 or 0)  14 ticket
--       15 row's TTL, s  16 position of the task's account
--       17… per account: TTL s (0 none, < 0 set only when new), and if anything limits it
--       'ttl;own;usd;tok;calls;marks': own limits (1: the task's, set once in its hash; 2: a cap's,
--       raised there in chunks; 3: the same, and no chunk is left), hard limits ('' = none), marks
--       'unit:limit:p,p:hard;…'
-- Returns {outcome, …}:
--   HELD expires reserved headroom_usd headroom_tok headroom_calls adopted replayed dispatched
--   ENDED state charged expires reserved   DENIED account unit need have reason
--   BUSY holder sent   CONFLICT   STALE   NO_EPOCH   TOO_LARGE account   SHORT account need
--
-- Everything is read and checked before the first write: an error undoes no write.

local LATE = 3600  -- s by which an account in use may go early: to prolong it each time costs twice
local SPEC = '^(%-?%d+);(%d);(%d*);(%d*);(%d*);(.*)$'

local id, holder = ARGV[4], tonumber(ARGV[6])
local amounts = {tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])}
local usd_amount, tok_amount, calls_amount = unpack(amounts)
local accounts_n = #KEYS - 5

-- Replays, adoption, conflicts -----------------------------------------------------------------
local row = call('HMGET', KEYS[5], 'state', 'print', 'holder', 'sent', 'ticket', 'expires',
  'usd', 'cost', 'room', 'denial')
if row[1] then
  if row[2] ~= ARGV[5] then return {'CONFLICT'} end
  if row[1] == 'DENIED' then return {'DENIED', unpack(cjson.decode(row[10]))} end
  if row[1] ~= 'PENDING' then return {'ENDED', row[1], row[8], row[6] or '0', row[7]} end
  local held_by, adopted = tonumber(row[3]), 0
  if holder < held_by then return {'BUSY', row[3], row[4]} end
  local expires, sent = row[6], row[4]
  if holder > held_by and sent == '1' then return {'BUSY', row[3], sent} end
  if holder > held_by then
    adopted = 1
    expires = text(now + ARGV[7])
    call('HSET', KEYS[5], 'holder', ARGV[6], 'expires', expires)
    call('ZADD', KEYS[4], expires, id)
  end
  local granted = 0
  if ARGV[13] == '1' and sent == '0' then
    call('HSET', KEYS[5], 'sent', '1', 'ticket', ARGV[14])
    granted = 1
  elseif ARGV[13] == '1' and ARGV[14] ~= '' and row[5] == ARGV[14] then
    granted = 1
  end
  return {'HELD', expires, row[7], row[9], adopted, 1, granted}
end

local version = call('HGET', KEYS[1], 'version') or '0'
if version ~= ARGV[1] or now < tonumber(ARGV[2]) or now >= tonumber(ARGV[3]) then
  return {'STALE'}
end

-- Check every account --------------------------------------------------------------------------
local room = {}
local found, ttls, owns, marks = {}, {}, {}, {}
local usd_res, tok_res, calls_res = {}, {}, {}  -- of each account, with this call
local denial, denied_at, short, alerts

local function deny(i, u, left, reason)
  if denial and (denial[5] ~= 'held' or reason == 'held') then return end
  denial = {nth(ARGV[11], i), UNITS[u], text(amounts[u]), text(max(left, 0)), reason}
  denied_at = i
end

-- An account stays blocked until its limit is another one than that which was passed.
local function blocked(u, marks, limit)
  return string.find(marks, UNITS[u] .. ':' .. limit .. ';', 1, true)
end

-- Says why an account has no room; without open holds it would need `used`.
local function refuse(i, u, left, cap, used, own, shut)
  if own == '2' then
    short = short or {nth(ARGV[11], i), text(amounts[u])}
  elseif shut then
    deny(i, u, 0, 'blocked')
  else
    deny(i, u, left, used > cap and 'spent' or 'held')
  end
end

-- Tests one unit of an account against a limit.
local function test(i, u, have, limit, own)
  local amount, cap = amounts[u], tonumber(limit)
  local left = cap - (have[2 * u - 1] or 0) - (have[2 * u] or 0)
  if amount > 0 then
    local shut = own == '0' and have[7] and blocked(u, have[7], limit)
    if amount > left or shut then refuse(i, u, left, cap, (have[2 * u] or 0) + amount, own, shut) end
    left = max(left - amount, 0)
  end
  -- What a cap has left here says nothing: there may be another chunk.
  if own ~= '2' and (not room[u] or left < room[u]) then room[u] = max(left, 0) end
end

for i = 1, accounts_n do
  local key, ttl, have = KEYS[5 + i], tonumber(ARGV[16 + i]), nil
  if ttl then
    have = call('HMGET', key, 'usd.res', 'usd.pst', 'tok.res', 'tok.pst', 'calls.res', 'calls.pst')
  else
    local own, usd, tok, calls
    ttl, own, usd, tok, calls, marks[i] = match(ARGV[16 + i], SPEC)
    ttl, alerts = tonumber(ttl), alerts or marks[i] ~= ''
    if own == '0' then
      have = call('HMGET', key, 'usd.res', 'usd.pst', 'tok.res', 'tok.pst', 'calls.res',
        'calls.pst', 'blk')
    elseif own == '1' then
      have = call('HMGET', key, 'usd.res', 'usd.pst', 'tok.res', 'tok.pst', 'calls.res',
        'calls.pst', 'usd.lim', 'tok.lim')
      usd, tok = have[7] or usd, have[8] or tok
      if not have[5] then owns[i] = {usd, tok} end
    else
      have = call('HMGET', key, 'usd.res', 'usd.pst', 'tok.res', 'tok.pst', 'calls.res',
        'calls.pst', 'usd.lim', 'tok.lim', 'calls.lim')
      usd, tok, calls = have[7] or usd, have[8] or tok, have[9] or calls
    end
    if usd ~= '' then test(i, 1, have, usd, own) end
    if tok ~= '' then test(i, 2, have, tok, own) end
    if calls ~= '' then test(i, 3, have, calls, own) end
  end
  local usd, tok, calls = (have[1] or 0) + usd_amount, (have[3] or 0) + tok_amount,
    (have[5] or 0) + calls_amount
  if usd + (have[2] or 0) > LIMIT or tok + (have[4] or 0) > LIMIT
    or calls + (have[6] or 0) > LIMIT then
    return {'TOO_LARGE', nth(ARGV[11], i)}
  end
  usd_res[i], tok_res[i], calls_res[i] = usd, tok, calls
  ttls[i], found[i] = ttl, have
end
if short and (not denial or denial[5] == 'held') then return {'SHORT', unpack(short)} end

local numbers
if denial or alerts then
  numbers = call('HMGET', KEYS[2], 'epoch', 'n', 'DENIED')
  if not numbers[1] then return {'NO_EPOCH'} end
end

local function counted(i, field)
  local ttl = math.abs(ttls[i])
  call('HINCRBY', KEYS[5 + i], field, 1)
  if ttl > 0 then call('EXPIRE', KEYS[5 + i], ttl) end
end

-- Denied ---------------------------------------------------------------------------------------
if denial then
  counted(denied_at, 'denied.' .. denial[5])
  if denial[5] == 'held' then return {'DENIED', unpack(denial)} end
  local n = text((numbers[2] or 0) + 1)
  call('HSET', KEYS[2], 'n', n, 'DENIED', (numbers[3] or 0) + 1)
  call('HSET', KEYS[5], 'state', 'DENIED', 'print', ARGV[5], 'denial', cjson.encode(denial),
    'holder', ARGV[6], 'call', ARGV[12], 'accounts', ARGV[11])
  call('EXPIRE', KEYS[5], ARGV[15])
  counted(tonumber(ARGV[16]), 'n.DENIED')
  call('XADD', KEYS[3], numbers[1] .. '-' .. n, 'kind', 'denied', 'id', id, 'at', now,
    'denial', cjson.encode(denial))
  return {'DENIED', unpack(denial)}
end

-- Apply ----------------------------------------------------------------------------------------
local expires, rooms = text(now + ARGV[7]), {}
for u = 1, 3 do rooms[u] = room[u] and text(room[u]) or '' end
rooms = table.concat(rooms, ' ')
call('HSET', KEYS[5], 'state', 'PENDING', 'print', ARGV[5], 'holder', ARGV[6], 'sent',
  ARGV[13], 'ticket', ARGV[14], 'expires', expires, 'usd', ARGV[8], 'tok', ARGV[9], 'calls',
  ARGV[10], 'accounts', ARGV[11], 'call', ARGV[12], 'at', text(now), 'room', rooms)
call('ZADD', KEYS[4], expires, id)
for i = 1, accounts_n do
  local key, ttl, own = KEYS[5 + i], ttls[i], owns[i]
  call('HSET', key, 'usd.res', text(usd_res[i]), 'tok.res', text(tok_res[i]), 'calls.res',
    text(calls_res[i]))
  if own then
    call('HSETNX', key, 'usd.lim', own[1])
    call('HSETNX', key, 'tok.lim', own[2])
  end
  if ttl ~= 0 and not found[i][5] then
    call('EXPIRE', key, math.abs(ttl))
  elseif ttl > 0 and call('TTL', key) < ttl - LATE then
    call('EXPIRE', key, ttl)
  end
end
if alerts then
  local n = numbers[2] or 0
  for i = 1, accounts_n do
    local have = found[i]
    if marks[i] and marks[i] ~= '' then
      n = alert(KEYS[2], KEYS[3], numbers[1], n, nth(ARGV[11], i), KEYS[5 + i], marks[i],
        {usd_res[i] + (have[2] or 0), tok_res[i] + (have[4] or 0), calls_res[i] + (have[6] or 0)})
    end
  end
end
return {'HELD', expires, ARGV[8], rooms, 0, 0, tonumber(ARGV[13])}
