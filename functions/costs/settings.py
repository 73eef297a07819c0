"""What costs reads from its environment."""

from pathlib import Path

from pydantic import Field

from shared.settings import Settings


class CostsSettings(Settings):
    """The variables of the cost store."""

    redis_url: str = Field(alias="REDIS_URL")
    ledger_url: str = Field(alias="LEDGER_URL")
    """Asked for events that are missing here."""
    api_keys: Path = Field(alias="TOLLGATE_API_KEYS")
    exporter: str = Field(default="none", alias="OTEL_TRACES_EXPORTER")
    log_level: str = Field(default="INFO", alias="LOG_LEVEL")
    collector: str | None = Field(default=None, alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    """Read by the exporter itself."""
