"""What rollouts read from the environment."""

from pathlib import Path

from pydantic import Field

from shared.settings import Settings


class RolloutsSettings(Settings):
    """The function's variables."""

    redis_url: str = Field(alias="REDIS_URL")
    broker_url: str = Field(alias="BROKER_URL")
    kubernetes_url: str = Field(alias="KUBERNETES_URL")
    credentials: Path = Field(alias="KUBERNETES_CREDENTIALS")
    """The service account's folder: `token`, `ca.crt` and `namespace`."""
    exporter: str = Field(default="none", alias="OTEL_TRACES_EXPORTER")
    log_level: str = Field(default="INFO", alias="LOG_LEVEL")
    otlp_endpoint: str = Field(default="", alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    """Read by the exporter itself; named here because a manifest sets it."""
