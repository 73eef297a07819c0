"""Entry point: `functions-framework --source functions/watchdog/main.py --target handle`."""

import os

from functions.watchdog.handle import serve_watchdog
from functions.watchdog.settings import WatchdogSettings

handle = serve_watchdog(WatchdogSettings.from_env(os.environ))
