"""Reaches addresses that a model chose, without being led to private ones.

A name is resolved once and the connection goes to the very address that was checked, so that a
second answer of the name server cannot point inside (DNS rebinding). Proxies of the environment
are not used: they would resolve the name again.
"""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from functools import lru_cache

import httpx2

from functions.tools.declare import ToolError
from shared.http_client import plain_client

_SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect, and what to call the server."""

    url: httpx2.URL
    """The address that was asked for, with its name."""
    address: str
    """The checked IP address."""

    def request(self, client: httpx2.AsyncClient, method: str, timeout_s: float, *,
                headers: dict[str, str] | None = None, content: bytes | None = None,
                ) -> httpx2.Request:
        """Return a request to the checked address that names the server as it was asked for."""
        return client.build_request(
            method, self.url.copy_with(host=self.address), content=content,
            headers={**(headers or {}), "host": self.url.netloc.decode()}, timeout=timeout_s,
            extensions={"sni_hostname": self.url.host})


async def checked(url: str, *, is_private_allowed: bool) -> Target:
    """Return where a connection to the URL may go.

    Raises:
        ToolError: no http(s) URL, an unknown host, or a private address that is not allowed.
    """
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise ToolError(f"{url!r} is not a URL: {error}") from error
    if parsed.scheme not in _SCHEMES or not parsed.host or parsed.userinfo:
        raise ToolError(f"{url!r}: give an http or https address without a user name")
    addresses = await _resolved(parsed)
    closed = [a for a in addresses if not _is_public(a)]
    if closed and not is_private_allowed:
        raise ToolError(f"{parsed.host} is at {closed[0]}, a private address: not allowed")
    return Target(parsed, addresses[0])


def client_for(target: Target) -> httpx2.AsyncClient:
    """Return the process's client for the target's scheme."""
    return _secure_client() if target.url.scheme == "https" else _plain_client()


async def _resolved(url: httpx2.URL) -> list[str]:
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            url.host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ToolError(f"{url.host} cannot be found: {error}") from error
    return [str(address[4][0]) for address in found]


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return ip.is_global and not ip.is_multicast


@lru_cache(maxsize=1)
def _plain_client() -> httpx2.AsyncClient:
    return plain_client(30.0)


@lru_cache(maxsize=1)
def _secure_client() -> httpx2.AsyncClient:
    # Slow to make: loads the trust store. A kept connection would serve another name at the same
    # address under the certificate of the first.
    return httpx2.AsyncClient(trust_env=False, limits=httpx2.Limits(max_keepalive_connections=0))
