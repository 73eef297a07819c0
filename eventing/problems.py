"""Answers errors as problem details (RFC 9457)."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from starlette.responses import Response

from shared.errors import Permanent, TollgateError
from shared.limits import DELIVERY_ERROR_BYTES_MAX
from shared.telemetry import trace_id

MEDIA_TYPE = "application/problem+json"


def problem(error: TollgateError, *, status: int | None = None) -> Response:
    """Return the response of an error: type, title, status, detail, trace id and its extras."""
    code = status or error.status
    body: dict[str, Any] = {
        "type": "about:blank", "title": error.title, "status": code, "detail": error.detail,
        **error.extra,
    }
    if trace := trace_id():
        body["trace_id"] = trace
    return Response(json.dumps(body, default=str), status_code=code, media_type=MEDIA_TYPE)


def brief(answer: Response) -> Response:
    """Return an error's answer as a Broker can keep it: at most `DELIVERY_ERROR_BYTES_MAX`.

    A longer one loses its extras and the end of its detail, which ends in `…` then; the log has
    all of it. Anything but an error stays as it is.
    """
    if answer.status_code < 400 or len(answer.body) <= DELIVERY_ERROR_BYTES_MAX:
        return answer
    full = json.loads(bytes(answer.body))
    kept = {name: full[name] for name in ("type", "title", "status", "trace_id") if name in full}
    text = full["detail"][:DELIVERY_ERROR_BYTES_MAX]
    while len(body := json.dumps(kept | {"detail": f"{text}…"})) > DELIVERY_ERROR_BYTES_MAX:
        text = text[:-1]
    return Response(body, status_code=answer.status_code, media_type=MEDIA_TYPE)


def invalid(error: ValidationError) -> Permanent:
    """Return the 422 of a body that does not fit its model, with a path per fault."""
    faults = [{"path": ".".join(str(p) for p in e["loc"]) or "(body)", "message": _told(e)}
              for e in error.errors(include_url=False, include_context=False)]
    detail = "; ".join(f"{f['path']}: {f['message']}" for f in faults)
    return Permanent(detail, errors=faults)


def _told(fault: Mapping[str, Any]) -> str:
    """Return a fault as callers say it: they know of objects, not of our classes."""
    is_none = fault["type"] in ("model_type", "model_attributes_type", "dict_type")
    return "Input should be an object" if is_none else str(fault["msg"])
