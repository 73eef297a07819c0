"""What the ledger ought to answer, told without Redis: a pure reference of its protocol."""

from dataclasses import dataclass, field, replace

UNITS = ("usd", "tok", "calls")
INPUT_NANO, OUTPUT_NANO = 150, 600
"""Prices per token of the scripted model."""


@dataclass(frozen=True)
class Spec:
    """What a caller says of a call; equal specs have equal fingerprints."""

    agent: str
    tasks: tuple
    """Its own task first, then its ancestors."""
    input_max: int
    output_max: int

    @property
    def most(self):
        return (INPUT_NANO * self.input_max + OUTPUT_NANO * self.output_max,
                self.input_max + self.output_max, 1)

    @property
    def owners(self):
        return ("tenant", f"agent|{self.agent}", "session", *(f"task|{t}" for t in self.tasks))


def cost_of(used):
    """Return usd, tok and calls of an answered call that used (input, output) tokens."""
    return INPUT_NANO * used[0] + OUTPUT_NANO * used[1], sum(used), 1


@dataclass
class Row:
    spec: Spec
    state: str
    holder: int = 0
    sent: bool = False
    ticket: str = ""
    is_over: bool = False
    cost: tuple = (0, 0, 0)
    settled: tuple | None = None
    denial: tuple = ()
    corrections: dict = field(default_factory=dict)
    posted: bool = False


@dataclass
class Budget:
    limit: int
    hard: bool


@dataclass
class Reference:
    """One tenant."""

    task_limits: dict
    """Task → (usd, tok)."""
    percents: tuple = (50, 100)
    rows: dict = field(default_factory=dict)
    budgets: dict = field(default_factory=dict)
    """(owner, unit) → limit."""
    held: dict = field(default_factory=dict)
    posted: dict = field(default_factory=dict)
    blocked: set = field(default_factory=set)
    beyond: dict = field(default_factory=dict)
    """What was posted that nothing held: late, unreserved, corrected. It never shrinks."""
    fired: set = field(default_factory=set)
    events: int = 0

    def reserve(self, name, spec, *, holder, dispatch, ticket):
        row = self.rows.get(name)
        if row is not None:
            return self._again(row, spec, holder, dispatch, ticket)
        denial = self._denial(spec)
        if denial:
            if denial[3] != "held":
                self.rows[name] = Row(spec, "DENIED", holder, denial=denial)
                self.events += 1
            return ("denied", *denial)
        self.rows[name] = Row(spec, "PENDING", holder, dispatch, ticket)
        self._move(self.held, spec, spec.most)
        self._alert(spec)
        return "held", False, False, dispatch

    def _again(self, row, spec, holder, dispatch, ticket):
        if row.spec != spec or row.posted:
            return ("conflict",)
        if row.state == "DENIED":
            return ("denied", *row.denial)
        if row.state != "PENDING":
            return "ended", row.state, row.cost[0]
        if holder < row.holder or (holder > row.holder and row.sent):
            return ("busy",)
        adopted = holder > row.holder
        if adopted:
            row.holder, row.is_over = holder, False
        granted = dispatch and (not row.sent or (ticket != "" and ticket == row.ticket))
        if dispatch and not row.sent:
            row.sent, row.ticket = True, ticket
        return "held", adopted, True, granted

    def _denial(self, spec):
        found = None
        for owner in spec.owners:
            for u, unit in enumerate(UNITS):
                limit, amount = self._limit(owner, u, unit), spec.most[u]
                if limit is None or not amount:
                    continue
                posted = self._at(self.posted, owner, u)
                left = limit - self._at(self.held, owner, u) - posted
                blocked = (owner, unit, limit) in self.blocked
                if not blocked and amount <= left:
                    continue
                reason = "blocked" if blocked else "spent" if posted + amount > limit else "held"
                if found is None or (found[3] == "held" and reason != "held"):
                    found = (owner, unit, 0 if blocked else max(left, 0), reason)
        return found

    def _limit(self, owner, u, unit):
        scope, _, task = owner.partition("|")
        if scope == "task":
            return (*self.task_limits[task], None)[u]
        budget = self.budgets.get((owner, unit))
        return budget.limit if budget and budget.hard else None

    def dispatch(self, name, *, holder, ticket):
        row = self.rows.get(name)
        if row is None:
            return ("unknown",)
        if row.state != "PENDING" or row.holder != holder:
            return ("busy",)
        if row.sent and (ticket == "" or ticket != row.ticket):
            return ("busy",)
        row.sent, row.ticket = True, ticket
        return ("ok",)

    def extend(self, name, *, holder):
        row = self.rows.get(name)
        if row is None:
            return ("unknown",)
        if row.state != "PENDING" or row.holder != holder:
            return ("busy",)
        row.is_over = False
        return ("ok",)

    def settle(self, name, used):
        row = self.rows.get(name)
        if row is None:
            return ("unknown",)
        if row.state == "DENIED" or (row.settled is not None and row.settled != used):
            return ("conflict",)
        if row.settled is not None:
            return "charged", row.state, row.cost[0], True, False
        cost, late = cost_of(used), row.state != "PENDING"
        if late:
            delta = tuple(new - old for new, old in zip(cost, row.cost, strict=True))
            row.cost, row.settled = cost, used
            self._post(row.spec, delta)
            self.events += 1
        else:
            row.settled = used
            self._end(row, "SETTLED", cost)
        self._block(row.spec, cost)
        self._alert(row.spec)
        return "charged", row.state, cost[0], False, late

    def end(self, name, how, *, holder):
        row = self.rows.get(name)
        if row is None:
            return ("unknown",)
        if row.state != "PENDING":
            return "ended", row.state, row.cost[0]
        if (how == "void" and holder != row.holder) or holder < row.holder:
            return ("busy",)
        return self._lose(row, free=how == "void")

    def sweep(self, name):
        row = self.rows.get(name)
        if row is None or row.state != "PENDING" or not row.is_over:
            return (False,)
        self._lose(row, free=False)
        return (True,)

    def _lose(self, row, *, free):
        forfeited = row.sent and not free
        self._end(row, "FORFEITED" if forfeited else "VOIDED",
                  row.spec.most if forfeited else (0, 0, 0))
        self._alert(row.spec)
        return "ended", row.state, row.cost[0]

    def post(self, name, spec, used):
        row = self.rows.get(name)
        if row is not None:
            same = row.settled == ("posted", used) and row.spec == spec
            return ("charged", row.state, row.cost[0], True, False) if same else ("conflict",)
        cost = cost_of(used)
        self.rows[name] = Row(spec, "SETTLED", cost=cost, settled=("posted", used),
                              posted=True)
        self._post(spec, cost)
        self.events += 1
        self._alert(spec)
        return "charged", "SETTLED", cost[0], False, False

    def adjust(self, name, key, delta):
        row = self.rows.get(name)
        if row is None:
            return ("unknown",)
        if key in row.corrections:
            return ("same", row.cost[0]) if row.corrections[key] == delta else ("conflict",)
        if row.state in ("PENDING", "DENIED"):
            return ("busy",)
        if row.cost[0] + delta < 0:
            return ("conflict",)
        row.corrections[key] = delta
        row.cost = (row.cost[0] + delta, *row.cost[1:])
        self._post(row.spec, (delta, 0, 0))
        self.events += 1
        if delta > 0:
            self._alert(row.spec, ("usd",))
        return "same", row.cost[0]

    def budget(self, owner, unit, limit, *, hard):
        if limit is None:
            self.budgets.pop((owner, unit), None)
        else:
            self.budgets[owner, unit] = Budget(limit, hard)

    def _end(self, row, state, cost):
        self._move(self.held, row.spec, tuple(-n for n in row.spec.most))
        self._move(self.posted, row.spec, cost)
        row.state, row.cost = state, cost
        self.events += 1

    def _block(self, spec, cost):
        if cost[0] <= spec.most[0] and cost[1] <= spec.most[1]:
            return
        for (owner, unit), budget in self.budgets.items():
            u = UNITS.index(unit)
            passed = cost[u] > spec.most[u] and self._at(self.posted, owner, u) > budget.limit
            if owner in spec.owners and budget.hard and passed:
                self.blocked.add((owner, unit, budget.limit))

    def _alert(self, spec, units=UNITS):
        for (owner, unit), budget in self.budgets.items():
            if unit not in units:
                continue
            u = UNITS.index(unit)
            used = self._at(self.held, owner, u) + self._at(self.posted, owner, u)
            for percent in self.percents:
                mark = (owner, unit, percent)
                if owner in spec.owners and mark not in self.fired and (
                        used * 100 >= budget.limit * percent):
                    self.fired.add(mark)
                    self.events += 1

    def _post(self, spec, amounts):
        self._move(self.posted, spec, amounts)
        self._move(self.beyond, spec, tuple(max(n, 0) for n in amounts))

    def _move(self, balances, spec, amounts):
        for owner in spec.owners:
            for u, amount in enumerate(amounts):
                balances[owner, u] = self._at(balances, owner, u) + amount

    @staticmethod
    def _at(balances, owner, u):
        return balances.get((owner, u), 0)

    def lapse(self, name):
        row = self.rows.get(name)
        if row is not None and row.state == "PENDING":
            self.rows[name] = replace(row, is_over=True)
