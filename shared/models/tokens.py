"""Bounds and estimates of tokens, without any provider's tokenizer."""

import re
from collections.abc import Iterator

from shared.ids import canonical
from shared.models.port import ModelRequest

MESSAGE_TOKENS = 8
"""What providers add to each message for its role and its ends."""

TOOL_TOKENS = 16
TOOLS_TOKENS = 600
"""The instructions on tool use that Anthropic adds (313 to 530 by model and choice)."""

WORD_CHARS_MAX = 20
_PIECES = re.compile(r"[A-Za-z]+|\s+|[^A-Za-z\s]+")


def bounded(request: ModelRequest) -> int:
    """Return an upper bound of the input tokens, whatever the provider's tokenizer.

    Assumes two letters a token in words, and at most one token per digit, sign, letter of what is
    no plain word (base64, identifiers) or byte outside ASCII. English, at some 1.3 tokens a word,
    comes out at about twice that. What is used above the bound is posted all the same.
    """
    text = sum(_bound(part) for part in _parts(request))
    tools = TOOLS_TOKENS + TOOL_TOKENS * len(request.tools) if request.tools else 0
    return text + MESSAGE_TOKENS * (len(request.messages) + 1) + tools


def estimated(request: ModelRequest) -> int:
    """Return a deterministic estimate: four characters a token, as the offline model counts."""
    return sum(estimate(part) for part in _parts(request)) + len(request.messages)


def estimate(text: str) -> int:
    """Return the estimated tokens of a text."""
    return -(-len(text) // 4)


def _bound(text: str) -> int:
    return sum(_piece(piece) for piece in _PIECES.findall(text))


def _piece(piece: str) -> int:
    if piece.isspace():
        return 0 if piece == " " else -(-len(piece) // 4)
    if piece.isascii() and piece[1:].islower() and len(piece) <= WORD_CHARS_MAX:
        return -(-len(piece) // 2)
    return len(piece.encode())


def _parts(request: ModelRequest) -> Iterator[str]:
    for message in request.messages:
        yield message.content
        for call in message.tool_calls:
            yield call.name
            yield call.raw or canonical(call.arguments)
    for tool in request.tools:
        yield tool.name
        yield tool.description
        yield canonical(tool.schema)
