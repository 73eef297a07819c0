"""`python -m eventing.slo`: writes the alerts of all objectives, and the dashboards, anew."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

from eventing.slo.boards import BOARDS, board
from eventing.slo.objectives import ObjectiveError, read_all
from eventing.slo.rules import rule_of

ROOT = Path(__file__).parents[2]
AGENTS = ROOT / "functions" / "agents"
COMPONENT = ROOT / "knative" / "components" / "observability"
HEAD = "# Written by `make objectives` from the agents' agent.yaml.\n"


class _Dumper(yaml.SafeDumper):
    """Writes expressions of several lines as blocks."""


_Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar(
    "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None))


def files(agents: Path = AGENTS) -> Iterator[tuple[Path, str]]:
    """Yield every file below the component with its text.

    Raises:
        ObjectiveError: an objective cannot be watched.
    """
    rule = yaml.dump(rule_of(read_all(agents)), Dumper=_Dumper, sort_keys=False, width=1000)
    yield Path("prometheusrule-objectives.yaml"), HEAD + rule
    for name in BOARDS:
        yield Path("dashboards", f"{name}.json"), json.dumps(board(name), indent=1) + "\n"


def main() -> int:
    """Write the files; return 2 if an objective is wrong."""
    try:
        found = list(files())
    except ObjectiveError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    for path, text in found:
        (COMPONENT / path).parent.mkdir(exist_ok=True)
        (COMPONENT / path).write_text(text)
    sys.stdout.write(f"{len(found)} files of {COMPONENT.relative_to(ROOT)} are written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
