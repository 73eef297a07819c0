"""The forms of values in FOCUS 1.2: numbers, instants, currencies, key-value pairs, texts.

Source: FinOps Open Cost and Usage Specification 1.2, chapter "Attributes"; the numbers are those
of its requirements model.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal

from eventing.focus.columns import Kind
from eventing.focus.values import CURRENCIES, SKU_PROPERTIES

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z", re.ASCII)
_NUMBER = re.compile(r"-?(\d+(\.\d+)?|\.\d+)([Ee]-?\d+)?\Z", re.ASCII)
_PLACEHOLDERS = frozenset({"", "n/a", "not applicable"})


def decimal(text: str | None) -> Decimal | None:
    """Return a number as Numeric Format writes it, `None` for anything else."""
    return Decimal(text) if text and _NUMBER.match(text) else None


def instant(text: str | None) -> datetime | None:
    """Return an instant as Date/Time Format writes it, without a zone; `None` for anything else."""
    if not text or not _INSTANT.match(text):
        return None
    try:
        return datetime.strptime(text, TIME_FORMAT)  # noqa: DTZ007 – the Z is in the format
    except ValueError:
        return None


def pairs(text: str) -> Mapping[str, object] | None:
    """Return key-value pairs; `None` if they are nested, have a key twice, or are no object."""
    try:
        found = json.loads(text, object_pairs_hook=tuple)  # a list in it is an array
    except ValueError:
        return None
    if not isinstance(found, tuple) or any(isinstance(v, tuple | list) for _, v in found):
        return None
    return dict(found) if len(dict(found)) == len(found) else None


def _is_details(text: str) -> bool:
    keys = pairs(text)
    return keys is not None and all(k in SKU_PROPERTIES or k.startswith("x_") for k in keys)


FORMS: Mapping[Kind, tuple[str, str, Callable[[str], bool]]] = {
    "text": ("text: null is no value, nothing stands for it", "NullHandling-A-002-M",
             lambda text: text.strip().lower() not in _PLACEHOLDERS),
    "decimal": ("number such as -1.5 or 2E-7", "NumericFormat-A-003-M to A-011-M",
                lambda text: decimal(text) is not None),
    "instant": ("instant such as 2026-11-01T00:00:00Z", "DateTimeFormat-A-001-M to A-006-M",
                lambda text: instant(text) is not None),
    "currency": ("currency of ISO 4217 such as USD", "CurrencyFormat-A-001-C",
                 CURRENCIES.__contains__),
    "tags": ("JSON object of plain values with different keys",
             "KeyValueFormat-A-001-M to A-004-M", lambda text: pairs(text) is not None),
    "details": ("JSON object of plain values whose own keys begin with x_",
                "KeyValueFormat-A-001-M, SkuPriceDetails-C-017-C", _is_details),
}
"""What each kind is called, the requirements it comes from, and whether a text has it."""
