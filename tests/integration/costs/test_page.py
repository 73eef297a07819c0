"""The pages in a real browser. It must be there: Debian's chromium and chromium-driver."""

import os
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.ui import WebDriverWait

KEY = "tg_local"
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--blink-settings=scriptEnabled=false")


@pytest.fixture
def browser(tmp_path):
    """Chromium, with JavaScript off: the pages need none."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options,
                              service=webdriver.ChromeService("/usr/bin/chromedriver"))
    driver.set_window_size(1200, 1400)
    yield driver
    driver.quit()


@pytest.fixture
def costs(started, ledger):
    process = started()
    process.deliver(
        ledger.attributed("r-1", cost=1_500, task="t-1", started="2026-11-20T10:00:00.000Z",
                          at="2026-11-20T10:00:01.200Z"),
        ledger.attributed("r-2", cost=250, tool="calculator", task="t-1",
                          started="2026-11-20T10:00:01.300Z", at="2026-11-20T10:00:01.900Z"),
        ledger.attributed("r-3", cost=0, tool="reader", task="t-1",
                          started="2026-11-20T10:00:01.350Z", at="2026-11-20T10:00:02.900Z"),
        ledger.attributed("r-4", cost=3_000_000_001, tokens=(9_000, 345), model="large",
                          task="t-1", step=2, started="2026-11-20T10:00:03.000Z",
                          at="2026-11-20T10:00:05.000Z"),
        ledger.attributed("r-5", cost=77, agent="writer", task="<b>t&2",
                          at="2026-11-21T10:00:05.000Z"),
        ledger.denied("r-6"))
    ledger.seq += 2
    process.deliver(ledger.denied("r-7"))
    return process


def opened(browser, costs, path="/"):
    browser.get(f"{costs.url}{path}{'&' if '?' in path else '?'}key={KEY}")
    return browser


def cells(browser, table):
    rows = browser.find_elements(By.CSS_SELECTOR, f"#{table} tbody tr")
    return [[cell.text for cell in row.find_elements(By.CSS_SELECTOR, "th, td")] for row in rows]


def nano(browser, selector):
    found = browser.find_elements(By.CSS_SELECTOR, f"{selector} data")
    return [int(element.get_attribute("value")) for element in found]


def alert(browser):
    """The text of the fault that the next page shows."""
    return until(browser, By.CSS_SELECTOR, "[role=alert]").text


def until(browser, by, name):
    """The element of the page that a click leads to."""
    shown = expected_conditions.presence_of_element_located((by, name))
    return WebDriverWait(browser, 20).until(shown)


def pictured(browser, name):
    """Keep a picture where `TOLLGATE_PICTURES` says, for people to look at."""
    if folder := os.environ.get("TOLLGATE_PICTURES"):
        browser.save_screenshot(str(Path(folder) / f"{name}.png"))


@pytest.mark.parametrize("dimension", ["agent", "tool", "model"])
def test_figures_on_the_page_equal_the_store(browser, costs, dimension):
    opened(browser, costs)

    rows = [r for r in costs.get(f"/v1/costs?group_by={dimension}")["rows"] if r[dimension]]

    assert nano(browser, f"#table-{dimension}") == [r["cost_nano"] for r in rows]
    shown = cells(browser, f"table-{dimension}")
    assert [(r[0], r[2], r[3]) for r in shown] == [
        (r[dimension], f"{r['invocations']:,}", f"{r['tokens']:,}") for r in rows]
    texts = [Decimal(r[1].removeprefix("$").replace(",", "")) for r in shown]
    assert [text * 10**9 for text in texts] == [r["cost_nano"] for r in rows]


def test_totals_tasks_denials_and_gaps_are_shown(browser, costs):
    opened(browser, costs)
    pictured(browser, "dashboard")

    assert nano(browser, "#total") == [costs.get("/v1/costs")["total_nano"]] == [3_000_001_828]
    assert {r[0] for r in cells(browser, "table-tasks")} == {"t-1", "<b>t&2"}
    assert cells(browser, "table-denials")[0][4:] == [
        "task|t-1|life", "$0.0000009", "$0.0000003", "spent"]
    assert cells(browser, "table-gaps") == [["1", "1", "9", "7", "0", "7–8"]]


def test_task_shows_its_steps_over_time(browser, costs):
    opened(browser, costs)
    browser.find_element(By.LINK_TEXT, "t-1").click()
    until(browser, By.ID, "table-steps")
    pictured(browser, "task")

    line = costs.get("/v1/costs/tasks/t-1")
    assert nano(browser, "#total") == [line["total_nano"]]
    assert nano(browser, "#table-steps") == [i["cost_nano"] for i in line["invocations"]]
    assert [(r[1], r[3], r[4]) for r in cells(browser, "table-steps")] == [
        ("scripted/small", "1.2 s", "settled"), ("calculator", "600 ms", "settled"),
        ("reader", "1.6 s", "settled"), ("scripted/large", "2.0 s", "settled")]
    assert len(browser.find_elements(By.CSS_SELECTOR, "svg.timeline rect")) == 4


def test_name_with_markup_is_shown_as_text(browser, costs):
    opened(browser, costs)
    browser.find_element(By.LINK_TEXT, "<b>t&2").click()
    until(browser, By.ID, "table-steps")

    assert browser.find_element(By.TAG_NAME, "h1").text == "Task <b>t&2"
    assert not browser.find_elements(By.CSS_SELECTOR, "h1 b")


def test_range_form_limits_the_figures(browser, costs):
    opened(browser, costs, "/?from=2026-11-21&to=2026-11-22")

    assert nano(browser, "#total") == [77]
    opened(browser, costs, "/?from=2026-11-22&to=2026-11-21")
    assert "is not after" in alert(browser)


def test_key_leaves_the_address_and_scripts_cannot_read_it(browser, costs):
    opened(browser, costs, "/?from=2026-11-20")

    assert browser.current_url == f"{costs.url}/?from=2026-11-20"
    (cookie,) = browser.get_cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")


def test_key_is_asked_for_taken_and_forgotten(browser, costs):
    browser.get(f"{costs.url}/tasks/t-1")
    pictured(browser, "login")
    browser.find_element(By.NAME, "key").send_keys("wrong")
    browser.find_element(By.CSS_SELECTOR, ".login button").click()
    assert "unknown" in alert(browser)

    browser.get(f"{costs.url}/tasks/t-1")
    browser.find_element(By.NAME, "key").send_keys(KEY)
    browser.find_element(By.CSS_SELECTOR, ".login button").click()
    until(browser, By.ID, "table-steps")
    assert browser.current_url == f"{costs.url}/tasks/t-1"

    browser.find_element(By.CSS_SELECTOR, "header button").click()
    until(browser, By.NAME, "key")
    assert browser.get_cookies() == []


def test_page_fits_a_phone_and_the_dark(browser, costs):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": 360, "height": 1600, "deviceScaleFactor": 1, "mobile": True})
    for name, path in (("phone-dashboard", "/"), ("phone-task", "/tasks/t-1")):
        opened(browser, costs, path)
        pictured(browser, name)
        size = browser.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        assert size["width"] <= 360
        body = browser.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
        assert "18, 23, 30" in body


def test_page_is_built_for_everybody(browser, costs):
    for path in ("/", "/tasks/t-1"):
        opened(browser, costs, path)
        assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"
        assert len(browser.find_elements(By.TAG_NAME, "h1")) == 1
        assert len(browser.find_elements(By.TAG_NAME, "main")) == 1
        for table in browser.find_elements(By.TAG_NAME, "table"):
            named = table.get_attribute("aria-labelledby")
            assert browser.find_element(By.ID, named).text
            assert table.find_elements(By.CSS_SELECTOR, "thead th[scope=col]")
        for field in browser.find_elements(By.CSS_SELECTOR, "input:not([type=hidden])"):
            assert field.accessible_name


def test_ledger_away_is_said_on_the_page(browser, costs):
    opened(browser, costs)
    browser.find_element(By.CSS_SELECTOR, "form[action='/gaps/fill'] button").click()

    assert "ledger" in alert(browser)


def test_key_is_in_no_log_line(started, ledger):
    process = started(OTEL_TRACES_EXPORTER="console", LOG_LEVEL="DEBUG")
    answer = httpx2.get(f"{process.url}/?key={KEY}&from=2026-11-20")
    httpx2.post(f"{process.url}/login", content=f"key={KEY}")

    _, log = process.stop()

    assert (answer.status_code, answer.headers["location"]) == (303, "/?from=2026-11-20")
    assert KEY not in log


def test_login_leads_nowhere_else(costs):
    answer = httpx2.post(f"{costs.url}/login", content=f"key={KEY}&next=//evil.example/")

    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_key_without_the_right_is_told_so(costs):
    answer = httpx2.get(f"{costs.url}/?key=tg_tasks_only")

    assert answer.status_code == 403
    assert "lacks the right" in answer.text
    assert "set-cookie" not in answer.headers


def test_unknown_task_is_404(costs):
    answer = httpx2.get(f"{costs.url}/tasks/none", headers={"authorization": f"Bearer {KEY}"})

    assert answer.status_code == 404
    assert "text/html" in answer.headers["content-type"]


def test_nothing_is_loaded_from_elsewhere(costs):
    answer = httpx2.get(costs.url, headers={"authorization": f"Bearer {KEY}"})

    assert "http" not in answer.text.replace("http-equiv", "")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script" not in answer.text
