"""Entry point: `functions-framework --target handle --source` this file."""

import os

from functions.costs.host import build
from functions.costs.settings import CostsSettings

handle = build(CostsSettings.from_env(os.environ))
