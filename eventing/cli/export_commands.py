"""`tollgate export`: FOCUS files, invoices, raw events, written whole or not at all."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from eventing.cli import show
from eventing.cli.exits import Exit, Failure
from eventing.cli.options import DATA, Data, connect
from eventing.cli.progress import progress

if TYPE_CHECKING:
    from eventing.focus.check import Report

app = typer.Typer(no_args_is_help=True)
Tenant = Annotated[str | None, typer.Option(help="The key's own, if not given.")]
Out = Annotated[Path | None, typer.Option(
    help="The file, replaced if it is there; standard output if not given.")]
Month = Annotated[str | None, typer.Option(help="A month in UTC such as 2026-11.")]
FAULTS_SHOWN = 20
ANOTHER = "name a file that can be written, in a folder that exists: --out"


class Table(StrEnum):
    """Forms of a FOCUS file."""

    CSV = "csv"
    PARQUET = "parquet"


class Paper(StrEnum):
    """Forms of an invoice."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


@app.command()
def focus(
    *,
    month: Month = None,
    form: Annotated[Table, typer.Option("--format", help="csv or parquet.")] = Table.CSV,
    out: Annotated[Path | None, typer.Option(help="The file, replaced if it is there.")] = None,
    check: Annotated[Path | None, typer.Option(
        help="Only check this file, whoever wrote it.")] = None,
    tenant: Tenant = None,
    data: Data = DATA,
) -> None:
    """Write a month's costs as FOCUS 1.2, checked against its rules; or check a file."""
    if check is not None and (month, out) == (None, None):
        _judge(_checked(check), check)
        return
    if check is not None or month is None or out is None:
        raise Failure(Exit.USAGE, "a month and a file are needed, or a file to check alone",
                      do="tollgate export focus --month 2026-11 --out focus.csv")
    asked = {"month": month, "format": form.value} | _of(tenant)
    with _whole(out) as part:
        _save("/v1/export/focus", asked, part, data)
        _judge(_checked(part), out)


@app.command()
def invoice(
    *,
    month: Annotated[str, typer.Option(help="A month in UTC such as 2026-11.")],
    form: Annotated[Paper, typer.Option("--format", help="text, json or csv.")] = Paper.TEXT,
    out: Out = None,
    tenant: Tenant = None,
    data: Data = DATA,
) -> None:
    """Write a tenant's invoice of a month; its lines add up to the events exactly."""
    _write("/v1/export/invoice", {"month": month, "format": form.value} | _of(tenant), out, data)


@app.command()
def events(
    *,
    since: Annotated[str, typer.Option("--from", help="A day or instant, included.")],
    until: Annotated[str, typer.Option("--to", help="A day or instant, excluded.")],
    out: Out = None,
    tenant: Tenant = None,
    data: Data = DATA,
) -> None:
    """Write the ledger's events as NDJSON, one CloudEvent a line."""
    _write("/v1/events", {"from": since, "to": until} | _of(tenant), out, data)


def _of(tenant: str | None) -> dict[str, str]:
    return {"tenant": tenant} if tenant else {}


def _write(path: str, asked: dict[str, str], out: Path | None, data: Path) -> None:
    if out is None:
        for _ in _load(path, asked, sys.stdout.buffer, data):
            pass
        return
    with _whole(out) as part:
        _save(path, asked, part, data)


@contextmanager
def _whole(out: Path) -> Iterator[Path]:
    """Yield where to write; what the block leaves there becomes the file at once, or nothing does.

    Raises:
        Failure: it cannot be written.
    """
    if out.is_dir():
        raise Failure(Exit.USAGE, "cannot write: it is a folder", where=str(out), do=ANOTHER)
    part = out.with_name(f".{out.name}.part")
    try:
        yield part
        part.replace(out)
    except OSError as error:
        raise Failure(Exit.USAGE, f"cannot write: {error.strerror}", where=str(out),
                      do=ANOTHER) from error
    finally:
        with suppress(OSError):
            part.unlink()


def _load(path: str, asked: dict[str, str], file: BinaryIO, data: Path) -> Iterator[int]:
    """Write an answer into a file; yield the size of each piece."""
    with connect(data) as remote:
        for piece in remote.download("costs", path, asked):
            yield file.write(piece)
    file.flush()


def _save(path: str, asked: dict[str, str], part: Path, data: Path) -> None:
    with part.open("wb") as file, progress("exporting", sized=True) as told:
        for size in _load(path, asked, file, data):
            told(size)


def _checked(file: Path) -> "Report":
    from eventing.focus.files import checked_file

    try:
        with progress("checking every row against FOCUS 1.2"):
            return checked_file(file)
    except OSError as error:
        raise Failure(Exit.USAGE, f"cannot read: {error.strerror}", where=str(file)) from error
    except ValueError as error:
        raise Failure(Exit.USAGE, f"this is no FOCUS file: {error}", where=str(file),
                      do="FOCUS files are CSV with a header, or Parquet") from error


def _judge(report: "Report", file: Path) -> None:
    if not report.fault_count:
        show.line(f"{file}: {report.rows} rows, {report.billed.normalize():f} USD, "
                  "every rule of FOCUS 1.2 kept")
        return
    for fault in report.faults[:FAULTS_SHOWN]:
        show.line(fault)
    raise Failure(Exit.FAILED, f"{report.fault_count} rules broken", where=str(file))
