import os
from fractions import Fraction
from types import SimpleNamespace

import pytest

from functions.tools.declare import Context, ToolError
from functions.tools.outside import _is_public
from functions.tools.reader.tool import read
from shared.limits import DOCUMENT_BYTES_MAX, DOCUMENT_PAGE_CHARS_MAX

pytestmark = pytest.mark.anyio
CSV = "day,region,amount\n2026-01-02,North,0.10\n2026-01-01,South,0.20\n2026-01-03,North,\n"


@pytest.fixture
def folder(tmp_path):
    inside = tmp_path / "documents"
    inside.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (inside / "sales.csv").write_text(CSV)
    return inside


def reading(folder, *, is_private_allowed=False, **arguments):
    settings = SimpleNamespace(root=str(folder), is_private_allowed=is_private_allowed)
    context = Context(idempotency_key="k", tenant="t", task="task", settings=settings)
    checked = read.arguments.model_validate(arguments)
    return read.call(checked, context)


async def test_a_csv_comes_as_an_exact_profile(folder):
    table = await reading(folder, path="sales.csv", group_by="region")

    assert table.rows == 3
    amount, day = table.columns["amount"], table.columns["day"]
    assert (amount.sum, amount.min, amount.max, amount.filled) == ("0.30", "0.10", "0.20", 2)
    assert (day.sum, day.min, day.max) == (None, "2026-01-01", "2026-01-03")
    assert [(g.value, g.rows, g.sums) for g in table.groups] == [
        ("North", 2, {"amount": "0.10"}), ("South", 1, {"amount": "0.20"})]
    assert (table.items, table.next_offset) == ([], None)


async def test_rows_come_in_pages(folder):
    first = await reading(folder, path="sales.csv", limit=2)
    second = await reading(folder, path="sales.csv", limit=2, offset=first.next_offset)

    assert [row["day"] for row in (*first.items, *second.items)] == [
        "2026-01-02", "2026-01-01", "2026-01-03"]
    assert second.next_offset is None


async def test_sums_do_not_round(folder):
    (folder / "n.csv").write_text("a\n" + "0.1\n" * 1000 + "99999999999999999999.0001\n")

    table = await reading(folder, path="n.csv")

    assert Fraction(table.columns["a"].sum) == 100 + Fraction("99999999999999999999.0001")


async def test_another_delimiter_is_found(folder):
    (folder / "s.csv").write_text("a;b\n1;2\n")

    assert (await reading(folder, path="s.csv")).columns["b"].sum == "2"


@pytest.mark.parametrize(("text", "arguments", "told"), [
    ("a,b\n1\n", {}, "row 1 has 1 fields"), ("a,a\n1,2\n", {}, "different names"),
    ("", {}, "empty"), ("a\n1\n", {"columns": ["b"]}, "columns: a"),
    ("a\n1\n", {"group_by": "b"}, "columns: a"),
    ("a\n" + "\n".join(map(str, range(60))), {"group_by": "a"}, "60 values")])
async def test_a_faulty_table_is_told(folder, text, arguments, told):
    (folder / "bad.csv").write_text(text)

    with pytest.raises(ToolError, match=told):
        await reading(folder, path="bad.csv", **arguments)


@pytest.mark.parametrize("path", [
    "../secret.txt", "/etc/passwd", "sub/../../secret.txt", "link.txt", "linked/secret.txt",
    "missing.txt", "", ".", "a\0b", "pipe"])
async def test_nothing_outside_the_folder_is_read(folder, path):
    (folder / "link.txt").symlink_to(folder.parent / "secret.txt")
    (folder / "linked").symlink_to(folder.parent)
    os.mkfifo(folder / "pipe")

    with pytest.raises(ToolError, match="no file"):
        await reading(folder, path=path)


async def test_a_link_inside_the_folder_is_followed(folder):
    (folder / "same.csv").symlink_to("sales.csv")

    assert (await reading(folder, path="same.csv")).rows == 3


async def test_without_a_folder_no_path_is_read():
    with pytest.raises(ToolError, match="READER_ROOT"):
        await reading("", path="sales.csv")


async def test_a_file_above_the_limit_is_refused(folder):
    with (folder / "big.txt").open("wb") as file:
        file.truncate(DOCUMENT_BYTES_MAX + 1)

    with pytest.raises(ToolError, match="more than"):
        await reading(folder, path="big.txt")


async def test_what_is_no_text_is_refused(folder):
    (folder / "image.txt").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ToolError, match="UTF-8"):
        await reading(folder, path="image.txt")


@pytest.mark.parametrize("arguments", [{}, {"path": "a", "url": "http://example.com"}])
async def test_either_a_path_or_an_address_is_needed(folder, arguments):
    with pytest.raises(ToolError, match="either"):
        await reading(folder, **arguments)


async def test_a_section_of_markdown_is_read_alone(folder):
    (folder / "r.md").write_text("# One\na\n## Two\nb\n```\n# no heading\n```\n# Three\nc\n")

    two = await reading(folder, path="r.md", section="two")

    assert two.sections == ["One", "Two", "Three"]
    assert two.text == "## Two\nb\n```\n# no heading\n```"
    with pytest.raises(ToolError, match="One, Two, Three"):
        await reading(folder, path="r.md", section="Four")


async def test_a_long_text_comes_in_pages(folder):
    whole = "".join(f"{i} " for i in range(4000))
    (folder / "long.txt").write_text(whole)

    first = await reading(folder, path="long.txt")
    pages, following = [first.text], first.next_offset
    while following:
        page = await reading(folder, path="long.txt", offset=following)
        pages, following = [*pages, page.text], page.next_offset

    assert "".join(pages) == whole
    assert all(len(page) <= DOCUMENT_PAGE_CHARS_MAX for page in pages)


async def test_html_is_read_as_its_visible_text(folder, webhook):
    webhook.answers = [(200, {"content-type": "text/html; charset=utf-8"},
                        b"<title>T</title><script>var x</script><p>A &amp; <b>B</b></p><p>C</p>")]

    text = await reading(folder, url=webhook.url, is_private_allowed=True)

    assert (text.kind, text.text) == ("html", "T\nA & B\nC")


async def test_a_csv_of_the_web_is_profiled(folder, webhook):
    webhook.answers = [(200, {"content-type": "text/csv"}, CSV.encode())]

    assert (await reading(folder, url=webhook.url, is_private_allowed=True)).rows == 3


@pytest.mark.parametrize("url", [
    "http://127.0.0.1:9/x", "http://localhost/x", "http://[::1]/x", "http://0.0.0.0/",
    "http://10.1.2.3/", "http://169.254.169.254/latest/meta-data", "http://2130706433/",
    "http://[::ffff:127.0.0.1]/", "http://0x7f.1/"])
async def test_private_addresses_are_not_read(folder, url):
    with pytest.raises(ToolError, match=r"private|cannot be found|not a URL"):
        await reading(folder, url=url)


@pytest.mark.parametrize("address", [
    "127.0.0.1", "10.0.0.1", "100.64.0.1", "169.254.169.254", "::1", "fe80::1", "fd00::1",
    "::ffff:10.0.0.1", "224.0.0.1", "0.0.0.0", "192.0.2.1", "fe80::1%eth0"])
def test_what_is_not_public(address):
    assert not _is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_what_is_public(address):
    assert _is_public(address)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "nonsense",
                                 "http://user:pass@example.com/", "http://", "gopher://x"])
async def test_only_plain_web_addresses_are_read(folder, url):
    with pytest.raises(ToolError):
        await reading(folder, url=url, is_private_allowed=True)


async def test_redirects_are_followed_a_few_times(folder, webhook):
    webhook.answers = [(302, {"location": "/other"}, b""), (200, {}, b"there")]

    assert (await reading(folder, url=webhook.url, is_private_allowed=True)).text == "there"

    webhook.answers = [(302, {"location": "/again"}, b"")]
    with pytest.raises(ToolError, match="redirects"):
        await reading(folder, url=webhook.url, is_private_allowed=True)


async def test_a_redirect_to_a_forbidden_scheme_is_refused(folder, webhook):
    webhook.answers = [(302, {"location": "file:///etc/passwd"}, b"")]

    with pytest.raises(ToolError):
        await reading(folder, url=webhook.url, is_private_allowed=True)


async def test_a_web_page_above_the_limit_is_refused(folder, webhook):
    webhook.answers = [(200, {}, b"x" * (DOCUMENT_BYTES_MAX + 1))]

    with pytest.raises(ToolError, match="more than"):
        await reading(folder, url=webhook.url, is_private_allowed=True)


@pytest.mark.parametrize("status", [404, 500])
async def test_a_web_error_is_told(folder, webhook, status):
    webhook.answers = [(status, {}, b"")]

    with pytest.raises(ToolError, match=str(status)):
        await reading(folder, url=webhook.url, is_private_allowed=True)
