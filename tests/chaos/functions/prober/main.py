"""The agent under test: an agent like any other whose model calls are written down."""

import os
from pathlib import Path

from functions.agents import serve as host
from functions.agents.settings import AgentSettings
from tests.chaos.counted import counted

host.open_model = counted(host.open_model, Path(os.environ["TOLLGATE_CALLS"]))
handle = host.serve(Path(__file__).parent, AgentSettings.from_env(os.environ))
