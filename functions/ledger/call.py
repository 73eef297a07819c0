"""What a row remembers of a call: everything that its events need, fixed at reserve."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from functions.ledger.cost import Priced
from functions.ledger.packing import Form, unpack
from functions.ledger.requests import CallBody
from shared.auth import Grant

FIXED = ("accounts", "call", "usd")
"""The fields of a row from which its `Facts` are made."""

PRINT_CHARS = 32
"""128 bits of a fingerprint: an accident is out of reach and a row stays small."""


@dataclass(frozen=True, slots=True)
class Facts:
    """A row's fixed part, as this process or another stored it."""

    accounts: str
    call: Mapping[str, Any]
    reserved_nano: int
    outcome: Mapping[str, Any] | None = None
    """What its settlement said, known to the process that settled it."""

    @classmethod
    def stored(cls, row: Sequence[str | None], tenant: str,
               reservation_id: str) -> "Facts | None":
        """Return what a row's accounts, call and usd say; `None` if there is no row.

        Raises:
            Transient: a later version wrote it.
        """
        accounts, text, usd = row
        if not (accounts and text):
            return None
        call = unpack(text, tenant, reservation_id)
        return cls(call.pop("accounts", accounts), call, int(usd or 0))

    def kept(self, form: Form, tenant: str, reservation_id: str) -> str:
        """Return what the row of an ended call keeps: everything, in a form."""
        return form({"accounts": self.accounts, **self.call}, tenant, reservation_id)

    @property
    def names(self) -> list[str]:
        """Return the names of the accounts."""
        return self.accounts.split()

    @property
    def task_position(self) -> int:
        """Return where the task's account stands, counted from 1."""
        return next(i for i, n in enumerate(self.names, 1) if n.startswith("task|"))


def fingerprint(grant: Grant, ask: CallBody) -> str:
    """Return what must be equal for a repeat to be a repeat: what the caller said.

    Not windows, amounts or price versions: an honest retry after midnight would conflict.
    """
    tasks = [grant.task, *(a.task for a in grant.ancestors)]
    return printed([grant.tenant, grant.agent, grant.session, *tasks, ask.kind, ask.called,
                    ask.tool_version, ask.input_tokens_max, ask.output_tokens_max])


def printed(said: Any) -> str:
    """Return the fingerprint of what was said, as `shared.ids.digest` makes it, some faster.

    Without floats, and with every mapping's keys in order.
    """
    return hashlib.sha256(to_json(said)).hexdigest()[:PRINT_CHARS]


def document(grant: Grant, ask: CallBody, most: Priced, *, price_version: str,
             trace: str | None) -> dict[str, Any]:
    """Return the call as the row keeps it; nothing absent is written down."""
    why = ask.attribution
    found: dict[str, Any] = {
        "invocation": {
            "id": ask.id, "kind": ask.kind, "step": why.step, "attempt": why.attempt,
            "trigger": {"source": why.trigger_source, "id": why.trigger_id},
            "streamed": why.streamed, "cold_start": why.cold_start,
            **({"revision": why.revision} if why.revision else {})},
        "dims": {
            "tenant": grant.tenant, "agent": grant.agent, "agent_version": why.agent_version,
            "session": grant.session, "task": grant.task, "root": grant.root, "env": why.env,
            "parent_agent": why.parent_agent},
        "most": {"total_nano": most.total_nano, "rounding_nano": most.rounding_nano,
                 "lines": most.lines, "version": price_version,
                 "tokens": [ask.input_tokens_max, ask.output_tokens_max]},
        "trace": why.trace_id or trace, "tags": why.tags or None,
    }
    found |= {"tool": {"name": ask.tool, "version": ask.tool_version or ""}} if ask.tool else {
        "model": _model(ask)}
    return {k: v for k, v in found.items() if v is not None}


def _model(ask: CallBody) -> dict[str, Any]:
    provider, _, name = (ask.model or "").partition("/")
    requested = ask.attribution.requested_model or ask.model or ""
    return {"provider": provider, "selected": name,
            "requested": requested.removeprefix(f"{provider}/"),
            "downgrade_reason": ask.attribution.downgrade_reason}
