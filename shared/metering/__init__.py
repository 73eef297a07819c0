"""The metering client: the only way to get the permit that models and tools ask for.

`calls` holds the values, `errors` what can go wrong, `permit` the proof of a dispatch, `client`
the ledger's HTTP API.
"""

from shared.metering.calls import (
    Attribution,
    Call,
    Charge,
    Hold,
    Outcome,
    Settlement,
    TaskUsage,
)
from shared.metering.client import Meter
from shared.metering.errors import Denied, Unavailable, Unknown, Unpriced
from shared.metering.permit import Permit

__all__ = [
    "Attribution", "Call", "Charge", "Denied", "Hold", "Meter", "Outcome", "Permit", "Settlement",
    "TaskUsage", "Unavailable", "Unknown", "Unpriced",
]
