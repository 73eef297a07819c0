"""Makes the bucket that keeps states, which cannot keep its own."""

import re
from collections.abc import Mapping
from pathlib import Path

from eventing.environments.errors import advice, summary
from eventing.environments.plugins import ready_environment
from eventing.environments.process import Outcome, terraform
from eventing.environments.stacks import Failed

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def make_state_bucket(folder: Path, bucket: str, environ: Mapping[str, str]) -> str:
    """Make the bucket, versioned and encrypted; a second call changes nothing.

    Raises:
        Failed: the name is none, or Terraform refuses.
    """
    if not BUCKET.fullmatch(bucket):
        raise Failed(f"{bucket!r} is no bucket's name: make state bucket=NAME, 3 to 63 lower-case "
                     "letters, digits and hyphens")
    given = ready_environment(environ) | {"TF_VAR_bucket": bucket}
    root = folder / "state"
    _must(terraform(root, ["init", "-input=false"], given, quiet=True))
    # One bucket per state: each has its own file beside the configuration.
    file = f"-state={bucket}.tfstate"
    _must(terraform(root, ["apply", "-input=false", "-auto-approve", file], given))
    return f"{bucket}: ready; name it in backend.tf, or set TOLLGATE_STATE_BUCKET={bucket}"


def _must(outcome: Outcome) -> None:
    if outcome.code:
        text = outcome.errors or outcome.output
        raise Failed(f"{summary(text)} → {advice(text) or 'the lines above say more'}.")
