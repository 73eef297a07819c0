import pytest

from eventing.local.manifests.fields import DeliverySpec, seconds
from eventing.local.policy import Done, Failed, Policy, Reply, judge, policy_of
from eventing.local.wire import ANSWER_BYTES_MAX, Answer

EVENT = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t"}


def waits(policy):
    return [policy.wait_s(n) for n in range(1, policy.retry + 2)]


def test_exponential_waits_start_at_twice_the_delay():
    assert waits(Policy(retry=3, delay_s=0.2)) == [0.4, 0.8, 1.6, None]


def test_linear_waits_grow_by_the_delay():
    assert waits(Policy(retry=3, delay_s=0.5, linear=True)) == [0.5, 1.0, 1.5, None]


def test_ten_retries_from_a_fifth_of_a_second_wait_409_seconds():
    assert sum(w for w in waits(Policy(retry=10, delay_s=0.2)) if w) == pytest.approx(409.2)


def test_delay_of_zero_disables_retries():
    assert waits(Policy(retry=2, delay_s=0)) == [None, None, None]


def test_no_delivery_spec_is_one_call():
    assert policy_of(None, None) == Policy(retry=0, timeout_s=600)


def test_retry_without_delay_waits_a_second_exponentially():
    spec = DeliverySpec.model_validate({"retry": 2})

    assert waits(policy_of(spec, None)) == [2.0, 4.0, None]


@pytest.mark.parametrize(("answer", "verdict"), [
    (None, Failed(again=True)),
    (Answer(204), Done()),
    (Answer(200, {"content-type": "text/plain"}), Done()),
    (Answer(200, {}, b"OK"), Failed(again=False)),
    (Answer(200, EVENT, b"x" * ANSWER_BYTES_MAX), Failed(again=False)),
    (Answer(302), Failed(again=False, code=302)),
    (Answer(422, {}, b"no"), Failed(again=False, code=422, body=b"no")),
    (Answer(404), Failed(again=True, code=404)),
    (Answer(599), Failed(again=True, code=599)),
])
def test_answer_is_judged(answer, verdict):
    assert judge(answer) == verdict


def test_event_in_an_answer_is_a_reply():
    verdict = judge(Answer(202, EVENT, b"data"))

    assert isinstance(verdict, Reply)
    assert (verdict.event.id, verdict.event.data) == ("1", b"data")


@pytest.mark.parametrize(("text", "value"), [
    ("PT0.2S", 0.2), ("PT1M", 60), ("PT1H1M1S", 3661), ("P1D", 86400), ("P1DT1S", 86401)])
def test_duration_in_seconds(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "P", "PT", "5s", "PT5", "-PT5S", "P1Y", "P1DT"])
def test_wrong_duration_is_refused(text):
    with pytest.raises(ValueError, match="ISO 8601"):
        seconds(text)
