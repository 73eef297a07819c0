"""Entry point: `functions-framework --source functions/gateway/main.py --target handle`."""

import os

from functions.gateway.door import serve_gateway
from functions.gateway.settings import GatewaySettings

handle = serve_gateway(GatewaySettings.from_env(os.environ))
