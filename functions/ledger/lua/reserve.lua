-- Holds the most a call can cost on all of its accounts at once, or on none.
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
-- Time is Redis's. Integers stay below 2^53 and leave through '%.0f'.

local LIMIT = 9007199254740991
local UNITS = {'usd', 'tok', 'calls'}
local OWN = {'usd.res', 'usd.pst', 'tok.res', 'tok.pst', 'calls.res', 'calls.pst', 'usd.lim',
  'tok.lim', 'calls.lim'}
local SPEC = '^(%-?%d+);(%d);(%d*);(%d*);(%d*);(.*)$'
local call, format, max = redis.call, string.format, math.max

local function text(n) return format('%.0f', n) end

local function name(i)
  for each in string.gmatch(ARGV[11], '%S+') do
    i = i - 1
    if i == 0 then return each end
  end
end

local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local id, holder = ARGV[4], tonumber(ARGV[6])
local amounts = {tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])}
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
local room = {'', '', ''}
local found, ttls, owns, marks = {}, {}, {}, {}
local denial, denied_at, short, alerts

local function deny(i, u, left, reason)
  if denial and (denial[5] ~= 'held' or reason == 'held') then return end
  denial, denied_at = {name(i), UNITS[u], text(amounts[u]), text(max(left, 0)), reason}, i
end

-- Tests one unit of a limited account; false if its number would be too large.
local function fits(i, u, have, limit)
  local res, pst, amount = have[2 * u - 1] or 0, have[2 * u] or 0, amounts[u]
  if res + pst + amount > LIMIT then return false end
  if limit == '' then return true end
  local cap, own = tonumber(limit), owns[i]
  local left = cap - res - pst
  -- An account stays blocked until its limit is another one than that which was passed.
  local mark = UNITS[u] .. ':' .. limit .. ';'
  local blocked = own == '0' and have[7] and string.find(have[7], mark, 1, true)
  if amount > 0 and (amount > left or blocked) then
    if own == '2' then
      short = short or {name(i), text(amount)}
    elseif blocked then
      deny(i, u, 0, 'blocked')
    else
      deny(i, u, left, pst + amount > cap and 'spent' or 'held')
    end
  end
  left = max(left - amount, 0)
  -- What a cap has left here says nothing: there may be another chunk.
  if own ~= '2' and (room[u] == '' or left < tonumber(room[u])) then room[u] = text(left) end
  return true
end

for i = 1, accounts_n do
  local key, ttl, have = KEYS[5 + i], tonumber(ARGV[16 + i]), nil
  if ttl then
    have = call('HMGET', key, 'usd.res', 'usd.pst', 'tok.res', 'tok.pst', 'calls.res', 'calls.pst')
    if (have[1] or 0) + (have[2] or 0) + amounts[1] > LIMIT
      or (have[3] or 0) + (have[4] or 0) + amounts[2] > LIMIT
      or (have[5] or 0) + (have[6] or 0) + amounts[3] > LIMIT then
      return {'TOO_LARGE', name(i)}
    end
  else
    local own, usd, tok, calls
    ttl, own, usd, tok, calls, marks[i] = string.match(ARGV[16 + i], SPEC)
    owns[i], alerts = own, alerts or marks[i] ~= ''
    if own == '0' then
      have = call('HMGET', key, 'usd.res', 'usd.pst', 'tok.res', 'tok.pst', 'calls.res',
        'calls.pst', 'blk')
    else
      have = call('HMGET', key, unpack(OWN))
      usd, tok, calls = have[7] or usd, have[8] or tok, have[9] or calls
      have.usd, have.tok = usd, tok
    end
    if not (fits(i, 1, have, usd) and fits(i, 2, have, tok) and fits(i, 3, have, calls)) then
      return {'TOO_LARGE', name(i)}
    end
  end
  ttls[i], found[i] = tonumber(ttl), have
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
  call('HSET', KEYS[2], 'n', n, 'DENIED', text((numbers[3] or 0) + 1))
  call('HSET', KEYS[5], 'state', 'DENIED', 'print', ARGV[5], 'denial', cjson.encode(denial),
    'holder', ARGV[6], 'call', ARGV[12], 'accounts', ARGV[11])
  call('EXPIRE', KEYS[5], ARGV[15])
  counted(tonumber(ARGV[16]), 'n.DENIED')
  call('XADD', KEYS[3], numbers[1] .. '-' .. n, 'kind', 'denied', 'id', id, 'at', text(now),
    'denial', cjson.encode(denial))
  return {'DENIED', unpack(denial)}
end

-- Apply ----------------------------------------------------------------------------------------
local expires = text(now + ARGV[7])
local rooms = table.concat(room, ' ')
call('HSET', KEYS[5], 'state', 'PENDING', 'print', ARGV[5], 'holder', ARGV[6], 'sent',
  ARGV[13], 'ticket', ARGV[14], 'expires', expires, 'usd', ARGV[8], 'tok', ARGV[9], 'calls',
  ARGV[10], 'accounts', ARGV[11], 'call', ARGV[12], 'at', text(now), 'room', rooms, 'cost', '0')
call('ZADD', KEYS[4], expires, id)
for i = 1, accounts_n do
  local have, key, ttl = found[i], KEYS[5 + i], ttls[i]
  local fresh = not have[5]
  call('HSET', key, 'usd.res', text((have[1] or 0) + amounts[1]), 'tok.res',
    text((have[3] or 0) + amounts[2]), 'calls.res', text((have[5] or 0) + amounts[3]))
  if fresh and owns[i] == '1' then
    call('HSETNX', key, 'usd.lim', have.usd)
    call('HSETNX', key, 'tok.lim', have.tok)
  end
  if ttl > 0 or (ttl < 0 and fresh) then call('EXPIRE', key, math.abs(ttl)) end
end
if alerts then
  local n = numbers[2] or 0
  for i = 1, accounts_n do
    local have, key = found[i], KEYS[5 + i]
    for unit, limit, percents in string.gmatch(marks[i] or '', '(%a+):(%d+):([%d,]+):') do
      local u = (unit == 'usd' and 1) or (unit == 'tok' and 2) or 3
      local used = (have[2 * u - 1] or 0) + (have[2 * u] or 0) + amounts[u]
      for percent in string.gmatch(percents, '%d+') do
        local mark = 'fired.' .. unit .. '.' .. percent
        if used * 100 >= limit * percent and call('HSETNX', key, mark, text(now)) == 1 then
          n = n + 1
          call('HSET', KEYS[2], 'n', text(n))
          call('XADD', KEYS[3], numbers[1] .. '-' .. text(n), 'kind', 'threshold', 'id',
            name(i) .. '|' .. unit .. '|' .. percent, 'at', text(now), 'account', name(i),
            'unit', unit, 'percent', percent, 'limit', limit, 'used', text(used))
        end
      end
    end
  end
end
return {'HELD', expires, ARGV[8], rooms, 0, 0, tonumber(ARGV[13])}
