"""What the commands ask of the functions, what they print, and how they end."""

import json
import re
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import httpx2
import pytest

from eventing.cli import main, remote, system_commands
from eventing.cli.exits import Exit, Failure, of_problem
from eventing.cli.task_commands import line_of

TASK = {"id": "t1", "status": "completed", "agent": "researcher", "error": None, "steps_used": 2,
        "tokens_used": 40, "cost_usd": "0.000012", "created_at": "2026-11-21T09:30:00Z",
        "result": {"output": "forty-two"}}
STREAM = ('retry: 1000\n\nid: 1-0\nevent: step\ndata: {"step": 1, "calls": ["reader"]}\n\n'
          ': heartbeat\n\n'
          'id: 2-0\nevent: tool\ndata: {"tool": "reader", "ok": true, "duration_ms": 3}\n\n'
          'id: 3-0\nevent: end\ndata: {"status": "completed"}\n\n')


@pytest.fixture
def done(functions):
    functions.answers = {
        ("POST", "/tasks"): (202, {**TASK, "status": "pending", "result": None}),
        ("GET", "/tasks/t1/events"): (200, STREAM),
        ("GET", "/tasks/t1"): (200, TASK)}
    return functions


def test_task_run_shows_each_step_and_the_answer(done, tollgate):
    result = tollgate(["task", "run", "add up"])

    assert result.exit_code == Exit.OK
    assert "step 1" in result.stdout
    assert "reader done in 3 ms" in result.stdout
    assert "forty-two" in result.stdout
    assert done.body(0) == {"agent": "researcher", "prompt": "add up"}
    assert done.asked[0].headers["authorization"] == "Bearer tg_key"


@pytest.mark.parametrize("command", [["run", "p"], ["run", "p", "--json"], ["watch", "t1"]],
                         ids=str)
def test_interrupted_wait_says_that_the_task_goes_on(done, tollgate, monkeypatch, command):
    def interrupted(*_):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(remote.Remote, "follow", interrupted)

    result = tollgate(["task", *command])

    assert result.exit_code == Exit.INTERRUPTED
    assert result.stderr.startswith("the task goes on: tollgate task watch t1")


def test_task_run_sends_the_limits_it_was_given(done, tollgate):
    tollgate(["task", "run", "p", "--agent", "a", "--session", "s", "--max-steps", "3",
              "--tokens", "600", "--cost", "0.05", "--deadline", "9"])

    assert done.body(0) == {"agent": "a", "prompt": "p", "session_id": "s", "max_steps": 3,
                            "token_budget": 600, "cost_budget_usd": "0.05", "deadline_s": 9.0}


def test_task_run_json_prints_one_object(done, tollgate):
    result = tollgate(["task", "run", "add up", "--json"])

    assert json.loads(result.stdout) == TASK


def test_prompt_may_come_from_a_file(done, tollgate, tmp_path):
    (tmp_path / "prompt.txt").write_text("from a file")

    tollgate(["task", "run", f"@{tmp_path}/prompt.txt", "--no-wait"])

    assert done.body(0)["prompt"] == "from a file"


@pytest.mark.parametrize(("change", "code"), [
    ({"status": "failed", "error": "no model"}, Exit.FAILED),
    ({"status": "cancelled"}, Exit.FAILED),
    ({"status": "completed", "error": "token budget exceeded"}, Exit.DENIED),
    ({"status": "completed", "error": "max steps reached"}, Exit.OK),
])
def test_exit_code_says_how_the_task_ended(done, tollgate, change, code):
    done.answers["GET", "/tasks/t1"] = (200, {**TASK, **change})

    assert tollgate(["task", "run", "p"]).exit_code == code


def test_stream_that_is_cut_goes_on_behind_the_last_message(done, tollgate):
    first, _, rest = STREAM.partition(": heartbeat\n\n")
    done.answers["GET", "/tasks/t1/events"] = [(200, first), (200, rest)]

    result = tollgate(["task", "watch", "t1"])

    assert result.exit_code == Exit.OK
    assert result.stdout.count("step 1") == 1
    assert [r.headers.get("last-event-id") for r in done.asked[:2]] == [None, "1-0"]


@pytest.mark.parametrize(("status", "code"), [
    (401, Exit.DENIED), (402, Exit.DENIED), (403, Exit.DENIED), (404, Exit.USAGE),
    (409, Exit.USAGE), (422, Exit.USAGE), (429, Exit.UNREACHABLE), (500, Exit.UNREACHABLE),
    (503, Exit.UNREACHABLE)])
def test_problem_says_what_where_and_what_to_do(functions, tollgate, status, code):
    functions.answers["GET", "/tasks/t1"] = (status, {"detail": "this is wrong", "status": status})

    failure = tollgate(["task", "get", "t1"]).exception

    assert isinstance(failure, Failure)
    assert failure.code == code
    assert "this is wrong" in failure.text()
    assert f"GET http://gateway.test/tasks/t1 ({status})" in failure.text()


def test_every_fault_of_a_request_is_told(functions, tollgate):
    functions.answers["POST", "/tasks"] = (422, {"detail": "two faults", "errors": [
        {"path": "max_steps", "message": "at most 25"}, {"path": "agent", "message": "too long"}]})

    text = tollgate(["task", "run", "p"]).exception.text()

    assert "max_steps: at most 25" in text
    assert "agent: too long" in text


def test_refused_connection_is_unreachable(functions, tollgate):
    functions.answers["GET", "/tasks"] = (0, httpx2.ConnectError("refused"))

    failure = tollgate(["task", "list"]).exception

    assert failure.code == Exit.UNREACHABLE
    assert "tollgate doctor" in failure.do


def test_failure_is_one_json_object_for_programs(monkeypatch, capsys):
    def fail():
        raise Failure(Exit.DENIED, "no", where="here", do="this")

    monkeypatch.setattr(main, "app", fail)
    monkeypatch.setattr("sys.argv", ["tollgate", "costs", "--json"])
    with pytest.raises(SystemExit) as ended:
        main.run()

    assert ended.value.code == Exit.DENIED
    assert json.loads(capsys.readouterr().err) == {
        "error": "no", "where": "here", "do": "this", "exit": 4}


def test_no_runtime_says_how_to_start_one(tollgate, tmp_path, monkeypatch):
    monkeypatch.delenv("TOLLGATE_DASHBOARD", raising=False)

    failure = tollgate(["status", "--data", str(tmp_path)]).exception

    assert failure.code == Exit.UNREACHABLE
    assert "tollgate up" in failure.do


def test_wrong_use_ends_with_2(tollgate):
    assert tollgate(["task", "run"]).exit_code == Exit.USAGE
    assert tollgate(["nothing"]).exit_code == Exit.USAGE


def test_costs_add_up_under_the_rows(functions, tollgate):
    functions.answers["GET", "/v1/costs"] = (200, {
        "group_by": ["agent"], "total_nano": 1500, "invocations": 3, "tokens": 7,
        "rows": [{"agent": "researcher", "cost_nano": 1500, "invocations": 3, "tokens": 7}]})

    result = tollgate(["costs", "--by", "agent", "--since", "2026-11-01"])

    assert "$0.0000015" in result.stdout
    assert "total" in result.stdout
    assert dict(functions.asked[0].url.params) == {"group_by": "agent", "from": "2026-11-01"}


def test_gap_in_the_sequence_ends_with_1(functions, tollgate):
    functions.answers["GET", "/v1/gaps"] = (200, {"gapless": False, "epochs": []})

    assert tollgate(["costs", "--gaps"]).exit_code == Exit.FAILED


@pytest.mark.parametrize(("gapless", "code"), [(True, Exit.OK), (False, Exit.FAILED)])
def test_fill_says_how_many_events_came_and_whether_some_stay_away(
        functions, tollgate, gapless, code):
    functions.answers["POST", "/v1/gaps/fill"] = (200, {
        "filled": 3, "gapless": gapless, "epochs": []})

    result = tollgate(["costs", "fill"])

    assert "3 events fetched" in result.stdout
    assert result.exit_code == code


@pytest.mark.parametrize(("options", "body"), [
    (["--usd", "2.50"], {"unit": "usd", "window": "life", "limit": 2_500_000_000}),
    (["--usd", "0.000000001", "--window", "d"], {"unit": "usd", "window": "d", "limit": 1}),
    (["--tokens", "9"], {"unit": "tok", "window": "life", "limit": 9}),
    (["--calls", "0"], {"unit": "calls", "window": "life", "limit": 0})])
def test_budget_is_set_in_whole_units(functions, tollgate, options, body):
    functions.answers["PUT", "/v1/budgets/agent/researcher"] = (200, {})

    tollgate(["budget", "set", "agent", "researcher", *options])

    assert functions.body() == body


@pytest.mark.parametrize("options", [
    [], ["--usd", "1", "--tokens", "1"], ["--usd", "much"], ["--usd", "-1"], ["--usd", "NaN"],
    ["--usd", "Infinity"], ["--usd", "0.0000000001"]])
def test_budget_that_is_none_is_refused_before_anything_is_asked(functions, tollgate, options):
    failure = tollgate(["budget", "set", "agent", "researcher", *options]).exception

    assert failure.code == Exit.USAGE
    assert functions.asked == []


def test_send_makes_a_structured_event(functions, tollgate):
    functions.answers["POST", "/events"] = (202, {"id": "t1", "location": "/tasks/t1"})

    result = tollgate(["send", '{"agent": "researcher", "prompt": "p"}', "--source", "/shop",
                       "--id", "7", "--ext", "priority=high"])

    assert functions.body() == {
        "specversion": "1.0", "type": "dev.tollgate.task.submitted.v1", "source": "/shop",
        "id": "7", "datacontenttype": "application/json", "priority": "high",
        "data": {"agent": "researcher", "prompt": "p"}}
    assert "tollgate task watch t1" in result.stdout


def test_send_refuses_data_that_is_not_json(functions, tollgate):
    assert tollgate(["send", "{"]).exception.code == Exit.USAGE
    assert tollgate(["send", "{}", "--ext", "novalue"]).exception.code == Exit.USAGE
    assert functions.asked == []


def test_dead_letter_is_sent_again(functions, tollgate):
    functions.answers["POST", "/v1/dead-letters/k/redrive"] = (202, {"key": "k"})

    result = tollgate(["dead-letters", "redrive", "k", "--json"])

    assert json.loads(result.stdout) == {"key": "k"}


def test_up_says_what_a_laptop_leaves_out_and_what_has_no_effect(capsys):
    ready = {"pid": 7, "left_out": ["Role rollouts: it needs a cluster"], "no_effect": 2}

    system_commands._announce(ready, Path("knative/overlays/dev"),
                              end=system_commands._end(Path("there"), detach=True))

    said = capsys.readouterr().out
    assert "left out: Role rollouts: it needs a cluster" in said
    assert ("2 fields matter on a cluster only; to see them: python -m eventing.local --check "
            "--manifests knative/overlays/dev") in said
    assert "process 7; stop it with tollgate down --data there" in said


def test_version_is_shown(tollgate):
    assert tollgate(["--version"]).stdout == version("tollgate") + "\n"


@pytest.mark.parametrize(("status", "detail", "path", "todo"), [
    (404, "there is no task x", "/tasks/x", "tollgate task list"),
    (404, "there is no dead letter x", "/v1/dead-letters/x", "tollgate dead-letters list"),
    (404, "agent x is not stopped", "/v1/stops/agent/x", "tollgate stops"),
    (404, "there is no agent x; there are: researcher", "/tasks", ""),
    (403, "this key lacks the right 'admin'", "/tasks", "take a key that may"),
    (403, "events of type x come from Tollgate only", "/events", ""),
])
def test_advice_is_about_what_was_refused(status, detail, path, todo):
    failure = of_problem(status, {"detail": detail}, f"GET http://h{path}")

    assert todo in failure.do
    assert bool(todo) is bool(failure.do)


def test_each_of_several_faults_is_told_once():
    failure = of_problem(422, {"detail": "a: bad; b: bad", "errors": [
        {"path": "a", "message": "bad"}, {"path": "b", "message": "bad"}]}, "POST /tasks")

    assert failure.what == "2 faults\n  a: bad\n  b: bad"


@pytest.fixture
def cluster(functions, monkeypatch):
    for name in ("GATEWAY", "LEDGER", "COSTS", "DEADLETTERS", "DASHBOARD"):
        monkeypatch.delenv(f"TOLLGATE_{name}")
    monkeypatch.setenv("TOLLGATE_CLUSTER", "127.0.0.1:8081")
    monkeypatch.setenv("TOLLGATE_NAMESPACE", "team")
    return functions


def test_entrance_of_a_cluster_is_told_which_function_is_meant(cluster, tollgate):
    cluster.answers["GET", "/v1/stops"] = (200, {"stops": []})

    assert tollgate(["stops"]).stdout == "nothing is stopped\n"

    (asked,) = cluster.asked
    assert (asked.url.host, asked.url.port) == ("127.0.0.1", 8081)
    assert asked.headers["host"] == "ledger.team.svc.cluster.local"


def test_cluster_has_no_status_of_the_embedded_runtime(cluster, tollgate):
    failure = tollgate(["status"]).exception

    assert "only the embedded runtime has a dashboard" in failure.what
    assert "kubectl get ksvc" in failure.do


def test_function_with_an_address_of_its_own_is_asked_there(cluster, tollgate, monkeypatch):
    monkeypatch.setenv("TOLLGATE_LEDGER", "http://ledger.test")
    cluster.answers["GET", "/v1/stops"] = (200, {"stops": []})

    tollgate(["stops"])

    assert cluster.asked[0].headers["host"] == "ledger.test"


@pytest.mark.parametrize(("data", "said"), [
    ({"status": "paused", "reason": "agent a is stopped: it loops", "waits_s": 900},
     "paused: agent a is stopped: it loops"),
    ({"status": "pending", "reason": "ledger: no answer within 5 s", "waits_s": 2},
     "pending: ledger: no answer within 5 s"),
    ({"status": "running"}, "running"), ({"status": "pending"}, "")])
def test_wait_is_told_with_its_reason(data, said):
    assert line_of(remote.Message("status", data)).strip() == said


@pytest.mark.parametrize("command", [["get", "t1"], ["list"]], ids=str)
def test_what_a_task_waits_for_is_told_with_the_time_it_looks_again(done, tollgate, command):
    later = datetime.now(UTC) + timedelta(seconds=905)
    waits = {**TASK, "status": "paused", "result": None, "waiting": {
        "reason": "agent a is stopped", "until": later.isoformat()}}
    done.answers |= {("GET", "/tasks/t1"): (200, waits),
                     ("GET", "/tasks"): (200, {"tasks": [waits, TASK], "next": None})}

    said = " ".join(tollgate(["task", *command]).stdout.split())

    assert re.search(r"agent a is stopped \(looks again in 1[45]m\d+s\)", said)
