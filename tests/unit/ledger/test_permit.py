"""Nothing can be called without a permit of the metering client."""

import pytest

from shared.metering import Permit
from shared.metering.permit import issue


def test_permit_cannot_be_made_by_hand():
    with pytest.raises(TypeError):
        Permit("r1", object())


def test_permit_names_its_reservation():
    assert issue("r1").reservation_id == "r1"
