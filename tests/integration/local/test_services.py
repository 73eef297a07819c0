"""Functions as processes: from zero, behind their gate, and back to zero."""

import asyncio
import os
import signal

import pytest

from eventing.local.environment import ValueMissing
from shared.store import connect
from tests.integration.local.building import broker, headers, service, trigger
from tests.integration.local.polling import lines, lives, until

pytestmark = pytest.mark.anyio


async def test_function_at_zero_has_no_process_and_wakes_for_a_request(run, http):
    async with run(service(), window_s=0.3) as runtime:
        echo = runtime.parts.services["tollgate", "echo"]
        assert echo.status()["pids"] == []

        answer = (await http.get(runtime.addresses["echo"] + "/x?y=1")).json()
        await until(lambda: not echo.status()["pids"])

        assert (answer["path"], answer["ppid"]) == ("/x", os.getpid())
        assert not lives(answer["pid"])
        assert (echo.status()["woken"], echo.status()["slept"]) == (1, 1)


async def test_minimum_scale_is_up_without_a_request(run):
    async with run(service(scale={"min-scale": "1"}), window_s=0.1) as runtime:
        echo = runtime.parts.services["tollgate", "echo"]

        await until(lambda: echo.status()["ready"] == 1)


async def test_process_of_the_minimum_is_replaced_when_it_dies(run):
    async with run(service(scale={"min-scale": "1"}), window_s=0.1) as runtime:
        echo = runtime.parts.services["tollgate", "echo"]
        await until(lambda: echo.status()["ready"] == 1)
        first = echo.status()["pids"]

        os.kill(first[0], signal.SIGKILL)

        await until(lambda: echo.status()["ready"] == 1 and echo.status()["pids"] != first)


async def test_client_that_waits_to_be_asked_for_its_body_is_asked(run):
    async with run(service()) as runtime:
        host, port = runtime.addresses["echo"].removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
                     b"Expect: 100-continue\r\n\r\n")

        asked = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"body")
        answer = await reader.readuntil(b"\r\n")

        assert asked == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert b" 200 " in answer
        writer.close()
        await writer.wait_closed()


async def test_gate_lets_no_more_than_the_concurrency_into_a_process(run, http):
    async with run(service(concurrency=2, scale={"max-scale": "1"})) as runtime:
        url = runtime.addresses["echo"] + "/?wait=0.02"

        answers = await asyncio.gather(*(http.get(url) for _ in range(12)))

        assert [a.status_code for a in answers] == [200] * 12
        assert max(a.json()["most"] for a in answers) == 2
        assert len({a.json()["pid"] for a in answers}) == 1


async def test_more_requests_than_the_queue_holds_are_refused(run, http):
    async with run(service(concurrency=1, scale={"max-scale": "1"})) as runtime:
        url = runtime.addresses["echo"]
        await http.get(url)

        answers = await asyncio.gather(*(http.get(url + "/?wait=0.2") for _ in range(13)))

        refused = [a for a in answers if a.status_code == 503]
        assert len(refused) == 2
        assert "wait already" in refused[0].text


async def test_load_starts_more_processes_up_to_the_maximum(run, http):
    async with run(service(concurrency=1, scale={"max-scale": "2"}), window_s=0.3) as runtime:
        echo = runtime.parts.services["tollgate", "echo"]
        url = runtime.addresses["echo"] + "/?wait=0.5"

        answers = await asyncio.gather(*(http.get(url) for _ in range(6)))
        await until(lambda: not echo.status()["pids"])

        assert len({a.json()["pid"] for a in answers}) == 2
        assert echo.status()["processes_max"] == 2


async def test_request_beyond_the_time_out_gets_504(run, http):
    async with run(service(timeout_s=1)) as runtime:
        answer = await http.get(runtime.addresses["echo"] + "/?wait=30")

        assert answer.status_code == 504


async def test_request_and_stream_pass_unchanged(run, http):
    async with run(service()) as runtime:
        url = runtime.addresses["echo"]

        stream = await http.get(url + "/stream")
        sent = (await http.put(url + "/a%20b", content=b"body", headers={"x-mine": "1"})).json()

        assert stream.text == "data: 0\n\ndata: 1\n\ndata: 2\n\n"
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert (sent["method"], sent["path"], sent["body"]) == ("PUT", "/a b", "body")
        assert sent["headers"]["x-mine"] == "1"


async def test_answers_pass_as_they_are(run, http):
    async with run(service()) as runtime:
        url = runtime.addresses["echo"]

        empty, head = await http.delete(url + "/empty"), await http.head(url + "/")
        zipped, bare = await http.get(url + "/zipped"), await http.get(url, headers={"accept": ""})

        assert (empty.status_code, empty.content, empty.headers["x-twice"]) == (204, b"", "1")
        assert (head.status_code, head.content) == (200, b"")
        assert "content-type" not in empty.headers
        assert (zipped.text, zipped.headers["content-encoding"]) == ("text", "gzip")
        assert bare.json()["headers"]["host"] == url.removeprefix("http://")


async def test_function_without_source_file_is_named_at_the_start(run):
    with pytest.raises(ValueMissing, match=r"Service echo: .*nowhere.py, which does not exist"):
        async with run(service(source="nowhere.py")):
            pass


async def test_secret_that_does_not_exist_is_named_at_the_start(run):
    key = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "none", "key": "k"}}}
    with pytest.raises(ValueMissing, match="Service echo: KEY: none has no key k"):
        async with run(service(env={"KEY": key})):
            pass


async def test_optional_secret_that_does_not_exist_sets_no_variable(run, http):
    key = {"name": "KEY", "valueFrom": {"secretKeyRef": {
        "name": "none", "key": "k", "optional": True}}}
    async with run(service(env={"KEY": key})) as runtime:
        assert "KEY" not in (await http.get(runtime.addresses["echo"])).json()["env"]


async def test_process_that_dies_gives_502_and_is_replaced(run, http):
    async with run(service()) as runtime:
        url = runtime.addresses["echo"]

        died = await http.post(url + "/die")
        answer = await http.get(url)

        assert (died.status_code, answer.status_code) == (502, 200)


async def test_delivery_to_a_killed_process_is_repeated(run, http, tmp_path):
    seen = tmp_path / "seen"
    objects = service(env={"SEEN": str(seen)}), broker(), trigger()
    async with run(*objects) as runtime:
        echo = runtime.parts.services["tollgate", "echo"]
        await http.post(runtime.addresses["broker"], headers=headers(1, wait="0.5"))
        await until(lambda: echo.status()["in_flight"] == 1)

        os.kill(echo.status()["pids"][0], signal.SIGKILL)
        await until(lambda: runtime.status()["triggers"][0]["pending"] == 0)

        assert lines(seen) == ["1"]
        assert runtime.status()["triggers"][0]["retried"] == 1


async def test_function_that_does_not_start_says_where_to_look(run, http):
    async with run(service(source="broken.py")) as runtime:
        answer = await http.get(runtime.addresses["echo"])

        assert answer.status_code == 503
        assert "echo.log" in answer.text
        log = runtime.options.data_dir / "logs" / "echo.log"
        assert "this function cannot be imported" in log.read_text()


async def test_long_log_is_set_aside_when_a_process_starts(run, http, monkeypatch):
    monkeypatch.setattr("eventing.local.instance.LOG_BYTES_MAX", 10)
    runtime = run(service())
    logs = runtime.options.data_dir / "logs"
    logs.mkdir(parents=True)
    (logs / "echo.log").write_text("a log of an earlier day\n")
    async with runtime:
        await http.get(runtime.addresses["echo"])

        assert (logs / "echo.old.log").read_text() == "a log of an earlier day\n"
        assert "earlier" not in (logs / "echo.log").read_text()


async def server_of(url):
    redis = connect(url)
    try:
        return (await redis.info("server"))["run_id"]
    finally:
        await redis.aclose()


async def test_environment_is_that_of_the_manifest_with_local_addresses(run, http, tmp_path):
    ingress = "http://kafka-broker-ingress.knative-eventing.svc.cluster.local/tollgate/default"
    env = {"BROKER_URL": ingress, "SELF": "http://echo.tollgate.svc.cluster.local/x",
           "REDIS_URL": "redis://redis.tollgate:6379", "FILE": "/etc/keys/api-keys.json",
           "OTHER": "http://elsewhere.tollgate.svc.cluster.local", "MODEL": "scripted",
           "GRANT": {"name": "GRANT", "valueFrom": {"secretKeyRef": {
               "name": "tollgate-grant-key", "key": "key"}}}}
    keys = {"name": "keys", "secret": {"secretName": "tollgate-api-keys"}}
    made = service(env=env, volumes=[keys],
                   mounts=[{"name": "keys", "mountPath": "/etc/keys"}])
    async with run(made, broker(), host_env={**os.environ, "MODEL": "mine", "ALIEN": "x"},
                   env={"EXTRA": "1"}) as runtime:
        found = (await http.get(runtime.addresses["echo"])).json()["env"]

        assert found["BROKER_URL"] == runtime.addresses["broker"]
        assert found["SELF"] == runtime.addresses["echo"] + "/x"
        assert await server_of(found["REDIS_URL"]) == await server_of(runtime.addresses["redis"])
        assert found["OTHER"] == env["OTHER"]
        assert (found["MODEL"], found["EXTRA"], "ALIEN" in found) == ("mine", "1", False)
        assert (found["K_SERVICE"], found["K_REVISION"]) == ("echo", "echo-00001")
        assert found["PORT"].isdecimal()
        assert len(found["GRANT"]) >= 32
        assert found["FILE"].startswith(str(tmp_path))
        with open(found["FILE"]) as file:  # noqa: PTH123
            assert "key_sha256" in file.read()


async def test_leaving_the_runtime_ends_every_process(run, http):
    async with run(service(), broker()) as runtime:
        pid = (await http.get(runtime.addresses["echo"])).json()["pid"]

    assert not lives(pid)
