"""What keyboards, screen readers and weak eyes need, on every page, in both colour schemes."""

from itertools import pairwise

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.e2e.dashboard.test_pages import PAGES, browser, costs, one_browser, opened, ready

__all__ = ["browser", "costs", "one_browser"]
TARGET_PX = 24
"""Success criterion 2.5.8 of WCAG 2.2; links in text and in tables may be lower."""

CONTRAST = """
const rgb = (text) => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) =>
  c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4).reduce(
  (sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
const behind = (node) => {
  for (let at = node; at; at = at.parentElement) {
    const colour = rgb(getComputedStyle(at).backgroundColor);
    if (colour.length < 4 || colour[3] > 0.99) return colour;
  }
  return [255, 255, 255];
};
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode.parentElement;
  if (!walker.currentNode.textContent.trim() || !node.checkVisibility()) continue;
  if (node.closest('script, style, .skip, svg')) continue;
  const style = getComputedStyle(node);
  const [a, b] = [light(rgb(style.color)), light(behind(node))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  if (ratio < (large ? 3 : 4.5)) found.push(`${walker.currentNode.textContent.trim()}: ${ratio}`);
}
return [found, document.body.innerText.length];
"""
"""Success criterion 1.4.3 of WCAG 2.2: every text against what is behind it."""

LANDMARKS = """
return [...document.querySelectorAll('nav, section, [role=region], form[aria-label]')].map(
  (each) => each.getAttribute('aria-label') ||
  document.getElementById(each.getAttribute('aria-labelledby'))?.textContent || each.outerHTML);
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(browser, costs, scheme):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": scheme}]})
    for path in PAGES:
        opened(browser, costs, path)
        ready(browser)
        faint, read = browser.execute_script(CONTRAST)
        assert (faint, read > 200) == ([], True), path


def test_landmarks_and_tables_have_names_of_their_own(browser, costs):
    for path in PAGES:
        opened(browser, costs, path)
        ready(browser)
        names = browser.execute_script(LANDMARKS)
        assert len(names) == len(set(names)), path
        ids = browser.execute_script(
            "return [...document.querySelectorAll('[id]')].map((each) => each.id)")
        assert len(ids) == len(set(ids)), path


def test_headings_leave_no_level_out(browser, costs):
    for path in PAGES:
        opened(browser, costs, path)
        levels = [int(each.tag_name[1])
                  for each in browser.find_elements(By.CSS_SELECTOR, "h1, h2, h3, h4")]
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))


def test_tab_goes_through_the_page_as_one_reads_and_is_seen(browser, costs):
    opened(browser, costs)
    ready(browser)
    body, seen = browser.find_element(By.TAG_NAME, "body"), []

    for _ in range(14):
        (browser.switch_to.active_element or body).send_keys(Keys.TAB)
        active = browser.switch_to.active_element
        ring = active.value_of_css_property("outline-style")
        place = active.rect
        seen.append((active.accessible_name, ring, place["width"], place["height"]))

    names = [name for name, *_ in seen]
    assert names[0] == "Skip to the figures"
    assert names[1:6] == ["Tollgate", "Now", "Spend", "Efficiency", "Trust"]
    assert [name for name, ring, *_ in seen if ring == "none"] == []
    assert not browser.find_elements(By.CSS_SELECTOR, "[tabindex]:not([tabindex='0'])")


def test_skip_link_leads_past_the_menu(browser, costs):
    opened(browser, costs)
    ready(browser)

    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB, Keys.ENTER)

    assert browser.current_url.endswith("#main")


def test_what_is_clicked_is_large_enough_for_a_finger(browser, costs):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": 390, "height": 900, "deviceScaleFactor": 1, "mobile": True})
    for path in PAGES:
        opened(browser, costs, path)
        ready(browser)
        small = browser.execute_script(
            "return [...document.querySelectorAll('button, nav a, input:not([type=hidden]),"
            " textarea, summary, .button, a.csv')].filter((each) => each.checkVisibility())"
            ".filter((each) => each.getBoundingClientRect().height < arguments[0])"
            ".map((each) => each.outerHTML)", TARGET_PX)
        assert small == [], path
