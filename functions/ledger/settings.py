"""The ledger's environment."""

from typing import Literal

from pydantic import Field

from shared.auth import GrantKeys
from shared.limits import REDIS_COPIES_MAX
from shared.settings import Settings


class LedgerSettings(Settings):
    """Read once, in `main.py`."""

    redis_url: str = Field(alias="REDIS_URL")
    broker_url: str = Field(alias="BROKER_URL")
    redis_copies: int = Field(default=0, alias="TOLLGATE_REDIS_COPIES", ge=0, le=REDIS_COPIES_MAX)
    """Replicas that must have a write before it is answered; 0 for a Redis without any."""
    grant_key: GrantKeys = Field(alias="TOLLGATE_GRANT_KEY")
    api_keys: str = Field(alias="TOLLGATE_API_KEYS")
    """Path of the API-key file."""
    catalogue: str = Field(alias="TOLLGATE_CATALOGUE")
    """Path of the tools' contracts: their prices."""
    budgets: str = Field(default="", alias="TOLLGATE_BUDGETS")
    """Path of the mounted budgets (docs/budgets.md); there need be no such file."""
    rows: Literal["packed", "plain"] = Field(default="packed", alias="TOLLGATE_LEDGER_ROWS")
    """What ended rows are written as: `plain` is what a ledger of before packed rows reads."""
    log_level: str = Field(default="INFO", alias="LOG_LEVEL")
    exporter: str = Field(default="none", alias="OTEL_TRACES_EXPORTER")
    otlp_endpoint: str | None = Field(default=None, alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    """Read by the exporter itself; here so that the manifest's variable is a known one."""
