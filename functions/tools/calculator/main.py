"""Entry point: `functions-framework --target handle --source` this file."""

import os

from functions.tools.calculator.tool import calculate
from functions.tools.host import ToolSettings, serve

handle = serve(calculate, ToolSettings.from_env(os.environ))
