"""Describes the task API (OpenAPI 3.1), from the same models that check its requests."""

from typing import Any

from pydantic.json_schema import models_json_schema

from shared.tasks.contract import AgentResult, TaskRequest, WorkflowRequest
from shared.tasks.state import StepRecord

_REF = "#/components/schemas/{model}"


def document(name: str, description: str, version: str) -> dict[str, Any]:
    """Return the OpenAPI document of a host that serves the task API."""
    models = [(m, "validation") for m in (TaskRequest, AgentResult, StepRecord, WorkflowRequest)]
    _, schemas = models_json_schema(models, ref_template=_REF)  # type: ignore[arg-type]
    return {
        "openapi": "3.1.0",
        "info": {"title": name, "description": description, "version": version},
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        "security": [{"key": []}],
        "paths": {
            "/run": {"post": _posting("Run a task and wait for its result", "200", "AgentResult")},
            "/tasks": {"post": _posting("Submit a task", "202", None),
                       "get": _op("List tasks, newest first", "200", query=(
                           "status", "agent", "since", "until", "limit", "cursor"))},
            "/tasks/{id}": {"get": _op("Show a task", "200", path=True),
                            "delete": _op("Cancel a task", "202", path=True)},
            "/tasks/{id}/steps": {"get": _op("Show a task's steps", "200", path=True)},
            "/tasks/{id}/events": {"get": _op("Follow a task (server-sent events)", "200",
                                              path=True)},
            "/health": {"get": _op("Is the process alive", "200")},
            "/ready": {"get": _op("Are Redis and the model's provider there", "200")},
            "/metrics": {"get": _op("Prometheus metrics", "200")},
        },
    }


def _op(summary: str, status: str, *, path: bool = False,
        query: tuple[str, ...] = ()) -> dict[str, Any]:
    text = {"type": "string"}
    parameters: list[dict[str, Any]] = [{"name": n, "in": "query", "schema": text} for n in query]
    if path:
        parameters.append({"name": "id", "in": "path", "required": True,
                           "schema": {"type": "string"}})
    return {"summary": summary, "parameters": parameters, "responses": {
        status: {"description": "done"}, "default": {
            "description": "problem details (RFC 9457)",
            "content": {"application/problem+json": {}}}}}


def _posting(summary: str, status: str, answer: str | None) -> dict[str, Any]:
    operation = _op(summary, status)
    operation["parameters"].append({"name": "Idempotency-Key", "in": "header",
                                    "schema": {"type": "string"}})
    body = {"anyOf": [{"$ref": _REF.format(model=m)} for m in ("TaskRequest", "WorkflowRequest")]}
    operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    if answer:
        operation["responses"][status]["content"] = {
            "application/json": {"schema": {"$ref": _REF.format(model=answer)}}}
    return operation
