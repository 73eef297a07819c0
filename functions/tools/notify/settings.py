"""What notify reads from its environment."""

from pydantic import Field

from functions.tools.host import ToolSettings


class NotifySettings(ToolSettings):
    """The variables of every tool, and where messages may go."""

    is_private_allowed: bool = Field(default=False, alias="NOTIFY_ALLOW_PRIVATE")
    """Whether addresses of private networks may be told."""
