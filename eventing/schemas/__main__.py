"""Publishes schemas: `python -m eventing.schemas`; a published one is not changed."""

import sys

from eventing.schemas import changed, file_of, schemas

UNRELEASED = "--unreleased"


def main() -> int:
    """Write what is missing; return 1 if a published schema would change."""
    broken = [] if UNRELEASED in sys.argv else changed()
    for kind in broken:
        print(f"{kind}: published already; give the new form the next version, or "  # noqa: T201
              f"{UNRELEASED} if no release holds it", file=sys.stderr)
    for kind, text in schemas():
        if kind not in broken:
            file_of(kind).write_text(text)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
