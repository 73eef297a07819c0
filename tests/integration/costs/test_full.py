"""A Redis without room for another byte: what is there is still told, what comes waits."""

import pytest

from eventing.http import encode_binary
from functions.costs.questions.question import ask
from functions.costs.questions.report import grouped
from functions.costs.store.store import CostStore
from functions.costs.sums.kept import TRIES_MAX, KeptSums
from shared.errors import Transient

pytestmark = pytest.mark.anyio
QUESTIONS = ("/v1/costs?group_by=agent,tool,hour&from=2026-11-01&to=2026-11-30",
             "/v1/costs?group_by=task", "/v1/costs?group_by=day&tz=Asia/Tokyo", "/v1/unit-costs",
             "/v1/tasks", "/v1/costs/tasks/t-1", "/v1/events?task=t-1", "/v1/denials",
             "/v1/gaps", "/v1/unattributed", "/v1/export/focus?month=2026-11",
             "/v1/export/invoice?month=2026-11", "/", "/spend", "/efficiency", "/trust",
             "/tasks/t-1", "/metrics")


@pytest.fixture
async def fill(redis):
    async def change(is_full):
        await redis.config_set("maxmemory", int(is_full))

    yield change
    await change(is_full=False)


async def delivered(http, event):
    headers, body = encode_binary(event)
    return await http.post("/", headers=headers, content=body)


async def test_full_redis_answers_every_question_and_loses_no_event(http, ledger, fill):
    first, second = ledger.attributed("r-1", cost=10), ledger.attributed("r-2", cost=5)
    assert (await delivered(http, first)).status_code == 204

    await fill(is_full=True)
    answers = {path: (await http.get(path)).status_code for path in QUESTIONS}
    refused = await delivered(http, second)
    during = (await http.get("/v1/costs")).json()["total_nano"]
    await fill(is_full=False)
    again = await delivered(http, second)

    assert answers == dict.fromkeys(QUESTIONS, 200)
    assert (refused.status_code, again.status_code) == (503, 204)
    assert "OOM" in refused.text or "maxmemory" in refused.text
    assert during == 10
    assert (await http.get("/v1/costs")).json()["total_nano"] == 15
    assert (await http.get("/v1/gaps")).json()["gapless"]


class Torn:
    """A client between whose answers something happens, the first times."""

    def __init__(self, redis, happens, times):
        self._redis, self._happens, self._left = redis, happens, times

    def __getattr__(self, name):
        return getattr(self._redis, name)

    def pipeline(self, **_):
        return TornPipe(self)

    async def between(self):
        if self._left:
            self._left -= 1
            await self._happens()


class TornPipe:
    def __init__(self, torn):
        self._torn, self._asked = torn, []

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    def execute_command(self, *command):
        self._asked.append(command)

    async def execute(self):
        answers = []
        for n, command in enumerate(self._asked):
            if n == len(self._asked) // 2:
                await self._torn.between()
            answers.append(await self._torn.execute_command(*command))
        return answers


@pytest.mark.parametrize("times", [1, TRIES_MAX - 1, TRIES_MAX])
async def test_sums_are_of_one_moment_whatever_is_stored_meanwhile(store, ledger, redis, times):
    async def happens():
        n = ledger.seq
        await store.store(ledger.attributed(f"r-{n}", cost=7, at=f"2026-11-20T{n % 24:02}:30:00Z"))

    await happens()
    question = ask({"group_by": "day", "tz": "Asia/Tokyo"})
    torn = KeptSums(Torn(redis, happens, times))
    days = await store.days(ledger.tenant)

    if times == TRIES_MAX:
        with pytest.raises(Transient, match="ask again"):
            await torn.rows(ledger.tenant, question, days)
        return
    rows, _ = await torn.rows(ledger.tenant, question, days)
    exact = await CostStore(redis).rows(ledger.tenant, question)
    assert grouped(question, rows) == grouped(question, exact)
