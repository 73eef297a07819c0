"""Entry point of a tool under test."""

import os

from functions.tools.host import ToolSettings, serve
from tests.chaos.functions.sleeper.tool import sleeper

handle = serve(sleeper, ToolSettings.from_env(os.environ))
