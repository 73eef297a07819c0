from hypothesis import given
from hypothesis import strategies as st

from functions.costs.events.sequence import CHUNK_BITS, Range, check, place, runs


def bitmap(bits):
    found = bytearray(max(bits) // 8 + 1)
    for bit in bits:
        found[bit // 8] |= 0x80 >> bit % 8
    return bytes(found)


@given(st.sets(st.integers(1, 200), min_size=1))
def test_seen_and_missing_ranges_are_the_whole_sequence(numbers):
    found = check("1", runs(0, bitmap(numbers)))

    missing = {n for r in found.missing for n in range(r.first, r.last + 1)}
    assert missing == set(range(1, max(numbers) + 1)) - numbers
    assert (found.first, found.last, found.count) == (min(numbers), max(numbers), len(numbers))
    assert found.missing_count == len(missing)


def test_number_is_found_again_in_its_chunk():
    chunk, bit = place(3 * CHUNK_BITS + 5)

    assert runs(chunk, bitmap({bit})) == [Range(3 * CHUNK_BITS + 5, 3 * CHUNK_BITS + 5)]


def test_run_over_a_chunk_border_has_no_hole():
    seen = [Range(1, CHUNK_BITS - 1), Range(CHUNK_BITS, CHUNK_BITS + 3)]

    assert check("1", seen).missing == ()


def test_start_after_one_is_a_hole():
    assert check("1", [Range(4, 6)]).missing == (Range(1, 3),)


def test_nothing_seen_is_no_hole():
    assert check("1", []).missing_count == 0
