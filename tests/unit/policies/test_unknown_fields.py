"""No field of any manifest can be misspelt: the runtime refuses each, wherever it is."""

import json

import pytest
import yaml

from eventing.local.manifests.reading import Refused, read
from tests.goldens import NAMES, ROOT, golden

MISSPELT = "misspelt"
FREE = frozenset({"annotations", "labels", "matchLabels", "data", "requests", "limits", "config",
                  "exact", "prefix"})
"""Maps whose keys are the author's own."""


def documents():
    """Return every object of base and overlays once, but for what the runtime does not do."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    files = sorted((ROOT / "knative" / "base").rglob("*.yaml"))
    found = [d for file in files if file.stem != "kustomization"
             for d in yaml.load_all(file.read_text(), Loader=loader)]
    found += [d for name in NAMES if name != "cluster-test" for d in golden(name)]
    return [*{json.dumps(d, sort_keys=True): d for d in found}.values()]


def places(value, path=()):
    """Yield the path of every map in an object whose keys are its kind's."""
    if isinstance(value, dict):
        if path and path[-1] in FREE:
            return
        yield path
        for key, part in value.items():
            yield from places(part, (*path, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from places(part, (*path, index))


def misspelt(document, path):
    made = json.loads(json.dumps(document))
    part = made
    for step in path:
        part = part[step]
    part[MISSPELT] = 1
    return made


ALL = documents()
DEEPEST = max(len([*places(d)]) for d in ALL)
BATCH = 8


@pytest.mark.parametrize("first", range(0, DEEPEST, BATCH))
def test_misspelt_field_is_refused_wherever_it_is(first, tmp_path):
    for document in ALL:
        for path in [*places(document)][first:first + BATCH]:
            (tmp_path / "object.yaml").write_text(json.dumps(misspelt(document, path)))

            with pytest.raises(Refused) as caught:
                read(tmp_path)

            field = ".".join(map(str, (*path, MISSPELT)))
            assert field in {fault.split(": ")[1] for fault in caught.value.faults}


def test_there_are_objects_to_misspell():
    assert len(ALL) > 80
    assert {"NetworkPolicy", "PodMonitor", "Kafka", "EventPolicy", "Service", "Trigger",
            "StatefulSet", "Role"} <= {d["kind"] for d in ALL}
