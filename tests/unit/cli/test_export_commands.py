"""Exports are written whole or not at all."""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eventing.cli import remote
from eventing.cli.exits import Exit, Failure
from eventing.cli.main import app
from eventing.cli.remote import Remote
from eventing.focus.files import csv_lines
from tests.foreground import in_foreground

ROOT = Path(__file__).parents[3]
COMMANDS = {
    "focus": ["export", "focus", "--month", "2026-11"],
    "invoice": ["export", "invoice", "--month", "2026-11"],
    "events": ["export", "events", "--from", "2026-11-01", "--to", "2026-12-01"]}
EMPTY = csv_lines([], header=True)


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture
def answers(functions):
    for path in ("/v1/export/focus", "/v1/export/invoice", "/v1/events"):
        functions.answers["GET", path] = (200, EMPTY)
    return functions


@pytest.mark.parametrize("command", COMMANDS)
def test_file_that_is_there_is_replaced(answers, tmp_path, command):
    out = tmp_path / "out.csv"
    out.write_text("before")

    result = run(*COMMANDS[command], "--out", out)

    assert result.exit_code == 0, result.output
    assert out.read_text().strip() == EMPTY.strip()
    assert [file.name for file in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("end", [KeyboardInterrupt, Failure(Exit.UNREACHABLE, "cut short"),
                                 OSError(28, "No space left on device")],
                         ids=["interrupted", "cut", "full"])
def test_export_that_ends_half_way_leaves_what_was_there(
        answers, tmp_path, monkeypatch, command, end):
    def cut(*_):
        yield b"half"
        raise end

    monkeypatch.setattr(Remote, "download", cut)
    out = tmp_path / "out.csv"
    out.write_text("before")

    result = run(*COMMANDS[command], "--out", out)

    assert result.exit_code != 0
    assert out.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("out", "said"), [
    ("", "it is a folder"), ("nowhere/out.csv", "No such file"),
    ("file/out.csv", "Not a directory")])
def test_place_that_cannot_be_written_is_named(answers, tmp_path, command, out, said):
    (tmp_path / "file").touch()

    failure = run(*COMMANDS[command], "--out", tmp_path / out).exception

    assert isinstance(failure, Failure)
    assert (failure.code, failure.where) == (Exit.USAGE, str(tmp_path / out))
    assert said in failure.what
    assert "--out" in failure.do


def test_focus_file_that_breaks_a_rule_is_not_written(answers, tmp_path):
    answers.answers["GET", "/v1/export/focus"] = (200, EMPTY.replace("BilledCost,", ""))

    result = run(*COMMANDS["focus"], "--out", tmp_path / "out.csv")

    assert result.exception.code == Exit.FAILED
    assert "BilledCost is missing" in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [
    [], ["--month", "2026-11"], ["--out", "a.csv"], ["--check", "a.csv", "--month", "2026-11"],
    ["--check", "a.csv", "--out", "b.csv"]], ids=" ".join)
def test_focus_wants_a_month_and_a_file_or_a_file_to_check(answers, arguments):
    failure = run("export", "focus", *arguments).exception

    assert failure.code == Exit.USAGE
    assert answers.asked == []


@pytest.mark.parametrize(("content", "said"), [
    (None, "cannot read: No such file"), (b"PAR1garbage", "no FOCUS file"),
    (b"\xff\xfe\x00", "no FOCUS file"), (b"a,b\r\n1\r\n", "row 1 has 1 cells")])
def test_file_to_check_that_is_none_is_named(tmp_path, content, said):
    file = tmp_path / "some.csv"
    if content is not None:
        file.write_bytes(content)

    failure = run("export", "focus", "--check", file).exception

    assert isinstance(failure, Failure)
    assert (failure.code, failure.where) == (Exit.USAGE, str(file))
    assert said in failure.what


@contextmanager
def one_that_answers_slowly(wait, *pieces):
    """Yield the address of a server that waits before each piece of its answer."""
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            for piece in pieces:
                wait()
                self.wfile.write(piece)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    serving = threading.Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    serving.join()
    server.server_close()


def test_answer_may_take_longer_to_begin_than_others(tmp_path, monkeypatch):
    monkeypatch.setattr(remote, "TIMEOUT_S", 0.1)
    with one_that_answers_slowly(lambda: time.sleep(0.5), b"{}\n") as url:
        monkeypatch.setenv("TOLLGATE_COSTS", url)

        result = run(*COMMANDS["events"], "--out", tmp_path / "out.ndjson")

    assert result.exit_code == 0, result.exception
    assert (tmp_path / "out.ndjson").read_text() == "{}\n"


def test_export_on_a_terminal_says_how_much_has_come_until_it_is_interrupted(tmp_path):
    turns = threading.Semaphore(1)
    seen, terminal = os.openpty()
    with one_that_answers_slowly(turns.acquire, b"x" * 70_000, b"end") as url:
        command = subprocess.Popen(
            in_foreground(sys.executable, "-m", "eventing.cli.main", *COMMANDS["events"],
                          "--out", "out.ndjson"),
            cwd=tmp_path, stderr=terminal,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TOLLGATE_COSTS": url, "TERM": "xterm"})
        os.close(terminal)
        said = b""
        try:
            while b"70.0" not in said and select.select([seen], (), (), 30)[0]:
                said += os.read(seen, 4096)
            command.send_signal(signal.SIGINT)
            assert command.wait(30) == Exit.INTERRUPTED
        finally:
            command.kill()
            command.wait()
            turns.release()
    os.close(seen)

    assert b"exporting" in said
    assert b"70.0 kB" in said
    assert list(tmp_path.iterdir()) == []
