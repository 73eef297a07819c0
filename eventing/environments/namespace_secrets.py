"""Makes the Secrets that functions need, where nothing else does; see ADR 19.

Values go to kubectl through its standard input: never into arguments, files or Terraform's state.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eventing.environments import kubectl
from shared.auth import ApiKey, ApiKeys, hash_key, new_key

GRANT_KEY = "tollgate-grant-key"
API_KEYS = "tollgate-api-keys"
GRANT_KEY_BYTES = 48
"""Random; base64 makes 64 characters of them."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was made, and what was there already."""

    made: tuple[str, ...]
    kept: tuple[str, ...]
    api_key: str | None
    """A new key, said this once; None when a file or an older Secret holds the keys."""


def make(namespace: str, env: Mapping[str, str], *, tenant: str, api_keys: Path | None) -> Made:
    """Make the missing ones of both Secrets; an existing one is never touched.

    Args:
        namespace: must be there already.
        env: KUBECONFIG, when it is not the process's own.
        tenant: whom a new API key with all rights belongs to.
        api_keys: the keys instead, as the gateway's file holds them.

    Raises:
        Unanswered: kubectl or the cluster failed; the text says how.
        TollgateError: the file holds no keys.
    """
    if api_keys is not None:
        ApiKeys.read(api_keys)
    kept = tuple(name for name in (GRANT_KEY, API_KEYS) if _is_there(name, namespace, env))
    made = tuple(name for name in (GRANT_KEY, API_KEYS) if name not in kept)
    key = new_key() if API_KEYS in made and api_keys is None else None
    for name in made:
        values = _grant_key() if name == GRANT_KEY else _api_keys(api_keys, tenant, key)
        _create(name, namespace, values, env)
    return Made(made, kept, key)


def _grant_key() -> dict[str, str]:
    return {"key": secrets.token_urlsafe(GRANT_KEY_BYTES)}


def _api_keys(file: Path | None, tenant: str, key: str | None) -> dict[str, str]:
    if file is not None:
        return {"api-keys.json": file.read_text()}
    entry = ApiKey(key_sha256=hash_key(key or ""), tenant=tenant, name="first",
                   rights=frozenset({"admin", "platform"}))
    return {"api-keys.json": json.dumps([entry.model_dump(mode="json")])}


def _is_there(name: str, namespace: str, env: Mapping[str, str]) -> bool:
    args = ("get", "secret", name, "--namespace", namespace, "--ignore-not-found", "-o", "name")
    return bool(kubectl.done(args, env).strip())


def _create(name: str, namespace: str, values: Mapping[str, str], env: Mapping[str, str]) -> None:
    manifest = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "stringData": {**values},
                "metadata": {"name": name, "namespace": namespace}}
    kubectl.done(("create", "-f", "-"), env, kubectl.listed([manifest]))
