"""Bad input gets a clear error and loses nothing."""

import json

import pytest

from tests.system import until

pytestmark = pytest.mark.anyio

TASK = {"agent": "prober", "prompt": "plain", "token_budget": 32768}
EVENT = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/outside", "ce-type": "com.shop.sold"}
STRUCTURED = "application/cloudevents+json"
MEBIBYTE = 1024 * 1024


def assert_problem(answer, status, *words):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    for word in words:
        assert word in json.dumps(problem)
    return problem


MALFORMED = {
    "no source": ({k: v for k, v in EVENT.items() if k != "ce-source"}, b"{}"),
    "wrong version": (EVENT | {"ce-specversion": "9.0"}, b"{}"),
    "structured garbage": ({"content-type": STRUCTURED}, b"{not json"),
    "structured without id": ({"content-type": STRUCTURED},
                              b'{"specversion": "1.0", "source": "/x", "type": "y"}'),
    "bad extension name": (EVENT | {"ce-bad_name": "x"}, b"{}"),
}


@pytest.mark.parametrize("case", MALFORMED)
async def test_a_malformed_event_is_refused_at_the_gateway(system, tenant, case):
    headers, body = MALFORMED[case]
    mark = system.mark()

    answer = await tenant.ask("POST", "/events", headers=headers, content=body)

    assert_problem(answer, 400)
    assert not system.records("event", mark)


@pytest.mark.parametrize("case", MALFORMED)
async def test_a_malformed_event_is_refused_at_the_ingress(system, case):
    headers, body = MALFORMED[case]
    mark = system.mark()

    answer = await system.http.post(system.addresses["broker"], headers=headers, content=body)

    assert answer.status_code == 400
    assert not system.records("event", mark)


BATCH = json.dumps([{"specversion": "1.0", "id": "1", "source": "/x", "type": "y"}]).encode()


async def test_a_batch_is_refused(system, tenant):
    headers = {"content-type": "application/cloudevents-batch+json"}

    at_gateway = await tenant.ask("POST", "/events", headers=headers, content=BATCH)
    at_ingress = await system.http.post(
        system.addresses["broker"], headers=headers, content=BATCH)

    assert_problem(at_gateway, 400, "batch")
    assert at_ingress.status_code == 400


async def test_an_oversized_event_is_refused(system, tenant):
    body = b'"' + b"x" * MEBIBYTE + b'"'
    headers = EVENT | {"content-type": "application/json"}

    at_gateway = await tenant.ask("POST", "/events", headers=headers, content=body)
    at_ingress = await system.http.post(
        system.addresses["broker"], headers=headers, content=body)

    assert_problem(at_gateway, 413, str(MEBIBYTE - 1))
    assert at_ingress.status_code == 503  # as a Kafka-class ingress says it


async def test_an_oversized_request_is_refused(tenant):
    answer = await tenant.ask("POST", "/tasks", json=TASK | {"prompt": "x" * 2 * MEBIBYTE})

    assert_problem(answer, 413, str(MEBIBYTE))


async def test_an_event_that_nobody_takes_becomes_a_dead_letter(system, tenant):
    answer = await tenant.ask("POST", "/events", json={"n": 1}, headers=EVENT)
    assert answer.status_code == 202

    letters = await until(lambda: unrouted(tenant))

    assert (letters[0]["type"], letters[0]["cause"]) == (
        "com.shop.sold", "no Trigger takes events of this type")


async def unrouted(tenant):
    return [x for x in await tenant.letters() if x["destination"] == "nobody"]


async def test_events_of_our_own_types_come_from_us_only(tenant):
    headers = EVENT | {"ce-type": "dev.tollgate.task.completed.v1"}

    assert_problem(await tenant.ask("POST", "/events", json={}, headers=headers), 403)


@pytest.mark.parametrize("path", ["/tasks", "/run"])
async def test_an_unknown_agent_is_named_with_those_that_are_known(tenant, path):
    answer = await tenant.ask("POST", path, json=TASK | {"agent": "nobody"})

    problem = assert_problem(answer, 404, "nobody")
    assert {"prober", "researcher"} <= set(problem["agents"])


@pytest.mark.parametrize(("fields", "where"), [
    ({"max_steps": 0}, "max_steps"), ({"max_steps": 26}, "max_steps"),
    ({"token_budget": 511}, "token_budget"), ({"token_budget": 32769}, "token_budget"),
    ({"deadline_s": 0}, "deadline_s"), ({"cost_budget_usd": -1}, "cost_budget_usd"),
    ({"prompt": ""}, "prompt"), ({"colour": "red"}, "colour"), ({"prompt": None}, "prompt"),
    ({"capability_limits": {"max_iterations": 26}}, "capability_limits.max_iterations"),
    ({"capability_limits": {"speed": 1}}, "capability_limits.speed"),
    ({"metadata": {"k": "x" * 129}}, "metadata.k"), ({"id": "not an id"}, "id"),
], ids=str)
async def test_a_field_out_of_range_is_named_with_its_path(tenant, fields, where):
    answer = await tenant.ask("POST", "/tasks", json=TASK | fields)

    assert_problem(answer, 422, where)
    assert (await tenant.got("/tasks"))["tasks"] == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"'])
async def test_a_body_that_is_no_object_is_refused(tenant, body):
    answer = await tenant.ask("POST", "/tasks", content=body)

    assert answer.status_code in (400, 422)
    assert_problem(answer, answer.status_code)


async def test_a_missing_wrong_or_weak_credential_is_refused(system, tenant):
    nobody = await system.http.post(system.addresses["gateway"] + "/tasks", json=TASK)
    wrong = await tenant.ask("POST", "/tasks", json=TASK, headers={"authorization": "Bearer x"})
    weak = await system.tenant("events").ask("POST", "/tasks", json=TASK)

    assert_problem(nobody, 401)
    assert_problem(wrong, 401)
    assert_problem(weak, 403, "tasks")


async def test_unknown_paths_and_methods_are_told_apart(tenant):
    assert_problem(await tenant.ask("GET", "/nowhere"), 404)
    assert (await tenant.ask("PUT", "/tasks")).status_code == 405
    assert_problem(await tenant.ask("GET", "/tasks/unknown"), 404)
