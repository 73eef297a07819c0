"""Imports a function as its process does and prints the modules that took: `… probe main.py`."""

import json
import sys

from eventing.local.serve import application

if __name__ == "__main__":
    application("handle", sys.argv[1])
    json.dump(sorted(name for name, module in sys.modules.items() if module), sys.stdout)
