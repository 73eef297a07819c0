"""A move is one patch of state and traffic; done twice it is none."""

import json

import pytest

from shared.errors import Malformed, Permanent
from shared.rollouts import moves, traffic
from shared.rollouts.plan import ANNOTATION, Bounds, Phase, Rollout
from tests.unit.rollouts.services import service

OLD, NEW = "researcher-00001", "researcher-00002"


def rollout(phase=Phase.RUNNING, **changes):
    return Rollout(**{"id": "r1", "phase": phase, "stable": OLD, "candidate": NEW, "percent": 10,
                      "created_at": 1.0, "started_at": 2.0, **changes})


def shares(patch):
    return [(t.get("revisionName", "latest"), t["percent"], t.get("tag"))
            for t in patch["spec"]["traffic"]]


def written(patch):
    return Rollout.model_validate_json(patch["metadata"]["annotations"][ANNOTATION])


def test_start_pins_the_stable_revision_in_the_very_patch_that_changes_the_image():
    patch = moves.pinned(service(), rollout(Phase.STARTING, candidate=""), "dev.local/a:2")

    assert shares(patch) == [(OLD, 100, "r00001")]
    template = patch["spec"]["template"]
    assert template["spec"]["containers"] == [
        {"image": "dev.local/a:2", "env": [{"name": "A", "value": "1"}]}]
    assert template["metadata"]["name"] is None
    assert patch["metadata"]["resourceVersion"] == "7"


def test_split_gives_the_candidate_its_share_and_both_a_tag():
    patch = moves.split(service(), rollout(Phase.STARTING), now=9.0)

    assert shares(patch) == [(OLD, 90, "r00001"), (NEW, 10, "r00002")]
    assert (written(patch).phase, written(patch).started_at) == (Phase.RUNNING, 9.0)


def test_promoted_latest_revision_is_followed_again_and_both_stay_reachable():
    patch = moves.promoted(service(latest=NEW), rollout(), "better")

    assert shares(patch) == [("latest", 100, None), (NEW, 0, "r00002"), (OLD, 0, "r00001")]


def test_promoted_revision_that_is_not_the_latest_is_pinned():
    patch = moves.promoted(service(latest="researcher-00003"), rollout(), "better")

    assert shares(patch) == [(NEW, 100, "r00002"), (OLD, 0, "r00001")]


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.STARTING])
def test_abort_leaves_the_candidate_neither_share_nor_tag(phase):
    patch = moves.aborted(service(), rollout(phase), "dearer")

    assert shares(patch) == [(OLD, 100, "r00001")]
    assert (written(patch).phase, written(patch).reason) == (Phase.ABORTED, "dearer")


def test_rollback_of_a_promoted_revision_goes_to_the_one_before():
    patch = moves.reverted(service(), rollout(Phase.PROMOTED), "bad")

    assert shares(patch) == [(OLD, 100, "r00001")]
    assert written(patch).phase is Phase.REVERTED


@pytest.mark.parametrize(("move", "phase"), [
    (moves.promoted, Phase.PROMOTED), (moves.aborted, Phase.ABORTED),
    (moves.aborted, Phase.REVERTED), (moves.reverted, Phase.REVERTED),
    (moves.reverted, Phase.ABORTED)])
def test_move_that_is_done_changes_nothing(move, phase):
    assert move(service(), rollout(phase), "again") is None


@pytest.mark.parametrize(("move", "phase", "says"), [
    (moves.promoted, Phase.ABORTED, "start another"),
    (moves.promoted, Phase.STARTING, "only a running one"),
    (moves.aborted, Phase.PROMOTED, "tollgate rollout rollback researcher")])
def test_impossible_move_says_what_to_do(move, phase, says):
    with pytest.raises(Permanent, match=says):
        move(service(), rollout(phase), "no")


def test_any_revision_can_be_forced_once():
    first = moves.forced(service(traffic=((NEW, 100),)), OLD, 50.0)

    assert shares(first) == [(OLD, 100, "r00001")]
    again = service(traffic=((OLD, 100),), rollout=written(first))
    assert moves.forced(again, OLD, 60.0) is None


@pytest.mark.parametrize(("name", "revision", "tag"), [
    ("researcher", "researcher-00002", "r00002"),
    ("researcher", "researcher-v2", "rv2"),
    ("researcher", "elsewhere-v2", None),
    ("a" * 50, "a" * 50 + "-" + "b" * 12, None)], ids=["numbered", "named", "strange", "long"])
def test_tag_of_a_revision_is_a_host_label_of_its_own(name, revision, tag):
    found = traffic.tag_of(name, revision)

    assert tag is None or found == tag or len(found) == 9
    assert len(f"{found}-{name}") <= 63
    assert found[0].isalpha()


def test_split_traffic_serves_no_one_revision():
    with pytest.raises(Permanent, match="researcher-00001 90 %, researcher-00002 10 %; say which"):
        traffic.serving(service(traffic=((OLD, 90), (NEW, 10))))


def test_service_without_traffic_is_named():
    with pytest.raises(Permanent, match="kubectl describe ksvc researcher"):
        traffic.serving(service(traffic=()))


def test_state_survives_the_annotation():
    full = rollout(bounds=Bounds(min_samples=50, auto_promote=True), verdict="pass", reason="…")

    assert Rollout.of(service(rollout=full)) == full


def test_foreign_annotation_is_refused_with_the_way_out():
    strange = service()
    strange["metadata"]["annotations"] = {ANNOTATION: "canary"}

    with pytest.raises(Malformed, match=r"kubectl annotate ksvc researcher tollgate.dev/rollout-"):
        Rollout.of(strange)


def test_long_reason_is_shortened_and_the_annotation_stays_small():
    long = rollout().but(reason="x" * 5000)

    assert long.reason.endswith("…")
    assert len(json.dumps(long.document())) < 2000
