"""What a runtime is started with."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import eventing

ROOT = Path(eventing.__file__).resolve().parents[1]
"""The project's folder: sources of functions are named relative to it."""

WINDOW_DEFAULT_S = 60.0


@dataclass(frozen=True, slots=True)
class Scale:
    """Compresses time, so that a demo or a test need not wait for a cluster's minutes."""

    window_s: float | None = None
    """How long a function stays up without work; `None`: as its manifest says."""

    timers: float = 1.0
    """Factor on the minutes between firings of a PingSource."""

    backoff: float = 1.0
    """Factor on the broker's waits between attempts."""

    @classmethod
    def compressed(cls, factor: float) -> "Scale":
        """Return every time multiplied by one factor."""
        if factor == 1:
            return cls()
        return cls(WINDOW_DEFAULT_S * factor, factor, factor)


@dataclass(frozen=True, slots=True)
class RuntimeOptions:
    """Where state lives, which port the gateway has, and what the functions' environment gets."""

    data_dir: Path
    port: int = 0
    """The gateway's; 0 takes a free one."""

    redis_url: str | None = None
    """`None` starts the embedded server in `data_dir`."""

    scale: Scale = field(default_factory=Scale)
    env: Mapping[str, str] = field(default_factory=dict)
    """Set for every function, over what its manifest says."""

    host_env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    """A variable that a manifest declares takes its value from here, if it is set here."""

    root: Path = ROOT
    gateway: str = "gateway"
    """The Service that gets `port`."""

    stop_s: float = 10.0
    """Time for running requests at the end, before processes are killed."""

    disturbable: bool = False
    """Serve `POST /disturb` on the admin address: tests lose and double deliveries with it."""
