"""An agent that fails on every event."""

import os

from eventing.adapter import App, serve
from functions.agents.settings import AgentSettings


async def fail(_):
    raise RuntimeError("this agent always fails")


settings = AgentSettings.from_env(os.environ)
handle = serve(App(name="broken", on_event=fail, grant_key=settings.grant_key))
