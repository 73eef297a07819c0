"""The ledger beside a LiteLLM proxy, which also keeps spend in Redis before a model answers.

Compared are, in one run and with the same load generator and clients, by turns, since a machine is
not equally fast all the time:

- a pair: reserve, dispatched at once, and settle at Tollgate's ledger, over 8 accounts, durable,
  while each pair's event is published to a broker;
- a chat completion at the proxy, one worker as the ledger is one, whose answer is mocked. Its
  budget is the router's for the provider, checked before and counted after each call, in a Redis of
  the same kind without persistence. Budgets of keys and teams would need a database as well.

So the proxy also parses and writes a completion, and the ledger also holds the money before the
call, writes one event for each and publishes it. The proxy lives in an environment of its own.
"""

import asyncio
import json
import math
import os
import subprocess
import venv
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

import httpx2

from eventing.local.embedded_redis import start
from shared.http_client import plain_client
from tests.benchmarks.alone import alone
from tests.benchmarks.door import free_port
from tests.benchmarks.figures import Figure
from tests.benchmarks.ledger import LOAD_CLIENTS, LOAD_WARM_S, pairs
from tests.benchmarks.rig import descendants, generated, per_s, pss_mib, until

VERSION = "1.106.2"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tollgate" / "bench"
INSTALL_S = 900
ROUNDS, ROUND_S = 5, 4
NAME = f"LiteLLM {VERSION} proxy"


async def litellm(folder):
    """Return the proxy's requests per second, p50 and memory, and how often the ledger does it."""
    try:
        program = await asyncio.to_thread(_installed)
    except (subprocess.SubprocessError, OSError) as error:
        return [Figure(f"{NAME}: not measured, it cannot be installed ({_last_line(error)})",
                       math.nan, "", 12, at_least=True)]
    with alone(folder) as ledger:
        await pairs(ledger, LOAD_WARM_S)
        async with _proxied(folder, program) as (proxy, completed):
            await completed(LOAD_WARM_S)
            rounds = [(await pairs(ledger, ROUND_S), await completed(ROUND_S))
                      for _ in range(ROUNDS)]
            memory_mib = pss_mib([proxy.pid, *descendants(proxy.pid)])
    theirs = [found for _, found in rounds]
    return [
        Figure(f"{NAME}, mocked answer, budget in Redis", median(map(per_s, theirs)), "per s",
               None),
        Figure(f"{NAME} p50, {LOAD_CLIENTS} clients",
               median(found["p50_ms"] for found in theirs), "ms", None),
        Figure(f"{NAME} memory (PSS)", memory_mib, "MiB", None),
        Figure(f"reserve+settle pairs ÷ requests of the {NAME}",
               median(per_s(ours) / per_s(found) for ours, found in rounds), "ratio", 12,
               at_least=True)]


def _installed():
    """Return the proxy's program, in an environment outside the project's."""
    home = CACHE / f"litellm-{VERSION}"
    program, whole = home / "bin" / "litellm", home / "whole"
    if not whole.exists():
        venv.create(home, clear=True, with_pip=True)
        subprocess.run(
            [home / "bin" / "pip", "install", "--quiet", f"litellm[proxy]=={VERSION}"],
            check=True, timeout=INSTALL_S, capture_output=True, text=True)
        whole.touch()
    return program


def _last_line(error):
    said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
    return said[-1][:100] if said else type(error).__name__


@asynccontextmanager
async def _proxied(folder, program):
    """Yield the proxy's process, and what has clients complete chats for some seconds."""
    server = start(folder / "litellm-redis", durable=False)
    port = free_port()
    config = folder / "litellm.json"
    config.write_text(json.dumps(_config(int(server.url.rpartition(":")[2].partition("/")[0]))))
    try:
        async with _serving(program, config, port) as proxy:
            url, headers = f"http://127.0.0.1:{port}", {"authorization": f"Bearer {KEY}"}
            yield proxy, lambda seconds: generated(url, "chat", headers, clients=LOAD_CLIENTS,
                                                   seconds=seconds)
    finally:
        server.stop()


KEY = "sk-bench"


def _config(redis_port):
    return {
        "model_list": [{"model_name": "mocked", "litellm_params": {
            "model": "openai/gpt-4o-mini", "api_key": "none", "mock_response": "Forty-two."}}],
        "router_settings": {
            "redis_host": "127.0.0.1", "redis_port": redis_port,
            "provider_budget_config": {"openai": {"budget_limit": 10**6, "time_period": "30d"}}},
        "litellm_settings": {"telemetry": False},
        "general_settings": {"master_key": KEY}}


@asynccontextmanager
async def _serving(program, config, port):
    """Yield the proxy's process, once it is alive; it asks nobody outside."""
    env = {"PATH": os.environ["PATH"], "HOME": str(config.parent), "LITELLM_LOG": "ERROR",
           "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}
    with (config.parent / "litellm.log").open("wb") as log:
        proxy = subprocess.Popen(
            [program, "--config", config, "--port", str(port), "--host", "127.0.0.1"],
            env=env, stdout=log, stderr=log)
    try:
        await _alive(proxy, f"http://127.0.0.1:{port}/health/liveliness")
        yield proxy
    finally:
        proxy.terminate()
        try:
            await asyncio.to_thread(proxy.wait, 20)
        except subprocess.TimeoutExpired:
            proxy.kill()


async def _alive(proxy, url):
    async with plain_client(5) as http:
        async def answers():
            assert proxy.poll() is None, "the proxy ended while starting"
            try:
                return (await http.get(url)).status_code == 200
            except (OSError, httpx2.HTTPError):
                return False
        await until(answers, timeout_s=120)
