import csv
import io

import pytest

from functions.costs.pages import assets
from functions.costs.pages.tables import Amount, Gauge, Link, Table, columns, share

TABLE = Table("t", "T", columns(
    "Name", ("Full", "gauge"), ("Cost", "usd"), ("Share", "share"), ("Free", "amount")),
    [(Link("=cmd()", "/x"), Gauge(1, 0, 2, ""), -1_500, 3_333, Amount(7, "tok")),
     ("a,b", None, None, None, Amount(None, "usd"))], foot=[("Total", None, 2**80, None, None)])


def test_csv_has_every_figure_exactly_and_no_pictures():
    head, *rows = csv.reader(io.StringIO(TABLE.csv()))

    assert head == ["Name", "Cost (USD)", "Cost (nano-USD)", "Share (%)", "Free", "Free: unit"]
    assert rows[0] == ["'=cmd()", "-0.0000015", "-1500", "33.33", "7", "tok"]
    assert rows[1] == ["a,b", "", "", "", "", "nano-USD"]
    assert rows[2][2] == str(2**80)


@pytest.mark.parametrize(("part", "whole", "found"), [
    (1, 3, 3_333), (2, 3, 6_667), (1, 0, None), (0, 5, 0), (-1, 4, -2_500), (5, 5, 10_000)])
def test_share_is_rounded_half_up(part, whole, found):
    assert share(part, whole) == found


@pytest.mark.parametrize("name", sorted(assets.UPLOT))
def test_chart_library_is_what_its_authors_published(name):
    assert assets.checksum(assets.content(name)) == assets.UPLOT[name]


def test_names_of_assets_change_with_their_content():
    paths = [asset.path for asset in assets.listed().values()]

    assert len({path.split("/")[2] for path in paths}) == len(paths) == 5
