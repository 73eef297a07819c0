"""What must hold of a call and a limit whatever came before, by its name in the protocol."""

from collections import Counter

from tests.integration.ledger.reference import UNITS

MONEY = ("res", "pst")


def unchanged(before, after, name):
    """Fail if anything of a tenant's books is another than before."""
    for what in ("accounts", "rows", "leases", "sequence", "entries"):
        assert getattr(before, what) == getattr(after, what), f"{name}: {what} changed"


def balances_unchanged(before, after, name):
    """Fail if an account holds or has posted another amount than before."""
    for account in {*before.accounts, *after.accounts}:
        for field in (f"{unit}.{kind}" for unit in UNITS for kind in MONEY):
            assert before.number(account, field) == after.number(account, field), (
                f"{name}: {field} of {account} changed")


def admitted_within(limits, balances):
    """I3: right after a reserve that was admitted, what is held and posted fits every limit."""
    for (owner, u), limit in limits.items():
        used = balances[owner, u, "res"] + balances[owner, u, "pst"]
        assert used <= limit, f"I3: {owner} uses {used} {UNITS[u]} of {limit}"


def comes_to_rest(machine):
    """Liveness: once leases are over, one sweep ends every hold and publishes every event."""
    sweeper = machine.ledgers[0]
    for name in list(machine.books().leases):
        machine.lapse(name)
        machine.reference.sweep(name)
    machine.fresh(0)
    counts = Counter()
    machine.world.run(sweeper.background._swept(machine.tenant, counts))
    machine.audit()
    assert machine.last.leases == set(), "liveness: a lease is over and its hold stays"
    published = {event.id for ledger in machine.ledgers
                 for event in ledger.outbox._publisher.events}
    assert len(published) == len(machine.last.entries), "liveness: an event was not published"


def raised_limits_admit(machine, spec):
    """Liveness: whatever was denied, the very next call fits where limits were raised."""
    for (owner, unit), budget in list(machine.reference.budgets.items()):
        machine.budget(0, owner, unit, 10**12, budget.hard)
    machine.reserve(1, "late", spec, 1, dispatch=False, ticket="", other=True)
    row = machine.reference.rows["late"]  # and the ledger said the same
    assert row.state == "PENDING" or row.denial[0].startswith("task|"), f"liveness: {row.denial}"


def attributed_as_reserved(event, tenant, spec):
    """I15: an event's dims are those of its reserve, whatever was said at its settle."""
    dims = {"tenant": tenant, "agent": spec.agent, "session": "s", "task": spec.tasks[0],
            "root": "root", "agent_version": "1", "env": "test", "parent_agent": None}
    assert event.json()["dims"] == dims, f"I15: {event.json()['dims']}"


class Ceilings:
    """I4: pst ≤ limit + what was above it when it was set + overruns + what nothing had held."""

    def __init__(self, beyond):
        self._beyond = beyond
        self._of = {}

    def put(self, owner, u, limit, balances):
        """Note a limit with what the account uses now; `None` takes it away."""
        if limit is None:
            self._of.pop((owner, u), None)
            return
        used = balances[owner, u, "res"] + balances[owner, u, "pst"]
        self._of[owner, u] = limit + max(used - limit, 0) - self._over(owner, u, balances)

    def hold(self, balances):
        """Fail if more is posted than any limit explains."""
        for (owner, u), limit in self._of.items():
            posted, most = balances[owner, u, "pst"], limit + self._over(owner, u, balances)
            assert posted <= most, f"I4: {owner} posted {posted} {UNITS[u]}, at most {most}"

    def _over(self, owner, u, balances):
        return balances[owner, u, "ovr"] + self._beyond.get((owner, u), 0)
