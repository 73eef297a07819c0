"""Reads what providers count into disjoint classes, without I/O.

Sources: https://platform.openai.com/docs/api-reference/chat/object (usage),
https://platform.openai.com/docs/api-reference/responses/object (usage),
https://docs.anthropic.com/en/api/messages (usage). Golden fixtures: tests/unit/models/usage.

A count of 0 is a count. A missing total, or one that is no count, means that nobody counted: the
answer is `None`, and the caller estimates.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from shared.usage import Usage

Found = Mapping[str, Any]
SERVER_TOOLS: Mapping[str, str] = {
    "web_search_call": "web_search", "file_search_call": "file_search",
    "code_interpreter_call": "code_interpreter", "image_generation_call": "image_generation"}
"""OpenAI's output items that are billed per call, and what they are called here."""

SEARCHING = ("-search-preview", "-search-api")
"""In the names of OpenAI's chat models that always search the web."""


def chat_usage(found: Found, model: str = "") -> Usage | None:
    """Return the usage of OpenAI's chat completions: totals include cached, audio, reasoning.

    Models that always search bill one search per answer, which no count tells.
    """
    searches = {"web_search": 1} if any(part in model for part in SEARCHING) else {}
    return _openai(_count(found, "prompt_tokens"), _count(found, "completion_tokens"),
                   found.get("prompt_tokens_details"), found.get("completion_tokens_details"),
                   requests=searches)


def responses_usage(found: Found, output: Iterable[Found] = ()) -> Usage | None:
    """Return the usage of OpenAI's responses; `output` holds the items, server tools among them."""
    return _openai(_count(found, "input_tokens"), _count(found, "output_tokens"),
                   found.get("input_tokens_details"), found.get("output_tokens_details"),
                   requests=_server_tools(output))


def _server_tools(output: Iterable[Found]) -> Counter[str]:
    """Return what is billed of them: searches, not pages that are opened; containers, not runs."""
    found: Counter[str] = Counter()
    containers = set()
    for item in output:
        name = SERVER_TOOLS.get(str(item.get("type")))
        if name == "code_interpreter" and (container := item.get("container_id")):
            if container in containers:
                continue
            containers.add(container)
        is_free = name == "web_search" and _part(item, "action").get("type", "search") != "search"
        if name and not is_free:
            found[name] += 1
    return found


def messages_usage(found: Found) -> Usage | None:
    """Return the usage of Anthropic's messages: its input tokens exclude cached ones."""
    given, made = _count(found, "input_tokens"), _count(found, "output_tokens")
    if given is None or made is None:
        return None
    by_life, server = _part(found, "cache_creation"), _part(found, "server_tool_use")
    hour = _or_zero(by_life, "ephemeral_1h_input_tokens")
    written = max(_or_zero(found, "cache_creation_input_tokens"),
                  hour + _or_zero(by_life, "ephemeral_5m_input_tokens"))
    thought = min(_or_zero(_part(found, "output_tokens_details"), "thinking_tokens"), made)
    return Usage(
        input_uncached=given, cache_read=_or_zero(found, "cache_read_input_tokens"),
        cache_write_5m=written - hour, cache_write_1h=hour, reasoning=thought,
        output_text=made - thought,
        requests={name.removesuffix("_requests"): count
                  for name in server if (count := _or_zero(server, name))})


def _openai(given: int | None, made: int | None, given_of: object, made_of: object, *,
            requests: Mapping[str, int] | None = None) -> Usage | None:
    """Split both totals; parts that claim more than the total get what is left of it."""
    if given is None or made is None:
        return None
    ins, outs = _mapping(given_of), _mapping(made_of)
    heard = min(_or_zero(ins, "audio_tokens"), given)
    seen = min(_or_zero(ins, "image_tokens"), given - heard)
    cached = min(_or_zero(ins, "cached_tokens"), given - heard - seen)
    written = min(_or_zero(ins, "cache_write_tokens"), given - heard - seen - cached)
    spoken = min(_or_zero(outs, "audio_tokens"), made)
    thought = min(_or_zero(outs, "reasoning_tokens"), made - spoken)
    return Usage(
        input_uncached=given - heard - seen - cached - written, cache_read=cached,
        cache_write_5m=written, audio_in=heard, image_in=seen, audio_out=spoken,
        reasoning=thought, output_text=made - spoken - thought, requests=dict(requests or {}))


def _count(found: Found, name: str) -> int | None:
    value = found.get(name)
    return value if type(value) is int and value >= 0 else None


def _or_zero(found: Found, name: str) -> int:
    return _count(found, name) or 0


def _part(found: Found, name: str) -> Found:
    return _mapping(found.get(name))


def _mapping(value: object) -> Found:
    return value if isinstance(value, Mapping) else {}
