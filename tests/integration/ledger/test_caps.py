"""Caps over several tenants: hard at any moment, handed out in chunks, given back."""

import random
from dataclasses import dataclass, field

import anyio
import pytest

from functions.ledger.accounts import cap_account
from functions.ledger.budget_file import read
from functions.ledger.limits import Cap
from shared.auth import ApiKey, ApiKeys, TaskLimits, hash_key
from shared.metering import Denied
from tests.integration.ledger.conftest import reserve_body, serving

pytestmark = pytest.mark.anyio
RESERVED = 1000 * 150 + 500 * 600


@pytest.fixture
async def pair(redis_url):
    """Two tenants, each with a ledger of its own, over one Redis."""
    async with serving(redis_url) as one, serving(redis_url) as two:
        await one.redis.delete("lg:{~}:caps")
        yield one, two


async def capped(pair, calls, chunk=1, window="life"):
    """Put both tenants under one cap; its name is of this test alone."""
    one, two = pair
    name = f"cap-{one.tenant}"
    await one.parts.files.apply(read(
        f"version: 1\nplatform:\n  - {{cap: {name}, window: {window}, calls: {calls}, "
        f"chunk: {chunk}, tenants: [{one.tenant}, {two.tenant}]}}\n"))
    return Cap(name=name, window="life", unit="calls", limit=calls, chunk=chunk,
               tenants=(one.tenant, two.tenant))


async def held(ledger):
    try:
        await ledger.meter.hold(call := ledger.call())
    except Denied as denied:
        return denied
    return call


async def limit_of(ledger, cap):
    account = await ledger.account(f"platform|{cap.name}|life")
    return int(account.get("calls.lim", 0))


async def taken(ledger, cap):
    [taken] = [c["taken"] for c in await ledger.parts.files.caps() if c["name"] == cap.name]
    return taken


async def test_tenants_together_never_pass_the_cap(pair):
    cap = await capped(pair, calls=5, chunk=2)

    answers = [await held(pair[n % 2]) for n in range(9)]

    denials = [a for a in answers if isinstance(a, Denied)]
    assert len(denials) == 4
    assert {(d.account, d.unit, d.reason) for d in denials} <= {
        (f"platform|{cap.name}|life", "calls", "held"),
        (f"platform|{cap.name}|life", "calls", "spent")}
    assert sum([await limit_of(ledger, cap) for ledger in pair]) <= 5


async def test_concurrent_calls_of_all_tenants_never_pass_the_cap(pair):
    cap, answers = await capped(pair, calls=20, chunk=3), []

    async def ask(ledger):
        answers.append(await held(ledger))

    async with anyio.create_task_group() as group:
        for n in range(40):
            group.start_soon(ask, pair[n % 2])

    admitted = [a for a in answers if not isinstance(a, Denied)]
    assert 20 - 2 * 2 <= len(admitted) <= 20  # each tenant may strand less than a chunk
    assert await taken(pair[0], cap) <= 20
    for ledger in pair:
        account = await ledger.account(f"platform|{cap.name}|life")
        assert int(account.get("calls.res", 0)) <= int(account.get("calls.lim", 0))


async def test_what_a_tenant_does_not_use_goes_back_and_serves_another(pair):
    one, two = pair
    cap = await capped(pair, calls=4, chunk=4)
    call = await held(one)
    assert isinstance(await held(two), Denied)
    await one.meter.void(call.id, 1, grant=call.grant)

    assert await one.parts.background._escrow.sweep(one.tenant) == 4

    assert not isinstance(await held(two), Denied)
    assert [await limit_of(ledger, cap) for ledger in pair] == [0, 4]


async def test_caps_are_shown_to_the_platform_with_what_is_taken(pair):
    one, _ = pair
    cap = await capped(pair, calls=9, chunk=2)
    await held(one)
    refused = await one.http.get("/v1/caps", headers={"authorization": f"Bearer {one.api_key}"})
    grant_platform(one)

    shown = (await one.get("/v1/caps"))["caps"]

    assert refused.status_code == 403
    assert [(c["taken"], c["free"]) for c in shown if c["name"] == cap.name] == [(2, 7)]


def grant_platform(ledger):
    key = ApiKey(key_sha256=hash_key(ledger.api_key), tenant=ledger.tenant,
                 rights=frozenset({"admin", "platform"}))
    ledger.parts.door._api_keys = ApiKeys((key,))


async def test_nothing_that_is_held_or_posted_goes_back(pair):
    one, _ = pair
    cap = await capped(pair, calls=10, chunk=2)
    for _ in range(3):
        await held(one)

    await one.parts.background._escrow.sweep(one.tenant)

    assert await limit_of(one, cap) == 4  # three are held; a chunk is given back whole or not
    assert await taken(one, cap) == 4


@pytest.mark.parametrize("lost", ["credit after draw", "pool after give back"])
async def test_transfer_that_was_cut_in_half_is_finished_by_the_next(pair, lost):
    one, two = pair
    cap = await capped(pair, calls=4 if lost.startswith("pool") else 8, chunk=4)
    escrow, account = one.parts.background._escrow, f"platform|{cap.name}|life"
    if lost == "credit after draw":
        await escrow._pool(one.tenant, cap, account, want=4, back=0)
        ledger = one
    else:
        call = await held(one)
        await one.meter.void(call.id, 1, grant=call.grant)
        await escrow._credit(one.tenant, cap, account, is_giving=True)
        await escrow.sweep(one.tenant)
        ledger = two

    assert not isinstance(await held(ledger), Denied)

    assert await taken(one, cap) == 4
    assert await limit_of(one, cap) + await limit_of(two, cap) == 4


async def test_copy_that_comes_late_takes_nothing_back(pair):
    one, two = pair
    cap = await capped(pair, calls=4, chunk=4)
    escrow, account = one.parts.background._escrow, f"platform|{cap.name}|life"
    call = await held(one)
    await one.meter.void(call.id, 1, grant=call.grant)
    await escrow.sweep(one.tenant)

    await escrow._pool(one.tenant, cap, account, want=0, back=0)  # an older copy of the counter

    assert await taken(one, cap) == 0
    assert not isinstance(await held(two), Denied)


async def test_denial_by_the_empty_pool_is_final_and_has_its_event(pair):
    one, _ = pair
    cap = await capped(pair, calls=0)

    denied = await held(one)

    assert (denied.reason, denied.need, denied.have) == ("spent", 1, 0)
    assert [e.json()["account"] for e in await one.drained()] == [f"platform|{cap.name}|life"]


async def test_call_that_never_gets_the_chunks_it_took_gives_up(pair, monkeypatch):
    one, _ = pair
    await capped(pair, calls=5)
    monkeypatch.setattr("functions.ledger.reserving.DRAWS_MAX", 3)

    async def taken_by_others(*_):
        return True

    monkeypatch.setattr(one.parts.background._escrow, "draw", taken_by_others)
    body, grant = reserve_body(one.call())

    assert (await one.post("/v1/reservations", body, grant)).status_code == 503


async def test_own_limit_denies_without_taking_a_chunk(pair):
    one, _ = pair
    cap = await capped(pair, calls=10)
    await one.budget(0, unit="calls")

    denied = await held(one)

    assert denied.account.startswith("tenant|")
    assert await taken(one, cap) == 0


async def test_tenant_that_is_under_no_cap_any_more_is_not_limited_by_it(pair):
    one, two = pair
    await capped(pair, calls=0)
    name = f"cap-{one.tenant}"

    await one.parts.files.apply(read(
        f"version: 1\nplatform:\n  - {{cap: {name}, window: life, calls: 0, chunk: 1, "
        f"tenants: [{two.tenant}]}}\n"))

    assert not isinstance(await held(one), Denied)
    assert isinstance(await held(two), Denied)


async def test_windows_of_a_cap_are_in_utc_whatever_the_tenants_zone(pair):
    one, _ = pair
    cap = await capped(pair, calls=9, window="month")
    await one.parts.files.apply(read(
        f"version: 1\ntenants: {{{one.tenant}: {{timezone: Pacific/Kiritimati}}}}"))
    await held(one)

    known = await one.parts.reservations.store.tenant(one.tenant)
    month = cap.model_copy(update={"window": "m"})
    assert int((await one.account(cap_account(month, known.windows)))["calls.res"]) == 1


async def test_cap_counts_among_the_accounts_of_a_call(pair):
    one, _ = pair
    for window in ("h", "w"):
        await one.budget(9, window=window)
        await one.budget(9, scope="agent", owner="a", window=window)
    from shared.errors import Permanent

    with pytest.raises(Permanent, match="17 accounts"):
        await capped(pair, calls=9)


async def test_sub_tasks_of_a_capped_tenant_are_admitted_with_all_their_accounts(pair):
    one, _ = pair
    await capped(pair, calls=9)
    above = tuple(TaskLimits(task=f"a{n}", usd=10**9, tok=10**9) for n in range(4))

    hold = await one.meter.hold(one.call(task="leaf", ancestors=above))

    assert hold.state == "PENDING"


@dataclass
class Transfers:
    """What may happen to tenants under a cap, in any order; some of it cut in half."""

    cap: Cap
    chance: random.Random
    open_calls: list = field(default_factory=list)

    @property
    def account(self):
        return f"platform|{self.cap.name}|life"

    async def hold(self, ledger):
        call = await held(ledger)
        if not isinstance(call, Denied):
            self.open_calls.append((ledger, call))

    async def end(self, _):
        if self.open_calls:
            at = self.chance.randrange(len(self.open_calls))
            ledger, call = self.open_calls.pop(at)
            await ledger.meter.void(call.id, 1, grant=call.grant)

    async def give_back(self, ledger):
        await escrow(ledger).sweep(ledger.tenant)

    async def lose_a_credit(self, ledger):
        await escrow(ledger)._pool(ledger.tenant, self.cap, self.account, want=self.cap.chunk,
                                   back=0)

    async def lose_a_return(self, ledger):
        await escrow(ledger)._credit(ledger.tenant, self.cap, self.account, is_giving=True)


@pytest.mark.parametrize("seed", range(3))
async def test_cap_holds_and_nothing_is_lost_however_transfers_are_cut(pair, seed):
    cap, chance = await capped(pair, calls=30, chunk=4), random.Random(seed)
    on = Transfers(cap, chance)
    steps = (on.hold, on.hold, on.hold, on.end, on.give_back, on.lose_a_credit, on.lose_a_return)

    for _ in range(120):
        await chance.choice(steps)(chance.choice(pair))
        await check_shares(pair, on.account, cap.limit)

    while on.open_calls:
        await on.end(None)
    for ledger in pair:
        await escrow(ledger).draw(ledger.tenant, cap, on.account, 1)  # credits what a cut left
        await on.give_back(ledger)
    assert await taken(pair[0], cap) < cap.chunk * len(pair)


async def check_shares(pair, account, limit):
    shares = [await ledger.account(account) for ledger in pair]
    assert sum(int(share.get("calls.lim", 0)) for share in shares) <= limit
    assert all(int(s.get("calls.res", 0)) <= int(s.get("calls.lim", 0)) for s in shares)


def escrow(ledger):
    return ledger.parts.background._escrow
