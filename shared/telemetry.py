"""Traces, metrics and logs of one function, under one trace id.

Logs are JSON lines on standard error. Spans go where `OTEL_TRACES_EXPORTER` says: `console` (JSON
lines beside the logs), `otlp` (by the standard variables) or `none`.
"""

import json
import logging
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from typing import Any

from opentelemetry import context, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    SimpleSpanProcessor,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from pydantic_core import to_json

from shared.clock import rfc3339
from shared.errors import TollgateError

_PROPAGATOR = TraceContextTextMapPropagator()
_BUILTIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _JsonLines(logging.Formatter):
    """One JSON object per record, with the ids of the current span."""

    def __init__(self, function: str) -> None:
        super().__init__()
        self._function = function

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        span = trace.get_current_span().get_span_context()
        line: dict[str, Any] = {
            "time": rfc3339(record.created), "level": record.levelname.lower(),
            "function": self._function, "message": record.getMessage(),
        }
        if span.is_valid:
            line |= {"trace_id": f"{span.trace_id:032x}", "span_id": f"{span.span_id:016x}"}
        line |= {k: v for k, v in vars(record).items() if k not in _BUILTIN}
        if record.exc_info:
            line["exception"] = _raised(record.exc_info[1])
        return json.dumps(line, default=str)


def _raised(error: BaseException | None) -> str:
    """Return where an error was raised, of which kind it is, and the same of what caused it.

    Words are those of our own errors alone: others quote what they choked on, which may be a prompt
    or a tool's result.
    """
    told: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        words = f": {error.detail}" if isinstance(error, TollgateError) else ""
        told.append("".join(traceback.format_tb(error.__traceback__))
                    + type(error).__qualname__ + words)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\ncaused by:\n".join(told)


class SpanLines(SpanExporter):
    """Writes each span as one JSON line on standard error."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write the spans."""
        for span in spans:
            sys.stderr.write(to_json(_span_line(span), fallback=str).decode() + "\n")
        sys.stderr.flush()
        return SpanExportResult.SUCCESS


def _span_line(span: ReadableSpan) -> dict[str, Any]:
    ids, start, end = span.get_span_context(), span.start_time or 0, span.end_time or 0
    return {
        "kind": "span", "time": rfc3339(end / 1e9), "name": span.name,
        "function": span.resource.attributes.get("service.name"),
        "trace_id": f"{ids.trace_id:032x}" if ids else None,
        "span_id": f"{ids.span_id:016x}" if ids else None,
        "parent_id": f"{span.parent.span_id:016x}" if span.parent else None,
        "duration_ms": round((end - start) / 1e6, 3), "status": span.status.status_code.name,
        "attributes": dict(span.attributes or {}),
    }


def configure(function: str, *, exporter: str = "none", level: str = "INFO") -> None:
    """Set up logs and traces of this process; a second call replaces the log handler only."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines(function))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    if exporter != "none" and not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(_provider(function, exporter))


def _provider(function: str, exporter: str) -> TracerProvider:
    provider = TracerProvider(resource=Resource({"service.name": function}))
    if exporter == "otlp":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
            OTLPSpanExporter,  # slow to import, and most laptops have no collector
        )
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    else:
        provider.add_span_processor(SimpleSpanProcessor(SpanLines()))
    return provider


def span(name: str, attributes: Mapping[str, Any] | None = None, traceparent: str | None = None,
         *, is_client: bool = False) -> AbstractContextManager[trace.Span]:
    """Run the block in a span, below `traceparent` if one is given, else the current span.

    `is_client` marks a call of somebody else's server. A span that fails says by which class, not
    with which words: a provider's error may quote a prompt, and spans leave the house.
    """
    parent = _PROPAGATOR.extract({"traceparent": traceparent}) if traceparent else None
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        return _begun(provider, name, attributes or {}, parent, is_client=is_client)
    return nullcontext(trace.get_current_span()) if parent is None else _below(parent)


@contextmanager
def _begun(provider: TracerProvider, name: str, attributes: Mapping[str, Any],
           parent: context.Context | None, *, is_client: bool) -> Iterator[trace.Span]:
    values = {k: v for k, v in attributes.items() if v is not None}
    kind = trace.SpanKind.CLIENT if is_client else trace.SpanKind.INTERNAL
    begun = _tracer(provider).start_span(name, context=parent, attributes=values, kind=kind)
    with trace.use_span(begun, end_on_exit=True, record_exception=False,
                        set_status_on_exception=False):
        try:
            yield begun
        except BaseException as error:
            begun.set_attribute("error.type", type(error).__name__)
            begun.set_status(trace.StatusCode.ERROR)
            raise


@lru_cache(maxsize=1)
def _tracer(_: TracerProvider) -> trace.Tracer:
    """Return the provider's tracer; making one takes as long as a span."""
    return trace.get_tracer("tollgate")


@contextmanager
def _below(parent: context.Context) -> Iterator[trace.Span]:
    """Where nothing is recorded a trace is still passed on."""
    token = context.attach(parent)
    try:
        yield trace.get_current_span()
    finally:
        context.detach(token)


def mark_failed() -> None:
    """Mark the current span as failed; does nothing outside any."""
    trace.get_current_span().set_status(trace.StatusCode.ERROR)


def traceparent() -> str | None:
    """Return the W3C `traceparent` of the current span, or `None` outside any."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent")


def trace_id() -> str | None:
    """Return the current trace id as 32 hex digits, or `None`."""
    ids = trace.get_current_span().get_span_context()
    return f"{ids.trace_id:032x}" if ids.is_valid else None
