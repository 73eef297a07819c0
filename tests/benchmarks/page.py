"""A page of costs in a real browser: how long until all of it answers to people."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

from eventing.local.embedded_redis import start
from functions.costs.store import CostStore
from shared.auth import hash_key
from shared.store import connect
from tests.benchmarks.costs import event
from tests.benchmarks.figures import Figure, percentile

EVENTS, OPENED, KEY = 10_000, 8, "tg_bench"
SPAN = "from=2026-10-01&to=2026-10-31"
MAIN = Path(__file__).parents[2] / "functions" / "costs" / "main.py"
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--disable-background-networking")


async def page(folder):
    """Return the 95th percentile of the time from the address to charts, keys and liveness."""
    server = start(folder, durable=False)
    try:
        redis = connect(server.url)
        store = CostStore(redis)
        for n in range(EVENTS):
            await store.store(event("bench", n))
        await redis.aclose()
        took = await asyncio.to_thread(_opened, folder, server.url)
    finally:
        server.stop()
    return [Figure(f"page interactive p95, {name}", percentile(times, 95), "ms", 1_000)
            for name, times in took.items()]


def _opened(folder, redis_url):
    (folder / "keys.json").write_text(json.dumps(
        [{"key_sha256": hash_key(KEY), "tenant": "bench", "rights": ["costs"]}]))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    process = subprocess.Popen(
        [sys.executable, "-m", "eventing.local.serve", "--source", str(MAIN)], cwd=MAIN.parents[2],
        stderr=subprocess.DEVNULL, env={
            "PATH": os.environ["PATH"], "PORT": url.rpartition(":")[2], "REDIS_URL": redis_url,
            "LEDGER_URL": "http://127.0.0.1:9", "TOLLGATE_API_KEYS": str(folder / "keys.json")})
    try:
        _until_ready(url)
        return {name: [_once(folder / f"{name}-{n}", f"{url}{path}") for n in range(OPENED)]
                for name, path in (("now", "/?"), ("spend", f"/spend?{SPAN}&"))}
    finally:
        process.kill()
        process.wait(20)


def _until_ready(url):
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        try:
            httpx2.get(f"{url}/health")
        except httpx2.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("costs does not answer")


def _once(profile, address):
    """Return milliseconds, with nothing in the browser's cache."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options,
                               service=webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        browser.get(f"{address}key={KEY}")
        return float(WebDriverWait(browser, 30).until(lambda b: b.execute_script(
            "return document.documentElement.dataset.ready")))
    finally:
        browser.quit()
