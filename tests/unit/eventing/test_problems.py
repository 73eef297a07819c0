"""Errors as a Broker can keep them."""

import json

import pytest
from pydantic import ValidationError
from starlette.responses import Response

from eventing.problems import brief, invalid, problem
from shared.errors import Permanent
from shared.limits import DELIVERY_ERROR_BYTES_MAX
from shared.tasks.contract import TaskRequest


@pytest.mark.parametrize("text", ["x" * 5000, "\U0001f600" * 900, '"\\\n' * 900],
                         ids=["plain", "emoji", "escaped"])
def test_long_refusal_of_a_delivery_fits_what_a_broker_keeps(text):
    answer = brief(problem(Permanent(text, errors=[{"path": "data", "message": text}])))

    said = json.loads(answer.body)
    assert len(answer.body) <= DELIVERY_ERROR_BYTES_MAX
    assert len(answer.body) > DELIVERY_ERROR_BYTES_MAX - 20
    assert (answer.status_code, said["status"]) == (422, 422)
    assert text.startswith(said["detail"].removesuffix("…"))
    assert said["detail"].endswith("…")


def test_short_refusal_and_success_stay_as_they_are():
    refusal, success = problem(Permanent("no", field="x")), Response("x" * 5000)

    assert brief(refusal) is refusal
    assert brief(success) is success


@pytest.mark.parametrize("body", [[], 5, "x", None])
def test_body_that_is_no_object_is_told_so_without_naming_our_classes(body):
    with pytest.raises(ValidationError) as refused:
        TaskRequest.model_validate(body)

    assert invalid(refused.value).detail == "(body): Input should be an object"
