"""What people ask, and what models and tools answer, stays with the task."""

import io
from pathlib import Path

import pyarrow.parquet
import pytest

from functions.costs.archive.archive import Archive, move_due
from functions.costs.archive.objects import Bucket
from functions.costs.store.store import CostStore
from functions.ledger.packing import unpack
from tests.storage import CREDENTIALS, Storage
from tests.system import System

pytestmark = pytest.mark.anyio
RESULT = "271828815484"
"""What a tool answered in the script beside this file."""

WORDS = ("WORD", RESULT)
PLACES = ("/v1/events?from=2000-01-01&to=2100-01-01", "/v1/costs?group_by=task,tool,outcome",
          "/v1/tasks", "/v1/denials", "/v1/corrections", "/v1/now", "/v1/reconcile", "/metrics",
          "/", "/spend", "/efficiency", "/trust", "/csv/spend/by-agent")


@pytest.fixture(scope="module")
def storage():
    with pytest.MonkeyPatch.context() as patch, Storage("127.0.0.1") as running:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        yield running


@pytest.fixture(scope="module")
async def system(anyio_backend, tmp_path_factory, storage):
    script = Path(__file__).parent / "words.yaml"
    async with System(tmp_path_factory.mktemp("system"), script=script,
                      env=storage.settings | CREDENTIALS) as running:
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


async def archived(system, storage, tenant):
    """Move all of a tenant's events to the archive; return it as one text, packed and unpacked."""
    bucket = Bucket(storage.bucket, storage.url)
    store = CostStore(system.redis, archive=Archive(system.redis, bucket))
    moved = await move_due(store.archive, store, tenant.name, await store.days(tenant.name))
    assert moved == (await store.counts(tenant.name))["events"]
    return "\n".join(f"{name} {data.decode('latin-1')} {rows(data)}"
                     for name, data in storage.objects("").items())


def rows(data):
    """Return everything that an object says to whoever reads Parquet."""
    file = pyarrow.parquet.ParquetFile(io.BytesIO(data))
    return f"{file.schema_arrow} {file.metadata.metadata} {file.read().to_pylist()}"


async def told(system, tenant, task):
    """Return what every door of costs tells of a task."""
    page = await tenant.ask("GET", f"/tasks/{task['id']}", at="costs")
    focus = await tenant.ask("GET", f"/v1/export/focus?month={month(task)}", at="costs")
    said = {"page of the task": page.text, "focus": focus.text}
    for place in PLACES:
        answer = await tenant.ask("GET", place, at="costs")
        assert answer.status_code == 200, (place, answer.text)
        said[place] = answer.text
    return said


async def test_no_prompt_or_answer_is_in_an_event_a_log_line_or_a_store_of_costs(system, storage):
    tenant = system.tenant()
    task = await tenant.ran("WORD-prompt: say it")
    assert task["result"]["output"] == f"WORD-answer {RESULT}"
    assert task["result"]["tool_calls"] == 4
    summary, _ = await tenant.books()
    assert summary["terminal"] >= 4

    said = {"of the task": await stored(system.redis, f"tk:{{{tenant.name}}}:*"),
            "of the ledger": await stored(system.redis, f"lg:{{{tenant.name}}}:*"),
            "events": (await tenant.ask("GET", "/v1/events", at="ledger")).text,
            **await told(system, tenant, task)}
    said["archive"] = await archived(system, storage, tenant)
    said |= {f"archived: {name}": text
             for name, text in (await told(system, tenant, task)).items()}
    for log in (system.folder / "data" / "logs").glob("*.log"):
        said[log.name] = log.read_text(errors="replace")

    assert len(spoken(said.pop("of the task"))) == len(WORDS)
    assert "ZeroDivisionError" in said["raiser.log"]
    assert said["archive"].count(task["id"]) > summary["terminal"], "every event is looked at"
    assert all(len(text) > 0 for name, text in said.items() if not name.endswith(".log"))
    assert {name: found for name, text in said.items() if (found := spoken(text))} == {}


def month(task):
    return task["created_at"][:7]
