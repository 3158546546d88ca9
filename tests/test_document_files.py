"""Web pages, PDF, Word, EPUB, dumps of a wiki and text in old encodings become documents, or a sentence."""

from __future__ import annotations

import bz2
import gzip
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docx
import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from alif.document_files import ENCODING, read_document_file
from alif.errors import DataError
from alif.language.pack import load_pack
from alif.sources import COLUMNS

UR, EN = load_pack("ur"), load_pack("en")
FIRST = "گندم پاکستان کی اہم فصل ہے۔ یہ اکتوبر اور نومبر میں بوئی جاتی ہے اور اپریل میں کاٹی جاتی ہے۔"
SECOND = "کسان کھیت میں ہل چلاتے ہیں اور بیج ڈالتے ہیں، پھر پانی دیتے ہیں۔"
PAGE = f"""<html lang="ur"><head><meta charset="windows-1256"><title>گندم</title><style>p{{}}</style></head>
<body><nav><a href="/">صفحہ اول</a> <a href="/k">کھیل</a></nav><article><h1>گندم کی کاشت</h1><p>{FIRST}</p>
<p>{SECOND} <b>بیج</b> &amp; کھاد&nbsp;کا خرچ بھی ہوتا ہے۔</p></article>
<script>var x = "<p>نہیں</p>";</script>
<footer>جملہ حقوق محفوظ ہیں</footer></body>"""
DUMP = f"""<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/"><siteinfo><namespaces>
<namespace key="0"/><namespace key="14">زمرہ</namespace></namespaces></siteinfo>
<page><title>گندم</title><ns>0</ns><id>7</id><revision><id>1</id><text>'''گندم''' {FIRST}
[[زمرہ:فصل]]</text></revision></page>
<page><title>گیہوں</title><ns>0</ns><id>8</id><redirect title="گندم"/>
<revision><text>#رجوع</text></revision></page>
<page><title>صارف:الف</title><ns>2</ns><id>9</id><revision><text>سلام</text></revision></page>
</mediawiki>"""


def read(path: Path, pack: Any = UR) -> list[Any]:
    return [values for _, _, values in read_document_file(path, pack, COLUMNS)]


@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_a_page_is_its_article_in_the_encoding_that_its_letters_prove(tmp_path: Path, codec: str) -> None:
    (tmp_path / "a.html").write_bytes(PAGE.encode(codec))
    (row,) = read(tmp_path / "a.html")
    assert row["text"] == f"گندم کی کاشت\n{FIRST}\n{SECOND} بیج & کھاد کا خرچ بھی ہوتا ہے۔"


def test_a_word_file_has_its_tables(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_heading("گندم")
    document.add_paragraph(FIRST)
    table = document.add_table(1, 2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "سال", "۲۰۲۰"
    document.add_paragraph(SECOND)
    document.save(str(tmp_path / "a.docx"))
    assert read(tmp_path / "a.docx")[0]["text"] == f"گندم\n{FIRST}\nسال | ۲۰۲۰\n{SECOND}"


def test_the_chapters_of_a_book_in_their_order(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.epub", "w") as book:
        container = (
            '<container xmlns="urn:x"><rootfiles><rootfile full-path="OPS/p.opf"/></rootfiles></container>'
        )
        book.writestr("META-INF/container.xml", container)
        items = '<item id="b" href="b%201.xhtml"/><item id="a" href="a.xhtml"/>'
        order = '<spine><itemref idref="a"/><itemref idref="b"/></spine>'
        book.writestr("OPS/p.opf", f'<package xmlns="urn:y"><manifest>{items}</manifest>{order}</package>')
        for name, text in (("a", FIRST), ("b 1", SECOND)):
            page = (
                f"<?xml version='1.0' encoding='utf-8'?><html><body><p>{text}</p><p>{text}</p></body></html>"
            )
            book.writestr(f"OPS/{name}.xhtml", page)
    assert [row["text"].split("\n")[0] for row in read(tmp_path / "a.epub")] == [FIRST, SECOND]


@pytest.mark.parametrize(
    ("container", "sentence"),
    [
        ("<container/>", "no list of its files"),
        ('<a xmlns="u"><rootfile full-path="p.opf"/></a>', "no .*p.opf"),
    ],
)
def test_a_book_without_its_parts_is_damaged(tmp_path: Path, container: str, sentence: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.epub", "w") as book:
        book.writestr("META-INF/container.xml", container)
    with pytest.raises(DataError, match=rf"a\.epub: damaged: {sentence}"):
        read(tmp_path / "a.epub")


def write_pdf(path: Path, text: str) -> None:
    mpl.rcParams["pdf.fonttype"] = 42
    figure = Figure(figsize=(8, 3))
    for number, line in enumerate(text.split("\n")):
        figure.text(0.05, 0.8 - number / 10, line)
    figure.savefig(path)


def test_a_pdf_file_with_a_text_layer(tmp_path: Path) -> None:
    text = "Wheat is sown in October and November,\nand it is harvested in April of the next year."
    write_pdf(tmp_path / "a.pdf", text)
    assert read(tmp_path / "a.pdf", EN)[0]["text"].split() == text.split()


@pytest.mark.parametrize("text", ["7", "ƛǢȜʘ ǂǁǀ ɮɬɫ ʭʬʫ ǢȜƛ ǁǂǀ ɬɫɮ"])
def test_a_pdf_file_without_usable_letters_needs_ocr(tmp_path: Path, text: str) -> None:
    write_pdf(tmp_path / "a.pdf", text)
    with pytest.raises(
        DataError, match=r"a\.pdf: no usable text layer \(0% of \d+ letters on 1 pages are of Urdu\)"
    ):
        read(tmp_path / "a.pdf")


@pytest.mark.parametrize(("ending", "opener"), [("xml", open), ("xml.bz2", bz2.open), ("xml.gz", gzip.open)])
def test_a_dump_gives_its_articles_alone(tmp_path: Path, ending: str, opener: Callable[..., Any]) -> None:
    path = tmp_path / f"urwiki-pages-articles.{ending}"
    with opener(path, "wb") as file:
        file.write(DUMP.encode())
    assert read(path) == [{"id": "7", "title": "گندم", "text": f"گندم {FIRST}"}]


def test_lines_in_an_old_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(
        f"{FIRST}\r\n{SECOND}\r\n".replace("ی", "ي").replace("۔", ".").encode("cp1256")
    )
    rows = read(tmp_path / "a.txt")
    assert [row[ENCODING] for row in rows] == ["cp1256", "cp1256"]
    assert rows[1]["text"] == SECOND.replace("ی", "ي").replace("۔", ".")
    (tmp_path / "a.csv").write_bytes(f"text,title\n{FIRST},گندم\n".encode("utf-16"))
    assert read(tmp_path / "a.csv") == [{"text": FIRST, "title": "گندم", ENCODING: "utf-16"}]


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.docx", b"no zip", "damaged"),
        ("a.epub", b"PK\x03\x04 cut", "damaged"),
        ("a.pdf", b"%PDF-1.4 cut", "damaged, or locked"),
        ("a.xml", b"<mediawiki><page>", "damaged"),
        ("a.xml", b"<rss></rss>", "no page in it"),
        ("a.xml.bz2", bz2.compress(DUMP.encode())[:-40], "damaged"),
        ("a.txt", bytes(range(128, 256)) * 9, "in no encoding that gives letters of Urdu"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_a_sentence(
    tmp_path: Path, name: str, data: bytes, sentence: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match=sentence):
        read(tmp_path / name)


@pytest.mark.shared
def test_the_messy_page_meets_its_gold(shared_data: Path, tmp_path: Path) -> None:
    shutil.copy(shared_data / "messy_dev" / "page.html", tmp_path)
    (row,) = read(tmp_path / "page.html")
    gold = (shared_data / "messy_dev" / "gold" / "page_html.txt").read_text(encoding="utf-8")
    assert row["text"].split("\n") == [line.strip() for line in gold.strip().split("\n")]
