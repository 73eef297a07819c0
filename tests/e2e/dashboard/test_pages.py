"""The pages in a real browser. It must be there: Debian's chromium and chromium-driver."""

import csv
import io
import os
import re
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.ui import WebDriverWait

KEY = "tg_local"
SPAN = "from=2026-11-19&to=2026-11-22"
PAGES = ("/", f"/spend?{SPAN}", f"/efficiency?{SPAN}", f"/trust?{SPAN}", "/tasks/t-1")
PHONE = {"width": 360, "height": 1600, "deviceScaleFactor": 1, "mobile": True}
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage")


def chromium(profile, *flags):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS, *flags, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options,
                              service=webdriver.ChromeService("/usr/bin/chromedriver"))
    driver.set_window_size(1300, 1400)
    return driver


@pytest.fixture(scope="module")
def one_browser(tmp_path_factory):
    driver = chromium(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


@pytest.fixture
def browser(one_browser):
    """Chromium as people have it, without anything of the test before."""
    one_browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    one_browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    one_browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    one_browser.get_log("browser")
    return one_browser


@pytest.fixture
def plain(tmp_path):
    """Chromium with JavaScript off."""
    driver = chromium(tmp_path / "profile", "--blink-settings=scriptEnabled=false")
    yield driver
    driver.quit()


def story(ledger):
    """Two tasks over two days, one call denied."""
    return (
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


@pytest.fixture
def costs(started, ledger, one_browser):
    process = started()
    process.deliver(*story(ledger))
    ledger.seq += 2
    process.deliver(ledger.denied("r-7"))
    yield process
    one_browser.get("about:blank")  # a page that is open follows its figures


def opened(browser, costs, path="/"):
    browser.get(f"{costs.url}{path}{'&' if '?' in path else '?'}key={KEY}")
    return browser


def ready(browser):
    """Wait until charts are drawn and the page is live."""
    WebDriverWait(browser, 20).until(lambda b: b.execute_script(
        "return document.documentElement.dataset.ready"))


def cells(browser, table):
    return browser.execute_script(
        "return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)].map((row) =>"
        " [...row.cells].map((cell) => cell.textContent.trim()))", table)


def nano(browser, selector):
    # In one go: a page that is live may put other elements in place between two questions.
    found = browser.execute_script(
        "return [...document.querySelectorAll(arguments[0])].map((each) => each.value)",
        f"{selector} data")
    return [int(value) for value in found]


def column(browser, table, n):
    return nano(browser, f"#{table} tbody tr > :nth-child({n})")


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


@pytest.mark.parametrize("by", ["agent", "tool", "model", "session", "outcome"])
def test_figures_on_the_page_equal_the_store(browser, costs, by):
    opened(browser, costs, f"/spend?{SPAN}&by={by}")

    answer = costs.get(f"/v1/costs?group_by={by}&{SPAN}")

    table = f"table-by-{by}"
    assert column(browser, table, 2) == [r["cost_nano"] for r in answer["rows"]]
    shown = cells(browser, table)
    assert [(r[0], r[5], r[6]) for r in shown] == [
        (r[by] or "(none)", f"{r['invocations']:,}", f"{r['tokens']:,}") for r in answer["rows"]]
    texts = [Decimal(r[1].removeprefix("$").replace(",", "")) for r in shown]
    assert [text * 10**9 for text in texts] == [r["cost_nano"] for r in answer["rows"]]
    assert nano(browser, "#total") == [answer["total_nano"]] == [3_000_001_828]


def test_chart_draws_the_table_and_speaks_to_the_keyboard(browser, costs):
    opened(browser, costs, f"/spend?{SPAN}")
    ready(browser)
    pictured(browser, "spend")

    figure = browser.find_element(By.CSS_SELECTOR, "figure.chart")
    figure.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)

    assert figure.get_attribute("data-drawn") == "3"
    assert browser.find_elements(By.CSS_SELECTOR, "figure.chart canvas")
    said = browser.find_element(By.CSS_SELECTOR, ".point").text
    assert said == "2026-11-20: researcher $3.000001751, Total $3.000001751"
    assert browser.get_log("browser") == []


def test_now_shows_tasks_denials_and_gaps(browser, costs):
    opened(browser, costs)
    pictured(browser, "now")

    assert {r[0] for r in cells(browser, "table-tasks")} == {"t-1", "<b>t&2"}
    assert cells(browser, "table-denials")[0][4:] == [
        "task t-1", "$0.0000009", "$0.0000003", "spent"]
    assert cells(browser, "table-gaps") == [["1", "1", "9", "7", "0", "7–8"]]
    assert "incomplete" in browser.find_element(By.ID, "gapless").text


def test_page_changes_by_itself_when_costs_do(browser, costs, ledger):
    opened(browser, costs, f"/spend?{SPAN}")
    ready(browser)

    costs.deliver(ledger.attributed("r-9", cost=5, agent="newcomer", at="2026-11-21T11:00:00Z"))

    WebDriverWait(browser, 20).until(lambda b: nano(b, "#total") == [3_000_001_833])
    assert "newcomer" in [r[0] for r in cells(browser, "table-by-agent")]
    assert browser.find_elements(By.CSS_SELECTOR, "figure.chart canvas")
    asked = browser.execute_script(
        "return performance.getEntriesByType('resource').filter((each) =>"
        " each.name === location.href).length")
    assert asked == 1, "a page that has every event is not asked for again"


def test_what_is_pressed_stays_until_it_is_let_go(browser, costs, ledger):
    opened(browser, costs, f"/spend?{SPAN}")
    ready(browser)
    pressed = browser.find_element(By.CSS_SELECTOR, "#section-by-agent h2")
    ActionChains(browser).click_and_hold(pressed).perform()

    costs.deliver(ledger.attributed("r-9", cost=5, agent="newcomer", at="2026-11-21T11:00:00Z"))

    WebDriverWait(browser, 20).until(lambda b: nano(b, "#total") == [3_000_001_833])
    assert pressed.is_displayed()
    ActionChains(browser).release().perform()
    WebDriverWait(browser, 20).until(
        lambda b: "newcomer" in [r[0] for r in cells(b, "table-by-agent")])


def test_every_figure_is_there_without_javascript(plain, costs):
    opened(plain, costs, f"/spend?{SPAN}")

    assert nano(plain, "#total") == [3_000_001_828]
    assert column(plain, "table-over-time", 4) == [0, 3_000_001_751, 77]
    plain.find_element(By.LINK_TEXT, "researcher").click()
    until(plain, By.ID, "table-by-session")
    plain.find_element(By.LINK_TEXT, "s-1").click()
    until(plain, By.ID, "table-by-task")
    plain.find_element(By.LINK_TEXT, "t-1").click()
    until(plain, By.ID, "table-steps")


def test_task_shows_its_steps_over_time(browser, costs):
    opened(browser, costs)
    browser.find_element(By.LINK_TEXT, "t-1").click()
    until(browser, By.ID, "table-steps")
    pictured(browser, "task")

    line = costs.get("/v1/costs/tasks/t-1")
    assert nano(browser, "#total") == [line["total_nano"]]
    assert column(browser, "table-steps", 11) == [i["cost_nano"] for i in line["invocations"]]
    assert [(r[1], r[5], r[6]) for r in cells(browser, "table-steps")] == [
        ("scripted/small", "1.2 s", "settled"), ("calculator", "600 ms", "settled"),
        ("reader", "1.6 s", "settled"), ("scripted/large", "2.0 s", "settled")]
    assert len(browser.find_elements(By.CSS_SELECTOR, "svg.when rect")) == 4


def test_name_with_markup_is_shown_as_text(browser, costs):
    opened(browser, costs)
    browser.find_element(By.LINK_TEXT, "<b>t&2").click()
    until(browser, By.ID, "table-steps")

    assert browser.find_element(By.TAG_NAME, "h1").text == "Task <b>t&2"
    assert not browser.find_elements(By.CSS_SELECTOR, "h1 b")


def test_range_limits_the_figures(browser, costs):
    opened(browser, costs, "/spend?from=2026-11-21&to=2026-11-22")

    assert nano(browser, "#total") == [77]
    opened(browser, costs, "/spend?from=2026-11-22&to=2026-11-21")
    assert "is not after" in alert(browser)
    opened(browser, costs, "/spend?by=colour")
    assert "'colour' is no dimension" in alert(browser)


def test_key_leaves_the_address_and_scripts_cannot_read_it(browser, costs):
    opened(browser, costs, "/spend?from=2026-11-20")

    assert browser.current_url == f"{costs.url}/spend?from=2026-11-20"
    (cookie,) = browser.get_cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert browser.execute_script("return document.cookie") == ""


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

    browser.find_element(By.CSS_SELECTOR, "form[action='/logout'] button").click()
    until(browser, By.NAME, "key")
    assert browser.get_cookies() == []


def test_pages_fit_a_phone_and_the_dark(browser, costs):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    for path in PAGES:
        opened(browser, costs, path)
        ready(browser)
        pictured(browser, f"phone-{path.partition('?')[0].strip('/').replace('/', '-') or 'now'}")
        size = browser.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        assert size["width"] <= 360, path
        body = browser.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
        assert "18, 23, 30" in body


def test_colours_are_chosen_and_remembered(browser, costs):
    opened(browser, costs, f"/spend?{SPAN}")
    browser.find_element(By.CSS_SELECTOR, "form[action='/theme'] button").click()
    until(browser, By.CSS_SELECTOR, "html[data-theme=dark]")

    assert browser.current_url == f"{costs.url}/spend?{SPAN}"
    browser.get(costs.url)
    body = browser.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
    assert "18, 23, 30" in body


def test_pages_are_built_for_everybody(browser, costs):
    for path in PAGES:
        opened(browser, costs, path)
        ready(browser)
        assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"
        assert len(browser.find_elements(By.TAG_NAME, "h1")) == 1
        assert len(browser.find_elements(By.TAG_NAME, "main")) == 1
        for table in browser.find_elements(By.TAG_NAME, "table"):
            named = table.get_attribute("aria-labelledby")
            assert browser.find_element(By.ID, named).text
            assert table.find_elements(By.CSS_SELECTOR, "thead th[scope=col]")
        for field in browser.find_elements(By.CSS_SELECTOR, "input:not([type=hidden]), textarea"):
            assert field.accessible_name, path
        for one in browser.find_elements(By.CSS_SELECTOR, "figure, svg, header button"):
            assert one.accessible_name, path
        assert browser.get_log("browser") == [], path


def test_every_table_is_there_as_csv(browser, costs):
    for path in (*PAGES[:3], f"{PAGES[3]}&compare=1", PAGES[4]):
        opened(browser, costs, path)
        until(browser, By.CSS_SELECTOR, "section.panel table")
        shown = browser.execute_script(
            "return [...document.querySelectorAll('section.panel')].filter((each) =>"
            " each.querySelector('table')).map((each) => [each.querySelector('a.csv')?.href,"
            " each.querySelectorAll('tbody tr, tfoot tr').length])")
        assert shown, path
        for link, lines in shown:
            answer = httpx2.get(link, headers={"authorization": f"Bearer {KEY}"}, timeout=30)
            assert answer.headers["content-type"] == "text/csv; charset=utf-8"
            assert len(list(csv.reader(io.StringIO(answer.text)))) == 1 + lines, link


def test_figures_of_a_csv_are_those_of_the_page(browser, costs):
    opened(browser, costs, f"/spend?{SPAN}&by=agent")
    link = browser.find_element(By.CSS_SELECTOR, "#section-by-agent a.csv").get_attribute("href")

    text = httpx2.get(link, headers={"authorization": f"Bearer {KEY}"}).text

    head, *rows = csv.reader(io.StringIO(text))
    at = head.index("Cost (nano-USD)")
    assert [int(row[at]) for row in rows[:2]] == column(browser, "table-by-agent", 2)


def test_invoice_is_compared_by_day_and_token_class(browser, costs):
    opened(browser, costs, f"/trust?{SPAN}")
    ready(browser)
    lines = ("2026-11-20,scripted,small,input_uncached,100,0.000015",
             "2026-11-20,scripted,large,input_uncached,100,3.5")
    browser.find_element(By.ID, "invoice").send_keys(
        "\n".join(("day,provider,model,token_class,quantity,cost_usd", *lines)))
    browser.find_element(By.CSS_SELECTOR, ".upload button").click()
    until(browser, By.ID, "table-against-invoice")
    pictured(browser, "trust")

    rows = {row[2]: row for row in cells(browser, "table-against-invoice")}

    assert rows["small"][-1] == "agrees"
    assert rows["large"][-2:] == ["$3.499985", "differs"]
    assert browser.get_log("browser") == []


@pytest.mark.parametrize(("text", "said"), [
    ("", "nothing in it"), ("hello", "lacks the columns"), ("[1", "no JSON")])
def test_invoice_that_is_none_is_refused(costs, text, said):
    answer = httpx2.post(f"{costs.url}/trust/invoice", data={"invoice": text},
                         headers={"authorization": f"Bearer {KEY}"})

    assert answer.status_code == 422
    assert said in answer.text


def test_ledger_away_is_said_on_the_page(browser, costs):
    opened(browser, costs)
    assert "ledger" in browser.find_element(By.ID, "section-budgets").text
    browser.find_element(By.CSS_SELECTOR, "form[action='/gaps/fill'] button").click()

    assert "ledger" in alert(browser)


def test_key_is_in_no_log_line(started, ledger):
    process = started(OTEL_TRACES_EXPORTER="console", LOG_LEVEL="DEBUG")
    answer = httpx2.get(f"{process.url}/?key={KEY}&from=2026-11-20")
    httpx2.post(f"{process.url}/login", content=f"key={KEY}")

    _, log = process.stop()

    assert (answer.status_code, answer.headers["location"]) == (303, "/?from=2026-11-20")
    assert KEY not in log


def test_login_and_colours_lead_nowhere_else(costs):
    login = httpx2.post(f"{costs.url}/login", content=f"key={KEY}&next=//evil.example/")
    theme = httpx2.post(f"{costs.url}/theme", content="theme=dark&next=//evil.example/")

    assert (login.status_code, login.headers["location"]) == (303, "/")
    assert (theme.status_code, theme.headers["location"]) == (303, "/")


def test_key_without_the_right_is_told_so(costs):
    answer = httpx2.get(f"{costs.url}/?key=tg_tasks_only")

    assert answer.status_code == 403
    assert "lacks the right" in answer.text
    assert "set-cookie" not in answer.headers


def test_other_tenants_figures_are_refused(costs):
    with httpx2.Client(headers={"authorization": f"Bearer {KEY}"}) as client:
        for path in ("/", "/spend", "/csv/spend/by-agent", "/tasks/t-1"):
            assert client.get(f"{costs.url}{path}?tenant=other").status_code == 403


def test_unknown_task_page_and_table_are_404(costs):
    for path in ("/tasks/none", "/csv/none/x", "/csv/spend/none"):
        answer = httpx2.get(f"{costs.url}{path}", headers={"authorization": f"Bearer {KEY}"})

        assert answer.status_code == 404, (path, answer.text)
        assert "text/html" in answer.headers["content-type"]


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_inline(costs):
    answer = httpx2.get(costs.url, headers={"authorization": f"Bearer {KEY}"})

    assert not re.search(r"""(?:src|href|action)=["']?(?:\w+:)?//""", answer.text)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "<style" not in answer.text
    assert " style=" not in answer.text
    assert answer.text.count("<script") == answer.text.count('<script defer src="/assets/') == 3


def test_assets_are_compressed_checked_and_kept(costs):
    page = httpx2.get(costs.url, headers={"authorization": f"Bearer {KEY}"}).text
    path = page.partition('<script defer src="')[2].partition('"')[0]

    answer = httpx2.get(f"{costs.url}{path}")

    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    assert b"leeoniya/uPlot" in answer.content
    assert httpx2.get(f"{costs.url}/assets/x/none.js").status_code == 404
