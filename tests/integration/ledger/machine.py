"""Drives two ledgers over one Redis and the pure reference beside them, one call after the other.

Whatever Hypothesis thinks of: both must answer the same, all balances must be equal, and an audit
of Redis alone must find nothing.
"""

import time
from collections import defaultdict
from uuid import uuid4

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from pydantic import SecretStr

from functions.ledger.prices import PriceBook
from functions.ledger.requests import (
    AdjustBody,
    BudgetBody,
    ExtendBody,
    HolderBody,
    PostBody,
    ReserveBody,
    SettleBody,
)
from functions.ledger.wiring import assemble
from shared.auth import ApiKeys, Grant, TaskLimits
from shared.errors import Busy, NotFound, Permanent
from shared.metering import Denied
from tests.integration.ledger.audit import Books, composed, faults
from tests.integration.ledger.conftest import Broker
from tests.integration.ledger.promises import (
    Ceilings,
    admitted_within,
    attributed_as_reserved,
    balances_unchanged,
    comes_to_rest,
    raised_limits_admit,
    unchanged,
)
from tests.integration.ledger.reference import UNITS, Reference, Spec

TASKS = {"root": (120_000, 400), "child": (60_000, 10_000)}
ATTRIBUTION = {"step": 1, "attempt": 1, "agent_version": "1", "env": "test",
               "trigger_source": "/gateway", "trigger_id": "e"}

names = st.sampled_from(["r0", "r1", "r2"])
specs = st.builds(Spec, st.sampled_from(["a", "b"]),
                  st.sampled_from([("root",), ("child", "root")]),
                  input_max=st.sampled_from([0, 10, 100]), output_max=st.sampled_from([0, 10]))
holders = st.sampled_from([1, 2])
tickets = st.sampled_from(["", "x", "y"])
usages = st.sampled_from([(0, 0), (5, 5), (10, 10), (300, 40)])
ledgers = st.sampled_from([0, 1])
rarely = st.sampled_from([False, False, False, True])


class World:
    """What all runs of the machine share: a Redis, a loop, and the scripts under test."""

    reference = Reference

    def __init__(self, redis, run, mutation=None):
        self.redis, self.run, self.mutation = redis, run, mutation

    def tenant(self):
        """Return the name of a tenant that no run had."""
        return f"p{uuid4().hex[:12]}"

    def ledger(self):
        found = assemble(self.redis, Broker(), PriceBook({}), key=SecretStr("k" * 32),
                         api_keys=ApiKeys(()))
        if self.mutation is not None:
            self.mutation(found.reservations.store)
        return found


class LedgerMachine(RuleBasedStateMachine):
    """The rules are the calls of the ledger's API, and time."""

    world: World
    tasks = TASKS
    """Task → its own limits: (usd, tok)."""

    def __init__(self):
        super().__init__()
        self.tenant = self.world.tenant()
        self.ledgers = [self.world.ledger() for _ in range(2)]
        self.reference = self.world.reference(self.tasks)
        self.ceilings = Ceilings(self.reference.beyond)
        self.last = self.books()
        """As the audit after the last call found them."""
        self.repeat = None
        """Ends a reservation again as it was ended last, at another ledger: (work, shape)."""
        for task, limits in self.tasks.items():
            for u, limit in enumerate(limits):
                self.ceilings.put(f"task|{task}", u, limit, self.balances(self.last))

    def teardown(self):
        comes_to_rest(self)
        raised_limits_admit(self, Spec("a", ("root",), 10, 10))
        events = composed(self.books())
        for event in (e for e in events if e.type.endswith("attributed.v1")):
            attributed_as_reserved(event, self.tenant, self.reference.rows[event.id].spec)
        # An audit looks through all keys: what is over would only slow the next example.
        run, redis = self.world.run, self.world.redis
        run(redis.delete(*run(redis.keys(f"lg:{{{self.tenant}}}:*"))))

    def books(self):
        return self.world.run(Books.read(self.world.redis, self.tenant))

    def grant(self, spec):
        own, *above = (TaskLimits(task=t, usd=self.tasks[t][0], tok=self.tasks[t][1])
                       for t in spec.tasks)
        return Grant(tenant=self.tenant, agent=spec.agent, session="s", root="root", limits=own,
                     ancestors=tuple(above), exp=int(time.time()) + 3600)

    def said(self, spec, name, holder):
        return {"id": name, "kind": "llm", "model": "scripted/default", "holder": holder,
                "input_tokens_max": spec.input_max, "output_tokens_max": spec.output_max,
                "lease_s": 60, "attribution": ATTRIBUTION}

    def told(self, work, shape):
        """Return what the ledger answers, in the reference's words."""
        try:
            return shape(self.world.run(work))
        except Denied as error:
            extra = error.extra
            return "denied", self.owner(extra["account"]), extra["unit"], extra["have"], extra[
                "reason"]
        except Busy:
            return ("busy",)
        except NotFound:
            return ("unknown",)
        except Permanent as error:
            if error.extra.get("code") != "conflict" and "below 0" not in error.detail:
                raise
            return ("conflict",)

    @staticmethod
    def owner(account):
        scope, name, _ = account.split("|", 2)
        return scope if scope in ("tenant", "session") else f"{scope}|{name}"

    def spec_of(self, name, spec, other):
        """Return what was said of a reservation before, and now and then something else."""
        row = self.reference.rows.get(name)
        return spec if row is None or other else row.spec

    @rule(which=ledgers, name=names, spec=specs, holder=holders, dispatch=st.booleans(),
          ticket=tickets, other=rarely)
    def reserve(self, which, name, spec, holder, dispatch, ticket, other):
        spec = self.spec_of(name, spec, other)
        body = ReserveBody(**self.said(spec, name, holder), dispatch=dispatch, ticket=ticket)
        found = self.told(self.ledgers[which].reservations.reserve(self.grant(spec), body), held)
        assert found == self.reference.reserve(
            name, spec, holder=holder, dispatch=dispatch, ticket=ticket)
        if found == ("conflict",):
            unchanged(self.last, self.books(), "I12")
        elif found[0] == "denied":
            balances_unchanged(self.last, self.books(), "I13")
        elif found[0] == "held" and not found[2]:
            admitted_within(self.limits(spec), self.balances(self.books()))

    @rule(which=ledgers, name=names, holder=holders, ticket=tickets)
    def dispatch(self, which, name, holder, ticket):
        work = self.ledgers[which].reservations.dispatch(
            self.tenant, name, HolderBody(holder=holder, ticket=ticket))
        assert self.told(work, lambda _: ("ok",)) == self.reference.dispatch(
            name, holder=holder, ticket=ticket)

    @rule(which=ledgers, name=names, holder=holders)
    def extend(self, which, name, holder):
        work = self.ledgers[which].reservations.extend(
            self.tenant, name, ExtendBody(holder=holder, lease_s=60))
        assert self.told(work, lambda _: ("ok",)) == self.reference.extend(name, holder=holder)

    @rule(which=ledgers, name=names, used=usages)
    def settle(self, which, name, used):
        self.fresh(which)
        self.ended(lambda of: of.settle(self.tenant, name, settlement(used)), which, charged,
                   lambda: self.reference.settle(name, used))

    @rule(which=ledgers, name=names, holder=holders, how=st.sampled_from(["void", "resolve"]))
    def end(self, which, name, holder, how):
        self.fresh(which)
        self.ended(lambda of: of.end(self.tenant, name, how, holder), which, ended,
                   lambda: self.reference.end(name, how, holder=holder))

    @rule(which=ledgers, name=names, is_over=st.booleans())
    def sweep(self, which, name, is_over):
        self.fresh(which)
        if is_over:
            self.lapse(name)
        work = self.ledgers[which].endings.sweep(self.tenant, name)
        assert self.told(work, lambda done: (done,)) == self.reference.sweep(name)

    def lapse(self, name):
        key, past = f"lg:{{{self.tenant}}}:r:{name}", str(int(time.time() * 1000) - 1)
        self.reference.lapse(name)
        if self.world.run(self.world.redis.hget(key, "state")) == "PENDING":
            self.world.run(self.world.redis.hset(key, "expires", past))
            self.world.run(self.world.redis.zadd(f"lg:{{{self.tenant}}}:exp", {name: past}))

    @rule(which=ledgers, name=st.sampled_from(["r2", "p"]), spec=specs, used=usages, other=rarely)
    def post(self, which, name, spec, used, other):
        spec = self.spec_of(name, spec, other)
        self.fresh(which)
        body = PostBody(**self.said(spec, name, 1), settlement=settlement(used))
        self.ended(lambda of: of.post(self.grant(spec), body), which, charged,
                   lambda: self.reference.post(name, spec, used))

    @rule(which=ledgers, name=names, key=st.sampled_from(["k1", "k2"]),
          delta=st.sampled_from([-5_000, -1, 2, 70_000]))
    def adjust(self, which, name, key, delta):
        self.fresh(which)
        body = AdjustBody(key=key, delta_nano=delta, reason="test")
        self.ended(lambda of: of.adjust(self.tenant, name, body), which, adjusted,
                   lambda: self.reference.adjust(name, key, delta))

    def ended(self, work, which, shape, expected):
        """Post something at one ledger, as the reference says; `again` may repeat it."""
        found = self.told(work(self.ledgers[which].endings), shape)
        assert found == expected()
        if found[0] in ("charged", "ended", "same"):
            self.repeat = work, shape, expected

    @rule(which=ledgers)
    def again(self, which):
        """Repeat what posted last, as a caller does whose answer was lost."""
        if self.repeat is not None:
            work, shape, expected = self.repeat
            assert self.told(work(self.ledgers[which].endings), shape) == expected(), "I11"
            unchanged(self.last, self.books(), "I11")

    @rule(which=ledgers, owner=st.sampled_from(["tenant", "agent|a"]), unit=st.sampled_from(UNITS),
          limit=st.sampled_from([None, 1, 3, 30, 200, 20_000, 100_000]), hard=st.booleans())
    def budget(self, which, owner, unit, limit, hard):
        scope, _, name = owner.partition("|")
        body = BudgetBody(unit=unit, limit=limit or 0, policy="deny" if hard else "observe",
                          thresholds=self.reference.percents)
        budgets, of = self.ledgers[which].budgets, (self.tenant, scope, name or self.tenant)
        self.world.run(budgets.delete(*of, body) if limit is None else budgets.put(*of, body))
        self.reference.budget(owner, unit, limit, hard=hard)
        self.ceilings.put(owner, UNITS.index(unit), limit if hard else None,
                          self.balances(self.last))

    def limits(self, spec):
        """Return every hard limit of a call's accounts: (owner, unit's place) → limit."""
        found = {(owner, u): self.reference._limit(owner, u, unit)
                 for owner in spec.owners for u, unit in enumerate(UNITS) if spec.most[u]}
        return {at: limit for at, limit in found.items() if limit is not None}

    @rule(which=ledgers)
    def publish(self, which):
        self.world.run(self.ledgers[which].outbox.drain(self.tenant))

    def fresh(self, which):
        """Forget remembered limits: alerts go by them for five seconds, denials never do."""
        self.world.run(self.ledgers[which].reservations.store.reload(self.tenant))

    @invariant()
    def audit(self):
        self.last = books = self.books()
        assert faults(books) == []
        assert len(books.entries) == self.reference.events
        balances = self.balances(books)
        self.ceilings.hold(balances)
        expected = {(*at, kind): n for kind, of in (("res", self.reference.held),
                                                     ("pst", self.reference.posted))
                    for at, n in of.items()}
        assert {k: n for k, n in balances.items() if n and k[2] != "ovr"} == {
            k: n for k, n in expected.items() if n}

    def balances(self, books):
        """Return what accounts of all time hold: (owner, unit's place, kind) → amount."""
        found = defaultdict(int)
        for name in (name for name in books.accounts if name.endswith("|life")):
            for u, unit in enumerate(UNITS):
                for kind in ("res", "pst", "ovr"):
                    found[self.owner(name), u, kind] = books.number(name, f"{unit}.{kind}")
        return found


def held(found):
    if found["state"] != "PENDING":
        return "ended", found["state"], found["charged_nano"]
    return "held", found["adopted"], found["replayed"], found["dispatched"]


def charged(found):
    return "charged", found["state"], found["total_nano"], found["replayed"], found["adjusted"]


def ended(found):
    return "ended", found["state"], found["charged_nano"]


def adjusted(found):
    return "same", found["total_nano"]


def settlement(used):
    return SettleBody(usage={"input_uncached": used[0], "output_text": used[1]})
