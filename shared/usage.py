"""What one invocation used: disjoint token classes, the same for every provider."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Literal

UsageBasis = Literal["provider", "drained", "estimated", "none"]
"""Who counted: the provider, we after the client had gone, an estimate of ours, nobody."""

INPUT_CLASSES = ("input_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "audio_in",
                 "image_in")
OUTPUT_CLASSES = ("output_text", "reasoning", "audio_out")
CLASSES = INPUT_CLASSES + OUTPUT_CLASSES

REQUEST, UNPRICED = "request:", "unpriced:"
"""How the meter of a provider's own tool begins: its price is known, 0 included; or nobody knows
it, and the line counts what is charged as nothing."""


_inputs, _outputs = attrgetter(*INPUT_CLASSES), attrgetter(*OUTPUT_CLASSES)
_classes = attrgetter(*CLASSES)


@dataclass(frozen=True, slots=True)
class Usage:
    """Billable tokens by class; each token is counted in exactly one class."""

    input_uncached: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    """Tokens written to a cache that lives five minutes; also where the life is not told."""
    cache_write_1h: int = 0
    output_text: int = 0
    reasoning: int = 0
    audio_in: int = 0
    audio_out: int = 0
    image_in: int = 0
    requests: Mapping[str, int] = field(default_factory=dict)
    """Server-tool requests by name, such as `web_search`."""
    basis: UsageBasis = "provider"

    def __post_init__(self) -> None:
        if min(_classes(self)) < 0:
            raise ValueError(f"a token count is below 0: {self}")

    @property
    def input_total(self) -> int:
        """Return all input tokens, cached ones included."""
        return sum(_inputs(self))

    @property
    def output_total(self) -> int:
        """Return all output tokens, reasoning included."""
        return sum(_outputs(self))

    @property
    def total(self) -> int:
        """Return what the `tok` unit of a budget counts."""
        return self.input_total + self.output_total

    @property
    def classes(self) -> dict[str, int]:
        """Return every class with its count, zeros included."""
        return dict(zip(CLASSES, _classes(self), strict=True))
