"""Entry point of a tool under test."""

import os

from functions.tools.host import ToolSettings, serve
from tests.chaos.functions.flood.tool import flood

handle = serve(flood, ToolSettings.from_env(os.environ))
