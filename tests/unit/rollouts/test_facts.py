"""Which events count for a rollout, for which revision, and when a task's cost is whole."""

import json

from eventing.event import Event
from eventing.http import decode
from functions.rollouts.facts import arms, fact_of
from shared.rollouts.plan import Phase, Rollout
from tests.unit.eventing.test_types import EXAMPLES, STRUCTURED

OLD, NEW = "researcher-00001", "researcher-00002"
NOW = 1_800_000_000.0
PLAN = Rollout(id="r1", phase=Phase.RUNNING, stable=OLD, candidate=NEW, percent=10,
               created_at=0.0, started_at=1.0)


def attributed(task="t1", call="c1", nano=100, revision=NEW, **changes):
    event = decode(STRUCTURED, (EXAMPLES / "dev.tollgate.ledger.attributed.v1.json").read_bytes())
    data = event.json()
    data["invocation"] |= {"id": call, "revision": revision, "cold_start": False}
    data["dims"] |= {"task": task, "root": task}
    data["cost"] |= {"total_nano": nano}
    for path, value in changes.items():
        part, _, name = path.partition("__")
        data[part] = data[part] | {name: value} if name else value
    return changed(event, data)


def of_tool(call="c1", **changes):
    return attributed(call=call, model=None, tool={"name": "reader", "version": "1.0.0"},
                      **{"invocation__kind": "tool", **changes})


def ended(task="t1", revision=NEW, **result):
    event = decode(STRUCTURED, (EXAMPLES / "dev.tollgate.task.completed.v1.json").read_bytes())
    data = event.json()
    data["result"] |= {"task_id": task, "cost_usd": "0.0000001", **result}
    return changed(event, data).extended(revision=revision)


def changed(event, data):
    return Event(id=event.id, source=event.source, type=event.type, time=event.time,
                 data=json.dumps(data).encode(), extensions=event.extensions)


def known(*events, function="researcher", now=NOW, plan=PLAN):
    facts = (fact_of(event, function, plan, now) for event in events)
    return dict(fact for fact in facts if fact)


def of(facts, now=NOW):
    found = arms(facts, PLAN, now)
    return [(s.cost_nano, s.succeeded) for s in found.stable], [
        (s.cost_nano, s.succeeded) for s in found.candidate]


def test_task_counts_for_its_revision_with_all_its_calls():
    facts = known(attributed(nano=60), attributed(call="c2", nano=40), ended())

    assert of(facts) == ([], [(100, True)])


def test_tools_and_sub_tasks_are_part_of_the_tasks_cost():
    sub = attributed(task="child", call="c3", nano=30, revision="writer-00009",
                     dims__agent="writer")
    sub = changed(sub, sub.json() | {"dims": sub.json()["dims"] | {"root": "t1"}})

    facts = known(attributed(nano=70), of_tool("c2", cost__total_nano=5), sub, ended())

    assert of(facts) == ([], [(105, True)])


def test_redelivered_event_is_the_same_fact():
    assert known(attributed(), attributed(), ended(), ended()) == known(attributed(), ended())


def test_partial_and_failed_tasks_are_failures_and_cancelled_ones_nothing():
    facts = known(*(e for n, result in enumerate((
        {"status": "failed"}, {"status": "completed", "error": "max steps reached"},
        {"status": "cancelled"})) for e in (attributed(task=f"t{n}"), ended(f"t{n}", **result))))

    assert of(facts)[1] == [(100, False), (100, False)]


def test_task_that_two_revisions_worked_on_counts_for_neither():
    assert of(known(attributed(revision=OLD), attributed(call="c2"), ended())) == ([], [])


def test_task_waits_for_its_attribution_events_for_a_minute():
    facts = known(ended(cost_usd="0.000001"))

    assert of(facts, NOW + 59) == ([], [])
    assert of(facts, NOW + 60) == ([], [(0, True)])


def test_what_began_before_the_split_says_nothing():
    later = PLAN.but(started_at=NOW + 10**6)

    assert known(ended(), plan=later) == {}
    assert known(of_tool(), function="reader", plan=later) == {}


def test_other_functions_tasks_and_processes_without_a_revision_say_nothing():
    assert known(ended(revision=None)) == {}
    assert known(ended().extended(agent="writer")) == {}
    assert known(attributed(dims__agent="writer")) == {}


def test_cold_start_says_nothing_of_the_duration():
    facts = known(attributed(invocation__cold_start=True), ended())

    (sample,) = arms(facts, PLAN, NOW).candidate
    assert sample.duration_s is None


def test_tools_are_judged_by_run():
    events = [of_tool(f"c{n}", invocation__revision=r, cost__total_nano=7, **more)
              for n, (r, more) in enumerate([
                  (OLD, {}), (NEW, {"result__error_type": "timeout"}),
                  (NEW, {"outcome": "forfeited"}), (NEW, {"outcome": "voided"})])]

    assert of(known(*events, function="reader")) == ([(7, True)], [(7, False), (7, False)])


def test_correction_changes_the_cost_of_the_task_it_belongs_to():
    event = decode(STRUCTURED, (EXAMPLES / "dev.tollgate.ledger.adjusted.v1.json").read_bytes())
    data = event.json()
    data["dims"] |= {"agent": "researcher", "task": "t1", "root": "t1"}
    adjusted = changed(event, data | {"delta_nano": 25, "n": 1})

    assert of(known(attributed(), adjusted, adjusted, ended()))[1] == [(125, True)]
