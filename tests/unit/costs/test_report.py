import pytest

from functions.costs.questions.question import ask
from functions.costs.questions.ranges import Span, day_of, day_start_ms
from functions.costs.questions.report import answer, grouped
from functions.costs.questions.rows import Row, Sums
from shared.errors import Permanent


def row(agent, cost, *, tool=None, model=None):
    return Row({"agent": agent, "tool": tool, "model": model}, Sums(cost, 1, 10))


def test_rows_add_up_to_the_total_also_where_a_dimension_is_absent():
    rows = [row("a", 5, tool="calculator"), row("a", 7, model="m"), row("b", 1, tool="calculator")]
    question = ask({"group_by": "tool"})

    body = answer("acme", question, grouped(question, rows))

    assert body["rows"] == [
        {"tool": None, "cost_nano": 7, "invocations": 1, "tokens": 10},
        {"tool": "calculator", "cost_nano": 6, "invocations": 2, "tokens": 20}]
    assert body["total_nano"] == 13


def test_several_dimensions_and_filters():
    rows = [row("a", 5, tool="x"), row("a", 7, tool="y"), row("b", 1, tool="x")]
    question = ask({"group_by": "agent,tool", "tool": "x"})

    assert [r.of for r in grouped(question, rows)] == [{"agent": "a", "tool": "x"},
                                                       {"agent": "b", "tool": "x"}]


@pytest.mark.parametrize(("parameters", "named"), [
    ({"group_by": "colour"}, "allowed are agent, tool, model"),
    ({"group_by": "agent,agent"}, "a dimension twice"),
    ({"group_by": ""}, "allowed are"),
    ({"from": "yesterday"}, "from: 'yesterday' is neither"),
    ({"to": "2026-02-30"}, "to: '2026-02-30' is neither"),
    ({"from": "2026-11-21T09:00:00"}, "with its offset"),
    ({"from": "2026-11-21", "to": "2026-11-20"}, "is not after `from`"),
    ({"from": "2026-11-21", "to": "2026-11-21"}, "is not after `from`"),
    ({"groupby": "agent"}, "unknown parameter; known are"),
])
def test_question_that_makes_no_sense_is_refused_by_name(parameters, named):
    with pytest.raises(Permanent) as refused:
        ask(parameters)

    assert refused.value.status == 422
    assert named in refused.value.detail


def test_all_faults_are_named_at_once():
    with pytest.raises(Permanent) as refused:
        ask({"group_by": "colour", "from": "x", "to": "y"})

    assert [f["path"] for f in refused.value.extra["errors"]] == ["group_by", "from", "to"]


def test_plus_of_an_offset_survives_the_query_string():
    assert ask({"from": "2026-11-21T02:00:00 02:00"}).span.start_ms == day_start_ms("2026-11-21")


def test_span_covers_touches_and_misses_days():
    noon = day_start_ms("2026-11-20") + 43_200_000
    span = Span(noon, day_start_ms("2026-11-22"))

    assert not span.covers("2026-11-20")
    assert span.touches("2026-11-20")
    assert span.covers("2026-11-21")
    assert not span.touches("2026-11-22")
    assert span.holds(noon)
    assert not span.holds(day_start_ms("2026-11-22"))
    assert Span().covers("2026-11-20")


def test_day_of_its_last_millisecond_is_the_same_day():
    assert day_of(day_start_ms("2026-11-21") - 1) == "2026-11-20"


def test_only_sessions_and_tasks_need_fine_sums():
    assert ask({"group_by": "agent", "task": "t"}).fine
    assert not ask({"group_by": "agent,day", "tool": "t"}).fine
