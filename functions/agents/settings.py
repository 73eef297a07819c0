"""What every agent reads from its environment."""

from pathlib import Path

from pydantic import Field, SecretStr

from shared.auth import GrantKeys
from shared.settings import Settings


class AgentSettings(Settings):
    """An agent's variables; the same for all agents."""

    redis_url: str = Field(alias="REDIS_URL")
    broker_url: str = Field(alias="BROKER_URL")
    ledger_url: str = Field(alias="LEDGER_URL")
    grant_key: GrantKeys = Field(alias="TOLLGATE_GRANT_KEY")
    api_keys: Path = Field(alias="TOLLGATE_API_KEYS")
    catalogue: Path = Field(alias="TOLLGATE_CATALOGUE")
    env: str = Field(alias="TOLLGATE_ENV")
    step_silence_s: float = Field(alias="TOLLGATE_STEP_SILENCE_S", gt=0)
    model: str = Field(default="scripted/default", alias="TOLLGATE_MODEL",
                       pattern=r"^[a-z-]+/.+$")
    script: str = Field(default="", alias="TOLLGATE_SCRIPT")
    openai_base_url: str = Field(default="", alias="OPENAI_BASE_URL")
    openai_api_key: SecretStr = Field(default=SecretStr(""), alias="OPENAI_API_KEY")
    anthropic_base_url: str = Field(default="", alias="ANTHROPIC_BASE_URL")
    anthropic_api_key: SecretStr = Field(default=SecretStr(""), alias="ANTHROPIC_API_KEY")
    exporter: str = Field(default="none", alias="OTEL_TRACES_EXPORTER")
    log_level: str = Field(default="INFO", alias="LOG_LEVEL")
    otlp_endpoint: str = Field(default="", alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    """Read by the exporter itself; named here because a manifest sets it."""
