"""The ledger's invariants, under whatever sequence of calls Hypothesis finds (I1–I19, liveness).

`test_any_sequence…` compares the ledger with a pure reference. The mutation check takes one guard
after the other out of the scripts: the same comparison must then fail on a short story.
"""

import asyncio
import shutil

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from functions.ledger.store import LUA, scripts
from shared.errors import TollgateError
from shared.store import connect
from tests.integration.ledger.machine import LedgerMachine, World
from tests.integration.ledger.reference import Spec
from tests.seeds import IS_LONG, times

PATIENCE_S = 60.0
"""What is late on a loaded machine is no fault of the ledger's; outages are tried elsewhere."""

QUICK = settings(deadline=None, database=None, derandomize=not IS_LONG, stateful_step_count=30,
                 suppress_health_check=list(HealthCheck))


@pytest.fixture
def world(redis_url):
    with asyncio.Runner() as runner:
        redis = connect(redis_url, PATIENCE_S)
        yield World(redis, runner.run)
        runner.run(redis.aclose())


def run(world, **options):
    machine = type("Run", (LedgerMachine,), {"world": world})
    run_state_machine_as_test(machine, settings=settings(QUICK, **options))


def test_any_sequence_of_calls_leaves_balances_and_events_as_the_reference_says(world):
    run(world, max_examples=times(30, 400), phases=(Phase.generate, Phase.shrink))


MUTATIONS = {
    "pending guard": ("finish", "if state ~= 'PENDING' then", "if false then"),
    "fingerprint of a call": (
        "reserve", "if row[2] ~= ARGV[5] then return {'CONFLICT'} end", ""),
    "fingerprint of a settlement": ("finish", "if row[11] then return {'CONFLICT'} end", ""),
    "validate, then apply": (
        "reserve", "  ttls[i], found[i] = ttl, have\n",
        "  ttls[i], found[i] = ttl, have\n"
        "  call('HINCRBY', key, 'usd.res', ARGV[8])\n"),
    "removal of the lease": ("finish", "call('ZREM', KEYS[3], id)", ""),
    "one permission": ("reserve", "if ARGV[13] == '1' and sent == '0' then",
                       "if ARGV[13] == '1' then"),
    "order of holders": ("finish", "if how == 'resolve' and holder < by", "if false"),
    "end of the lease": ("finish", "if how == 'sweep' and now < tonumber(row[4])", "if false"),
    "version of the limits": ("reserve", "if version ~= ARGV[1] or", "if"),
    "threshold once": ("preamble", "call('HSETNX', key, mark, now) == 1", "true"),
    "gapless numbers": ("finish", "(numbers[2] or 0) + 1\nif late",
                        "(numbers[2] or 0) + 2\nif late"),
    "correction once": ("adjust", "if row[6] then", "if false then"),
    "charge once": ("post", "if row[1] then", "if false then"),
    "open holds count": ("reserve", "local left = cap - (have[2 * u - 1] or 0)",
                         "local left = cap"),
}


def story(machine):
    """Come by every guard once; the machine compares each answer with the reference's."""
    call, other = Spec("a", ("child", "root"), 10, 10), Spec("a", ("root",), 100, 0)
    plain = {"dispatch": False, "ticket": "", "other": True}
    yield machine.reserve(0, "r0", call, 1, **plain)
    yield machine.reserve(1, "r0", other, 1, **plain)
    yield machine.dispatch(0, "r0", 1, "x")
    yield machine.reserve(0, "r0", call, 1, dispatch=True, ticket="y", other=True)
    yield machine.sweep(0, "r0", is_over=False)
    yield machine.settle(0, "r0", (5, 5))
    yield machine.settle(1, "r0", (10, 10))
    yield machine.settle(1, "r0", (5, 5))
    yield machine.end(0, "r0", 1, "resolve")
    yield machine.adjust(0, "r0", "k1", 2)
    yield machine.adjust(1, "r0", "k1", 2)
    yield machine.post(0, "p", call, (5, 5), other=True)
    yield machine.post(1, "p", call, (5, 5), other=True)
    yield machine.reserve(1, "r1", call, 2, **plain)
    yield machine.end(0, "r1", 1, "resolve")
    yield machine.budget(0, "tenant", "usd", 20_000, hard=True)
    yield machine.reserve(1, "r2", other, 1, **plain)
    yield machine.budget(0, "tenant", "usd", 40_000, hard=False)
    yield machine.reserve(0, "r3", call, 1, **plain)
    yield machine.reserve(0, "r4", call, 1, **plain)
    yield machine.end(0, "r4", 1, "void")


def told(world):
    """Go through the story, with an audit after every sentence."""
    machine = type("Run", (LedgerMachine,), {"world": world})()
    for _ in story(machine):
        machine.audit()


def test_story_is_true_of_the_ledger_as_it_is(world):
    told(world)


@pytest.mark.parametrize("guard", MUTATIONS)
def test_ledger_without_a_guard_is_caught(world, guard, tmp_path):
    name, text, instead = MUTATIONS[guard]
    whole = (LUA / f"{name}.lua").read_text()
    assert whole.count(text) == 1, f"{name}.lua has no {text!r} any more: name its guard anew"
    shutil.copytree(LUA, tmp_path / "lua")
    (tmp_path / "lua" / f"{name}.lua").write_text(whole.replace(text, instead))
    world.mutation = lambda store: store.scripts.update(scripts(tmp_path / "lua"))

    with pytest.raises((AssertionError, TollgateError, TypeError)):
        told(world)
