"""A broker, subscribers and a client per test."""

from importlib import import_module

import httpx2
import pytest

from tests.conformance.expected import BY_CLASS
from tests.conformance.subscriber import Subscriber


@pytest.fixture
def under_test(request):
    module, _, factory = request.config.getoption("--broker-under-test").partition(":")
    return getattr(import_module(module), factory)()


@pytest.fixture
async def broker(under_test):
    started = []

    async def start(delivery=None):
        started.append(under_test)
        await under_test.start(delivery)
        return under_test
    yield start
    for one in started:
        await one.stop()


@pytest.fixture
def expected(under_test):
    return BY_CLASS[under_test.broker_class]


@pytest.fixture
async def subscriber():
    running = []

    async def start(*replies, **options):
        running.append(await Subscriber(*replies, **options).start())
        return running[-1]
    yield start
    for one in running:
        await one.stop()


@pytest.fixture
async def send():
    async with httpx2.AsyncClient(timeout=30) as client:
        async def post(url, message, status=202):
            answer = await client.post(url, headers=message.headers, content=message.body)
            assert answer.status_code == status, answer.text
            return answer
        yield post
