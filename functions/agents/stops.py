"""Says why a step is not taken now, or not at all."""

from shared.tasks.contract import Status


class Stopped(Exception):
    """The step cannot be taken: the task ends with what it has."""

    def __init__(self, status: Status, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error


class Deferred(Exception):
    """The step must wait: holds stand in the way, or the ledger is away."""


class Paused(Exception):
    """The step must wait until there is budget."""

    def __init__(self, reason: str, wait_s: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait_s = wait_s
