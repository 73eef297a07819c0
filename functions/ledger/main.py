"""Entry point: `functions-framework --target handle --source` this file."""

import os

from eventing.adapter import serve
from functions.ledger.settings import LedgerSettings
from functions.ledger.wiring import build

handle = serve(build(LedgerSettings.from_env(os.environ)))
