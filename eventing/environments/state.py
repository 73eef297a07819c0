"""Where a stack's state is: in its folder, in the bucket its backend names, or in one given."""

from collections.abc import Mapping

from eventing.environments.stacks import Stack

OVERRIDE = "backend_override.tf"
TEXT = 'terraform {\n  backend "s3" {}\n}\n'


def backend_arguments(stack: Stack, environ: Mapping[str, str]) -> list[str]:
    """Return what `terraform init` is told of the backend.

    `TOLLGATE_STATE_BUCKET` and `TOLLGATE_STATE_REGION` take the place of what the stack says.
    """
    bucket = environ.get("TOLLGATE_STATE_BUCKET")
    if stack.backend != "s3" and not bucket:
        return []
    settings: dict[str, str] = {}
    if bucket:
        region = environ.get("TOLLGATE_STATE_REGION") or environ.get("AWS_REGION") or "eu-central-1"
        settings |= {"bucket": bucket, "key": stack.state_key, "region": region,
                     "encrypt": "true", "use_lockfile": "true"}
    if environ.get("AWS_ENDPOINT_URL"):
        settings |= {"use_path_style": "true", "skip_s3_checksum": "true"}
    return [f"-backend-config={name}={value}" for name, value in settings.items()]


def place_override(stack: Stack, environ: Mapping[str, str]) -> None:
    """Make a stack whose own backend is its folder use the given bucket, or no longer."""
    override = stack.root / OVERRIDE
    if environ.get("TOLLGATE_STATE_BUCKET") and stack.backend != "s3":
        override.write_text(TEXT)
    elif override.exists() and override.read_text() == TEXT:
        override.unlink()
