"""Reads all of a tenant's books in one moment, and says which invariant they break.

The invariants have their names from the ledger's protocol: balances (I1–I6), lives of reservations
(I7–I10), events (I8, I9, I16, I17, I19). An audit knows nothing of the ledger's own code but the
form of its keys and of its packed rows.
"""

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal

from eventing.types_ledger import LedgerAttributed
from functions.ledger.call import FIXED, Facts
from functions.ledger.composing import compose

UNITS = ("usd", "tok", "calls")
ENDED = ("SETTLED", "VOIDED", "FORFEITED")
SNAPSHOT = """
local found = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do
  local kind = redis.call('TYPE', key)['ok']
  local data = {}
  if kind == 'hash' then data = redis.call('HGETALL', key)
  elseif kind == 'zset' then data = redis.call('ZRANGE', key, 0, -1)
  elseif kind == 'stream' then data = redis.call('XRANGE', key, '-', '+') end
  found[#found + 1] = {string.sub(key, #ARGV[1] + 1), data}
end
return found
"""


def paired(flat):
    return dict(zip(flat[::2], flat[1::2], strict=True))


@dataclass
class Books:
    """One moment of one tenant."""

    tenant: str
    accounts: dict
    rows: dict
    leases: set
    sequence: dict
    entries: list

    @classmethod
    async def read(cls, redis, tenant):
        """Return everything as it is at one moment: one script, so nothing is in between."""
        prefix = f"lg:{{{tenant}}}:"
        return cls.of_keys(tenant, [(prefix + key, data) for key, data in
                                    await redis.eval(SNAPSHOT, 0, prefix)])

    @classmethod
    def of_keys(cls, tenant, keys):
        """Return the books that (key, flat content) pairs make."""
        found = {key.removeprefix(f"lg:{{{tenant}}}:"): data for key, data in keys}
        accounts, rows = {}, {}
        for key, data in found.items():
            if key.startswith("a:"):
                accounts[key[2:]] = paired(data)
            elif key.startswith("r:"):
                rows[key[2:]] = paired(data)
        return cls(tenant, accounts, rows, set(found.get("exp", ())),
                   paired(found.get("seq", [])),
                   [(place, paired(fields)) for place, fields in found.get("out", [])])

    def facts(self, reservation_id):
        row = self.rows[reservation_id]
        return Facts.stored((row["accounts"], row["call"], row.get("usd")), self.tenant,
                            reservation_id)

    def number(self, account, field):
        return int(self.accounts.get(account, {}).get(field, 0))

    def of(self, *states):
        return {name for name, row in self.rows.items() if row["state"] in states}

    def events(self, kind):
        return [entry for _, entry in self.entries if entry["kind"] == kind]


def faults(books, *, limits=None, is_whole=True):
    """Return every broken invariant in words; `limits`: account → unit → a limit that never moved.

    `is_whole`: no row and no entry has expired or been lost.
    """
    found = [*_numbers(books), *_leases(books), *_limits(books, limits or {})]
    if is_whole:
        found += [*_balances(books), *_sums(books), *_lives(books), *_sequence(books)]
    return found


def _numbers(books):
    for name, fields in books.accounts.items():
        for unit in UNITS:
            for kind in ("res", "pst", "ovr", "unr"):
                value = int(fields.get(f"{unit}.{kind}", 0))
                if not 0 <= value < 2**53:
                    yield f"I5: {name} has {unit}.{kind} = {value}"


def _leases(books):
    if books.leases != books.of("PENDING"):
        yield f"I10: leases {sorted(books.leases)}, pending {sorted(books.of('PENDING'))}"


def _limits(books, limits):
    for name, units in limits.items():
        for unit, limit in units.items():
            used = books.number(name, f"{unit}.res") + books.number(name, f"{unit}.pst")
            beyond = books.number(name, f"{unit}.ovr") + books.number(name, f"{unit}.unr")
            if used > limit + beyond:
                yield f"I3, I4: {name} uses {used} {unit} of {limit} + {beyond}"


def _balances(books):
    held, posted = defaultdict(Counter), defaultdict(Counter)
    for each in books.of("PENDING"):
        for name in books.facts(each).names:
            for unit in UNITS:
                held[name][unit] += int(books.rows[each][unit])
    for each in books.of(*ENDED):
        row = books.rows[each]
        for name in books.facts(each).names:
            posted[name]["usd"] += int(row["cost"])
            posted[name]["tok"] += int(row["cost_tok"])
            posted[name]["calls"] += row["state"] != "VOIDED" or "settled" in row
    for name in {*held, *posted, *books.accounts}:
        for unit in UNITS:
            found = (books.number(name, f"{unit}.res"), books.number(name, f"{unit}.pst"))
            if found != (held[name][unit], posted[name][unit]):
                yield (f"I1, I2: {name} has {unit} res, pst = {found}, its rows say "
                       f"{held[name][unit]}, {posted[name][unit]}")


def _sums(books):
    def total(scopes, field):
        return sum(books.number(name, field) for name in books.accounts
                   if name.split("|")[0] in scopes and name.endswith("|life"))

    roots = {books.facts(each).call["dims"]["root"] for each in books.rows}
    for field in (f"{unit}.{kind}" for unit in UNITS for kind in ("res", "pst")):
        of_roots = sum(books.number(f"task|{root}|life", field) for root in roots)
        sums = {total(["tenant"], field), total(["agent"], field), of_roots}
        if len(sums) != 1:
            yield f"I6: {field} of tenant, agents and root tasks: {sums}"


def _lives(books):
    attributed = Counter(entry["id"] for entry in books.events("attributed"))
    if attributed != Counter(books.of(*ENDED)):
        yield f"I7, I8: events {attributed}, ended {sorted(books.of(*ENDED))}"
    denied = Counter(entry["id"] for entry in books.events("denied"))
    if denied != Counter(books.of("DENIED")):
        yield f"I8: denials {denied}, denied {sorted(books.of('DENIED'))}"
    for state in (*ENDED, "DENIED"):
        if int(books.sequence.get(state, 0)) != len(books.of(state)):
            yield f"I7: {books.sequence.get(state, 0)} counted as {state}: {books.of(state)}"
    crossed = Counter(entry["id"] for entry in books.events("threshold"))
    if any(n > 1 for n in crossed.values()):
        yield f"I19: thresholds {crossed}"
    costs = Counter()
    for entry in books.events("attributed"):
        costs[entry["id"]] += int(entry["cost"])
    for entry in books.events("adjusted"):
        costs[entry["id"]] += int(entry["delta_nano"])
    for each in books.of(*ENDED):
        if int(books.rows[each]["cost"]) != costs[each]:
            yield f"I2: {each} costs {books.rows[each]['cost']}, its events say {costs[each]}"


def _sequence(books):
    numbers = defaultdict(list)
    for place, _ in books.entries:
        epoch, number = place.split("-")
        numbers[epoch].append(int(number))
    for epoch, found in numbers.items():
        if found != list(range(1, len(found) + 1)):
            yield f"I9: epoch {epoch} has numbers {found}"
    current = numbers.get(books.sequence.get("epoch"), [])
    if int(books.sequence.get("n", 0)) != len(current):
        yield f"I9: n = {books.sequence.get('n')}, the last event is {len(current)}"


def composed(books):
    """Return every event, made as the ledger makes it; checks I16 and I17 of each cost."""
    found = []
    for place, entry in books.entries:
        row = books.rows.get(entry["id"], {})
        facts = Facts.stored([row.get(name) for name in FIXED], books.tenant, entry["id"])
        event = compose(books.tenant, place, entry, facts)
        found.append(event)
        if entry["kind"] == "attributed":
            data = LedgerAttributed.model_validate_json(event.data)
            lines = sum(Decimal(line.cost_usd) for line in data.cost.lines) * 10**9
            total = data.cost.total_nano
            assert lines + Decimal(data.cost.rounding_nano) == total, f"I16: {data.cost}"
            assert total >= 0, f"I17: {data.cost}"
            classes = data.usage.classes
            assert sum(classes.values()) == data.usage.input_total + data.usage.output_total
    return found


async def assert_sound(redis, tenant, **known):
    """Read the books and fail with every broken invariant."""
    books = await Books.read(redis, tenant)
    assert faults(books, **known) == []
    composed(books)
    return books


async def watching(redis, tenant, done, **known):
    """Audit one moment after the other until `done`; return how many were looked at."""
    count = 0
    while not done.is_set():
        assert faults(await Books.read(redis, tenant), **known) == []
        count += 1
        await asyncio.sleep(0.02)
    return count
