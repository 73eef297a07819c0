"""What a logged failure says: where and what kind, and no words of others."""

import json
import logging

import pytest

from shared import telemetry
from shared.errors import Transient


@pytest.fixture
def line():
    """Log an error as functions do; return its line."""
    def logged(error):
        formatter = telemetry._JsonLines("f")  # handlers are the process's own: not touched here
        record = logging.LogRecord("n", logging.ERROR, __file__, 1, "it failed", (),
                                   (type(error), error, error.__traceback__))
        return json.loads(formatter.format(record))
    return logged


def caught(work):
    try:
        work()
    except (ValueError, Transient) as error:
        return error


def test_failure_says_where_and_of_which_kind_and_quotes_nothing(line):
    error = caught(lambda: int("a secret prompt"))

    told = line(error)["exception"]

    assert told.endswith("ValueError")
    assert "test_log_lines.py" in told
    assert "secret prompt" not in told.replace('int("a secret prompt")', "")


def test_failure_names_its_causes_and_keeps_our_own_words(line):
    def ours():
        try:
            {}["a secret prompt"[::-1]]
        except KeyError as error:
            raise Transient("the store is away") from error

    told = line(caught(ours))["exception"]

    assert "Transient: the store is away\ncaused by:\n" in told
    assert told.endswith("KeyError")
    assert "a secret prompt"[::-1] not in told


def test_failures_that_cause_each_other_end(line):
    one, two = ValueError(), TypeError()
    one.__cause__, two.__cause__ = two, one

    assert line(one)["exception"] == "ValueError\ncaused by:\nTypeError"
