"""What spans say of a model and of a tool, and that a real collector gets them."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes

from shared import gen_ai, telemetry
from shared.models.errors import ProviderUnknown
from shared.usage import Usage
from tests.integration.agents import test_over_budget
from tests.integration.costs import conftest

agent = test_over_budget.agent
settings, ledger, started = conftest.settings, conftest.ledger, conftest.started
TRACE = "a" * 32
"""Of the traceparent that the ledger's events carry."""


@pytest.fixture
def spans(monkeypatch):
    """Every span that ends from here on."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    yield exporter
    provider.shutdown()


@pytest.mark.anyio
async def test_model_call_is_described_below_its_step_and_its_run(agent, spans):
    await agent.run()

    found = {span.name: span for span in spans.get_finished_spans()}
    run, step, call = (found[f"agent.{name}"] for name in ("run", "step", "llm_call"))
    assert (step.parent.span_id, call.parent.span_id) == (run.context.span_id, step.context.span_id)
    assert run.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert run.attributes["gen_ai.agent.name"] == call.attributes["gen_ai.agent.name"] == \
        "researcher"
    assert {k: v for k, v in call.attributes.items() if k.startswith("gen_ai.")} == {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "scripted",
        "gen_ai.request.model": "default", "gen_ai.request.max_tokens": 1024,
        "gen_ai.request.stream": True, "gen_ai.usage.reasoning.output_tokens": 0,
        "gen_ai.response.model": "default", "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 1,
        "gen_ai.usage.cache_read.input_tokens": 0, "gen_ai.usage.cache_creation.input_tokens": 0,
        "gen_ai.agent.name": "researcher", "gen_ai.conversation.id": call.attributes[
            "gen_ai.conversation.id"]}


@pytest.mark.anyio
async def test_model_call_is_a_client_and_what_the_conventions_name(agent, spans):
    await agent.run()

    found = {span.name: span for span in spans.get_finished_spans()}
    named = {key for span in found.values() for key in span.attributes if key.startswith("gen_ai.")}
    assert found["agent.llm_call"].kind is trace.SpanKind.CLIENT
    assert found["agent.run"].kind is trace.SpanKind.INTERNAL
    assert named <= {value for name, value in vars(gen_ai_attributes).items()
                     if name.startswith("GEN_AI_") and isinstance(value, str)}


def test_span_that_fails_says_the_class_of_the_error_and_not_its_words(spans):
    with pytest.raises(ProviderUnknown), telemetry.span("call"):
        raise ProviderUnknown("it quoted a prompt")

    (span,) = spans.get_finished_spans()
    assert span.attributes["error.type"] == "ProviderUnknown"
    assert span.status.status_code is trace.StatusCode.ERROR
    assert "quoted" not in span.to_json()


@pytest.mark.anyio
async def test_no_span_holds_a_prompt_or_an_answer(agent, spans):
    await agent.run()

    told = " ".join(span.to_json() for span in spans.get_finished_spans())
    prompt = (await agent.now()).task.prompt
    assert prompt not in told
    assert '"done"' not in told


def test_input_tokens_include_those_from_the_cache():
    found = gen_ai.answered("openai/m", "stop", Usage(input_uncached=5, cache_read=90,
                                                     cache_write_5m=3, cache_write_1h=2))

    assert found["gen_ai.usage.input_tokens"] == 100
    assert found["gen_ai.usage.cache_read.input_tokens"] == 90
    assert found["gen_ai.usage.cache_creation.input_tokens"] == 5


def test_provider_has_one_name_whichever_api_is_spoken():
    assert gen_ai.chat("openai-responses", "m", 5)["gen_ai.provider.name"] == "openai"


class Collector(BaseHTTPRequestHandler):
    """Takes OTLP over HTTP, in protobuf."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        request = ExportTraceServiceRequest.FromString(body)
        self.server.taken.append((self.path, self.headers["content-type"],
                                  self.headers["x-team"], request))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def collecting():
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        server.taken = []
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_collector_gets_every_span_by_the_standard_variables_also_those_of_the_last_second(
        started, ledger):
    with collecting() as collector:
        process = started(
            OTEL_TRACES_EXPORTER="otlp", OTEL_EXPORTER_OTLP_HEADERS="x-team=blue",
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.server_port}")
        process.deliver(ledger.attributed("r-1"))
        httpx2.get(f"{process.url}/v1/gaps", headers={
            "traceparent": f"00-{'c' * 32}-{'d' * 16}-01", "authorization": "Bearer tg_local"})
        status, log = process.stop()

    assert status == 0, log
    assert {(path, kind, team) for path, kind, team, _ in collector.taken} == {
        ("/v1/traces", "application/x-protobuf", "blue")}
    found = {span.name: (span.trace_id.hex(), resource) for *_, request in collector.taken
             for group in request.resource_spans
             for resource in [{a.key: a.value.string_value for a in group.resource.attributes}]
             for scope in group.scope_spans for span in scope.spans}
    assert found["costs process"][0] == TRACE
    assert found["GET /v1/gaps"][0] == "c" * 32
    assert found["costs process"][1]["service.name"] == "costs"
