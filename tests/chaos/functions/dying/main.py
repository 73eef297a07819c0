"""Dies on every event."""

import os
import signal

from eventing.adapter import App, serve


async def die(_):
    os.kill(os.getpid(), signal.SIGKILL)


handle = serve(App(name="dying", on_event=die))
