"""The page *Trust*: whether ledger, events, exports and the provider's invoice say the same."""

from collections.abc import Mapping, Sequence
from typing import Any

from functions.costs.pages.now import missing
from functions.costs.pages.shown import Shown
from functions.costs.pages.tables import Card, Cell, Column, Kind, Table, columns
from functions.costs.pages.visit import Visit
from functions.costs.trust import gaps
from shared.errors import Permanent, Transient
from shared.limits import COST_HOURS_DAYS_MAX

SOURCES = {
    "ledger": "Ledger: what it posted", "outbox": "Ledger's events: what it published",
    "costs": "Sums on these pages", "events": "Events kept here, added up again",
    "archive": "Archive, read back", "focus": "FOCUS export",
}
DAY_VERDICTS = {None: "not kept", True: "agrees", False: "differs"}
NOT_COMPARED = f"Not compared yet: compare all sources of at most {COST_HOURS_DAYS_MAX} days."
LABELS = ("day", "provider", "model", "token_class")
"""What tells the lines of an invoice apart."""


async def trust(visit: Visit) -> Shown:
    """Return the page. All sources are only compared when asked: it reads every event of the time.

    Raises:
        Permanent: (422) days that are none.
    """
    check = await gaps.report(visit.store, visit.tenant)
    asked, compared = visit.period.parameters, "compare" in visit.asked
    found = await visit.api("/v1/reconcile", asked) if compared else None
    days = visit.period.days
    readable = compared and days is not None and days <= COST_HOURS_DAYS_MAX
    lines = (await visit.api("/v1/trust", asked))["rows"] if readable else []
    return Shown("trust", "Trust", _cards(check, found, lines), [
        sources(found), by_day(await _days(visit, asked) if readable else NOT_COMPARED),
        against_invoice(lines), missing(check)],
        more={"still": compared, "compare": visit.href("/trust", compare="1")})


def sources(found: Mapping[str, Any] | None) -> Table:
    """Return what each source says was spent, and by how much it differs from the sums here."""
    rows: list[tuple[Cell, ...]] = [] if found is None else [
        (SOURCES.get(name, name), nano, found["differences"].get(name, None if nano is None else 0),
         "not asked: no answer" if nano is None else
         "differs" if name in found["differences"] else "agrees")
        for name, nano in found["sources"].items()]
    notes = " ".join(found["notes"]) if found else ""
    return Table("sources", "All sources of this time", columns(
        "Source", ("Spent", "usd"), ("Difference", "usd"), "Verdict"), rows, wide=True,
        note=f"{notes} Compared to the nano-dollar: what the ledger posted, what it published, "
        "what is summed here, what the kept events come to, what the export bills.".strip(),
        empty="Not compared yet: it reads every event of the time.")


async def _days(visit: Visit, asked: Mapping[str, str]) -> Mapping[str, Any] | str:
    """Return what the ledger's days hold beside the events, or why that cannot be said."""
    try:
        found: Mapping[str, Any] = await visit.api("/v1/trust/days", asked)
    except (Permanent, Transient) as error:
        return f"The ledger's days are unknown: {error.detail}"
    return found


def by_day(found: Mapping[str, Any] | str) -> Table:
    """Return what the ledger posted to each day beside what its events come to."""
    told: Mapping[str, Any] = {"rows": (), "zone": "–"} if isinstance(found, str) else found
    rows: list[tuple[Cell, ...]] = [
        (row["day"], row["ledger_nano"], row["events_nano"], row["difference_nano"],
         row["ledger_tokens"], row["events_tokens"], DAY_VERDICTS[row["agrees"]])
        for row in told["rows"]]
    return Table("by-day", "Ledger against its events, by day", columns(
        (f"Day ({told['zone']})", "time"), ("Ledger posted", "usd"), ("Events", "usd"),
        ("Difference", "usd"), ("Ledger's tokens", "count"), ("Events' tokens", "count"),
        "Verdict"), rows, wide=True,
        note="Ledger posted: the balance of its own account of that day. Events: what those that "
        "name this account come to. A call counts for the day on which it was reserved, and so do "
        "its corrections. The ledger keeps days for two months, and tokens without their classes: "
        "those are in the events, which the table below sets beside the invoice.",
        empty=found if isinstance(found, str) else "Nothing was posted in this time.")


def against_invoice(lines: Sequence[Mapping[str, Any]]) -> Table:
    """Return what a provider billed beside the events, by day, model and token class."""
    if all(line["agrees"] is None for line in lines):
        lines = ()  # days of events alone would be a long list that compares nothing
    names = list(dict.fromkeys(name for line in lines for name in line))
    labels = [name for name in names if name in LABELS]
    ordered = [*labels, *(name for name in names if name not in labels)]
    rows = [tuple(_cell(name, line.get(name)) for name in ordered) for line in lines]
    titles = [Column(_title(name), _kind(name)) for name in ordered] or [Column("Day")]
    return Table("against-invoice", "Events against the provider's invoice", tuple(titles), rows,
                 wide=True, note="Difference: invoice less events. Tokens differ where a provider "
                 "counts otherwise, prices where its contract does.",
                 empty="No invoice of this time was put in, or nothing was compared yet: put one "
                 f"in below; at most {COST_HOURS_DAYS_MAX} days are compared.")


def _kind(name: str) -> Kind:
    if name.endswith("_nano"):
        return "usd"
    return "count" if name.endswith("quantity") else "time" if name == "day" else "text"


def _cell(name: str, value: Any) -> Cell:
    if name == "agrees":
        return {None: "not billed", True: "agrees", False: "differs"}[value]
    return value if isinstance(value, int | None) else str(value)


def _title(name: str) -> str:
    return name.removesuffix("_nano").replace("_", " ").capitalize()


def _cards(check: Mapping[str, Any], found: Mapping[str, Any] | None,
           lines: Sequence[Mapping[str, Any]]) -> list[Card]:
    agrees = "not compared" if found is None else (
        "✓ all agree" if found["agrees"] else "✗ they differ")
    return [
        Card("Sources", agrees, "text", name="agrees",
             tone="" if found is None else "good" if found["agrees"] else "bad"),
        Card("Events here", check["events"], "count", name="events"),
        Card("Missing", check["missing_count"], "count", name="missing",
             tone="good" if check["gapless"] else "bad"),
        Card("Came twice, counted once", check["duplicates"], "count", name="duplicates"),
        Card("Invoice lines that differ", sum(line["agrees"] is False for line in lines)
             if found else None, "count", name="lines")]
