"""Tables on a terminal and into a file."""

import pytest

from eventing.cli import show

ROW = ("6dfa36d1-49f4-4067-9dfa-75b50d54e66a", "completed", "researcher", "$0.00026925", "e" * 60)


@pytest.fixture
def printed(capsys, monkeypatch):
    """Print one row by a fresh console; return its lines."""
    def lines():
        monkeypatch.setattr(show, "_console", None)
        show.table("", ("task", "status", "agent", "cost#", "error"), [ROW])
        return capsys.readouterr().out.splitlines()
    return lines


def test_row_stays_whole_where_no_terminal_reads_it(printed, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)

    _, row = printed()

    assert row.split() == list(ROW)


def test_row_fits_the_columns_that_are_asked_for(printed, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    assert max(map(len, printed())) <= 80
