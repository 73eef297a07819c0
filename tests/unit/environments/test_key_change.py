"""The stages of a key change: their order, and what each makes of the keys."""

import itertools

import pytest
from pydantic import SecretStr

from eventing.environments.key_change import Stage, next_keys
from shared.auth import Grant, TaskLimits, sign, verify
from shared.errors import Permanent
from shared.limits import DEADLINE_MAX_S

OLD, NEW = "o" * 64, "n" * 64
GRANT = Grant(tenant="acme", agent="researcher", session="s-1", root="t-1",
              limits=TaskLimits(task="t-1", usd=1_000, tok=100), exp=2_000)


def stage(keys, done, stage, age_s=DEADLINE_MAX_S):
    return next_keys(keys, done, stage, age_s=age_s, new=NEW)


def test_change_goes_from_the_old_key_to_the_new():
    added = stage(OLD, "", Stage.ADD)
    swapped = stage(added, "add", Stage.SWAP)
    dropped = stage(swapped, "swap", Stage.DROP)

    assert (added, swapped, dropped) == (f"{OLD},{NEW}", f"{NEW},{OLD}", NEW)
    assert stage(dropped, "drop", Stage.ADD).startswith(f"{NEW},")


def test_grants_of_neighbouring_stages_are_understood():
    rings = [OLD, f"{OLD},{NEW}", f"{NEW},{OLD}", NEW]

    for before, after in itertools.pairwise(rings):
        for signer, reader in ((before, after), (after, before)):
            assert verify(sign(GRANT, SecretStr(signer)), SecretStr(reader)) == GRANT


@pytest.mark.parametrize("done", list(Stage))
def test_stage_again_changes_no_key(done):
    assert stage(f"{OLD},{NEW}", done, done, age_s=0) == f"{OLD},{NEW}"


@pytest.mark.parametrize(("done", "wanted"), [
    ("", Stage.SWAP), ("", Stage.DROP), ("add", Stage.DROP), ("swap", Stage.ADD),
    ("drop", Stage.SWAP)], ids=lambda v: v or "nothing")
def test_stage_out_of_order_is_refused(done, wanted):
    with pytest.raises(Permanent, match="the order is add, swap, drop"):
        stage(f"{OLD},{NEW}", done, wanted)


def test_old_key_stays_while_its_grants_may_be_alive():
    with pytest.raises(Permanent, match="7 days"):
        stage(f"{NEW},{OLD}", "swap", Stage.DROP, age_s=DEADLINE_MAX_S - 1)
