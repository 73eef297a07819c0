"""What the reader reads from its environment."""

from pydantic import Field

from functions.tools.host import ToolSettings


class ReaderSettings(ToolSettings):
    """The variables of every tool, and where documents may come from."""

    root: str = Field(default="", alias="READER_ROOT")
    """The documents' folder; empty allows web addresses only."""
    is_private_allowed: bool = Field(default=False, alias="READER_ALLOW_PRIVATE")
    """Whether addresses of private networks may be read."""
