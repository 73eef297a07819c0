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
    tag_keys: str = Field(default="", alias="COSTS_TAG_KEYS")
    """Keys of tags that costs can be asked by, with commas between them; few values each."""
    archive_bucket: str | None = Field(default=None, alias="COSTS_ARCHIVE_BUCKET")
    """Where old events go; without it they stay in Redis."""
    archive_endpoint: str | None = Field(default=None, alias="COSTS_ARCHIVE_ENDPOINT")
    """Of storage that speaks S3's protocol and is not AWS's."""
    months_kept: int = Field(default=3, ge=0, alias="COSTS_MONTHS_KEPT")
    """Whole months before the current one whose events stay in Redis."""
    exporter: str = Field(default="none", alias="OTEL_TRACES_EXPORTER")
    log_level: str = Field(default="INFO", alias="LOG_LEVEL")
    collector: str | None = Field(default=None, alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    """Read by the exporter itself."""
