"""Names a provider's failures, and says of each whether the call is known to be free.

```
Permanent   ├── ProviderRefused       free   a definite refusal: void
Overloaded  ├── ProviderBusy          free   429: void, wait or fall back
Transient   ├── ProviderUnavailable   free   no byte was sent: void, wait or fall back
Transient   └── ProviderUnknown       paid?  after dispatch anything may have happened: resolve
```
"""

from shared.errors import Overloaded, Permanent, Transient


class ProviderRefused(Permanent):
    """The provider refused the request itself: a wrong key, an unknown model, a bad field."""

    title = "The model's provider refused"


class ProviderBusy(Overloaded):
    """The provider's rate limit is reached."""

    title = "The model's provider is busy"


class ProviderUnavailable(Transient):
    """The provider could not be reached, or its circuit is open; nothing was sent."""

    title = "The model's provider is away"


class ProviderUnknown(Transient):
    """The request was sent and no whole answer came back: a timeout is not a refund."""

    title = "The model's answer was lost"


FREE = (ProviderRefused, ProviderBusy, ProviderUnavailable)
"""Failures after which nothing was used."""
