"""Entry point of a tool under test."""

import os

from functions.tools.host import ToolSettings, serve
from tests.chaos.functions.crasher.tool import crasher

handle = serve(crasher, ToolSettings.from_env(os.environ))
