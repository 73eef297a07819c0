"""The first answer of a tool from zero, beside that of a bare functions-framework function."""

import time
from pathlib import Path
from statistics import median

from tests.benchmarks.figures import Figure
from tests.benchmarks.rig import manifests_with, running, until

HERE = Path(__file__).parent
ROUNDS = 9
WINDOW_S = 0.5


async def cold(folder):
    """Return the ratio of medians, both served in the same way by the same runtime."""
    service = folder / "hello.yaml"
    service.write_text((HERE / "hello.yaml").read_text().replace(
        "SOURCE", str(HERE / "hello.py")))
    manifests = manifests_with(folder, service)
    async with running(folder, window_s=WINDOW_S, manifests=manifests) as rig:
        bare, tool = [], []
        for _ in range(ROUNDS):
            bare.append(await _first(rig, "hello", "GET", "/"))
            tool.append(await _first(rig, "calculator", "POST", "/invoke", json={
                "arguments": {"expressions": {"answer": "2 + 3"}}}))
    return [Figure("tool from zero ÷ bare function from zero", median(tool) / median(bare),
                   "ratio", 2.0)]


async def _first(rig, function, method, path, **body):
    """Return the seconds of a request to a function that has no process."""
    async def asleep():
        rows = {row["name"]: row for row in (await rig.status())["functions"]}
        return all(rows[name]["replicas"] == 0 for name in ("hello", "calculator", "costs"))

    await until(asleep)
    began = time.perf_counter()
    answer = await rig.http.request(method, rig.addresses[function] + path, headers=rig.headers,
                                    **body)
    took = time.perf_counter() - began
    answer.raise_for_status()
    return took
