"""Entry point: `functions-framework --source functions/deadletters/main.py --target handle`."""

import os

from functions.deadletters.handle import serve_dead_letters
from functions.deadletters.settings import DeadLettersSettings

handle = serve_dead_letters(DeadLettersSettings.from_env(os.environ))
