"""Opens HTTP clients: one `httpx2.AsyncClient` per process and purpose."""

import ssl

import httpx2

from shared.plain_transport import PlainTransport
from shared.wires import CONNECTIONS_MAX


def cluster_client(timeout_s: float) -> httpx2.AsyncClient:
    """Return a client for short calls between functions, at `http://` addresses only."""
    return httpx2.AsyncClient(timeout=timeout_s, transport=PlainTransport(CONNECTIONS_MAX),
                              trust_env=False)


def plain_client(timeout_s: float) -> httpx2.AsyncClient:
    """Return a client for `http://` addresses that can also stream.

    Its TLS context trusts nobody, so `https://` fails closed; loading the trust store takes some
    20 ms.
    """
    return httpx2.AsyncClient(
        timeout=timeout_s, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trust_env=False,
        limits=httpx2.Limits(max_connections=CONNECTIONS_MAX, keepalive_expiry=30.0),
    )


def public_client(timeout_s: float) -> httpx2.AsyncClient:
    """Return a client for providers and other public addresses, with the usual trust store."""
    return httpx2.AsyncClient(timeout=timeout_s, limits=httpx2.Limits(keepalive_expiry=30.0))
