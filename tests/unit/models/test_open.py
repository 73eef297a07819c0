from types import SimpleNamespace

import pytest

from shared.limits import BREAKER_FAILURES_MAX, BREAKER_OPEN_S
from shared.metering.permit import issue
from shared.models.breaker import Breaker
from shared.models.errors import ProviderBusy, ProviderRefused, ProviderUnavailable
from shared.models.open import Router, open_model
from shared.models.port import Message, ModelRequest
from shared.models.tokens import bounded

pytestmark = pytest.mark.anyio
PERMIT = issue("r1")


class Flaky:
    """An adapter that does what it is told."""

    def __init__(self):
        self.error = None
        self.calls = 0

    async def complete(self, request, permit, on_token=None):
        self.calls += 1
        if self.error:
            raise self.error
        return "fine"


class Time:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def asked(model="a/x", text="hi"):
    return ModelRequest(model=model, messages=(Message("user", text),))


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def adapters():
    return {"a": Flaky(), "b": Flaky()}


@pytest.fixture
def router(adapters, time):
    return Router(adapters.__getitem__, time)


async def fail(router, times, model="a/x"):
    for _ in range(times):
        with pytest.raises((ProviderBusy, ProviderRefused, ProviderUnavailable)):
            await router.complete(asked(model), PERMIT)


async def test_a_provider_that_keeps_failing_is_not_asked(router, adapters):
    adapters["a"].error = ProviderBusy("429")

    await fail(router, BREAKER_FAILURES_MAX + 3)

    assert adapters["a"].calls == BREAKER_FAILURES_MAX


async def test_an_open_circuit_leaves_other_providers_alone(router, adapters):
    adapters["a"].error = ProviderBusy("429")
    await fail(router, BREAKER_FAILURES_MAX)

    assert await router.complete(asked("b/x"), PERMIT) == "fine"


async def test_after_a_while_one_call_tries_and_closes_the_circuit(router, adapters, time):
    adapters["a"].error = ProviderBusy("429")
    await fail(router, BREAKER_FAILURES_MAX)
    adapters["a"].error, time.now = None, BREAKER_OPEN_S

    assert await router.complete(asked(), PERMIT) == "fine"
    assert await router.complete(asked(), PERMIT) == "fine"


async def test_a_refused_request_does_not_open_the_circuit(router, adapters):
    adapters["a"].error = ProviderRefused("400")

    await fail(router, BREAKER_FAILURES_MAX + 1)

    assert adapters["a"].calls == BREAKER_FAILURES_MAX + 1


def test_a_half_open_circuit_lets_one_call_through():
    broken = Breaker(failures=BREAKER_FAILURES_MAX, open_until=10)

    assert broken.allows(10)
    assert not broken.tried(10).allows(11)


async def test_the_default_is_the_offline_model():
    model = open_model(SimpleNamespace(model="scripted/default", script=""), client=None)

    reply = await model.complete(asked("scripted/default"), PERMIT)

    assert "offline model" in reply.text
    await model.ready()


@pytest.mark.parametrize("name", ["unknown/x", "x"])
def test_an_unknown_provider_is_refused_with_the_known_ones(name):
    with pytest.raises(ProviderRefused, match="openai, openai-responses, anthropic, scripted"):
        open_model(SimpleNamespace(model=name, script=""), client=None)


@pytest.mark.parametrize(("text", "likely"), [
    ("The quick brown fox jumps over the lazy dog. " * 20, 200),
    ('{"rows":1000,"columns":{"amount":{"sum":"1234.50"}}}' * 20, 440),
    ("dGhpcyBpcyBhIHNlY3JldA" * 20, 400), ("x" * 500, 250), ("1234567890 " * 50, 250),
    ("こんにちは世界" * 50, 350), ("🙂🚀" * 50, 300)])
def test_the_bound_of_input_tokens_is_above_what_is_likely(text, likely):
    """`likely` is a token per word, per sign, per two digits, per kana; three per emoji."""
    assert likely <= bounded(asked(text=text)) <= 12 * likely
