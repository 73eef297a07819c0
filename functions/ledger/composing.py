"""Makes events of outbox entries, without I/O: the same entry gives the same event, always."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from eventing.event import Event, is_printable
from eventing.types_ledger import (
    LedgerAdjusted,
    LedgerAttributed,
    LedgerDenied,
    LedgerPayload,
    LedgerThresholdCrossed,
)
from functions.ledger.call import Facts
from functions.ledger.packing import unpack
from shared.clock import rfc3339
from shared.usage import CLASSES, INPUT_CLASSES, OUTPUT_CLASSES

Entry = Mapping[str, str]
Document = Mapping[str, Any]
TRACE = re.compile(r"[0-9a-f]{32}\Z")
NOTHING = Facts("", {}, 0)
"""What an alert knows of a call: it has none."""

OUTCOMES = {"SETTLED": "settled", "VOIDED": "voided", "FORFEITED": "forfeited"}


def compose(tenant: str, place: str, entry: Entry, facts: Facts | None) -> Event:
    """Return the event of an outbox entry.

    `place` is the entry's id `<epoch>-<number>`; `facts` are its reservation's, `None` only for
    alerts.

    Raises:
        Transient: a later version wrote the entry.
    """
    epoch, _, number = place.partition("-")
    stands = {"seq": int(number), "epoch": epoch}
    known = facts or NOTHING
    payload, event_id = _PAYLOADS[entry["kind"]](entry, known, stands)
    call, dims = known.call, known.call.get("dims", {})
    return Event.of(
        payload, type=payload.TYPE, id=event_id, source=f"/ledger/{tenant}", subject=tenant,
        time=rfc3339(int(entry["at"]) / 1000), tenantid=tenant, ledgerseq=number,
        ledgerepoch=epoch, partitionkey=tenant, taskid=_ascii(dims.get("task")),
        rootid=_ascii(dims.get("root")), sessionid=_ascii(dims.get("session")),
        agent=_ascii(dims.get("agent")), tool=_ascii(call.get("tool", {}).get("name")),
        traceparent=_traceparent(call.get("trace"), event_id))


def _attributed(entry: Entry, facts: Facts, stands: Document) -> tuple[LedgerPayload, str]:
    call = facts.call
    if entry.get("outcome"):
        outcome = facts.outcome or unpack(entry["outcome"], call["dims"]["tenant"], entry["id"])
    else:
        outcome = _unanswered(entry, call)
    total, reserved = int(entry["cost"]), int(entry["reserved"])
    posted = entry["cause"] == "post"
    place = {**stands, "accounts": facts.names, "cause": entry["cause"],
                      "hold_ms": int(entry["at"]) - int(entry["held_at"])}
    return LedgerAttributed.model_validate({
        "outcome": "unreserved" if posted else OUTCOMES[entry["ending"]],
        "usage_basis": outcome["basis"], "invocation": _invocation(call, outcome),
        "dims": call["dims"], "tags": call.get("tags", {}), "tool": call.get("tool"),
        "model": _model(call, outcome), "usage": _usage(outcome),
        "cost": {
            "total_nano": total, "reserved_nano": reserved,
            "overrun_nano": 0 if posted else max(total - reserved, 0),
            "rounding_nano": outcome["rounding"], "lines": outcome["lines"],
            "price_version": outcome["version"], "price_basis": outcome["price_basis"]},
        "ledger": place,
        "result": {"finish_reason": outcome.get("finish"), "error_type": outcome.get("error")},
    }), call["invocation"]["id"]


def _unanswered(entry: Entry, call: Document) -> dict[str, Any]:
    """Return the outcome of a void (nothing) or of a forfeit (all that was reserved)."""
    most = call["most"]
    basis = "requested" if "model" in call else "contract"
    found = {"version": most["version"], "price_basis": basis}
    if entry["ending"] == "VOIDED":
        return found | {"basis": "none", "classes": {}, "rounding": "0", "lines": []}
    tokens_in, tokens_out = most["tokens"]
    return found | {
        "basis": "estimated", "rounding": most["rounding_nano"], "lines": most["lines"],
        "classes": {"input_uncached": tokens_in, "output_text": tokens_out}}


def _denied(entry: Entry, facts: Facts, stands: Document) -> tuple[LedgerPayload, str]:
    call = facts.call
    account, unit, need, have, reason = json.loads(entry["denial"])
    return LedgerDenied.model_validate({
        "invocation": call["invocation"], "dims": call["dims"], "tags": call.get("tags", {}),
        "model": call.get("model"), "tool": call.get("tool"), "account": account, "unit": unit,
        "need": int(need), "have": int(have), "reason": reason,
        "ledger": {**stands, "accounts": facts.names},
    }), f"{entry['id']}:denied"


def _crossed(entry: Entry, _: Facts, stands: Document) -> tuple[LedgerPayload, str]:
    return LedgerThresholdCrossed.model_validate({
        "account": entry["account"], "unit": entry["unit"], "percent": int(entry["percent"]),
        "limit": int(entry["limit"]), "used": int(entry["used"]), "ledger": stands,
    }), entry["id"]


def _adjusted(entry: Entry, facts: Facts, stands: Document) -> tuple[LedgerPayload, str]:
    call = facts.call
    return LedgerAdjusted.model_validate({
        "invocation": call["invocation"], "dims": call["dims"], "model": call.get("model"),
        "tool": call.get("tool"), "n": int(entry["n"]), "delta_nano": int(entry["delta_nano"]),
        "delta_tok": int(entry["delta_tok"]), "total_nano": int(entry["total_nano"]),
        "reason": entry["reason"], "ledger": {**stands, "accounts": facts.names},
    }), f"{entry['id']}:adj:{entry['n']}"


_PAYLOADS = {"attributed": _attributed, "denied": _denied, "threshold": _crossed,
             "adjusted": _adjusted}


def _invocation(call: Document, outcome: Document) -> dict[str, Any]:
    times = {k: outcome[k] for k in ("started", "ended") if k in outcome}
    streamed = outcome.get("streamed", call["invocation"]["streamed"])
    return {**call["invocation"], **times, "streamed": streamed}


def _model(call: Document, outcome: Document) -> dict[str, Any] | None:
    if "model" not in call:
        return None
    provider = call["model"]["provider"]
    response = outcome.get("response")
    return {**call["model"], "service_tier": outcome.get("tier"),
            "response": response.removeprefix(f"{provider}/") if response else None}


def _usage(outcome: Document) -> dict[str, Any]:
    counts = {name: outcome["classes"].get(name, 0) for name in CLASSES}
    return {"classes": counts, "requests": outcome.get("requests", {}),
            "input_total": sum(counts[n] for n in INPUT_CLASSES),
            "output_total": sum(counts[n] for n in OUTPUT_CLASSES),
            "compute_ms": outcome.get("compute_ms", 0)}


def _traceparent(trace: str | None, event_id: str) -> str | None:
    if not trace or not TRACE.match(trace):
        return None
    return f"00-{trace}-{hashlib.sha256(event_id.encode()).hexdigest()[:16]}-01"


def _ascii(text: str | None) -> str | None:
    if text is None or is_printable(text):
        return text
    return quote(text)
