"""Every page by axe-core, in both colour schemes, on a desk and on a phone: no violation."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from threading import Thread

import pytest
from selenium.webdriver.support.ui import WebDriverWait

from eventing.local.page import page
from tests.e2e.dashboard.test_pages import (
    PAGES,
    PHONE,
    SPAN,
    browser,
    costs,
    one_browser,
    opened,
    ready,
)

__all__ = ["browser", "costs", "one_browser"]
AXE = (files("selenium_axe_python") / "axe-core/axe.min.js").read_text()
"""The engine that a browser runs; nothing else of the package is used."""

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
RUN = """
const [rules, done] = arguments;
axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']}).then(
  (found) => done([found.violations.map((each) =>
    `${each.id}: ${each.nodes.map((node) => node.html).join(' ')}`), found.passes.length]),
  (error) => done([[String(error)], 0]));
"""
DEVICES = {"desk": None, "phone": PHONE}
DRAWN = (*PAGES, f"/spend?{SPAN}&by=tool")
LOGIN, ERROR = "/?key=wrong", "/tasks/none"


def violations(browser):
    """Return what breaks a rule on the page that is open."""
    browser.execute_script(AXE)
    found, passed = browser.execute_async_script(RUN, RULES)
    assert passed >= 5, "axe had next to nothing to look at"
    return found


@pytest.fixture(params=["light", "dark"])
def scheme(request, browser):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": request.param}]})


@pytest.mark.parametrize("device", DEVICES)
def test_page_breaks_no_rule_of_accessibility(browser, scheme, costs, device):
    if DEVICES[device]:
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", DEVICES[device])

    browser.get(f"{costs.url}{LOGIN}")
    found = {LOGIN: violations(browser)}
    for path in (ERROR, *DRAWN):
        opened(browser, costs, path)
        if path != ERROR:
            ready(browser)
        found[path] = violations(browser)

    assert found == {path: [] for path in found}


def test_broken_page_is_told(browser, costs):
    opened(browser, costs)
    ready(browser)
    browser.execute_script("const made = document.createElement('img'); made.src = 'data:,';"
                           "document.querySelector('main').append(made)")

    (found,) = violations(browser)

    assert found.startswith("image-alt: ")


STATUS = {"addresses": {"costs": "http://costs"}, "functions": [], "triggers": []}


@pytest.fixture
def runtime():
    """A server with the runtime's own page; `records` is what happened so far."""
    records = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page(STATUS, records).encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", records
        server.shutdown()


def happened(what):
    return {"kind": "event", "type": what, "source": "/x" * 60, "task": "t-1", "time": 0}


def rows(browser):
    return browser.execute_script("return document.querySelector('main').innerText")


def test_page_of_the_runtime_breaks_no_rule_and_shows_what_is_new(browser, scheme, runtime):
    address, records = runtime
    records.append(happened("the.first"))
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    browser.get(address)
    assert violations(browser) == []

    records.append(happened("the.second"))

    WebDriverWait(browser, 20).until(lambda b: "the.second" in rows(b))
    assert "the.first" in rows(browser)
    assert violations(browser) == []
