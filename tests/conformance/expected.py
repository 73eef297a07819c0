"""What each class of broker does, as observed; the tests read their expectations here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Expected:
    retried: tuple[int, ...]
    not_retried: tuple[int, ...]
    bad_success_attempts: int
    """Calls of a subscriber that answers 2xx with a body that is no event, at `retry: 2`."""

    bad_success_has_code: bool
    broken_reply_has_code: bool
    """A reply is broken when it has some attributes of an event, and not all of them."""

    too_large: int | None
    """Status for an event of 1 MiB; `None`: no limit known."""

    dead_letter_reply_enters: bool
    redirects_code: bool
    options_status: int
    empty_id_status: int
    source_is_checked: bool
    header_too_large: int | None
    trigger_keeps_the_brokers_sink: bool
    """Whether a Trigger's delivery without a sink falls back on the Broker's."""

    zero_delay_attempts: int
    """Calls of a subscriber that always fails at `retry: 3`, `backoffDelay: PT0S`."""

    refused_connection_code: str | None
    empty_answer_leaves_data: bool
    keeps_long_answers: bool
    """Whether it survives the answer of a failure of more than 768 bytes."""

    failure_always_names_its_place: bool
    """Whether `knativeerrordest` is also there after a time-out and after a bad success."""

    replies_are_limited: bool


KAFKA = Expected(
    retried=(404, 408, 409, 429, 500, 502, 503), not_retried=(400, 401, 403, 410, 422),
    bad_success_attempts=1, bad_success_has_code=False, broken_reply_has_code=False, too_large=503,
    dead_letter_reply_enters=True, redirects_code=True, options_status=405, empty_id_status=202,
    source_is_checked=True, header_too_large=431, trigger_keeps_the_brokers_sink=False,
    zero_delay_attempts=1, refused_connection_code=None, empty_answer_leaves_data=False,
    keeps_long_answers=True, failure_always_names_its_place=True, replies_are_limited=True)

IN_MEMORY = Expected(
    retried=(404, 408, 409, 429, 500, 502, 503), not_retried=(400, 401, 403, 410, 422),
    bad_success_attempts=3, bad_success_has_code=False, broken_reply_has_code=True, too_large=None,
    dead_letter_reply_enters=False, redirects_code=False, options_status=200, empty_id_status=400,
    source_is_checked=False, header_too_large=None, trigger_keeps_the_brokers_sink=True,
    zero_delay_attempts=4, refused_connection_code="500", empty_answer_leaves_data=True,
    keeps_long_answers=False, failure_always_names_its_place=False, replies_are_limited=False)
"""Eventing 1.22, its channel asynchronous; seen on a cluster."""

BY_CLASS = {"Kafka": KAFKA, "MTChannelBasedBroker": IN_MEMORY}
