"""Entry point of a tool under test."""

import os

from functions.tools.host import ToolSettings, serve
from tests.chaos.functions.once.tool import once

handle = serve(once, ToolSettings.from_env(os.environ))
