"""Entry point: `functions-framework --source functions/rollouts/main.py --target handle`."""

import os

from functions.rollouts.handle import serve_rollouts
from functions.rollouts.settings import RolloutsSettings

handle = serve_rollouts(RolloutsSettings.from_env(os.environ))
