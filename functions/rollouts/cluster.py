"""Reads and patches Knative Services of its own namespace with the pod's own credentials.

Three requests of Kubernetes' REST API need no client library (ADR 0024). `eventing/cli` does the
same through `kubectl`; one suite of tests holds for both.
"""

import ssl
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx2

from shared.errors import Busy, Forbidden, NotFound, Permanent, TollgateError, Transient
from shared.limits import KUBERNETES_TIMEOUT_S
from shared.rollouts.moves import Patch

GROUP = "/apis/serving.knative.dev/v1/namespaces"
MERGE = "application/merge-patch+json"

_ERRORS: Mapping[int, type[TollgateError]] = {
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Busy,
    HTTPStatus.UNAUTHORIZED: Transient,
    HTTPStatus.TOO_MANY_REQUESTS: Transient,
}
"""401 is transient: the token is renewed in its file."""


class Services:
    """The Knative Services of one namespace."""

    def __init__(self, url: str, credentials: Path, client: httpx2.AsyncClient) -> None:
        self._url = url.rstrip("/")
        self._credentials = credentials
        self._client = client

    @property
    def namespace(self) -> str:
        """Return the namespace that the pod runs in."""
        return self._read("namespace")

    async def all(self) -> list[dict[str, Any]]:
        """Return all Services.

        Raises:
            Forbidden: the role does not allow it. Transient: the API server is away.
        """
        found = await self._send("GET", "")
        return list(found["items"])

    async def patch(self, name: str, patch: Patch) -> dict[str, Any]:
        """Return the Service after a patch.

        Raises:
            Busy: it was changed since it was read, and nothing has happened.
            NotFound: it is gone. Permanent: the webhook refuses the patch.
            Forbidden, Transient: as `all`.
        """
        return await self._send("PATCH", f"/{name}", json=patch, headers={"content-type": MERGE})

    async def _send(self, method: str, path: str, *, headers: Mapping[str, str] | None = None,
                    **given: Any) -> dict[str, Any]:
        url = f"{self._url}{GROUP}/{self.namespace}/services{path}"
        sent = {**(headers or {}), "authorization": f"Bearer {self._read('token')}"}
        try:
            answer = await self._client.request(method, url, headers=sent, **given)
        except httpx2.HTTPError as error:
            raise Transient(f"API server {self._url}: {type(error).__name__}: {error}") from error
        if answer.is_success:
            return dict(answer.json())
        raise _failure(method, url, answer)

    def _read(self, name: str) -> str:
        """Return a file of the service account, read anew: its token is renewed hourly."""
        try:
            return (self._credentials / name).read_text().strip()
        except OSError as error:
            raise TollgateError(f"no credentials for the API server: {error}; the Service needs "
                                "serviceAccountName and a mounted token") from error


def _failure(method: str, url: str, answer: httpx2.Response) -> TollgateError:
    try:
        message = str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        message = answer.text[:200]
    if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Transient(f"API server: {message}")
    kind = _ERRORS.get(answer.status_code, Permanent)
    return kind(f"{method} {url}: {message} ({answer.status_code})")


def client(credentials: Path) -> httpx2.AsyncClient:
    """Return a client that trusts the cluster's own authority and nobody else."""
    authority = credentials / "ca.crt"
    context = ssl.create_default_context(cafile=str(authority) if authority.exists() else None)
    return httpx2.AsyncClient(verify=context, timeout=KUBERNETES_TIMEOUT_S, trust_env=False)
