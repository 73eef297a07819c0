"""The imports of the project's own files, read from their syntax and never executed."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

PACKAGES = ("functions", "eventing", "shared")
"""The project's own top-level packages; everything else that is imported comes from outside."""

DATA = frozenset({".css", ".html", ".js", ".json", ".lua", ".md", ".txt", ".yaml"})
"""What modules read beside themselves. A package's data lie in it, or in folders below it that
are no packages; `py.typed`, Dockerfiles and make files are not read at run time."""


def module_file(root: Path, name: str) -> Path | None:
    """Return the file of a module or package of the project, `None` if there is none."""
    base = root.joinpath(*name.split("."))
    for file in (base / "__init__.py", base.with_suffix(".py")):
        if file.is_file():
            return file
    return None


@cache
def imported(file: Path) -> frozenset[str]:
    """Return the dotted names that a file imports at any depth, lazy imports included.

    `from a import b` yields `a` and `a.b`, because only the caller can tell a module from a name
    in it. What stands under `if TYPE_CHECKING:` is never imported, hence left out.
    """
    return frozenset(_names(ast.parse(file.read_bytes(), str(file))))


def _names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import():
            yield from (alias.name for alias in node.names)
        case ast.ImportFrom(module=str(module)):
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)
        case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
            yield from _names_in(node.orelse)
        case _:
            yield from _names_in(ast.iter_child_nodes(node))


def _names_in(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        yield from _names(node)


def packages_above(file: Path, root: Path) -> Iterator[Path]:
    """Yield the `__init__.py` of every package that Python runs before it runs the file."""
    for folder in file.relative_to(root).parents:
        init = root / folder / "__init__.py"
        if folder.parts and init.is_file():
            yield init


def data_of(package: Path) -> Iterator[Path]:
    """Yield the data files of a package, given by its folder."""
    for path in package.iterdir():
        if path.is_file() and path.suffix in DATA:
            yield path
        elif path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").exists():
            yield from data_of(path)
