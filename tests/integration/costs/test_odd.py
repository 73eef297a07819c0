"""Whatever is asked, and whatever comes as an event, costs has an answer for it."""

import copy
import json
import random
from dataclasses import replace
from urllib.parse import quote, urlencode

import pytest

from eventing.event import JSON, Event
from eventing.http import encode_binary
from eventing.types import TaskCompleted
from tests.seeds import SEED, times

pytestmark = pytest.mark.anyio
MANY = times(400, 6000)

PATHS = ("/", "/spend", "/efficiency", "/trust", "/tasks/{}", "/csv/{}/{}", "/v1/costs",
         "/v1/costs/tasks/{}", "/v1/events", "/v1/denials", "/v1/gaps", "/v1/reconcile",
         "/v1/tasks", "/v1/unit-costs", "/v1/unattributed", "/v1/corrections", "/v1/now",
         "/v1/export/focus", "/v1/export/invoice", "/v1/trust", "/v1/trust/days",
         "/assets/{}/{}", "/{}", "/metrics")
NAMES = ("group_by", "from", "to", "tz", "tenant", "measures", "order", "limit", "agent", "tool",
         "model", "session", "task", "root", "outcome", "kind", "tag.team", "by", "all", "compare",
         "month", "format", "provider", "next", "reason")
ODD = ("", "0", "-1", "x", "*", "t-1", "s-1", "2026-11-20", "2026-11-21", "2026-11-20T10:30:00Z",
       "2026-W47-1", "20261120", "1970-01-01", "2200-01-01", "2026-11-20T10:00:00+14:00",
       "2026-11", "9999-12", "agent", "task", "session", "root", "hour", "day", "week", "tag.team",
       "tag.", "agent,task", "task,hour", "reason,scope", "UTC", "Asia/Kolkata", "../etc",
       "Pacific/Kiritimati", "\x00", "é", "٣", "1e5", "201", "csv", "parquet", "text", "denied",
       "-cost_nano", "-task", "cost_usd,denials", "a&b=c", "a" * 300, "%00", "{}", "now", "spend",
       "trust", "steps", "over-time", "null", "9" * 5000)
VALUES = (None, True, -1, 0, 1.5, 2**53, 10**30, "", "x", "é\u0000", "a" * 5000, "NaN", "1e9", [],
          {}, [[]], [{}], {"a": {}}, ["tenant|x|d|2026-13-45"], "2026-11-20T10:00:00Z",
          "2026-11-20T10:00:00", "0001-01-01T00:00:00Z")
TIMES = ("", "x", "1969-12-31T23:59:59Z", "2300-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00",
         "2026-11-20T10:00:00.123456789Z", "2026-11-20t10:00:00z", "2026-02-30T00:00:00Z")


def addresses(chance, count):
    for _ in range(count):
        path = chance.choice(PATHS)
        while "{}" in path:
            path = path.replace("{}", quote(chance.choice(ODD), safe=""), 1)
        asked = [(chance.choice(NAMES), chance.choice(ODD)) for _ in range(chance.randrange(4))]
        yield path + (f"?{urlencode(asked)}" if asked else "")


def spoiled(chance, event):
    """Return the event with one thing in its data, or its attributes, that is odd."""
    if chance.random() < 0.2:
        return chance.choice((
            event.extended(**{chance.choice([*event.extensions]): chance.choice(
                ("", "x", "-1", "9" * 400, "{}", "other"))}),
            replace(event, time=chance.choice(TIMES))))
    data = event.json()
    place = data
    while True:
        inner = [key for key, value in place.items() if isinstance(value, dict) and value]
        if not inner or chance.random() < 0.4:
            break
        place = place[chance.choice(inner)]
    place[chance.choice([*place])] = copy.deepcopy(chance.choice(VALUES))
    data_text = json.dumps(data).encode()
    return replace(event, data=data_text)


def events(ledger, n):
    at = f"2026-11-{10 + n % 12}T{n % 24:02}:30:00Z"
    result = {"task_id": f"t-{n % 5}", "status": "completed", "output": "", "steps_used": 1,
              "cost_usd": "0.001", "duration_ms": 5}
    end = Event(id=f"e-{n}", source="/researcher", type=TaskCompleted.TYPE, subject=f"t-{n % 5}",
                time=at, datacontenttype=JSON, data=json.dumps(
                    {"result": result}).encode(),
                extensions={"tenantid": ledger.tenant, "agent": "researcher"})
    return [ledger.attributed(f"r-{n}", task=f"t-{n % 5}", at=at),
            ledger.attributed(f"t-{n}", tool="calculator", at=at), ledger.denied(f"r-{n}"),
            ledger.adjusted(f"r-{n}", delta=-3), ledger.threshold(f"h-{n}"), end]


async def delivered(http, event):
    headers, body = encode_binary(event)
    return (await http.post("/", headers=headers, content=body)).status_code


async def test_no_question_is_an_unexpected_failure(http, ledger):
    chance = random.Random(SEED)
    for n in range(3):
        for event in events(ledger, n)[:-1]:
            assert await delivered(http, event) == 204

    answers = {path: (await http.get(path)).status_code for path in addresses(chance, MANY)}

    wrong = {path: status for path, status in answers.items() if status == 500}
    assert wrong == {}, f"seed {SEED}"
    assert {200, 404, 422} <= set(answers.values())
    assert (await http.get("/csv/task/steps")).status_code == 404


async def test_no_event_is_an_unexpected_failure_now_or_later(http, ledger):
    chance, taken = random.Random(SEED), []
    for n in range(MANY // 6):
        for event in events(ledger, n):
            odd = spoiled(chance, event)
            taken.append((await delivered(http, odd), odd))

    assert [odd for status, odd in taken if status >= 500] == [], f"seed {SEED}"
    assert {status for status, _ in taken} >= {204, 400, 422}
    span = "from=2026-11-01&to=2026-11-30"
    for path in ("/", f"/spend?{span}", f"/efficiency?{span}", f"/trust?{span}", "/tasks/t-1",
                 f"/spend?by=task&{span}", f"/v1/events?{span}", "/v1/events?task=t-1",
                 "/v1/costs/tasks/t-1", "/v1/denials", "/v1/corrections", "/v1/unit-costs",
                 "/v1/export/focus?month=2026-11", "/v1/export/invoice?month=2026-11",
                 f"/v1/trust?{span}", f"/v1/reconcile?{span}", "/metrics"):
        assert (await http.get(path)).status_code == 200, (path, f"seed {SEED}")
