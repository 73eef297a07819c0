"""Where Terraform finds providers: one cache for all stacks, a folder instead of the network."""

from collections.abc import Mapping
from pathlib import Path

from eventing.environments.variables import base_environment

CONFIGURATION = """\
provider_installation {{
  filesystem_mirror {{
    path    = "{folder}"
    include = [{names}]
  }}
  direct {{
    exclude = [{names}]
  }}
}}
"""


def ready_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` for Terraform; makes the cache, and a configuration for a mirror.

    `TOLLGATE_TERRAFORM_PLUGINS` names a folder of unpacked providers, as `terraform providers
    mirror` makes them; a TF_CLI_CONFIG_FILE that exists wins over it.
    """
    cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tollgate" / "terraform"
    given = {
        "TF_PLUGIN_CACHE_DIR": str(cache),
        # No lock file is kept (ADR 0017), so there is none to break.
        "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE": "1",
        **base_environment(environ)}
    Path(given["TF_PLUGIN_CACHE_DIR"]).mkdir(parents=True, exist_ok=True)
    named = environ.get("TF_CLI_CONFIG_FILE")
    if named and Path(named).is_file():
        return given
    given.pop("TF_CLI_CONFIG_FILE", None)
    mirror = environ.get("TOLLGATE_TERRAFORM_PLUGINS")
    return {**given, **_mirrored(Path(mirror), cache)} if mirror else given


def _mirrored(folder: Path, cache: Path) -> dict[str, str]:
    """Write a CLI configuration that takes from `folder` what it holds."""
    names = sorted({f'"{namespace.name}/*"' for namespace in folder.glob("*/*")})
    file = cache.parent / "terraform.rc"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(CONFIGURATION.format(folder=folder.resolve(), names=", ".join(names)))
    return {"TF_CLI_CONFIG_FILE": str(file)}
