"""`tollgate rollout` with a real kubectl against a small API server."""

import json

import pytest
from typer.testing import CliRunner

from eventing.cli.exits import Exit, Failure
from eventing.cli.main import app
from shared.rollouts.plan import Phase, Rollout

OLD, NEW = "researcher-00001", "researcher-00002"


@pytest.fixture
def tollgate(api, kubeconfig):
    api.create("researcher")

    def run(*args):
        result = CliRunner().invoke(
            app, ["rollout", *args, "-n", "prod", "--kubeconfig", kubeconfig])
        if isinstance(result.exception, Failure):
            raise result.exception
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result

    return run


def traffic(api):
    return {t["revisionName"]: t["percent"]
            for t in api.get("researcher")["status"]["traffic"] if t["percent"]}


def phase(api):
    return Rollout.of(api.get("researcher")).phase


def test_start_splits_the_traffic_and_says_so_in_json(api, tollgate):
    result = tollgate("start", "researcher", "--image", "dev.local/a:2", "--percent", "25",
                      "--max-duration", "90m", "--json")

    said = json.loads(result.stdout)
    assert said["traffic"] == {OLD: 75, NEW: 25} == traffic(api)
    assert (said["phase"], said["stable"], said["candidate"]) == ("running", OLD, NEW)
    assert said["bounds"]["max_duration_s"] == 5400


def test_start_again_changes_nothing_and_another_share_moves_it(api, tollgate):
    start = ("start", "researcher", "--image", "dev.local/a:2")
    tollgate(*start)
    before, patches = Rollout.of(api.get("researcher")), api.patches

    tollgate(*start)

    assert api.patches == patches
    tollgate(*start, "--percent", "50")
    after = Rollout.of(api.get("researcher"))
    assert traffic(api) == {OLD: 50, NEW: 50}
    assert (after.id, after.started_at) == (before.id, before.started_at)


def test_candidate_that_does_not_get_ready_gets_nothing(api, tollgate):
    with pytest.raises(Failure, match="not ready: ImagePullBackOff") as caught:
        tollgate("start", "researcher", "--image", "dev.local/bad:2")

    assert caught.value.code is Exit.FAILED
    assert f"{OLD} has all traffic" in caught.value.do
    assert traffic(api) == {OLD: 100}
    assert phase(api) is Phase.ABORTED


def test_other_rollout_must_end_first(tollgate):
    tollgate("start", "researcher", "--image", "dev.local/a:2")

    with pytest.raises(Failure, match="is running") as caught:
        tollgate("start", "researcher", "--image", "dev.local/a:3")

    assert "tollgate rollout promote researcher, or abort researcher" in caught.value.do


def test_without_a_newer_revision_there_is_nothing_to_compare(tollgate):
    for image in ((), ("--image", "dev.local/a:1")):
        with pytest.raises(Failure, match="nothing to compare"):
            tollgate("start", "researcher", *image)


@pytest.mark.parametrize(("command", "share"), [
    ("promote", {NEW: 100}), ("abort", {OLD: 100}), ("rollback", {OLD: 100})])
def test_end_of_a_rollout_may_be_asked_for_twice(api, tollgate, command, share):
    tollgate("start", "researcher", "--image", "dev.local/a:2")

    tollgate(command, "researcher")
    patches = api.patches
    tollgate(command, "researcher")

    assert traffic(api) == share
    assert api.patches == patches


def test_rollback_takes_a_promotion_back(api, tollgate):
    tollgate("start", "researcher", "--image", "dev.local/a:2")
    tollgate("promote", "researcher")

    tollgate("rollback", "researcher")

    assert traffic(api) == {OLD: 100}
    assert phase(api) is Phase.REVERTED


def test_rollback_works_without_any_rollout_before_it(api, tollgate):
    api.patch("researcher", {"spec": {"template": {"spec": {"containers": [{"image": "b"}]}}}})

    tollgate("rollback", "researcher")

    assert traffic(api) == {OLD: 100}
    with pytest.raises(Failure, match="no nowhere"):
        tollgate("rollback", "researcher", "--to", "nowhere")


def test_status_and_list_show_it(tollgate):
    tollgate("start", "researcher", "--image", "dev.local/a:2")

    assert "running, verdict continue" in tollgate("status", "researcher").stdout
    assert f"{NEW}   10 %" in tollgate("list").stdout
    (one,) = json.loads(tollgate("list", "--json").stdout)["rollouts"]
    assert one == json.loads(tollgate("status", "researcher", "--json").stdout)


@pytest.mark.parametrize(("command", "says"), [
    (("start", "nobody", "--image", "x"), "there is no nobody in namespace prod"),
    (("status", "researcher"), "researcher has no rollout"),
    (("promote", "researcher"), "researcher has no rollout"),
    (("start", "researcher", "--max-duration", "soon"), "--max-duration: 'soon'"),
    (("start", "researcher", "--max-duration", "1s"), "--max-duration: Input should be"),
    (("start", "researcher", "--max-cost-ratio", "0.5"), "--max-cost-ratio: Input should be"),
    (("start", "researcher", "--if-insufficient", "pray"), "--if-insufficient: Input should be"),
], ids=lambda value: "-".join(value[:3]) if isinstance(value, tuple) else None)
def test_bad_input_is_refused_with_what_is_wrong(api, tollgate, command, says):
    with pytest.raises(Failure) as caught:
        tollgate(*command)

    assert says in caught.value.what
    assert caught.value.code is Exit.USAGE
    assert api.patches == 0


def test_cluster_that_is_away_and_missing_rights_have_their_exit_codes(api, tollgate):
    api.refuse = (403, 'services.serving.knative.dev is forbidden: User "u" cannot get')
    with pytest.raises(Failure) as caught:
        tollgate("status", "researcher")
    assert caught.value.code is Exit.DENIED

    api.stop()
    with pytest.raises(Failure) as caught:
        tollgate("status", "researcher")
    assert caught.value.code is Exit.UNREACHABLE
    api.start()
