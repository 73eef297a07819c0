"""Repetition of what may succeed a moment later."""

import pytest

from shared.retries import retried

pytestmark = pytest.mark.anyio


class Flaky:
    """Fails so many times, then returns how often it was called."""

    def __init__(self, failures):
        self.failures, self.calls = failures, 0

    async def work(self):
        self.calls += 1
        if self.calls <= self.failures:
            raise ValueError(self.calls)
        return self.calls


@pytest.mark.parametrize("failures", [0, 1, 2])
async def test_work_that_fails_at_first_is_awaited_again(failures):
    flaky = Flaky(failures)

    def begun():  # a plain function that returns an awaitable, as callers pass it
        return flaky.work()

    assert await retried(begun, ValueError, attempts=3, wait_max_s=0.01) == failures + 1


async def test_the_last_error_is_raised_after_all_attempts():
    flaky = Flaky(9)

    with pytest.raises(ValueError, match="3"):
        await retried(flaky.work, ValueError, attempts=3, wait_max_s=0.01)

    assert flaky.calls == 3


async def test_another_error_is_raised_at_once():
    flaky = Flaky(9)

    with pytest.raises(ValueError, match="1"):
        await retried(flaky.work, KeyError, attempts=3, wait_max_s=0.01)
