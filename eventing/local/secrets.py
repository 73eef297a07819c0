"""Makes the secrets that no manifest holds: the grant key and one local API key."""

import hashlib
import json
import os
import secrets
from pathlib import Path

Secrets = dict[str, dict[str, str]]
"""Name of the Secret → key → clear text."""

LOCAL_TENANT = "local"


def load_or_make(data_dir: Path) -> Secrets:
    """Return the local secrets, made once and kept in `secrets.json` (mode 0600).

    The clear text of the API key is also in `api-key`, for the command line.
    """
    file = data_dir / "secrets.json"
    if not file.exists():
        _write_private(data_dir / "api-key", key := f"tg_{secrets.token_urlsafe(32)}")
        _write_private(file, json.dumps(_fresh(key), indent=2))
    found: Secrets = json.loads(file.read_text())
    return found


def _fresh(api_key: str) -> Secrets:
    hashed = hashlib.sha256(api_key.encode()).hexdigest()
    keys = [{"key_sha256": hashed, "tenant": LOCAL_TENANT, "name": "local",
             "rights": ["admin", "platform"]}]
    return {
        "tollgate-grant-key": {"key": secrets.token_urlsafe(48)},
        "tollgate-api-keys": {"api-keys.json": json.dumps(keys)},
    }


def _write_private(file: Path, text: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
