"""Entry point of a tool under test."""

import os

from functions.tools.host import ToolSettings, serve
from tests.chaos.functions.raiser.tool import raiser

handle = serve(raiser, ToolSettings.from_env(os.environ))
