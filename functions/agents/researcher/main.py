"""Entry point: `functions-framework --target handle --source` this file."""

import os
from pathlib import Path

from functions.agents.serve import serve
from functions.agents.settings import AgentSettings

handle = serve(Path(__file__).parent, AgentSettings.from_env(os.environ))
