"""Answers errors as problem details (RFC 9457)."""

import json
from typing import Any

from pydantic import ValidationError
from starlette.responses import Response

from shared.errors import Permanent, TollgateError
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


def invalid(error: ValidationError) -> Permanent:
    """Return the 422 of a body that does not fit its model, with a path per fault."""
    faults = [{"path": ".".join(str(p) for p in e["loc"]) or "(body)", "message": e["msg"]}
              for e in error.errors(include_url=False, include_context=False)]
    detail = "; ".join(f"{f['path']}: {f['message']}" for f in faults)
    return Permanent(detail, errors=faults)
