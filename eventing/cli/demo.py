"""The demo: one task as events, within its budget, and what every invocation cost."""

import json
import time
from pathlib import Path
from typing import Any

from eventing.cli import show
from eventing.cli.demo_checks import Facts, answer_of, awake, checks
from eventing.cli.demo_facts import Collector, read, traces_of
from eventing.cli.demo_feed import Feed
from eventing.cli.demo_figures import expected
from eventing.cli.demo_system import EXAMPLES, FACTOR, MANIFESTS, WINDOW_S, System, system
from eventing.cli.remote import Remote

AGENT = "researcher"
SOURCE = "/demo"
TOKENS = 32768


class Demo:
    """One run; `quiet` prints one JSON object instead of what happens."""

    def __init__(self, data: Path | None, files: Path = EXAMPLES, *, quiet: bool) -> None:
        self._data, self._files, self._quiet = data, files, quiet

    def run(self) -> bool:
        """Run it; return whether every check holds.

        Raises:
            Failure: it cannot be run, with what to do.
        """
        began = time.monotonic()
        self._say("Starting broker and functions, all at zero but the ledger. "
                  f"Functions sleep after {WINDOW_S} s, {FACTOR} times faster than on a cluster.")
        with system(self._data, self._files) as running, Remote(running.place) as remote:
            self._say(f"The dashboard is at {running.place.address('dashboard')}")
            collector = Collector(remote, MANIFESTS)
            task = self._task(running, remote, collector)
            facts = self._facts(running, collector, task)
            verdict = checks(facts)
            self._report(facts, verdict, time.monotonic() - began)
        return all(verdict.values())

    def _task(self, running: System, remote: Remote, collector: Collector) -> dict[str, Any]:
        accepted = remote.ask(
            "POST", "gateway", "/events", content=json.dumps(_event(running.webhook.url)),
            headers={"Content-Type": "application/cloudevents+json"})
        self._say(f"A CloudEvent from {SOURCE} became task {accepted['id']}.\n")
        for line in Feed(running.place, collector).follow(accepted["id"]):
            self._say(line)
        return collector.task(accepted["id"])

    def _facts(self, running: System, collector: Collector, task: dict[str, Any]) -> Facts:
        money = collector.money()
        collector.until(lambda: not awake(collector.functions(), collector.always_on))
        return Facts(
            task=task, records=collector.records(), functions=collector.functions(),
            always_on=collector.always_on, webhook_keys=tuple(running.webhook.keys),
            expected=expected(read(self._files / "sales.csv"), read(self._files / "report.md")),
            traces=traces_of(task["id"], running.place.data / "logs"), **money)

    def _report(self, facts: Facts, verdict: dict[str, bool], took_s: float) -> None:
        if self._quiet:
            show.as_json(summary(facts, verdict))
            return
        self._say("\n" + answer_of(facts.task) + "\n")
        for name in ("agent", "tool", "model"):
            _cost_table(getattr(facts, f"by_{name}"), name)
        self._say(f"\nledger: {show.usd(int(facts.summary['posted_nano']))} posted, "
                  f"{show.usd(int(facts.summary['held_nano']))} held, "
                  f"{facts.summary['events']} events without a gap: {facts.gaps['gapless']}")
        for name, holds in verdict.items():
            show.line(f"  {'✓' if holds else '✗'} {name.replace('_', ' ')}",
                      style="green" if holds else "red")
        self._say(f"\n{took_s:.1f} s in all. The same system, kept running: make run")

    def _say(self, text: str) -> None:
        if not self._quiet:
            show.line(text)


def _event(webhook: str) -> dict[str, Any]:
    prompt = read(EXAMPLES / "prompt.txt").replace("{webhook}", webhook)
    return {"specversion": "1.0", "type": "dev.tollgate.task.submitted.v1", "source": SOURCE,
            "id": "demo-1", "datacontenttype": "application/json",
            "data": {"agent": AGENT, "prompt": prompt, "token_budget": TOKENS}}


def _cost_table(found: dict[str, Any], name: str) -> None:
    rows = [row for row in found["rows"] if row[name] is not None]
    show.table("", (f"by {name}", "invocations#", "tokens#", "cost#"),
               [(r[name], r["invocations"], r["tokens"], show.usd(r["cost_nano"])) for r in rows])


def summary(facts: Facts, verdict: dict[str, bool]) -> dict[str, Any]:
    """Return the object that `tollgate demo --json` prints."""
    task, ledger = facts.task, facts.summary
    result = task.get("result") or {}
    return {
        "answer": answer_of(task),
        "task": {"id": task["id"], "status": task["status"], "steps": task["steps_used"],
                 "tool_calls": result.get("tool_calls", 0), "tokens_used": task["tokens_used"],
                 "duration_ms": result.get("duration_ms", 0)},
        "functions": {f["name"]: {k: f[k] for k in ("woken", "slept", "processes_max")}
                      for f in facts.functions},
        "costs": {"total_nano": facts.by_agent["total_nano"], **{
            f"by_{name}": _sums(getattr(facts, f"by_{name}"), name)
            for name in ("agent", "tool", "model")}},
        "ledger": {"posted_nano": int(ledger["posted_nano"]),
                   "held_nano": int(ledger["held_nano"]), "reservations": ledger["reservations"],
                   "events": ledger["events"], "sequence_gaps": facts.gaps["missing_count"]},
        "webhook_calls": len(facts.webhook_keys),
        "checks": verdict,
    }


def _sums(found: dict[str, Any], name: str) -> dict[str, int]:
    return {row[name]: row["cost_nano"] for row in found["rows"] if row[name] is not None}
