-- Stands before reserve, finish, post and adjust: time, limits of numbers, and alerts.
--
-- Time is Redis's. Integers stay below 2^53 and leave through '%d', which is exact and takes a third
-- of what '%.0f' takes; where few are written, as numbers, which Redis writes exactly ('%.17g').

local LIMIT = 9007199254740991
local UNITS = {'usd', 'tok', 'calls'}
local UNIT = {usd = 1, tok = 2, calls = 3}
local call, format, max, match = redis.call, string.format, math.max, string.match

local function text(n) return format('%d', n) end

-- Returns the i-th of some names joined by spaces.
local function nth(names, i)
  for name in string.gmatch(names, '%S+') do
    i = i - 1
    if i == 0 then return name end
  end
end

local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Writes an event for each threshold of an account ('unit:limit:p,p:hard;…') that its use of a unit
-- has passed for the first time; n is the last number given. Returns the last number then.
local function alert(sequence, outbox, epoch, n, account, key, marks, used)
  for unit, limit, percents in string.gmatch(marks, '(%a+):(%d+):([%d,]+):') do
    local now_used = used[UNIT[unit]]
    for percent in string.gmatch(percents, '%d+') do
      local mark = 'fired.' .. unit .. '.' .. percent
      if now_used * 100 >= limit * percent and call('HSETNX', key, mark, now) == 1 then
        n = n + 1
        call('HSET', sequence, 'n', n)
        call('XADD', outbox, epoch .. '-' .. text(n), 'kind', 'threshold', 'id',
          account .. '|' .. unit .. '|' .. percent, 'at', now, 'account', account,
          'unit', unit, 'percent', percent, 'limit', limit, 'used', now_used)
      end
    end
  end
  return n
end
