"""The function with a real Redis: events in, traffic and events out."""

from uuid import uuid4

import pytest

from functions.rollouts.cluster import Services, client
from functions.rollouts.rounds import Rounds
from functions.rollouts.samples import Samples
from shared.errors import Transient
from shared.rollouts import moves
from shared.rollouts.plan import Bounds, Phase, Rollout
from shared.store import connect
from tests.unit.rollouts.test_facts import attributed, ended

pytestmark = pytest.mark.anyio
OLD, NEW = "researcher-00001", "researcher-00002"
START = 1_700_000_000.0


class World:
    """One rollout that runs, a clock, and what was published."""

    def __init__(self, api, services, redis, **bounds):
        self.api, self.now, self.published, self.is_broker_away = api, START, [], False
        api.create("researcher")
        api.patch("researcher", {"spec": {"template": {"spec": {"containers": [{"image": "b"}]}}}})
        plan = Rollout(id=uuid4().hex, phase=Phase.STARTING, stable=OLD, candidate=NEW,
                       percent=10, created_at=START, bounds=Bounds(**bounds))
        api.patch("researcher", moves.split(api.get("researcher"), plan, START))
        self.samples = Samples(redis)
        self.rounds = Rounds(services, self.samples, publisher=self, clock=lambda: self.now)

    async def publish(self, event):
        if self.is_broker_away:
            raise Transient("away")
        self.published.append(event)

    async def tasks(self, revision, number, *, nano=100, **result):
        for n in range(number):
            task = f"{revision}-{n}-{nano}"
            for event in (attributed(task, f"c-{task}", nano + n % 5, revision),
                          ended(task, revision, **result)):
                await self.rounds.receive(event)

    @property
    def rollout(self):
        return Rollout.of(self.api.get("researcher"))

    @property
    def traffic(self):
        return {t["revisionName"]: t["percent"]
                for t in self.api.get("researcher")["spec"]["traffic"] if "revisionName" in t}

    @property
    def told(self):
        return [e.type.split(".")[3] for e in self.published]


@pytest.fixture
async def world(api, credentials, redis_url):
    redis = connect(redis_url)
    async with client(credentials) as http:
        services = Services(api.url, credentials, http)
        yield lambda **bounds: World(api, services, redis, **bounds)
    await redis.aclose()


async def test_dearer_candidate_is_taken_out_between_rounds_with_the_reason_as_an_event(world):
    world = world(min_samples=20)
    await world.tasks(OLD, 40)
    world.now += 60

    await world.tasks(NEW, 20, nano=250)
    await world.rounds.go()

    assert world.traffic == {OLD: 100}
    assert world.rollout.phase is Phase.ABORTED
    assert world.told == ["started", "aborted"]
    data = world.published[-1].json()
    assert data["verdict"] == "fail"
    assert data["reason"].startswith("fail: cost per success ×2.4")
    assert (data["figures"]["stable"]["samples"], data["figures"]["candidate"]["samples"]) == (
        40, 20)


async def test_redelivered_events_count_once(world):
    world = world(min_samples=20)
    for _ in range(3):
        await world.tasks(OLD, 5)

    await world.rounds.go()

    assert world.rollout.figures.stable.samples == 5


async def test_good_candidate_waits_for_somebody_to_promote_it(world):
    world = world(min_samples=20)
    await world.tasks(OLD, 30)
    await world.tasks(NEW, 20)
    world.now += 8000

    await world.rounds.go()

    assert (world.rollout.phase, world.rollout.verdict) == (Phase.RUNNING, "pass")
    assert world.traffic == {OLD: 90, NEW: 10}


async def test_good_candidate_is_promoted_if_that_was_asked_for(world):
    world = world(min_samples=20, auto_promote=True)
    await world.tasks(OLD, 30)
    await world.tasks(NEW, 20)
    world.now += 8000

    await world.rounds.go()

    assert world.rollout.phase is Phase.PROMOTED
    assert world.api.get("researcher")["spec"]["traffic"][0] == {
        "latestRevision": True, "percent": 100}
    assert world.told == ["started", "promoted"]


@pytest.mark.parametrize(("then", "phase"), [("abort", Phase.ABORTED), ("hold", Phase.RUNNING)])
async def test_time_without_samples_ends_insufficient(world, then, phase):
    world = world(if_insufficient=then)
    await world.tasks(OLD, 3)
    world.now += 8000

    await world.rounds.go()

    assert (world.rollout.phase, world.rollout.verdict) == (phase, "insufficient")


async def test_phase_is_told_until_the_broker_has_it_and_then_never_again(world):
    world = world()
    world.is_broker_away = True
    assert await world.rounds.go() == {"put_off": 1}
    world.is_broker_away = False

    for _ in range(3):
        await world.rounds.go()

    assert world.told == ["started"]


async def test_what_people_do_is_told_too(world):
    world = world()
    now = world.api.get("researcher")
    world.api.patch("researcher", moves.aborted(now, Rollout.of(now), "a hunch"))

    await world.rounds.go()

    assert [e.json()["reason"] for e in world.published] == ["a hunch"]


async def test_ended_rollout_counts_nothing_more(world):
    world = world()
    now = world.api.get("researcher")
    world.api.patch("researcher", moves.aborted(now, Rollout.of(now), "a hunch"))

    await world.tasks(NEW, 3)

    assert await world.samples.known(world.rollout.id) == {}


async def test_foreign_annotation_keeps_no_other_rollout_waiting(world):
    world = world()
    world.api.create("notify")
    world.api.patch("notify", {"metadata": {"annotations": {"tollgate.dev/rollout": "canary"}}})

    assert await world.rounds.go() == {"running": 1}


async def test_facts_are_bounded_and_go_by_themselves(world, monkeypatch):
    monkeypatch.setattr("functions.rollouts.samples.ROLLOUT_FIELDS_MAX", 3)
    world = world()

    await world.tasks(OLD, 5)

    rollout = world.rollout.id
    assert len(await world.samples.known(rollout)) == 3
    assert await world.samples._redis.ttl(f"ro:{{{rollout}}}:facts") > 7 * 86400


async def test_api_server_that_is_away_makes_the_broker_try_again(world):
    world = world()
    world.api.stop()

    with pytest.raises(Transient):
        await world.rounds.receive(attributed())
    world.api.start()
