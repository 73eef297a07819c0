"""`python -m tests.alerts`: checks every alert rule with promtool, and evaluates the cases."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from eventing.images.closure import ROOT

COMPONENT = ROOT / "knative" / "components" / "observability"
MISSING = "promtool is not in PATH: it comes with Prometheus\n"


def main() -> int:
    """Return promtool's verdict; 3 where there is none."""
    tool = shutil.which("promtool")
    if tool is None:
        sys.stderr.write(MISSING)
        return 3
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rules = [_spec_of(file, folder) for file in COMPONENT.glob("prometheusrule-*.yaml")]
        cases = yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text())
        (folder / "cases").write_text(yaml.safe_dump(cases | {"rule_files": sorted(rules)}))
        checked = subprocess.run([tool, "check", "rules", *rules], cwd=folder, check=False)
        tested = subprocess.run([tool, "test", "rules", "cases"], cwd=folder, check=False)
    return checked.returncode or tested.returncode


def _spec_of(file: Path, folder: Path) -> str:
    (folder / file.name).write_text(yaml.safe_dump(yaml.safe_load(file.read_text())["spec"]))
    return file.name


if __name__ == "__main__":
    sys.exit(main())
