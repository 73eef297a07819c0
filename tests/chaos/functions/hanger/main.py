"""Entry point of a tool under test."""

import os

from functions.tools.host import ToolSettings, serve
from tests.chaos.functions.hanger.tool import hanger

handle = serve(hanger, ToolSettings.from_env(os.environ))
