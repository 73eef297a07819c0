"""The command line as a user starts it: real processes, real manifests."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from eventing.cli.place import Place, alive

BASE = [sys.executable, "-m", "eventing.cli.main"]
READY_S, GONE_S = 60, 60


def tollgate(*arguments, **more):
    return subprocess.run([*BASE, *arguments], check=False, capture_output=True, text=True,
                          timeout=120, **more)


@pytest.fixture
def up(tmp_path):
    """A system started by `tollgate up --json`: its process, its one line, its folder."""
    process = subprocess.Popen([*BASE, "up", "--json", "--data", str(tmp_path)],
                               stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    yield process, json.loads(line), tmp_path
    process.kill() if process.poll() is None else None
    process.wait()
    process.stdout.close()


def children(pid):
    found = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in found.stdout.splitlines()]
    below = {child for child, parent in pairs if parent == pid}
    return below | {grand for child in below for grand in children(child)}


def test_up_prints_one_line_and_term_ends_everything_it_started(up):
    process, ready, _ = up

    assert {"gateway", "broker", "ledger", "costs", "dashboard", "redis", "pid"} <= set(ready)
    assert ready["pid"] == process.pid
    started = children(process.pid)
    assert started

    process.send_signal(signal.SIGTERM)
    assert process.wait(GONE_S) == 0
    until = time.monotonic() + GONE_S
    while any(map(alive, started)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(alive, started))


def test_status_says_the_same_later(up):
    _, ready, folder = up

    status = json.loads(tollgate("status", "--json", "--data", str(folder)).stdout)

    assert {name: status[name] for name in ready if name != "addresses"} == {
        name: value for name, value in ready.items() if name != "addresses"}
    replicas = {function["name"]: function["replicas"] for function in status["functions"]}
    assert replicas["researcher"] == 0


def test_second_runtime_in_the_same_folder_is_refused(up):
    _, _, folder = up

    second = tollgate("up", "--json", "--data", str(folder))

    assert second.returncode == 2
    assert "up already" in json.loads(second.stderr)["error"]


def test_down_ends_it_and_twice_is_no_error(up):
    process, _, folder = up

    reaper = subprocess.Popen([*BASE, "down", "--json", "--data", str(folder)],
                              stdout=subprocess.PIPE, text=True)
    process.wait(GONE_S)
    told = json.loads(reaper.communicate(timeout=GONE_S)[0])

    assert told == {"stopped": process.pid, "clean": True}
    assert tollgate("down", "--data", str(folder)).returncode == 0


def test_detached_runtime_outlives_its_command(tmp_path):
    ready = json.loads(tollgate("up", "--json", "--detach", "--data", str(tmp_path)).stdout)

    try:
        assert alive(ready["pid"])
        assert tollgate("status", "--data", str(tmp_path)).returncode == 0
    finally:
        assert tollgate("down", "--data", str(tmp_path)).returncode == 0
    assert not alive(ready["pid"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_command_takes_its_runtime_with_it(tmp_path, number):
    command = subprocess.Popen([*BASE, "up", "--data", str(tmp_path)], stdout=subprocess.PIPE,
                               text=True)
    while "process" not in (line := command.stdout.readline()):
        assert line, "it ended before it was up"
    pid = Place(tmp_path).state()["pid"]

    command.send_signal(number)
    command.communicate(timeout=GONE_S)

    assert command.returncode == 0
    assert not alive(pid)


def test_task_by_command_line_ends_with_an_answer(up):
    _, _, folder = up

    done = tollgate("task", "run", "Calculate 2 + 3.", "--json", "--data", str(folder))

    task = json.loads(done.stdout)
    assert done.returncode == 0
    assert task["status"] == "completed"
    assert task["result"]["output"]


def test_doctor_finds_a_healthy_machine(tmp_path):
    env = {k: v for k, v in os.environ.items() if not k.startswith("TOLLGATE_")}

    found = json.loads(tollgate("doctor", "--json", "--data", str(tmp_path), env=env).stdout)

    assert found["healthy"], found


def test_help_loads_no_http_client():
    script = ("import sys, eventing.cli.main\n"
              "heavy = {'httpx2', 'pydantic', 'aiohttp', 'redis', 'opentelemetry'}\n"
              "print(*heavy & set(sys.modules))")
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                           check=True)

    assert found.stdout.split() == []
