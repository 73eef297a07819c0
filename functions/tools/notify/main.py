"""Entry point: `functions-framework --target handle --source` this file."""

import os

from functions.tools.host import serve
from functions.tools.notify.settings import NotifySettings
from functions.tools.notify.tool import notify

handle = serve(notify, NotifySettings.from_env(os.environ))
