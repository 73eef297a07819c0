"""Object storage that speaks S3's protocol: the one place that imports its client."""

from asyncio import to_thread
from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol, TypeVar

from shared.errors import Transient

TIMEOUT_S = 20
ATTEMPTS_MAX = 3
T = TypeVar("T")


class Objects(Protocol):
    """Where archived events are put."""

    async def put(self, name: str, data: bytes) -> None:
        """Write an object, whole; the same name again replaces it."""

    async def get(self, name: str) -> bytes:
        """Return an object."""


class Bucket:
    """A bucket; credentials come from the environment, as the client's own rules say."""

    def __init__(self, bucket: str, endpoint: str | None = None) -> None:
        self._bucket = bucket
        self._endpoint = endpoint

    @cached_property
    def _client(self) -> Any:
        import boto3  # 300 ms: only who archives, or reads what is archived, waits for it
        from botocore.config import Config

        return boto3.client("s3", endpoint_url=self._endpoint, config=Config(
            connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S,
            retries={"max_attempts": ATTEMPTS_MAX, "mode": "standard"}))

    async def put(self, name: str, data: bytes) -> None:
        """Write an object.

        Raises:
            Transient: the storage is away or refuses; nothing is half written.
        """
        await to_thread(self._asked, name, lambda client: client.put_object(
            Bucket=self._bucket, Key=name, Body=data))

    async def get(self, name: str) -> bytes:
        """Return an object.

        Raises:
            Transient: the storage is away, lacks it, or ends in the middle of it.
        """
        return await to_thread(self._asked, name, lambda client: bytes(
            client.get_object(Bucket=self._bucket, Key=name)["Body"].read()))

    def _asked(self, name: str, ask: Callable[[Any], T]) -> T:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return ask(self._client)
        except (BotoCoreError, ClientError) as error:
            raise Transient(f"archive {self._bucket}/{name}: {error}") from error
