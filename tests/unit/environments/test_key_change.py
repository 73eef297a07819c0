"""The stages of a key change: their order, and what each makes of the keys."""

import base64
import itertools
import json
import os
from hashlib import sha256

import pytest
from pydantic import SecretStr

from eventing.environments import kubectl
from eventing.environments.key_change import MARK, Stage, change, next_keys
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


# ---- on a cluster -----------------------------------------------------------------------------

KUBECTL = """#!/bin/sh
case "$*" in
  *"get secret"*) cat $HERE/secret 2>/dev/null; exit 0;;
  *"get ksvc"*) cat $HERE/ksvc;;
  *wait*) echo wait >> $HERE/waited; cat $HERE/refused >&2 2>/dev/null && exit 1; exit 0;;
  *replace*) cat > $HERE/replaced;;
  *patch*) echo "$*" >> $HERE/patched;;
esac
"""
KEYS = f"{OLD},{NEW}"
"""After `add`."""


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A kubectl that answers from a folder, and keeps there what it is told."""
    file = tmp_path / "kubectl"
    file.write_text(KUBECTL)
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HERE", str(tmp_path))
    return tmp_path


def put(cluster, keys, done, *services):
    notes = {"tollgate.dev/key-change": done, "tollgate.dev/key-change-since": "0"}
    (cluster / "secret").write_text(json.dumps({
        "metadata": {"name": "tollgate-grant-key", "annotations": notes if done else {}},
        "data": {"key": base64.b64encode(keys.encode()).decode()}}))
    (cluster / "ksvc").write_text(json.dumps({"items": services}))


def service(name, *, keys=KEYS, ready="True"):
    mark = {MARK: sha256(keys.encode()).hexdigest()[:16]}
    return {"metadata": {"name": name, "generation": 2},
            "spec": {"template": {"metadata": {"annotations": mark},
                                  "spec": {"secretName": "tollgate-grant-key"}}},
            "status": {"observedGeneration": 2, "conditions": [{"type": "Ready", "status": ready}]}}


def swap():
    return change("ns", {}, Stage.SWAP, say=lambda _: None)


def test_stage_writes_the_keys_and_restarts_who_reads_them(cluster):
    put(cluster, KEYS, "add", service("gateway"), service("ledger"))

    assert swap() == ["gateway", "ledger"]

    (written,) = json.loads((cluster / "replaced").read_text())["items"]
    assert written["stringData"] == {"key": f"{NEW},{OLD}"}
    assert (cluster / "patched").read_text().count("patch ksvc") == 2


@pytest.mark.parametrize("behind", [
    service("ledger", keys=OLD), service("ledger", ready="Unknown")], ids=["earlier", "starting"])
def test_stage_waits_for_everybody_to_have_done_the_one_before(cluster, behind):
    put(cluster, KEYS, "add", service("gateway"), behind)

    with pytest.raises(Permanent, match="ledger: not Ready with the keys of stage 'add'; do add"):
        swap()
    assert not (cluster / "replaced").exists()


def test_missing_key_is_said_with_what_makes_it(cluster):
    with pytest.raises(Permanent, match="has no Secret tollgate-grant-key to change"):
        swap()


def test_refusal_ends_the_wait_at_once(cluster):
    put(cluster, KEYS, "add", service("gateway"))
    (cluster / "refused").write_text("Error from server (Forbidden): no rights")

    with pytest.raises(kubectl.Unanswered, match="no rights"):
        swap()
    assert (cluster / "waited").read_text() == "wait\n"
