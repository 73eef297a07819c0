"""Opens the models of all providers behind one port."""

from collections.abc import Callable
from typing import Protocol

import httpx2
from pydantic import SecretStr

from shared.clock import Clock, now_s
from shared.metering import Permit
from shared.models.breaker import Breaker
from shared.models.errors import ProviderBusy, ProviderRefused, ProviderUnavailable, ProviderUnknown
from shared.models.port import Model, ModelReply, ModelRequest, OnToken

PROVIDERS = ("openai", "openai-responses", "anthropic", "scripted")


class ModelSettings(Protocol):
    """The variables of the environment that choose and reach models."""

    @property
    def model(self) -> str:
        """Return `TOLLGATE_MODEL`."""

    @property
    def script(self) -> str:
        """Return `TOLLGATE_SCRIPT`, a path, or an empty text."""

    @property
    def openai_base_url(self) -> str:
        """Return `OPENAI_BASE_URL`, or an empty text for OpenAI's own."""

    @property
    def openai_api_key(self) -> SecretStr:
        """Return `OPENAI_API_KEY`; local servers often need none."""

    @property
    def anthropic_base_url(self) -> str:
        """Return `ANTHROPIC_BASE_URL`, or an empty text for Anthropic's own."""

    @property
    def anthropic_api_key(self) -> SecretStr:
        """Return `ANTHROPIC_API_KEY`."""


def open_model(settings: ModelSettings, client: httpx2.AsyncClient,
               clock: Clock = now_s) -> Model:
    """Return a model that serves any `<provider>/<name>`, each provider with its own circuit.

    `settings.model` says which provider `ready` reaches. Adapters are opened when first used.

    Raises:
        ProviderRefused: the provider of `settings.model` is unknown.
        BadScript: the offline model's script cannot be used.
    """
    router = Router(lambda provider: _opened(provider, settings, client), clock)
    router.adapter(settings.model.partition("/")[0])
    router.default = settings.model.partition("/")[0]
    return router


class Router:
    """Hands each request to its provider's adapter, unless that provider's circuit is open."""

    def __init__(self, opened: Callable[[str], Model], clock: Clock) -> None:
        self._opened = opened
        self._clock = clock
        self._adapters: dict[str, Model] = {}
        self._breakers: dict[str, Breaker] = {}
        self.default = "scripted"

    async def complete(self, request: ModelRequest, permit: Permit,
                       on_token: OnToken | None = None) -> ModelReply:
        """Return the answer of the request's provider.

        Raises:
            ProviderUnavailable: its circuit is open; nothing was sent.
            ProviderRefused, ProviderBusy, ProviderUnknown: as the port says.
        """
        provider, now = request.provider, self._clock()
        breaker = self._breakers.get(provider, Breaker())
        if not breaker.allows(now):
            raise ProviderUnavailable(f"the circuit of {provider} is open: it failed "
                                      f"{breaker.failures} times in a row")
        self._breakers[provider] = breaker.tried(now)
        try:
            reply = await self.adapter(provider).complete(request, permit, on_token)
        except (ProviderBusy, ProviderUnavailable, ProviderUnknown):
            self._breakers[provider] = self._breakers[provider].failed(self._clock())
            raise
        except ProviderRefused:
            self._breakers[provider] = Breaker()  # it answers; the request was wrong
            raise
        self._breakers[provider] = Breaker()
        return reply

    async def ready(self) -> None:
        """Return if the default provider can be reached.

        Raises:
            ProviderUnavailable: it cannot.
        """
        await self.adapter(self.default).ready()

    def input_tokens_max(self, request: ModelRequest) -> int:
        """Return the bound of the request's provider."""
        return self.adapter(request.provider).input_tokens_max(request)

    def adapter(self, provider: str) -> Model:
        """Return the provider's adapter.

        Raises:
            ProviderRefused: there is no such provider.
        """
        if provider not in self._adapters:
            self._adapters[provider] = self._opened(provider)
        return self._adapters[provider]


def _opened(provider: str, settings: ModelSettings, client: httpx2.AsyncClient) -> Model:
    """Import and make one adapter: a cold start pays only for the provider it uses."""
    match provider:
        case "scripted":
            from shared.models.script import Script
            from shared.models.scripted import Scripted

            return Scripted(Script.read(settings.script))
        case "openai":
            from shared.models.openai import OpenAI

            return OpenAI(settings.openai_base_url, settings.openai_api_key, client)
        case "openai-responses":
            from shared.models.responses import Responses

            return Responses(settings.openai_base_url, settings.openai_api_key, client)
        case "anthropic":
            from shared.models.anthropic import Anthropic

            return Anthropic(settings.anthropic_base_url, settings.anthropic_api_key, client)
    raise ProviderRefused(f"no provider {provider!r}: TOLLGATE_MODEL is <provider>/<name> with "
                          f"one of {', '.join(PROVIDERS)}")
