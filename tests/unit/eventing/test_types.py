"""Every event type has a published schema and an example, and both stay as they are."""

import json
from pathlib import Path

import jsonschema
import pytest

from eventing.event import checked
from eventing.http import decode, encode_binary, encode_structured
from eventing.schemas import FOLDER, changed, file_of, schemas
from eventing.types import TASK_TYPES
from eventing.types_ledger import LEDGER_TYPES
from eventing.types_rollout import ROLLOUT_TYPES
from eventing.types_stop import STOP_TYPES

EXAMPLES = Path(__file__).parents[2] / "events"
TYPES = {payload.TYPE: payload for payload in (
    *TASK_TYPES, *LEDGER_TYPES, *ROLLOUT_TYPES, *STOP_TYPES)}
STRUCTURED = {"Content-Type": "application/cloudevents+json"}
kinds = pytest.mark.parametrize("kind", sorted(TYPES))


def example(kind):
    return decode(STRUCTURED, (EXAMPLES / f"{kind}.json").read_bytes())


def test_published_schemas_are_what_the_classes_say():
    published = {file.stem for file in FOLDER.glob("*.json")}

    assert published == set(TYPES) == {kind for kind, _ in schemas()}
    assert changed() == []


def test_every_type_has_one_example():
    assert {file.stem for file in EXAMPLES.glob("*.json")} == set(TYPES)


def test_type_names_are_a_noun_a_past_participle_and_a_version():
    for kind in TYPES:
        vendor, project, noun, verb, version = kind.split(".")
        assert (vendor, project) == ("dev", "tollgate")
        assert noun.isalpha()
        assert verb.endswith("ed")
        assert version.removeprefix("v").isdecimal()


@kinds
def test_example_is_an_event_that_a_broker_delivers(kind):
    event = checked(example(kind))

    assert event.type == kind
    assert decode(*encode_binary(event)) == event


@kinds
def test_example_fits_its_class_and_its_schema(kind):
    data = example(kind).json()

    payload = TYPES[kind].model_validate(data)

    jsonschema.validate(data, json.loads(file_of(kind).read_text()))
    assert json.loads(payload.model_dump_json()) == data


@kinds
def test_unknown_field_in_the_data_is_refused(kind):
    data = example(kind).json() | {"surprise": 1}

    with pytest.raises(ValueError, match="surprise"):
        TYPES[kind].model_validate(data)


@kinds
def test_example_survives_both_content_modes(kind):
    event = example(kind)

    through = decode(*encode_structured(decode(*encode_binary(event))))

    assert through.json() == event.json()
    assert through.extensions == event.extensions
