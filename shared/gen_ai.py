"""Names what a model or tool call is, in OpenTelemetry's words for generative AI (`gen_ai.*`).

Never prompts, answers or arguments: spans leave the house.

Source: OpenTelemetry semantic conventions for generative AI, "Inference", "Execute tool span",
"Invoke agent span" (status: development).
"""

from shared.usage import Usage

Attributes = dict[str, str | int | list[str]]


def provider(name: str) -> str:
    """Return a provider under its well-known name, whichever of its APIs is spoken."""
    return "openai" if name == "openai-responses" else name


def chat(provider_name: str, model: str, output_tokens_max: int) -> Attributes:
    """Return what is known of a model call before it is made."""
    return {"gen_ai.operation.name": "chat", "gen_ai.provider.name": provider(provider_name),
            "gen_ai.request.model": model, "gen_ai.request.max_tokens": output_tokens_max,
            "gen_ai.request.stream": True}


def answered(model: str, finish_reason: str, usage: Usage) -> Attributes:
    """Return what its answer adds; input includes what was cached, output what was reasoned."""
    return {
        "gen_ai.response.model": model.partition("/")[2],
        "gen_ai.response.finish_reasons": [finish_reason],
        "gen_ai.usage.input_tokens": usage.input_total,
        "gen_ai.usage.output_tokens": usage.output_total,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_write_5m + usage.cache_write_1h}


def agent(name: str, session: str) -> Attributes:
    """Return what is known of a delivery to an agent."""
    return {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name,
            "gen_ai.conversation.id": session}


def tool(name: str, call_id: str) -> Attributes:
    """Return what is known of a tool call."""
    return {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name,
            "gen_ai.tool.call.id": call_id, "gen_ai.tool.type": "function"}
