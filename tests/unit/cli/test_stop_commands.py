"""The kill switch on the command line."""

import pytest

from eventing.cli.exits import Exit

STOP = {"kind": "agent", "name": "researcher", "reason": "a loop", "policy": "pause", "at": 0.0}


def test_stop_says_what_happens_to_tasks_and_how_to_start_again(functions, tollgate):
    functions.answers["PUT", "/v1/stops/agent/researcher"] = (200, STOP)

    result = tollgate(["stop", "agent", "researcher", "--reason", "a loop"])

    assert functions.body(0) == {"reason": "a loop", "policy": "pause"}
    assert result.stdout.splitlines() == [
        "agent researcher stopped: tasks wait at their next step; calls that run are not cut off",
        "again: tollgate start agent researcher"]


@pytest.mark.parametrize(("kind", "name", "known"), [
    ("agent", "reseacher", "researcher"), ("tool", "notfy", "notify, reader")])
def test_slip_in_a_name_is_doubted_and_stopped_all_the_same(functions, tollgate, kind, name, known):
    functions.answers["PUT", f"/v1/stops/{kind}/{name}"] = (
        200, STOP | {"kind": kind, "name": name})
    functions.answers["GET", "/agents"] = (200, {"agents": [
        {"name": "researcher", "tools": ["reader", "notify"]}]})

    result = tollgate(["stop", kind, name, "--reason", "x"])

    assert f"warning: no {kind} is called {name} here; there are: {known}" in result.stdout
    assert f"{kind} {name} stopped" in result.stdout
    functions.answers["PUT", "/v1/stops/agent/researcher"] = (200, STOP)
    assert "warning" not in tollgate(["stop", "agent", "researcher", "--reason", "x"]).stdout


def test_stop_of_a_tool_says_that_the_model_is_told(functions, tollgate):
    functions.answers["PUT", "/v1/stops/tool/notify"] = (
        200, STOP | {"kind": "tool", "name": "notify"})
    functions.answers["GET", "/agents"] = (200, {"agents": [
        {"name": "researcher", "tools": ["notify"]}]})

    said = tollgate(["stop", "tool", "notify", "--reason", "x"]).stdout

    assert said.startswith("tool notify stopped: a model that asks for it is told, and goes on "
                           "without; ")


def test_everything_is_stopped_without_a_name(functions, tollgate):
    functions.answers["PUT", "/v1/stops/all/all"] = (200, STOP | {"kind": "all", "name": "all"})

    result = tollgate(["stop", "all", "--reason", "x", "--fail"])

    assert functions.body()["policy"] == "fail"
    assert result.stdout.startswith("everything stopped: tasks fail")


def test_start_says_why_it_was_stopped(functions, tollgate):
    functions.answers["DELETE", "/v1/stops/agent/researcher"] = (200, STOP)

    result = tollgate(["start", "agent", "researcher"])

    assert result.stdout.startswith("agent researcher started; it was stopped ")
    assert result.stdout.endswith("ago: a loop\n")


@pytest.mark.parametrize("command", [
    ["stop", "planet", "earth", "--reason", "x"], ["stop", "agent", "--reason", "x"],
    ["stop", "all", "agents", "--reason", "x"], ["start", "tool"]],
    ids=["kind", "no-name", "all-named", "start-no-name"])
def test_wrong_use_is_named_and_nothing_is_asked(functions, tollgate, command):
    failure = tollgate(command).exception

    assert failure.code is Exit.USAGE
    assert functions.asked == []


def test_missing_right_is_a_denial(functions, tollgate):
    functions.answers["PUT", "/v1/stops/all/all"] = (
        403, {"detail": "this key lacks the right 'admin'"})

    failure = tollgate(["stop", "all", "--reason", "x"]).exception

    assert (failure.code, failure.what) == (Exit.DENIED, "this key lacks the right 'admin'")


@pytest.mark.parametrize(("found", "says"), [([], "nothing is stopped"), ([STOP], "a loop")],
                         ids=["none", "one"])
def test_stops_are_listed(functions, tollgate, found, says):
    functions.answers["GET", "/v1/stops"] = (200, {"stops": found})

    assert says in tollgate(["stops"]).stdout


def test_status_names_what_is_stopped(functions, tollgate):
    functions.answers["GET", "/status"] = (
        200, {"addresses": {}, "functions": [], "triggers": []})
    functions.answers["GET", "/v1/stops"] = (200, {"stops": [STOP]})

    assert "stopped: agent researcher" in tollgate(["status"]).stdout
