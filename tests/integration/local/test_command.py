"""`python -m eventing.local` as its own process: start, stop, kill, start again."""

import json
import os
import signal
import socket

import httpx2
import pytest

from tests.integration.local.building import broker, headers, ready, service, trigger
from tests.integration.local.polling import lines, lives, until_sync


def test_ready_line_names_the_addresses_and_status_says_the_same(command, write):
    process = command(write(service("gateway"), service("ledger"), broker()), "--json")

    line = ready(process)
    status = httpx2.get(line["dashboard"] + "/status").json()

    assert line["pid"] == process.pid == status["pid"]
    assert {"gateway", "broker", "ledger", "dashboard", "redis"} <= set(line["addresses"])
    assert status["addresses"] == line["addresses"]


def test_gateway_gets_the_wanted_port(command, write, free_port):
    process = command(write(service("gateway")), "--port", str(free_port))

    assert ready(process)["gateway"] == f"http://127.0.0.1:{free_port}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_everything_it_started(command, write, tmp_path, number):
    process = command(write(service(), broker()))
    pid = httpx2.get(ready(process)["echo"], timeout=60).json()["pid"]
    state = tmp_path / "data" / "runtime.json"
    assert json.loads(state.read_text())["pid"] == process.pid

    process.send_signal(number)

    assert process.wait(60) == 0
    assert not lives(pid)
    assert not state.exists()


def test_functions_and_redis_die_with_a_killed_runtime(command, write):
    process = command(write(service(), broker()))
    line = ready(process)
    pid = httpx2.get(line["echo"], timeout=60).json()["pid"]
    port = int(line["redis"].rpartition(":")[2].partition("/")[0])

    process.kill()
    process.wait(60)

    until_sync(lambda: not lives(pid) and not listens(port))


def test_accepted_events_are_delivered_after_a_kill(command, write, tmp_path):
    seen = tmp_path / "seen"
    folder = write(service(env={"SEEN": str(seen)}), broker(), trigger())
    first = command(folder)
    address = ready(first)["broker"]
    for number in range(30):
        answer = httpx2.post(address, headers=headers(number), content=bytes(range(256)))
        assert answer.status_code == 202
    first.kill()
    first.wait(60)

    second = command(folder)
    ready(second)

    until_sync(lambda: set(lines(seen)) == {str(number) for number in range(30)})


def test_running_delivery_is_finished_before_the_end_and_not_repeated(command, write, tmp_path):
    seen = tmp_path / "seen"
    folder = write(service(env={"SEEN": str(seen)}), broker(), trigger())
    first = command(folder)
    line = ready(first)
    httpx2.get(line["echo"], timeout=60)
    httpx2.post(line["broker"], headers=headers(1, wait="0.7"))
    until_sync(lambda: in_flight(line) == 1)

    first.terminate()
    assert first.wait(60) == 0
    second = ready(command(folder))
    httpx2.post(second["broker"], headers=headers(2))
    until_sync(lambda: "2" in lines(seen))

    assert lines(seen) == ["1", "2"]


def test_attempts_and_waits_survive_a_kill(command, write, tmp_path):
    seen, dead = tmp_path / "seen", tmp_path / "dead"
    delivery = {"retry": 3, "backoffPolicy": "linear", "backoffDelay": "PT0.3S",
                "deadLetterSink": {"ref": {"apiVersion": "serving.knative.dev/v1",
                                           "kind": "Service", "name": "dead"}}}
    folder = write(service(env={"SEEN": str(seen)}), service("dead", env={"SEEN": str(dead)}),
                   broker(), trigger(delivery=delivery))
    first = command(folder)
    httpx2.post(ready(first)["broker"], headers=headers(1, answer="503"))
    until_sync(lambda: len(lines(seen)) >= 2)
    first.kill()
    first.wait(60)

    ready(command(folder))
    until_sync(lambda: lines(seen) and (tmp_path / "dead").exists())

    assert 4 <= len(lines(seen)) <= 5, "one attempt may be repeated: it was not noted yet"


def test_taken_port_is_a_clear_error(command, write):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = command(write(service("gateway")), "--port", str(port))
        _, said = process.communicate(timeout=60)

    assert process.returncode == 2
    assert f"port {port} of 127.0.0.1 is taken" in said


def test_refused_manifests_are_named_with_file_line_and_field(command, write):
    bad = trigger()
    bad["spec"]["filterz"] = []
    process = command(write(service(), broker(), bad))
    _, said = process.communicate(timeout=60)

    assert process.returncode == 2
    assert "all.yaml:" in said
    assert "spec.filterz: field is unknown" in said


def test_check_lists_what_has_no_effect_and_starts_nothing(command, write):
    process = command(write(service(), broker()), "--check")
    said, _ = process.communicate(timeout=60)

    assert process.returncode == 0
    assert any(line.endswith("containers.0.image") for line in json.loads(said)["no_effect"])


def test_second_runtime_on_one_folder_is_refused(command, write):
    folder = write(service(), broker())
    ready(command(folder))

    second = command(folder)
    _, said = second.communicate(timeout=60)

    assert second.returncode == 2
    assert "in use" in said


def in_flight(line):
    return httpx2.get(line["dashboard"] + "/status").json()["functions"][0]["in_flight"]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_redis_of_the_environment_is_used(command, write, redis_url):
    process = command(write(service(), broker()), env={"REDIS_URL": redis_url})

    assert ready(process)["redis"] == redis_url


def test_process_groups_are_the_functions_own(command, write):
    process = command(write(service()))
    pid = httpx2.get(ready(process)["echo"], timeout=60).json()["pid"]

    assert os.getpgid(pid) == pid
