"""A page of costs in a real browser: how long until all of it answers to people."""

import asyncio

from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

from eventing.local.embedded_redis import start
from functions.costs.store.store import CostStore
from shared.store import connect
from tests.benchmarks.door import KEY, served
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.spending import event

EVENTS, OPENED = 10_000, 8
SPAN = "from=2026-10-01&to=2026-10-31"
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--disable-background-networking")


async def page(folder):
    """Return the 95th percentile of the time from the address to charts, keys and liveness."""
    server = start(folder, durable=False)
    try:
        redis = connect(server.url)
        store = CostStore(redis)
        for n in range(EVENTS):
            await store.store(event("bench", n, EVENTS))
        await redis.aclose()
        took = await asyncio.to_thread(_opened, folder, server.url)
    finally:
        server.stop()
    return [Figure(f"page interactive p95, {name}", percentile(times, 95), "ms", 1_000)
            for name, times in took.items()]


def _opened(folder, redis_url):
    with served(folder, redis_url, "bench") as (_, url):
        return {name: [_once(folder / f"{name}-{n}", f"{url}{path}") for n in range(OPENED)]
                for name, path in (("now", "/?"), ("spend", f"/spend?{SPAN}&"))}


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
