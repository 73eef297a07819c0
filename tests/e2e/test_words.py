"""What people ask, and what models and tools answer, stays with the task."""

from pathlib import Path

import pytest

from functions.ledger.packing import unpack
from tests.system import System

pytestmark = pytest.mark.anyio
RESULT = "271828815484"
"""What a tool answered in the script beside this file."""

WORDS = ("WORD", RESULT)
PLACES = ("/v1/events?from=2000-01-01&to=2100-01-01", "/v1/costs?group_by=task,tool,outcome",
          "/v1/tasks", "/v1/denials", "/v1/corrections", "/v1/now", "/v1/reconcile", "/metrics",
          "/", "/spend", "/efficiency", "/trust", "/csv/spend/by-agent")


@pytest.fixture(scope="module")
async def system(anyio_backend, tmp_path_factory):
    script = Path(__file__).parent / "words.yaml"
    async with System(tmp_path_factory.mktemp("system"), script=script) as running:
        yield running


def spoken(text):
    """Return the words that a text quotes, each with what stands around it."""
    found = [text.find(word) for word in WORDS]
    return [text[max(at - 80, 0):at + 40] for at in found if at >= 0]


async def stored(redis, pattern):
    """Return everything that keys hold as one text; what the ledger packed is unpacked."""
    found = []
    async for key in redis.scan_iter(pattern, count=1000):
        match await redis.type(key):
            case "hash":
                fields = await redis.hgetall(key)
                found += [key, *fields, *fields.values()]
                if "call" in fields:
                    tenant, _, row = key.removeprefix("lg:{").partition("}:r:")
                    found.append(str(unpack(fields["call"], tenant, row)))
            case "stream":
                found.append(str(await redis.xrange(key)))
            case "string":
                found.append(await redis.get(key))
    return "\n".join(found)


async def test_no_prompt_or_answer_is_in_an_event_a_log_line_or_a_store_of_costs(system):
    tenant = system.tenant()
    task = await tenant.ran("WORD-prompt: say it")
    assert task["result"]["output"] == f"WORD-answer {RESULT}"
    assert task["result"]["tool_calls"] == 4
    summary, _ = await tenant.books()
    assert summary["terminal"] >= 4

    said = {"of the task": await stored(system.redis, f"tk:{{{tenant.name}}}:*"),
            "of the ledger": await stored(system.redis, f"lg:{{{tenant.name}}}:*"),
            "events": (await tenant.ask("GET", "/v1/events", at="ledger")).text,
            "page of the task": (await tenant.ask("GET", f"/tasks/{task['id']}", at="costs")).text,
            "focus": (await tenant.ask("GET", f"/v1/export/focus?month={month(task)}",
                                       at="costs")).text}
    for place in PLACES:
        answer = await tenant.ask("GET", place, at="costs")
        assert answer.status_code == 200, (place, answer.text)
        said[place] = answer.text
    for log in (system.folder / "data" / "logs").glob("*.log"):
        said[log.name] = log.read_text(errors="replace")

    assert len(spoken(said.pop("of the task"))) == len(WORDS)
    assert "ZeroDivisionError" in said["raiser.log"]
    assert all(len(text) > 0 for name, text in said.items() if not name.endswith(".log"))
    assert {name: found for name, text in said.items() if (found := spoken(text))} == {}


def month(task):
    return task["created_at"][:7]
