"""Draws what happens as one HTML page; a script keeps it up to date, and it is whole without."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from time import localtime, strftime
from typing import Any

SHOWN_MAX = 100
"""The latest records; the rest is at /events."""

HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tollgate</title>
<style>
:root { color-scheme: light dark; background: #fff; color: #111; --link: #0b57d0; }
@media (prefers-color-scheme: dark) {
  :root { background: #121212; color: #eee; --link: #a8c7fa; }
}
a { color: var(--link); }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem;
  padding: 0 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
section { margin-top: 1.5rem; }
caption { text-align: left; font-weight: bold; font-size: 1.15rem; padding-bottom: .3rem; }
th { font-size: .85rem; opacity: .8; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8884; }
.number { text-align: right; font-variant-numeric: tabular-nums; width: 9%; }
nav a { margin-right: 1rem; }
</style>
</head>
"""
LIVE = """<script>
const live = document.getElementById('live');
live.parentElement.hidden = false;
setInterval(async () => {
  const main = document.querySelector('main');
  if (!live.checked || document.hidden || main.contains(document.activeElement)) return;
  const answer = await fetch('/').catch(() => null);  // it may have ended
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  main.replaceChildren(...page.querySelector('main').children);
}, 3000);
</script>
"""
"""Not a reload: that would take away focus, selection and place from whoever reads."""

Row = Iterable[Any]


def page(status: Mapping[str, Any], records: list[Mapping[str, Any]]) -> str:
    """Return the page of a status and the records of the journal."""
    costs = status["addresses"].get("costs")
    return "".join((HEAD, "<body>\n<header><h1>Tollgate</h1>", _links(status["addresses"]),
                    "</header>\n<main>", _functions(status["functions"]),
                    _triggers(status["triggers"]), _dead(records, costs),
                    _flow(records, costs),
                    "</main>\n", LIVE, "</body>\n</html>\n"))


def _links(addresses: Mapping[str, str]) -> str:
    costs = addresses.get("costs")
    there = f'<a href="{escape(costs)}/">Costs and tasks</a>' if costs else ""
    return (f'<nav aria-label="Other pages">{there}<a href="/events">Events</a></nav>'
            '<label hidden><input type="checkbox" id="live" checked> live</label>')


@dataclass(frozen=True, slots=True)
class Task:
    """A cell that leads to the steps and costs of a task."""

    ident: str
    costs: str | None
    """Address of the cost pages, if they are deployed."""

    @property
    def html(self) -> str:
        """Return the cell's contents."""
        text = escape(self.ident)
        return f'<a href="{escape(self.costs)}/tasks/{text}">{text}</a>' if self.costs else text


def _functions(functions: Iterable[Mapping[str, Any]]) -> str:
    names = ("replicas", "ready", "in_flight", "waiting", "woken", "slept", "processes_max")
    return _table("Functions", ("function", *names),
                  ([f["name"], *(f[name] for name in names)] for f in functions))


def _triggers(triggers: Iterable[Mapping[str, Any]]) -> str:
    names = ("pending", "delivered", "retried", "dead", "lost")
    return _table("Triggers", ("trigger", *names),
                  ([t["name"], *(t[name] for name in names)] for t in triggers))


def _dead(records: Iterable[Mapping[str, Any]], costs: str | None) -> str:
    dead = [r for r in records if r["kind"] in ("dead_letter", "lost")][-SHOWN_MAX:]
    return _table("Dead letters", ("time", "what", "trigger", "type", "task", "code"),
                  ([_clock(r), r["kind"], r["trigger"], r["type"], _task(r, costs),
                    r["code"]]
                   for r in reversed(dead)))


def _flow(records: list[Mapping[str, Any]], costs: str | None) -> str:
    latest = reversed(records[-SHOWN_MAX:])
    return _table("What happened", ("time", "what", "who", "task"), (
        [_clock(r), r.get("type") or r["kind"],
         r.get("source") or r.get("function") or r.get("trigger"), _task(r, costs)]
        for r in latest))


def _task(record: Mapping[str, Any], costs: str | None) -> Task | None:
    return Task(record["task"], costs) if record.get("task") else None


def _clock(record: Mapping[str, Any]) -> str:
    return strftime("%H:%M:%S", localtime(record["time"]))


def _table(title: str, heads: Row, rows: Iterable[Row]) -> str:
    rows = [tuple(row) for row in rows]
    numeric = {n for row in rows[:1] for n, value in enumerate(row) if isinstance(value, int)}
    head = "".join(_head(name, is_number=n in numeric) for n, name in enumerate(heads))
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>\n" for row in rows)
    body = body or f'<tr><td colspan="{len(tuple(heads))}">none</td></tr>'
    return (f'<section class="wide" tabindex="0" aria-label="{title}">'
            f"<table><caption>{title}</caption>\n<thead><tr>{head}</tr></thead>\n"
            f"<tbody>{body}</tbody></table></section>\n")


def _head(name: Any, *, is_number: bool) -> str:
    kind = ' class="number"' if is_number else ""
    return f'<th scope="col"{kind}>{escape(str(name).replace("_", " "))}</th>'


def _cell(value: Any) -> str:
    if isinstance(value, Task):
        return f"<td>{value.html}</td>"
    kind = ' class="number"' if isinstance(value, int) else ""
    return f"<td{kind}>{'' if value is None else escape(str(value))}</td>"
