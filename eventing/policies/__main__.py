"""Checks overlays: `python -m eventing.policies knative/overlays/prod …`."""

import sys
from pathlib import Path

from eventing.local.manifests.kustomize import objects
from eventing.policies.check import RULES, check
from shared.errors import TollgateError

EXIT_VIOLATED, EXIT_USAGE = 1, 2


def main(folders: list[str]) -> int:
    """Print what is found; return 0, 1 for violations, 2 when an overlay is not rendered."""
    if not folders:
        sys.stderr.write("name an overlay: python -m eventing.policies knative/overlays/prod\n")
        return EXIT_USAGE
    try:
        return EXIT_VIOLATED if sum([_checked(Path(folder)) for folder in folders]) else 0
    except TollgateError as error:
        sys.stderr.write(f"{error.title}: {error.detail}\n")
        return EXIT_USAGE


def _checked(folder: Path) -> int:
    found, documents = [], objects(folder)
    found = check(documents)
    for violation in found:
        sys.stdout.write(f"{violation}\n")
    sys.stdout.write(f"{folder}: {len(documents)} objects, {len(RULES)} rules, "
                     f"{len(found)} violations\n")
    return len(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
