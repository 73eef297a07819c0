"""The command: `python -m eventing.images closure|stage|build|base|imports`."""

import argparse
import json
import sys
from pathlib import Path

from eventing.images.base import make_base
from eventing.images.builder import find_builder
from eventing.images.closure import closure, functions
from eventing.images.errors import ImageFault
from eventing.images.imports import as_json, as_table, costs_of, excesses
from eventing.images.making import make_image, size_line, sum_line
from eventing.images.staging import FOLDER, stage


def main() -> int:
    """Run the command of `sys.argv`; return its exit code, 1 after a fault said in words."""
    given = _parser().parse_args()
    try:
        given.run(given)
    except ImageFault as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m eventing.images")
    commands = parser.add_subparsers(required=True)

    asks = commands.add_parser("closure", help="list what a function needs")
    asks.add_argument("function")
    asks.add_argument("--json", action="store_true")
    asks.set_defaults(run=_closure)

    stages = commands.add_parser("stage", help="lay out the build context of a function")
    stages.add_argument("function")
    stages.add_argument("folder", type=Path)
    stages.set_defaults(run=lambda given: print(stage(given.function, given.folder)))

    builds = commands.add_parser("build", help="build images: of one function, or of all")
    builds.add_argument("function", nargs="?")
    builds.add_argument("--tag", default="local")
    builds.add_argument("--out", type=Path, help="file of one image, or folder of all")
    builds.set_defaults(run=_build)

    measures = commands.add_parser("imports", help="measure what the start of each function loads")
    measures.add_argument("functions", nargs="*")
    measures.add_argument("--json", action="store_true")
    measures.set_defaults(run=_imports)

    bases = commands.add_parser("base", help="make a base image of Debian's packages")
    bases.set_defaults(run=lambda _: print(make_base(find_builder(), FOLDER / "base")))
    return parser


def _closure(given: argparse.Namespace) -> None:
    found = closure(given.function)
    files, names = [file.as_posix() for file in found.files], list(found.distributions)
    if given.json:
        print(json.dumps({"files": files, "distributions": names}, indent=2))
    else:
        print(*files, *names, sep="\n")


def _imports(given: argparse.Namespace) -> None:
    bare, costs = costs_of(given.functions or None)
    print(as_json(bare, costs) if given.json else as_table(bare, costs))
    if any(excesses(bare, costs)):
        raise ImageFault("Some function starts with more than its budget: "
                         "eventing/images/budget.py")


def _build(given: argparse.Namespace) -> None:
    builder, images = find_builder(), []
    if given.function:
        print(size_line(make_image(builder, given.function, given.tag, out=given.out)))
        return
    for name in functions():
        out = given.out and given.out / f"{name}.tar"
        images.append(make_image(builder, name, given.tag, out=out))
        print(size_line(images[-1]), flush=True)
    print(sum_line(images))


if __name__ == "__main__":
    sys.exit(main())
