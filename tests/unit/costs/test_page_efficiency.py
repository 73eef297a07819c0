from functions.costs.pages import efficiency
from functions.costs.pages.trust import against_invoice
from functions.costs.questions.rows import Row, Sums


def task(name, cost, calls=3):
    return Row({"task": name, "agent": "a"}, Sums(cost, calls, 0))


COMMON = [task(f"t-{n}", 100 + n) for n in range(24)]


def test_outlier_is_named_and_too_little_data_is_said():
    found = efficiency.outliers([task("dear", 10_000), *COMMON])
    few = efficiency.outliers(COMMON[:19])

    assert [row[0].text for row in found.rows] == ["dear"]
    assert few.rows == []
    assert few.empty == "Not enough data: 20 tasks are needed, there were 19."
    assert "3 times the distance between the quartiles" in found.note


def test_loop_is_a_task_with_far_more_calls_and_never_one_with_few():
    found = efficiency.loops([task("round", 1, calls=40), task("few", 1, 9), *COMMON])

    assert [row[0].text for row in found.rows] == ["round"]


def test_cache_that_is_written_and_not_read_costs():
    sums = Sums(5, 1, 0, {"input_tokens": 100, "cache_write_tokens": 50, "cache_saved_nano": -7})

    table = efficiency.caches([Row({"model": "m"}, sums)])

    assert table.rows == [("m", 100, 0, 0, 50, -7)]
    assert "cost money" in table.note


def test_share_of_cold_starts_counts_tools_apart_from_their_agent():
    rows = [Row({"kind": "llm", "tool": None, "agent": "a"}, Sums(0, 4, 0, {"cold_starts": 1})),
            Row({"kind": "tool", "tool": "x", "agent": "a"}, Sums(0, 2, 0, {"cold_starts": 2}))]

    table = efficiency.cold_starts(rows)

    assert table.rows == [("x", 2, 2, 10_000), ("a", 4, 1, 2_500)]
    assert table.foot == [("Total", 6, 3, 5_000)]


def test_invoice_with_parts_of_a_nano_is_shown_exactly():
    table = against_invoice([{"day": "2026-11-20", "events_nano": 1, "invoice_nano": "1.5",
                              "agrees": False}])

    assert table.rows == [("2026-11-20", 1, "1.5", "differs")]
    assert table.csv().splitlines()[1] == "2026-11-20,0.000000001,1,0.0000000015,1.5,differs"
