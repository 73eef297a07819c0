"""How commands travel to Redis: many in one write, packed by hiredis."""

import asyncio
import math
from collections.abc import Sequence
from typing import Any

from hiredis import pack_command
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.connection import HiredisRespSerializer
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import DataError, RedisError, ResponseError

from shared.limits import REDIS_COPIED_MS, REDIS_COPIES_MAX, SCRIPT_BATCH_MAX, SCRIPT_BATCH_MIN

Value = str | bytes | int | float
Command = tuple[Value, ...]
Asked = tuple[bytes, asyncio.Future[Any]]
"""A command as it goes over the wire, and who waits for its answer."""


class Lane:
    """Sends to one Redis what is asked for at the same time as one batch, in one write.

    One batch is under way at a time and what comes meanwhile makes the next one: nobody waits who
    is alone, and under load a connection, a wake-up and a system call serve many.
    """

    def __init__(self, copies: int = 0) -> None:
        self._copies = copies
        self._waiting: list[Asked] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, redis: Redis, command: Command) -> Any:
        """Return the answer to a command, or raise its error as `redis` does.

        Raises:
            DataError: a value has no form in Redis; nothing was sent.
        """
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append((_packed(command), answer))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain(redis))
        return await answer

    async def _drain(self, redis: Redis) -> None:
        while self._waiting:
            # Half of what waits: while Redis runs it, the answers before it are worked on.
            count = min(max(SCRIPT_BATCH_MIN, len(self._waiting) // 2), SCRIPT_BATCH_MAX)
            batch = self._waiting[:count]
            del self._waiting[:count]
            try:
                asked = [command for command, _ in batch]
                _tell(batch, await _answers(redis, asked, self._copies))
            except (RedisError, OSError, TimeoutError) as error:
                self._fail(batch, error)
            except BaseException as error:  # the loop ends, or a bug: nobody waits for ever
                self._fail(batch, error)
                raise

    def _fail(self, batch: list[Asked], error: BaseException) -> None:
        """Tell also who waited behind it: nobody waits for Redis twice."""
        batch += self._waiting
        self._waiting.clear()
        _tell(batch, [error] * len(batch))


def _packed(command: Command) -> bytes:
    try:
        packed: bytes = pack_command(command)  # type: ignore[arg-type] # its stub wants one word
    except TypeError as error:
        raise DataError(str(error)) from error
    return packed


async def _answers(redis: Redis, commands: Sequence[bytes], copies: int) -> list[Any]:
    """Return the answers of Redis, errors among them, once so many replicas have what it has.

    Raises:
        RedisError: they have not, in time: what was written may be forgotten, so it is no answer.
    """
    wait = [_packed(("WAIT", copies, REDIS_COPIED_MS))] if copies else []
    pool: Any = redis.connection_pool
    connection: AbstractConnection = await pool.get_connection()
    try:
        answers = await connection.retry.call_with_retry(
            lambda: _exchanged(connection, [*commands, *wait]),
            lambda error: connection.disconnect(error=error))
    finally:
        await pool.release(connection)
    if copies and answers.pop() not in range(copies, REDIS_COPIES_MAX + 1):
        raise RedisError(f"fewer than {copies} replicas have what was written")
    return answers


async def _exchanged(connection: AbstractConnection, commands: Sequence[bytes]) -> list[Any]:
    """Return the answers to commands in one write: a pipeline of the package, without its layers.

    Raises:
        RedisError, TimeoutError: the connection is lost; what ran is unknown.
    """
    await connection.send_packed_command(commands)
    async with asyncio.timeout(connection.socket_timeout):
        return [await _answer(connection) for _ in commands]


async def _answer(connection: AbstractConnection) -> Any:
    try:
        return await connection.read_response(timeout=math.inf)
    except ResponseError as error:
        return error


def _tell(batch: Sequence[Asked], answers: Sequence[Any]) -> None:
    for (_, asked), answer in zip(batch, answers, strict=True):
        if asked.done():
            continue  # the caller has gone
        if isinstance(answer, asyncio.CancelledError):
            asked.cancel()
        elif isinstance(answer, BaseException):
            asked.set_exception(answer)
        else:
            asked.set_result(answer)


class Packing(AbstractConnection):
    """Leaves packing to hiredis, which takes a ninth of the time: a reserve has 40 arguments."""

    def pack_command(self, *args: Any) -> list[bytes]:
        """Return the command as it goes over the wire."""
        packed: list[bytes] = HiredisRespSerializer().pack(*args)
        return packed

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Send it; a transport that closed meanwhile is a lost connection, whatever it raises.

        What the socket takes at once is sent; a task that limits the time is for the rest.

        Raises:
            ConnectionError: the connection is gone; uvloop has a RuntimeError for that.
        """
        try:
            if self.is_connected and (writer := self._writer) is not None:
                writer.write(b"".join(command))
                if not (writer.is_closing() or writer.transport.get_write_buffer_size()):
                    return
                command = []
            await super().send_packed_command(command, check_health)
        except RuntimeError as error:
            if "closed" not in str(error):
                raise
            raise RedisConnectionError(f"the connection closed: {error}") from error
