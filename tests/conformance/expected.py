"""What each class of broker does, as observed; the tests read their expectations here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Expected:
    retried: tuple[int, ...]
    not_retried: tuple[int, ...]
    bad_success_attempts: int
    """Calls of a subscriber that answers 2xx with a body that is no event, at `retry: 2`."""

    bad_success_has_code: bool
    too_large: int | None
    """Status for an event of 1 MiB; `None`: no limit known."""

    dead_letter_reply_enters: bool
    redirects_code: bool


KAFKA = Expected(
    retried=(404, 408, 409, 429, 500, 502, 503), not_retried=(400, 401, 403, 410, 422),
    bad_success_attempts=1, bad_success_has_code=False, too_large=503,
    dead_letter_reply_enters=True, redirects_code=True)

IN_MEMORY = Expected(
    retried=(404, 408, 409, 429, 500, 502, 503), not_retried=(400, 401, 403, 410, 422),
    bad_success_attempts=3, bad_success_has_code=True, too_large=None,
    dead_letter_reply_enters=False, redirects_code=False)

BY_CLASS = {"Kafka": KAFKA, "MTChannelBasedBroker": IN_MEMORY}
