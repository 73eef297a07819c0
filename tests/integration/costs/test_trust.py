"""A provider's invoice beside the events; what is none is refused."""

import json

import pytest

from functions.costs.events.sequence import Range
from functions.costs.questions.ranges import Span
from functions.costs.trust import reconciling
from functions.costs.trust.reconciling import Reconciliation
from tests.integration.costs.conftest import POOR_KEY, encode_binary, ledger_events

pytestmark = pytest.mark.anyio
SPAN = "from=2026-11-20&to=2026-11-21"
HEAD = "day,provider,model,token_class,quantity,cost_usd\n"
CSV = {"content-type": "text/csv"}


@pytest.fixture
async def spent(http, ledger):
    for n in range(2):
        headers, body = encode_binary(ledger.attributed(f"r-{n}", cost=15_000))
        await http.post("/", headers=headers, content=body)
    return http


@pytest.mark.parametrize("form", ["csv", "json"])
async def test_invoice_that_says_the_same_agrees(spent, form):
    line = ("2026-11-20", "scripted", "small", "input_uncached", "200", "0.00003")
    if form == "csv":
        taken = await spent.post("/v1/invoices", headers=CSV, content=HEAD + ",".join(line))
    else:
        named = dict(zip(HEAD.strip().split(","), line, strict=True))
        taken = await spent.post("/v1/invoices", json={"lines": [named]})

    found = (await spent.get(f"/v1/trust?{SPAN}")).json()

    assert (taken.status_code, taken.json()["lines"]) == (201, 1)
    (row,) = found["rows"]
    assert (row["events_nano"], row["invoice_nano"], row["difference_nano"]) == (30_000, 30_000, 0)
    assert (row["events_quantity"], row["agrees"], found["agrees"]) == (200, True, True)


async def test_difference_is_named_by_day_model_and_class(spent):
    content = f"{HEAD}2026-11-20,scripted,small,input_uncached,201,0.0000300005\n"
    await spent.post("/v1/invoices", headers=CSV, content=content)

    (row,) = (await spent.get(f"/v1/trust?{SPAN}")).json()["rows"]

    assert (row["difference_quantity"], row["difference_nano"]) == (1, "0.5")
    assert row["agrees"] is False


async def test_line_sent_again_replaces_the_one_before(spent):
    for cost in ("1", "0.00003"):
        await spent.post("/v1/invoices", headers=CSV, content=(
            f"{HEAD}2026-11-20,scripted,scripted/small,input_uncached,200,{cost}\n"))

    assert (await spent.get(f"/v1/trust?{SPAN}")).json()["agrees"]


async def test_without_an_invoice_nothing_is_said_to_agree(spent):
    (row,) = (await spent.get(f"/v1/trust?{SPAN}")).json()["rows"]

    assert (row["invoice_nano"], row["agrees"]) == (None, None)


@pytest.mark.parametrize(("headers", "content", "named"), [
    (CSV, b"Dear Sir or Madam", "lacks the columns day"),
    (CSV, b"\xff\xfe", "no CSV in UTF-8"),
    (CSV, HEAD.encode(), "1 to"),
    (CSV, (HEAD + "20.11.2026,p,m,c,1,1").encode(), "line 2: day: '20.11.2026' is no day"),
    (CSV, (HEAD + "2026-13-01,p,m,c,1,1").encode(), "line 2: day: '2026-13-01' is no day"),
    (CSV, (HEAD + "2026-11-20,p,m,c,1,1\n2026-11-20,p,m,c,-1,1").encode(),
     "line 3: quantity: '-1' is no whole number"),
    (CSV, (HEAD + "2026-11-20,p,m,c,1,NaN").encode(), "cost_usd: 'NaN' is no amount"),
    (CSV, (HEAD + "2026-11-20,p,m,c,1,lots").encode(), "cost_usd: 'lots' is no amount"),
    (CSV, (HEAD + "2026-11-20,p,m,c,1,9e999999").encode(), "cost_usd: '9e999999' is no amount"),
    pytest.param(CSV, (HEAD + f"2026-11-20,p,m,c,{'9' * 5000},1").encode(), "or too large",
                 id="endless quantity"),
    pytest.param({"content-type": "application/json"}, b"[" * 100_000, "no JSON", id="nested"),
    (CSV, (HEAD + "2026-11-20,p,,c,1,1").encode(), "line 2: model is empty"),
    (CSV, (HEAD + "2026-11-20,p,m").encode(), "line 2: token_class is empty"),
    ({"content-type": "application/json"}, b"{", "no JSON"),
    ({"content-type": "application/json"}, b'"text"', "neither a list"),
    ({"content-type": "application/json"}, json.dumps([{"day": "x"}]).encode(), "is missing"),
    ({"content-type": "application/json"}, b"[1]", "line 1: is no line of an invoice"),
])
async def test_what_is_no_invoice_is_refused_by_line(http, headers, content, named):
    answer = await http.post("/v1/invoices", headers=headers, content=content)

    assert answer.status_code == 422, answer.text
    assert named in answer.text


@pytest.mark.parametrize("query", ["", "from=2026-01-01&to=2026-12-01",
                                   "from=2026-11-02&to=2026-11-01"])
async def test_comparison_needs_a_span_that_can_be_read(http, query):
    assert (await http.get(f"/v1/trust?{query}")).status_code == 422


async def test_invoices_need_the_right_and_stay_with_their_tenant(http):
    poor = {"authorization": f"Bearer {POOR_KEY}", **CSV}

    assert (await http.post("/v1/invoices", headers=poor, content=HEAD)).status_code == 403
    assert (await http.post("/v1/invoices?tenant=other", headers=CSV,
                            content=HEAD)).status_code == 403


class Long:
    """A ledger that ended two epochs, each with more events than one comparison asks for."""

    def __init__(self, event):
        self._event, self.asked = event, 0

    async def summary(self, _):
        return {"tenant": self._event.source.removeprefix("/ledger/"), "posted_nano": 1500}

    async def whole(self, _):
        return "2", Range(1, 10**9)

    async def between(self, *_):
        self.asked += 1
        return [self._event]


async def test_comparison_with_the_ledgers_events_ends_and_says_so(store, ledger, monkeypatch):
    monkeypatch.setattr(reconciling, "OUTBOX_PAGES_MAX", 3)
    await store.store(event := ledger.attributed("r-1"))
    await store.store(ledger_events.Ledger(ledger.tenant, "2").attributed("r-2", cost=0))
    long = Long(event)

    found = await Reconciliation(store, long, ledger.tenant, "Bearer k").report(Span())

    assert long.asked == 3
    assert found["notes"] == [reconciling.NEWEST]
