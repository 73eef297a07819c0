-- Writes the lists of a session's places, or of places without one, anew from the places' sums.
--
-- KEYS  1 places  2 places of several days  3 sessions  4 sessions of several days
--       5 the session's places  6 … sums of each place
--       then four lists of each group: the day's places, the agent's places of the day, and both
--       of sessions; a group is what an agent did on a day
-- ARGV  1 session or ''  2 number of places  3 number of groups
--       then name and number of each place, day of each group, pairs of day + row and group
-- Returns 'done'; 'changed' if there is more by now: read it, and ask again.
--
-- What is written is what sums say at this moment, not what is added, so repeats change nothing.

local session, places, groups = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if session ~= '' and redis.call('SCARD', KEYS[5]) ~= places then return 'changed' end
local days_at, pairs_at = 3 + 2 * places, 3 + 2 * places + groups

local group_of = {}
for i = pairs_at + 1, #ARGV, 2 do group_of[ARGV[i]] = tonumber(ARGV[i + 1]) end

local of_place = {}
for p = 1, places do
  of_place[p] = {}
  local fields = redis.call('HGETALL', KEYS[5 + p])
  for i = 1, #fields, 2 do
    local group = group_of[string.sub(fields[i], 1, -2)]
    if not group then return 'changed' end
    local cost = string.sub(fields[i], -1) == 'c' and tonumber(fields[i + 1]) or 0
    of_place[p][group] = (of_place[p][group] or 0) + cost
  end
end

-- Puts a member on its lists, and tells its days in their order.
local function listed(costs, member, which)
  local by_day, days = {}, {}
  for group, cost in pairs(costs) do
    local list, day = 5 + places + 4 * (group - 1) + which, ARGV[days_at + group]
    redis.call('ZADD', KEYS[list + 1], cost, member)
    if not by_day[day] then days[#days + 1] = day end
    by_day[day] = {(by_day[day] and by_day[day][1] or 0) + cost, KEYS[list]}
  end
  for _, each in pairs(by_day) do redis.call('ZADD', each[2], each[1], member) end
  table.sort(days)
  return days
end

local of_session = {}
for p = 1, places do
  local name, number = ARGV[2 + 2 * p], ARGV[3 + 2 * p]
  local days = listed(of_place[p], number, 1)
  if days[1] then redis.call('HSET', KEYS[1], name, number .. ' ' .. days[1]) end
  if days[2] then redis.call('HSET', KEYS[2], number, table.concat(days, ' ')) end
  for group, cost in pairs(of_place[p]) do of_session[group] = (of_session[group] or 0) + cost end
end
if session ~= '' then
  local days = listed(of_session, session, 3)
  if days[1] then redis.call('HSET', KEYS[3], session, days[1]) end
  if days[2] then redis.call('HSET', KEYS[4], session, table.concat(days, ' ')) end
end
return 'done'
