"""Grants: who signs, who verifies, and how a key is changed while functions run."""

import pytest
from pydantic import SecretStr, TypeAdapter, ValidationError

from shared.auth import Grant, GrantKeys, TaskLimits, sign, verify
from shared.errors import Unauthorized

OLD, NEW, OTHER = "o" * 32, "n" * 32, "x" * 32
GRANT = Grant(tenant="acme", agent="researcher", session="s-1", root="t-1",
              limits=TaskLimits(task="t-1", usd=1_000, tok=100), exp=2_000)
READER = TypeAdapter(GrantKeys)


def keys(*each):
    return SecretStr(",".join(each))


@pytest.mark.parametrize(("signer", "verifier"), [
    (keys(OLD), keys(OLD, NEW)), (keys(OLD, NEW), keys(OLD)),
    (keys(OLD, NEW), keys(NEW, OLD)), (keys(NEW, OLD), keys(OLD, NEW)),
    (keys(NEW, OLD), keys(NEW)), (keys(NEW), keys(NEW, OLD)),
], ids=["add", "not-all-have-it", "swap", "not-all-swapped", "drop", "not-all-dropped"])
def test_each_stage_of_a_key_change_understands_its_neighbours(signer, verifier):
    assert verify(sign(GRANT, signer), verifier) == GRANT


def test_dropped_key_signs_for_nobody():
    with pytest.raises(Unauthorized):
        verify(sign(GRANT, keys(OLD)), keys(NEW, OTHER))


def test_first_key_signs():
    with pytest.raises(Unauthorized):
        verify(sign(GRANT, keys(NEW, OLD)), keys(OLD))


@pytest.mark.parametrize("ring", ["", "short", f"{OLD},short", f"{OLD},", ",".join([OLD] * 4)],
                         ids=["none", "short", "second-short", "second-empty", "four"])
def test_ring_of_bad_keys_is_refused(ring):
    with pytest.raises(ValidationError, match="1 to 3 keys"):
        READER.validate_python(ring)


def test_ring_is_not_shown():
    with pytest.raises(ValidationError) as raised:
        READER.validate_python("short-secret")

    assert "short-secret" not in str(raised.value.errors(include_input=False))
    assert "o" * 32 not in repr(READER.validate_python(OLD))
