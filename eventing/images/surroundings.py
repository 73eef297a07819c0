"""The environment that a function's manifest gives it, so that its `main.py` can be imported."""

from pathlib import Path

import yaml

from eventing.images.closure import MANIFESTS, main_of
from eventing.local.addresses import Addresses
from eventing.local.environment import World, mount, variables
from eventing.local.manifests.deployment import load
from eventing.local.manifests.serving_kinds import Service
from eventing.local.options import RuntimeOptions
from eventing.local.secrets import load_or_make

NOWHERE = "redis://127.0.0.1:1/0"
"""An import opens no connection; one that did would be refused at once."""


def surroundings(function: str, folder: Path, redis_url: str = NOWHERE) -> dict[str, str]:
    """Return a function's variables; its volumes and secrets are written into the folder.

    Raises:
        UnknownFunction: no manifest describes it.
    """
    service = _service(function)
    key = (service.metadata.namespace or "default", function)
    world = World(load(MANIFESTS), load_or_make(folder), Addresses(),
                  RuntimeOptions(data_dir=folder), redis_url)
    return variables(key, service, world, mount(key, service, world))


def _service(function: str) -> Service:
    main_of(function)
    document = yaml.safe_load((MANIFESTS / function / "service.yaml").read_text())
    document["spec"]["template"]["spec"].pop("serviceAccountName", None)  # an import needs no right
    return Service.model_validate(document)
