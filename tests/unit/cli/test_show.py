"""Tables on a terminal and into a file."""

import os
import pty
import select
import subprocess
import sys

import pytest

from eventing.cli import show
from eventing.cli.columns import laid_out

TASK = "6dfa36d1-49f4-4067-9dfa-75b50d54e66a"
ACCOUNT = "account tenant|acme|d|2026-10-07"
ERROR = f"cost budget exceeded: {ACCOUNT} needs $0.000000009, has $0 (spent)"
HEADS = ("task", "status", "cost#", "error~")
ROW = (TASK, "completed", "$0.00026925", ERROR)


@pytest.fixture
def printed(capsys, monkeypatch):
    """Print one row by a fresh console; return its lines."""
    def lines():
        monkeypatch.setattr(show, "_console", None)
        show.table("", HEADS, [ROW])
        return capsys.readouterr().out.splitlines()
    return lines


def test_row_stays_whole_where_no_terminal_reads_it(printed, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)

    head, row = printed()

    assert row == f"{TASK}  completed  $0.00026925  {ERROR}"
    assert head.index("error") == row.index("cost budget")


@pytest.mark.parametrize("columns", [60, 80])
def test_row_too_wide_for_a_terminal_goes_over_its_edge_in_one_line(printed, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))

    _, row = printed()

    assert row.split() == f"{TASK} completed $0.00026925 {ERROR}".split()


def test_sentence_is_folded_at_its_spaces_in_its_own_column():
    head, first, *others = laid_out(("key", "why~"), [("a-key", ERROR)], 60)

    assert [line[:7].strip() for line in (first, *others)] == ["a-key", "", ""]
    assert " ".join(line[7:] for line in (first, *others)) == ERROR
    assert max(map(len, (first, *others))) <= 60
    assert head == "key    why"


@pytest.mark.parametrize("width", [1, 20, 40, 80, None])
def test_no_word_of_any_cell_is_ever_broken_or_cut(width):
    rows = [(TASK, "日本語", 5, ERROR), (None, "x" * 100, 5000, "two\nlines")]

    _, *lines = laid_out(("task", "name", "count#", "why~"), rows, width)

    said = " ".join(lines).split()
    assert sorted(said) == sorted(f"{TASK} 日本語 5 {ERROR} {'x' * 100} 5000 two lines".split())


def test_numbers_end_and_texts_begin_in_one_column():
    assert laid_out(("name", "count#"), [("a", 5), ("日本", 12345)], None) == [
        "name  count", "a         5", "日本  12345"]


def test_table_without_rows_is_its_head():
    assert laid_out(HEADS, [], 80) == ["task  status  cost  error"]


def test_terminal_gets_every_word_whole():
    code = f"from eventing.cli import show; show.table('', {HEADS!r}, [{ROW!r}])"
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", code], stdout=theirs, stderr=theirs,
                          env=os.environ | {"TERM": "dumb", "COLUMNS": "80"}) as process:
        os.close(theirs)
        said = b"".join(iter(lambda: read(ours), b"")).decode()
        assert process.wait(10) == 0

    assert TASK in said
    assert ACCOUNT in said


def read(terminal):
    try:
        ready, _, _ = select.select([terminal], [], [], 10)
        return os.read(terminal, 4096) if ready else b""
    except OSError:  # the other end is closed
        return b""


DENIED = {"at": "2026-11-21T11:20:04.660Z", "agent": "a", "task": "t", "account": "agent|a|d",
          "need": 742350, "have": 0, "reason": "spent"}


def test_denials_are_listed_in_their_own_units(functions, tollgate):
    functions.answers["GET", "/v1/denials"] = (200, {"denials": [
        DENIED | {"unit": unit} for unit in ("usd", "tok", "calls")]})

    said = tollgate(["costs", "--denied"]).stdout

    assert [line.split("  ")[-2].strip() for line in said.splitlines()[1:]] == [
        "$0", "0 tokens", "0 calls"]
    assert "$0.00074235" in said


@pytest.mark.parametrize(("command", "at", "answer", "said"), [
    (["task", "list"], ("GET", "/tasks"), {"tasks": []}, "no tasks"),
    (["costs", "--denied"], ("GET", "/v1/denials"), {"denials": []}, "nothing was denied"),
    (["dead-letters", "list"], ("GET", "/v1/dead-letters"), {"dead_letters": []},
     "no dead letters"),
], ids=lambda value: value[0] if isinstance(value, list) else None)
def test_list_of_nothing_says_so(functions, tollgate, command, at, answer, said):
    functions.answers[at] = (200, answer)

    assert tollgate(command).stdout.strip() == said


def test_dead_letter_is_shown_with_its_parts_as_json(functions, tollgate):
    functions.answers["GET", "/v1/dead-letters/k"] = (200, {
        "key": "k", "task": None, "redrives": 0, "extensions": {"tenantid": "local"}})

    said = tollgate(["dead-letters", "show", "k"]).stdout

    assert said.splitlines() == [
        "key         k", "task", "redrives    0", 'extensions  {"tenantid": "local"}']


def test_help_of_a_budget_tells_its_defaults(tollgate):
    said = tollgate(["budget", "set", "--help"]).stdout

    assert "50 80 90 100" in said
    assert "[default: (deny)]" in said
