"""What the watchdog reads from its environment."""

from pydantic import Field

from shared.settings import Settings


class WatchdogSettings(Settings):
    """The watchdog's variables."""

    redis_url: str = Field(alias="REDIS_URL")
    broker_url: str = Field(alias="BROKER_URL")
    ledger_url: str = Field(alias="LEDGER_URL")
    """Asked for what a task cost that ends here."""
    step_silence_s: float = Field(alias="TOLLGATE_STEP_SILENCE_S", gt=0)
    exporter: str = Field(default="none", alias="OTEL_TRACES_EXPORTER")
    log_level: str = Field(default="INFO", alias="LOG_LEVEL")
    otlp_endpoint: str = Field(default="", alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    """Read by the exporter itself; named here because a manifest sets it."""
