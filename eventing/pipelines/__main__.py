"""The command: `python -m eventing.pipelines write|push|pin|record|scan`."""

import argparse
import sys
import tempfile
from pathlib import Path

from eventing.images.builder import find_builder
from eventing.images.closure import ROOT
from eventing.images.errors import ImageFault
from eventing.images.making import make_image
from eventing.images.staging import stage
from eventing.pipelines.errors import PipelineFault
from eventing.pipelines.pinning import pin, refuse_moving
from eventing.pipelines.recording import record
from eventing.pipelines.scanning import scan
from eventing.pipelines.workflows import write


def main() -> int:
    """Run the command of `sys.argv`; return its exit code, 1 after a fault said in words."""
    given = _parser().parse_args()
    try:
        sys.stdout.write(f"{given.run(given)}\n")
    except (PipelineFault, ImageFault) as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m eventing.pipelines", description=__doc__)
    commands = parser.add_subparsers(required=True)

    writes = commands.add_parser("write", help="write the workflow of each function anew")
    writes.set_defaults(run=_write)

    pushes = commands.add_parser("push", help="build a function's image and send it to a registry")
    pushes.add_argument("function")
    pushes.add_argument("image")
    pushes.set_defaults(run=_push)

    pins = commands.add_parser("pin", help="set the image that an environment runs")
    pins.add_argument("environment")
    pins.add_argument("function")
    pins.add_argument("image")
    pins.add_argument("--folder", type=Path, default=ROOT / "terraform", help=argparse.SUPPRESS)
    pins.set_defaults(run=_pin)

    records = commands.add_parser("record", help="commit and push what an environment runs")
    records.add_argument("environment")
    records.add_argument("function")
    records.add_argument("image")
    records.set_defaults(run=_record)

    scans = commands.add_parser("scan", help="scan what a function's image contains")
    scans.add_argument("function")
    scans.set_defaults(run=_scan)
    return parser


def _write(_: argparse.Namespace) -> str:
    changed = [file.name for file in write()]
    return f"changed: {', '.join(changed)}" if changed else "every workflow is as it should be"


def _push(given: argparse.Namespace) -> str:
    refuse_moving(given.image)
    builder = find_builder()
    built = make_image(builder, given.function, given.image.rpartition(":")[2])
    builder.push(built.name, given.image)
    return f"{given.image} is in its registry"


def _pin(given: argparse.Namespace) -> str:
    before = pin(given.environment, given.function, given.image,
                 folder=given.folder / "environments")
    if before == given.image:
        return f"{given.environment} runs {given.image} already"
    return f"{given.environment} will run {given.image}, instead of {before or 'the overlay’s'}"


def _record(given: argparse.Namespace) -> str:
    is_new = record(given.environment, given.function, given.image, folder=ROOT)
    return (f"pushed: {given.environment} runs {given.image}" if is_new
            else f"Git knows already what {given.environment} runs")


def _scan(given: argparse.Namespace) -> str:
    with tempfile.TemporaryDirectory() as folder:
        stage(given.function, Path(folder))
        scanner = scan(Path(folder) / "sbom.cdx.json")
    return f"{given.function}: {scanner} found nothing of high severity"


if __name__ == "__main__":
    sys.exit(main())
