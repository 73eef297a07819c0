"""Opens HTTP clients: one `httpx2.AsyncClient` per process and purpose."""

import ssl

import httpx2

CONNECTIONS_MAX = 100


def plain_client(timeout_s: float) -> httpx2.AsyncClient:
    """Return a client for cluster-local `http://` addresses.

    Its TLS context trusts nobody, so `https://` fails closed; loading the trust store would cost
    every cold start some 20 ms.
    """
    return httpx2.AsyncClient(
        timeout=timeout_s, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trust_env=False,
        limits=httpx2.Limits(max_connections=CONNECTIONS_MAX, keepalive_expiry=30.0),
    )


def public_client(timeout_s: float) -> httpx2.AsyncClient:
    """Return a client for providers and other public addresses, with the usual trust store."""
    return httpx2.AsyncClient(timeout=timeout_s, limits=httpx2.Limits(keepalive_expiry=30.0))
