"""Every page by axe-core, in both colour schemes, on a desk and on a phone: no violation."""

from importlib.resources import files

import pytest

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
AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
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
