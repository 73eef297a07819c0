"""Drives the ledgers of two releases beside one reference, each call at either of them."""

from dataclasses import dataclass
from itertools import count

import httpx2

from tests.compat.process import Remote
from tests.integration.ledger.machine import LedgerMachine, World
from tests.integration.ledger.reference import UNITS, Reference, Spec

BEFORE, NOW = 0, 1
TENANTS = tuple(f"acme{n}" for n in range(8))
LACKS = {BEFORE: {"blocking", "alerts of what was not held"}, NOW: set()}
"""What the release before did not do yet. Empty it when another one is packed: then `_first`, the
keys without `platform` and the test of packed rows go, too."""

PATIENCE_S = 60.0
NAMES, POSTED = [f"r{n}" for n in range(9)], ["r8", "p0", "p1"]
LIMITS = [None, 1, 3, 30, 2_000, 200_000, 10**6, 10**8]


@dataclass
class OfTwo(Reference):
    """The reference, told which of the two it speaks for."""

    lacks: frozenset = frozenset()
    silent: bool = False

    def _denial(self, spec):
        if "blocking" not in self.lacks:
            return super()._denial(spec)
        blocked, self.blocked = self.blocked, set()
        found = super()._denial(spec)
        self.blocked = blocked
        return found

    def _block(self, spec, cost):
        if "blocking" not in self.lacks:
            super()._block(spec, cost)

    def _alert(self, spec, units=UNITS):
        if not self.silent:
            super()._alert(spec, units)

    def post(self, name, spec, used):
        return self._quietly(super().post, name, spec, used)

    def adjust(self, name, key, delta):
        return self._quietly(super().adjust, name, key, delta)

    def _quietly(self, work, *what):
        self.silent = "alerts of what was not held" in self.lacks
        try:
            return work(*what)
        finally:
            self.silent = False


class Releases(World):
    """The two processes of the tests, and one after the other tenants of their own."""

    reference = OfTwo

    def __init__(self, redis, run, processes, broker, place):
        super().__init__(redis, run)
        self.processes, self.broker, self.place = processes, broker, place
        self.http = httpx2.AsyncClient(timeout=PATIENCE_S, trust_env=False)
        self._tenants = iter(TENANTS)
        self._next = count()

    def tenant(self):
        self.current = next(self._tenants)
        return self.current

    def ledger(self):
        return self.of(self.processes[next(self._next) % 2])

    def of(self, process):
        return Remote(process, self.current, self.http)


class Mixed(LedgerMachine):
    """Calls of the API by chance, each at one of the two."""

    tasks = {"root": (10**9, 10**6), "child": (600_000, 4_000)}

    def said(self, spec, name, holder):
        return super().said(spec, name, holder) | {"lease_s": 1800}

    def sweep(self, which, name, is_over):
        """Both sweep by themselves, too: whoever is first, it ends as the reference says."""
        if is_over:
            self.lapse(name)
        self.world.run(self.ledgers[which].sweep())
        if self.reference.sweep(name) == (True,):
            assert self.books().rows[name]["state"] == self.reference.rows[name].state

    def budget(self, which, owner, unit, limit, hard):
        if which == BEFORE:
            self._first(owner, unit, limit, hard)
        else:
            super().budget(which, owner, unit, limit, hard)

    def _first(self, owner, unit, limit, hard):
        """Set it as callers of the first ledgers do: policies have other names now."""
        scope, _, name = owner.partition("|")
        path, body = f"/v1/budgets/{scope}/{name or self.tenant}", {
            "unit": unit, "limit": limit, "policy": "hard" if hard else "soft",
            "thresholds": list(self.reference.percents)}
        of = self.ledgers[BEFORE]
        self.world.run(of.keyed("DELETE", f"{path}?unit={unit}") if limit is None
                       else of.keyed("PUT", path, body))
        self.reference.budget(owner, unit, limit, hard=hard)
        self.ceilings.put(owner, UNITS.index(unit), limit if hard else None,
                          self.balances(self.last))

    def story(self, chance, schedule):
        """Draw a call for each of the releases in a schedule, and audit after it."""
        for which in schedule:
            self.reference.lacks = frozenset(LACKS[which])
            self.fresh(which)
            rule, drawn = chance.choices(RULES, WEIGHTS)[0]
            rule(self, which, **{name: chance.choice(of) for name, of in drawn.items()})
            self.audit()

    def end_all(self):
        """End what is open; audit; return the books."""
        for name in sorted(self.last.leases):
            self.end(NOW, name, 2, "resolve")
        self.audit()
        assert not self.last.leases
        return self.last


SPECS = [Spec(agent, tasks, most_in, most_out) for agent in "ab"
         for tasks in (("root",), ("child", "root"))
         for most_in, most_out in ((10, 10), (100, 0), (100, 10))]
HOLDERS, TICKETS, USED = [1, 1, 2], ["", "x", "y"], [(0, 0), (5, 5), (10, 10), (300, 40)]
RARELY = [False] * 9 + [True]
RULES, WEIGHTS = zip(*[
    ((Mixed.reserve, {"name": NAMES, "spec": SPECS, "holder": HOLDERS, "ticket": TICKETS,
                      "dispatch": [True, False], "other": RARELY}), 6),
    ((Mixed.dispatch, {"name": NAMES, "holder": HOLDERS, "ticket": TICKETS}), 2),
    ((Mixed.extend, {"name": NAMES, "holder": HOLDERS}), .5),
    ((Mixed.settle, {"name": NAMES, "used": USED}), 4),
    ((Mixed.end, {"name": NAMES, "holder": HOLDERS, "how": ["void", "resolve"]}), 2),
    ((Mixed.sweep, {"name": NAMES, "is_over": [True, True, False]}), 1),
    ((Mixed.post, {"name": POSTED, "spec": SPECS, "used": USED, "other": RARELY}), 1),
    ((Mixed.adjust, {"name": NAMES, "key": ["k1", "k2"], "delta": [-5_000, -1, 2, 70_000]}), 1.5),
    ((Mixed.budget, {"owner": ["tenant", "agent|a"], "unit": UNITS, "limit": LIMITS,
                     "hard": [True, False]}), 1.2),
    ((Mixed.again, {}), 1.5)], strict=True)
