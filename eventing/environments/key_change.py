"""Changes the key that signs grants, in stages, while functions run (`shared.auth.GrantKeys`).

Functions restart one after the other, so each stage must be everywhere before the next one begins:
all know the new key, all sign with it, and the old one goes when no grant that it signed is alive.
The Secret's annotations say which stage it is in. A stage again changes no key.
"""

import base64
import json
import secrets
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Any

from eventing.environments import kubectl
from eventing.environments.namespace_secrets import GRANT_KEY, GRANT_KEY_BYTES
from shared.errors import Permanent
from shared.limits import DEADLINE_MAX_S

STAGE = "tollgate.dev/key-change"
SINCE = "tollgate.dev/key-change-since"
MARK = "tollgate.dev/grant-key"
"""On a function's revisions: a digest of the keys that they started with."""

READY_S = 300
ASKED_S = 20
"""One question of kubectl ends after 30 s."""
TIMED_OUT = "timed out"
"""What `kubectl wait` says when it was the time that ended it, and nothing else."""


class Stage(StrEnum):
    """What is done; their order is the order of the change."""

    ADD = "add"
    """Everybody verifies with a new key, too."""

    SWAP = "swap"
    """Everybody signs with the new one."""

    DROP = "drop"
    """The old key is worth nothing any more."""


def next_keys(keys: str, done: str, stage: Stage, *, age_s: float, new: str) -> str:
    """Return the keys after a stage; the same again returns them as they are.

    `done` is the stage that the Secret is in, empty before any; it has been for `age_s` seconds.

    Raises:
        Permanent: the stage before it is missing, or old grants are still alive.
    """
    if done == stage:
        return keys
    first, _, second = keys.partition(",")
    match stage, done:
        case (Stage.ADD, "" | Stage.DROP):
            return f"{first},{new}"
        case (Stage.SWAP, Stage.ADD):
            return f"{second},{first}"
        case (Stage.DROP, Stage.SWAP) if age_s >= DEADLINE_MAX_S:
            return first
        case (Stage.DROP, Stage.SWAP):
            raise Permanent(f"tasks may live for {DEADLINE_MAX_S / 86400:g} days, and the old key "
                            f"signs for none only since {age_s / 86400:.1f} days: wait")
    raise Permanent(f"the key change is at {done or 'its beginning'!r}: the order is "
                    f"{', '.join(Stage)}")


def change(namespace: str, env: Mapping[str, str], stage: Stage, *,
           say: Callable[[str], None], force: bool = False) -> list[str]:
    """Do a stage: write the Secret, restart who reads it, wait until all are ready.

    Return the functions that were restarted. `force` drops a key that leaked, though grants that
    it signed may be alive.

    Raises:
        Permanent: the stage is not due, not everybody has done the one before, or there is no key.
        Unanswered: the cluster refuses, or is away.
    """
    secret = _secret(env, namespace)
    notes = secret["metadata"].get("annotations") or {}
    age = float("inf") if force else time.time() - float(notes.get(SINCE, 0))
    keys = base64.b64decode(secret["data"]["key"]).decode()
    after = next_keys(keys, notes.get(STAGE, ""), stage, age_s=age,
                      new=secrets.token_urlsafe(GRANT_KEY_BYTES))
    readers = _readers(env, namespace)
    say(f"{GRANT_KEY}: {stage}")
    if after != keys:
        if stage is not Stage.ADD:
            _refuse_behind(readers, _mark(keys), notes[STAGE])
        _write(env, secret, after, stage)
    names = [s["metadata"]["name"] for s in readers]
    for name in names:
        say(f"{name}: restarts")
        _restart(env, namespace, name, _mark(after))
    _await_ready(env, namespace, names)
    return names


def _mark(keys: str) -> str:
    return sha256(keys.encode()).hexdigest()[:16]


def _refuse_behind(readers: list[dict[str, Any]], mark: str, done: str) -> None:
    """Refuse to go on while a function may still run with the keys of an earlier stage."""
    behind = [s["metadata"]["name"] for s in readers if not _is_at(s, mark)]
    if behind:
        raise Permanent(f"{', '.join(behind)}: not Ready with the keys of stage {done!r}; do "
                        f"{done} again, which restarts them and waits")


def _is_at(service: dict[str, Any], mark: str) -> bool:
    marked = service["spec"]["template"]["metadata"].get("annotations", {}).get(MARK) == mark
    ready = {c["type"]: c["status"] for c in service["status"].get("conditions", ())}.get("Ready")
    is_seen = service["status"].get("observedGeneration") == service["metadata"].get("generation")
    return marked and is_seen and ready == "True"


def _secret(env: Mapping[str, str], namespace: str) -> dict[str, Any]:
    text = kubectl.done(("get", "secret", GRANT_KEY, "-n", namespace, "-o", "json",
                         "--ignore-not-found"), env)
    if not text.strip():
        raise Permanent(f"namespace {namespace} has no Secret {GRANT_KEY} to change: "
                        "tollgate secrets make makes it")
    found: dict[str, Any] = json.loads(text)
    return found


def _await_ready(env: Mapping[str, str], namespace: str, names: list[str]) -> None:
    ends = time.monotonic() + READY_S
    waiting = [f"ksvc/{name}" for name in names]
    while waiting:
        answer = kubectl.run(("wait", *waiting, "-n", namespace, "--for=condition=Ready",
                              f"--timeout={ASKED_S}s"), env)
        if not answer.code:
            return
        if TIMED_OUT not in answer.err:
            raise kubectl.Unanswered(answer.errors)
        if time.monotonic() > ends:
            raise kubectl.Unanswered(f"not ready after {READY_S} s: {answer.errors}; the stage "
                                     "may be repeated")


def _readers(env: Mapping[str, str], namespace: str) -> list[dict[str, Any]]:
    """Return the functions that read the key, if a new revision of each would serve."""
    listed = json.loads(kubectl.done(("get", "ksvc", "-n", namespace, "-o", "json"), env))
    found = [s for s in listed["items"] if GRANT_KEY in json.dumps(s["spec"]["template"])]
    held = [s["metadata"]["name"] for s in found
            if not all(t.get("latestRevision") for t in s["status"].get("traffic", ())
                       if t.get("percent"))]
    if held:
        raise Permanent(f"{', '.join(held)}: an older revision serves, which would keep the old "
                        "keys: promote the newest, or start a rollout, before keys change")
    return found


def _write(env: Mapping[str, str], secret: dict[str, Any], keys: str, stage: Stage) -> None:
    notes = {**(secret["metadata"].get("annotations") or {}), STAGE: stage.value,
             SINCE: f"{time.time():.0f}"}
    changed = {**secret, "stringData": {"key": keys},
               "metadata": {**secret["metadata"], "annotations": notes}}
    # Its resource version is the one that was read: who was faster is not overwritten.
    kubectl.done(("replace", "-f", "-"), env, kubectl.listed([changed]))


def _restart(env: Mapping[str, str], namespace: str, name: str, mark: str) -> None:
    patch = {"spec": {"template": {"metadata": {"annotations": {MARK: mark}}}}}
    kubectl.done(("patch", "ksvc", name, "-n", namespace, "--type=merge",
                  f"--patch={json.dumps(patch)}"), env)
