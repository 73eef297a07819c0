"""What the adapters of all providers have in common: one call, streamed, put together."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import httpx2

from shared.metering import Permit
from shared.models.errors import ProviderUnknown
from shared.models.port import ModelReply, ModelRequest, OnToken
from shared.models.streaming import events, reachable, shape, within
from shared.models.tokens import bounded, estimate, estimated
from shared.usage import Usage

_NOT_THE_FORM = (KeyError, TypeError, AttributeError, IndexError)
"""What reading an event of another form ends with."""


class Answer(ABC):
    """An answer in the making, one event after the other."""

    FORM: ClassVar[str]
    """What an event is, for errors: `a chunk of a completion`."""

    def __init__(self, request: ModelRequest) -> None:
        self.request = request

    def add(self, event: Mapping[str, Any]) -> str:
        """Take one event in; return the text it brings.

        Raises:
            ProviderUnknown: it has another form.
        """
        try:
            return self._added(event)
        except _NOT_THE_FORM as error:
            raise ProviderUnknown(f"not {self.FORM}: {shape(event)}") from error

    def reply(self) -> ModelReply:
        """Return the answer.

        Raises:
            ProviderUnknown: the stream ended before the answer did, or it has another form.
        """
        if not self._is_whole():
            raise ProviderUnknown("the stream ended before the answer did")
        try:
            return self._reply()
        except _NOT_THE_FORM as error:
            raise ProviderUnknown(f"not the end of {self.FORM}") from error

    def used(self, counted: Usage | None, said: str) -> Usage:
        """Return what the provider counted, else an estimate from what was asked and said."""
        return counted or Usage(input_uncached=estimated(self.request),
                                output_text=estimate(said), basis="estimated")

    @abstractmethod
    def _added(self, event: Mapping[str, Any]) -> str: ...

    @abstractmethod
    def _is_whole(self) -> bool: ...

    @abstractmethod
    def _reply(self) -> ModelReply: ...


class Adapter(ABC):
    """A provider's API under one base URL."""

    PATH: ClassVar[str]
    """Where answers are asked for, below the base URL."""
    MODELS: ClassVar[str] = "/models"
    ANSWER: ClassVar[type[Answer]]

    def __init__(self, url: str, headers: Mapping[str, str], client: httpx2.AsyncClient) -> None:
        self._url, self._headers, self._client = url, headers, client

    async def complete(self, request: ModelRequest, permit: Permit,
                       on_token: OnToken | None = None) -> ModelReply:
        """Return the whole answer, streamed.

        Raises:
            ProviderRefused, ProviderBusy, ProviderUnavailable, ProviderUnknown: as the port says.
        """
        tag = request.metadata.get("trace_id") or permit.reservation_id
        headers, body = self._asked(request, tag)
        answer = self.ANSWER(request)
        async with within(request.timeout_s):
            async for event in events(self._client, self._url + self.PATH, headers, body):
                piece = answer.add(event)
                if piece and on_token:
                    await on_token(piece)
        return answer.reply()

    async def ready(self) -> None:
        """Ask for the list of models, which uses no tokens."""
        await reachable(self._client, self._url + self.MODELS, self._headers)

    def input_tokens_max(self, request: ModelRequest) -> int:
        """Return the bound that holds for any tokenizer."""
        return bounded(request)

    @abstractmethod
    def _asked(self, request: ModelRequest, tag: str,
               ) -> tuple[Mapping[str, str], Mapping[str, Any]]:
        """Return headers and body of a request that its provider can find again by `tag`."""
