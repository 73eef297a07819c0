"""What nobody should type is answered in words, before anything is asked where that can be."""

import sys

import pytest

from eventing.cli import main
from eventing.cli.exits import Exit, Failure
from eventing.cli.files import text_given
from eventing.cli.place import Place


@pytest.mark.parametrize(("command", "path"), [
    (["task", "get", "../tasks?x=1#y"], "/tasks/..%2Ftasks%3Fx%3D1%23y"),
    (["task", "cancel", "a/b"], "/tasks/a%2Fb"),
    (["task", "trace", "a/b"], "/v1/costs/tasks/a%2Fb"),
    (["costs", "--task", "a/b"], "/v1/costs/tasks/a%2Fb"),
    (["dead-letters", "redrive", "a/b"], "/v1/dead-letters/a%2Fb/redrive"),
    (["start", "agent", "a/b"], "/v1/stops/agent/a%2Fb"),
], ids=lambda value: value[0] if isinstance(value, list) else None)
def test_name_is_one_part_of_a_path_whatever_it_holds(functions, tollgate, command, path):
    assert tollgate(command).exception.code is Exit.USAGE

    assert functions.asked[0].url.raw_path.decode().partition("?")[0] == path


@pytest.mark.parametrize("command", [
    ["task", "get", ""], ["dead-letters", "show", " "], ["budget", "set", "agent", "", "--usd=1"]],
    ids=str)
def test_empty_name_is_refused_before_anything_is_asked(functions, tollgate, command):
    failure = tollgate(command).exception

    assert (failure.code, failure.what, functions.asked) == (Exit.USAGE, "a name is empty", [])


@pytest.mark.parametrize(("contents", "what"), [
    (None, "cannot be read: No such file or directory"), (b"\xff\xfe", "is no text in UTF-8")])
def test_file_that_cannot_be_read_is_named(tmp_path, contents, what):
    file = tmp_path / "prompt"
    if contents:
        file.write_bytes(contents)

    with pytest.raises(Failure) as refused:
        text_given(f"@{file}")

    assert (refused.value.what, refused.value.where) == (what, str(file))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": "x"}', '{"pid": null}', "5"])
def test_state_that_is_none_is_no_runtime(tmp_path, text):
    (tmp_path / "runtime.json").write_text(text)

    assert Place(tmp_path).state() is None


@pytest.mark.parametrize("key", ["ü", "a\nb", "a\tb"])
def test_key_that_no_request_can_carry_is_denied(functions, tollgate, monkeypatch, key):
    monkeypatch.setenv("TOLLGATE_API_KEY", key)

    failure = tollgate(["task", "list"]).exception

    assert (failure.code, failure.where, functions.asked) == (Exit.DENIED, "TOLLGATE_API_KEY", [])


def test_address_may_leave_out_its_scheme(monkeypatch):
    monkeypatch.setenv("TOLLGATE_GATEWAY", "localhost:8080/")

    assert Place().address("gateway") == "http://localhost:8080"


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("command", [[], ["task"], ["budget", "set"]], ids=str)
def test_both_words_for_help_are_known(tollgate, command, option):
    result = tollgate([*command, option])

    assert result.exit_code == Exit.OK
    assert "Usage:" in result.stdout


def test_failure_of_the_system_is_told_in_words(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(sys, "argv", ["tollgate", "up", "--data", str(tmp_path / "file")])

    with pytest.raises(SystemExit) as ended:
        main.run()

    assert ended.value.code == Exit.USAGE
    assert capsys.readouterr().err == f"error: File exists\n  at {tmp_path / 'file'}\n"


