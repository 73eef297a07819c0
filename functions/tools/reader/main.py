"""Entry point: `functions-framework --target handle --source` this file."""

import os

from functions.tools.host import serve
from functions.tools.reader.settings import ReaderSettings
from functions.tools.reader.tool import read

handle = serve(read, ReaderSettings.from_env(os.environ))
