"""Makes the documents of ended calls small: 14 days of them stay in Redis (ADR 0035).

A packed text is `1` and base64 of raw deflate. What documents have in common – field names, and the
tenant and reservation that the key names anyway – is in the dictionary, not in the text. Anything
that begins otherwise is JSON, as rows of open reservations and of earlier versions have it.
"""

import base64
import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import to_json

from shared.errors import Transient

FORM = "1"
WINDOW_BITS, MEMORY_LEVEL, EFFORT = -13, 5, 6
"""A window of 8 KiB holds dictionary and document; larger ones cost time for nothing."""

SHARED = (
    b'{"input_uncached":1,"output_text":1,"cache_read":1,"cache_write_5m":1,"cache_write_1h":1,'
    b'"reasoning":1,"audio_in":1,"audio_out":1,"image_in":1,"requests":{"web_search":1},'
    b'"compute_ms":1,"basis":"estimated","price_basis":"requested","tier":"standard",'
    b'"error":"timeout","error":"http_500","downgrade_reason":"budget","parent_agent":"researcher"'
    b'"openai/gpt-4o-mini:","anthropic/claude-sonnet-4:","finish":"tool_calls","finish":"end_turn"'
    b'"max_output_tokens","streamed":true},"cold_start":true,"env":"prod","env":"local",'
    b'"tool":{"name":"calculator","version":"1.0.0"}}"reader","kind":"tool","kind":"embedding"'
    b'"lines":[{"sku":"calculator@1.0.0","meter":"call","qty":1,"unit_price":"0","cost_usd":"0"}]'
    b'"basis":"none","price_basis":"contract","version":"catalogue"|h|2026-11-21T|w|2026-W'
    b'"platform|model|openai/tool|"session|task|'
    b'{"basis":"provider","classes":{"input_uncached":100,"output_text":10},'
    b'"response":"scripted/default","finish":"stop","started":"2026-11-21T00:00:00.000Z",'
    b'"ended":"2026-11-21T00:00:00.000Z","rounding":"0.","lines":[{"sku":"scripted/default:'
    b'input_uncached","meter":"input_uncached","qty":100,"unit_price":"0.00000015","cost_usd":'
    b'"0.000015"},{"sku":"scripted/default:output_text","meter":"output_text","qty":10,'
    b'"unit_price":"0.0000006","cost_usd":"0.000006"}],"version":"scripted-1",'
    b'"price_basis":"response"}'
    b'"tokens":[1000,500]},"trace":"","tags":{"team":"","model":{"provider":"scripted",'
    b'"selected":"default","requested":"default","downgrade_reason":null}}'
    b'"agent":"researcher","agent_version":"1.0.0","session":"s","task":"","root":"","env":"dev",'
    b'"parent_agent":null},"most":{"total_nano":450000,"rounding_nano":"0","lines":[{"sku":'
    b'"scripted/default:input_max","meter":"input_max","qty":1000,"unit_price":"0.00000015",'
    b'"cost_usd":"0.00015"},{"sku":"scripted/default:output_max","meter":"output_max","qty":500,'
    b'"unit_price":"0.0000006","cost_usd":"0.0003"}],"version":"scripted-1",'
    b'|life tenant|t|m|2026-11 tenant||d|2026-11- agent|researcher|life agent|researcher|m|2026-11 '
    b'agent|researcher|d|2026-11-21 session|s|life task||life","invocation":{"kind":"llm","step":1,'
    b'"attempt":1,"trigger":{"source":"/agents/researcher","id":""},"source":"/tools/calculator",'
    b'"source":"/gateway","streamed":false,"cold_start":false,"revision":"researcher-00001"},'
    b'"dims":{"tenant":"')
"""Form 1's dictionary: never changed, since what it packed could not be read again. Texts that are
likely stand at its end, where a reference to them is short."""


def pack(value: Any, tenant: str, reservation_id: str) -> str:
    """Return JSON made small; the same value gives the same text."""
    packer = zlib.compressobj(EFFORT, zlib.DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
                              zdict=_dictionary(tenant, reservation_id))
    small = packer.compress(to_json(value)) + packer.flush()
    return FORM + base64.b64encode(small).rstrip(b"=").decode()


def plain(value: Any, *_: str) -> str:
    """Return JSON, as rows of open reservations have it, and all had before rows were packed."""
    return to_json(value).decode()


Form = Callable[[Any, str, str], str]
FORMS: Mapping[str, Form] = {"packed": pack, "plain": plain}
"""What ended rows may be written as; all of them are read (ADR 0035)."""


def unpack(text: str, tenant: str, reservation_id: str) -> Any:
    """Return what was packed, or the JSON that never was.

    Raises:
        Transient: a later version packed it.
    """
    if text[:1] in ("{", "["):
        return json.loads(text)
    if text[:1] != FORM:
        raise Transient(f"a document of reservation {reservation_id} has form {text[:1]!r}, which "
                        "a later version wrote")
    small = base64.b64decode(text[1:] + "=" * (-len(text[1:]) % 4))
    opener = zlib.decompressobj(WINDOW_BITS, zdict=_dictionary(tenant, reservation_id))
    return json.loads(opener.decompress(small) + opener.flush())


def _dictionary(tenant: str, reservation_id: str) -> bytes:
    return SHARED + f'{tenant}","id":"{reservation_id}'.encode()
