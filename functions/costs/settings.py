"""What costs reads from its environment."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from shared.settings import Settings

TRACE_ID = "{trace_id}"
"""What stands in a template for the id of a task's trace."""


def _template(text: str) -> str:
    address = urlsplit(text)
    if address.scheme not in ("http", "https") or not address.hostname or TRACE_ID not in text:
        raise ValueError(f"{text!r} is no address of traces, such as "
                         f"https://grafana.example/trace/{TRACE_ID}")
    return text


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
    trace_url: Annotated[str, AfterValidator(_template)] | None = Field(
        default=None, alias="TOLLGATE_TRACE_URL")
    """Where a task's page leads for its trace, with `{trace_id}` in it; without, to its steps."""
    exporter: str = Field(default="none", alias="OTEL_TRACES_EXPORTER")
    log_level: str = Field(default="INFO", alias="LOG_LEVEL")
    collector: str | None = Field(default=None, alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    """Read by the exporter itself."""
