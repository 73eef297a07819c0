import asyncio
import json
import threading
import time

import pytest

from functions.tools.declare import Context, ToolError
from functions.tools.host import deliver
from functions.tools.http_api import _invoked
from functions.tools.job import Job
from shared.errors import Busy, OverBudget, Transient

pytestmark = pytest.mark.anyio


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it, and no lease is released."""


def double(number: int) -> int:
    return number * 2


async def deliver_to(world, delivery):
    await deliver(world.bench, world.broker, delivery)


async def die_at(world, delivery, monkeypatch, point):
    async def kill(reached):
        if reached == point:
            raise Killed


    with monkeypatch.context() as patch:
        patch.setattr("functions.tools.host.reach", kill)
        patch.setattr("functions.tools.perform.reach", kill)
        with pytest.raises(Killed):
            await deliver_to(world, delivery)


async def test_a_call_runs_settles_and_publishes_once(world):
    world = world(double)

    await deliver_to(world, world.delivery({"number": 21}))

    (event,) = world.broker.events
    assert event.json()["result"] == 42
    assert event.get("replyto") == "researcher"
    assert event.number("hops") == 4
    assert event.get("partitionkey") == "task"
    assert event.get("grant")
    assert world.ledger.states == ["SETTLED"]


async def test_the_first_call_of_a_process_is_its_cold_start(world):
    world = world(double)
    for call_id in ("first", "second"):
        await deliver_to(world, world.delivery({"number": 1}, call_id=call_id))

    assert [row["cold"] for row in world.ledger.rows.values()] == [True, False]


async def test_a_redelivery_neither_runs_nor_publishes(world):
    world = world(double)
    for _ in range(3):
        await deliver_to(world, world.delivery({"number": 1}))

    assert len(world.broker.events) == 1
    assert world.keys == ["call-1"]


async def test_eight_deliveries_at_once_run_the_tool_once(world):
    world = world(double)

    ends = await asyncio.gather(
        *(deliver_to(world, world.delivery({"number": 1})) for _ in range(8)),
        return_exceptions=True)

    assert {type(end) for end in ends} <= {type(None), Busy}
    assert len(world.keys) == 1
    assert len(world.broker.events) == 1


async def test_a_nudge_publishes_the_same_event_again_once_per_number(world):
    world = world(double)
    await deliver_to(world, world.delivery({"number": 1}))

    for nudge in (1, 1, 2, 1):
        await deliver_to(world, world.delivery({"number": 1}, extensions={"nudge": nudge}))

    assert len(world.broker.events) == 3
    assert {event.id for event in world.broker.events} == {world.broker.events[0].id}
    assert all(event.get("nudge") is None for event in world.broker.events)
    assert world.keys == ["call-1"]


async def test_when_the_broker_is_away_the_outcome_waits_and_nothing_runs_again(world):
    world = world(double)
    world.broker.is_away = True
    with pytest.raises(Transient):
        await deliver_to(world, world.delivery({"number": 1}))
    world.broker.is_away = False

    await deliver_to(world, world.delivery({"number": 1}))

    assert world.keys == ["call-1"]
    assert world.ledger.states == ["SETTLED"]
    assert len(world.broker.events) == 1


async def test_when_the_ledger_is_away_nothing_runs(world):
    world = world(double)
    world.ledger.is_away = True

    with pytest.raises(Transient):
        await deliver_to(world, world.delivery({"number": 1}))

    assert world.keys == []


async def test_a_spent_budget_is_told_to_the_model(world):
    world = world(double)
    world.ledger.deny = "spent"

    await deliver_to(world, world.delivery({"number": 1}))

    (outcome,) = world.broker.outcomes
    assert outcome["error"]["code"] == "denied"
    assert world.keys == []


async def test_a_limit_that_pauses_leaves_the_call_open_and_says_that_it_waits(world):
    world = world(double)
    world.ledger.deny, world.ledger.limit = "spent", {
        "account": "tool|double|life", "policy": "pause"}
    await deliver_to(world, world.delivery({"number": 1}))
    await deliver_to(world, world.delivery({"number": 1}))
    world.ledger.deny = None

    await deliver_to(world, world.delivery({"number": 1}))

    first, second, last = world.broker.outcomes
    assert first["error"] == second["error"] == {
        "code": "waiting", "message": (
            "cost budget exceeded: account tool|double|life needs $0.000000002, "
            "has $0.000000001 (spent)")}
    assert (last["result"], world.keys) == (2, ["call-1"])
    assert len({event.id for event in world.broker.events}) == 3
    assert world.ledger.states == ["SETTLED"]


async def test_caller_by_http_is_refused_by_a_limit_that_pauses_and_may_ask_again(world):
    world = world(double)
    world.ledger.deny, world.ledger.limit = "spent", {
        "account": "tool|double|life", "unit": "calls", "policy": "pause"}
    job = Job.of(world.delivery({"number": 1}))
    with pytest.raises(OverBudget, match="call budget exceeded") as refused:
        await _invoked(world.bench, job)
    assert refused.value.extra == world.ledger.limit | {
        "need": 2, "have": 1, "reason": "spent"}
    world.ledger.deny = None

    assert (await _invoked(world.bench, job)).result == 2


@pytest.mark.parametrize("limit", [
    {"account": "task|t|life", "policy": "pause"},
    {"account": "tool|double|life", "policy": "deny"},
    {"account": "tool|double|life", "policy": "pause", "reason": "stopped"}],
    ids=["a task's own", "one that denies", "a stop"])
async def test_other_denials_are_the_models_to_know(world, limit):
    world = world(double)
    world.ledger.deny, world.ledger.limit = "spent", limit

    await deliver_to(world, world.delivery({"number": 1}))

    assert world.broker.outcomes[0]["error"]["code"] == "denied"


async def test_a_held_budget_leaves_the_call_to_a_later_delivery(world):
    world = world(double)
    world.ledger.deny = "held"
    with pytest.raises(Busy):
        await deliver_to(world, world.delivery({"number": 1}))
    world.ledger.deny = None

    await deliver_to(world, world.delivery({"number": 1}))

    assert world.broker.outcomes[0]["result"] == 2


@pytest.mark.parametrize(("arguments", "path"), [
    ({"number": "x"}, "number"), ({}, "number"), ({"number": 1, "more": 2}, "more")])
async def test_bad_arguments_are_told_with_their_path_and_run_nothing(world, arguments, path):
    world = world(double)

    await deliver_to(world, world.delivery(arguments))

    (outcome,) = world.broker.outcomes
    assert outcome["error"]["code"] == "invalid_arguments"
    assert path in outcome["error"]["message"]
    assert (world.keys, world.ledger.rows) == ([], {})


async def test_a_call_past_its_deadline_does_not_run(world):
    world = world(double)

    await deliver_to(world, world.delivery({"number": 1}, deadline_at=time.time() - 1))

    assert world.broker.outcomes[0]["error"]["code"] == "timeout"
    assert world.keys == []


async def test_another_major_version_does_not_run(world):
    world = world(double)

    await deliver_to(world, world.delivery({"number": 1}, version="2.0.0"))

    assert "1.0.0 is deployed" in world.broker.outcomes[0]["error"]["message"]


async def test_a_tools_own_error_is_data(world):
    def refuse() -> int:
        raise ToolError("no such file")

    world = world(refuse)
    await deliver_to(world, world.delivery({}))

    assert world.broker.outcomes[0]["error"] == {"code": "failed", "message": "no such file"}
    assert world.ledger.states == ["SETTLED"]


async def test_a_crash_is_data_without_its_text(world):
    def crash() -> int:
        raise RuntimeError("secret")

    world = world(crash)
    await deliver_to(world, world.delivery({}))

    message = world.broker.outcomes[0]["error"]["message"]
    assert "RuntimeError" in message
    assert "secret" not in message


async def test_a_hanging_tool_ends_at_its_timeout(world):
    release = threading.Event()

    def hang() -> int:
        release.wait(30)
        return 1

    world = world(hang, timeout_s=0.05)
    await deliver_to(world, world.delivery({}))
    release.set()

    assert world.broker.outcomes[0]["error"]["code"] == "timeout"


async def test_a_large_result_goes_by_claim_check(world):
    def talk() -> str:
        return "x" * 100_000

    world = world(talk)
    await deliver_to(world, world.delivery({}))

    (outcome,) = world.broker.outcomes
    assert outcome["result"] is None
    assert json.loads(await world.redis.get(outcome["result_ref"])) == "x" * 100_000


async def test_ten_megabytes_become_an_error_for_the_model(world):
    def flood() -> str:
        return "x" * 10_000_000

    world = world(flood)
    await deliver_to(world, world.delivery({}))

    assert world.broker.outcomes[0]["error"]["code"] == "too_large"


async def test_a_tool_gets_its_idempotency_key(world):
    async def tell(context: Context[None]) -> str:
        return context.idempotency_key

    world = world(tell)
    await deliver_to(world, world.delivery({}, call_id="the-key"))

    assert world.broker.outcomes[0]["result"] == "the-key"


@pytest.mark.parametrize("point", [
    "tool_after_claim", "tool_after_reserve", "tool_after_start", "tool_after_run",
    "tool_after_store", "tool_after_settle", "tool_before_publish", "tool_after_publish"])
async def test_killed_anywhere_an_idempotent_call_still_ends_once(world, monkeypatch, point):
    world = world(double)
    await die_at(world, world.delivery({"number": 4}), monkeypatch, point)

    await deliver_to(world, world.delivery({"number": 4}))

    assert {o["result"] for o in world.broker.outcomes} == {8}
    assert len({event.id for event in world.broker.events}) == 1
    assert set(world.ledger.states) <= {"SETTLED", "FORFEITED"}
    assert world.ledger.states.count("SETTLED") == 1


@pytest.mark.parametrize("point", ["tool_after_start", "tool_after_run"])
async def test_a_run_with_unknown_outcome_is_not_repeated_unless_idempotent(
        world, monkeypatch, point):
    world = world(double, idempotent=False)
    await die_at(world, world.delivery({"number": 4}), monkeypatch, point)
    ran = list(world.keys)

    await deliver_to(world, world.delivery({"number": 4}))

    assert world.broker.outcomes[0]["error"]["code"] == "unknown_outcome"
    assert world.keys == ran
    assert world.ledger.states == ["FORFEITED"]


async def test_a_call_that_died_before_its_run_began_runs_even_if_not_idempotent(
        world, monkeypatch):
    world = world(double, idempotent=False)
    await die_at(world, world.delivery({"number": 4}), monkeypatch, "tool_after_reserve")

    await deliver_to(world, world.delivery({"number": 4}))

    assert world.broker.outcomes[0]["result"] == 8
    assert sorted(world.ledger.states) == ["FORFEITED", "SETTLED"]


async def test_a_run_whose_cost_cannot_be_settled_has_told_the_agent_already(world, monkeypatch):
    world = world(double)

    async def away(*_, **__):
        raise Transient("the ledger is away")

    with monkeypatch.context() as patch:
        patch.setattr(world.ledger, "settle", away)
        with pytest.raises(Transient):
            await deliver_to(world, world.delivery({"number": 4}))
    assert [o["result"] for o in world.broker.outcomes] == [8]
    await deliver_to(world, world.delivery({"number": 4}))

    assert world.keys == ["call-1"]
    assert world.ledger.states == ["SETTLED"]


async def test_a_tool_that_always_dies_is_given_up_after_three_runs(world, monkeypatch):
    world = world(double)
    for _ in range(3):
        await die_at(world, world.delivery({"number": 4}), monkeypatch, "tool_after_start")

    await deliver_to(world, world.delivery({"number": 4}))

    assert "died in 3 runs" in world.broker.outcomes[0]["error"]["message"]
    assert world.ledger.states == ["FORFEITED"] * 3


async def test_a_lost_reservation_is_posted(world, monkeypatch):
    world = world(double)
    await die_at(world, world.delivery({"number": 4}), monkeypatch, "tool_after_store")
    world.ledger.rows.clear()

    await deliver_to(world, world.delivery({"number": 4}))

    assert len(world.ledger.posted) == 1


async def test_the_dead_letters_decision_keeps_a_stored_outcome(world):
    world = world(double)
    await deliver_to(world, world.delivery({"number": 4}))

    outcome, is_new = await world.bench.calls.decide(
        world.tenant, "call-1", not_begun="{}", begun="{}")

    assert (json.loads(outcome)["result"], is_new) == (8, False)


async def test_after_a_decision_no_delivery_runs_the_tool(world):
    world = world(double)
    stored = {"call_id": "call-1", "tool": "tools", "version": "1.0.0",
              "error": {"code": "dead_letter", "message": "gone"}}

    outcome, is_new = await world.bench.calls.decide(
        world.tenant, "call-1", not_begun=json.dumps(stored), begun="{}")
    await deliver_to(world, world.delivery({"number": 4}))

    assert is_new
    assert json.loads(outcome) == stored
    assert world.keys == []
    assert world.broker.outcomes[0]["error"]["code"] == "dead_letter"
