"""Files that people have, read as documents: web pages, PDF, Word, EPUB, wiki dumps, text in any encoding.

    .html .htm .xhtml        the article, without menus and footers            (trafilatura)
    .pdf .docx               one document; a PDF file needs a text layer       (pdfminer.six, python-docx)
    .epub                    one document a chapter
    .xml .xml.bz2 .xml.gz    a dump of MediaWiki: one document an article      (mwparserfromhell)
    .txt .jsonl .csv …       as `source_formats` reads them, from the encoding that the letters prove

Their packages are the extra "documents". Rows have "text" and "title"; `ENCODING` tells of a text that was
not UTF-8, `VISUAL` of one that may stand in the order of its places.
"""

from __future__ import annotations

import bz2
import gzip
import posixpath
import re
import zipfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

from alif import store
from alif.errors import DataError, MissingExtra
from alif.language.letter_counts import LetterCount
from alif.language.normalisation import normalise_text
from alif.language.pack import Pack
from alif.language.text_repair import find_encoding
from alif.source_formats import RawRow, file_kind, read_file
from alif.wikitext import wikitext_to_text

__all__ = ["ENCODING", "VISUAL", "read_document_file"]

ENCODING, VISUAL = "alif:encoding", "alif:visual"
"""Keys of a row, such as no file of a user's has."""

HEAD_BYTES = 1 << 16
"""First bytes of a file by which its encoding is found."""
MIN_TEXT_SHARE = 0.5
"""Least share of letters that the pack knows in the text layer of a PDF file: fewer are those of a font."""
MAX_LOST_SHARE = 0.05
"""Most letters of it that no table of the font names."""
MIN_LETTERS_PER_PAGE = 20
"""Fewer letters a page are no text layer: page numbers, or what stands in a picture's frame."""

_OPENERS: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".bz2": bz2.open}
_LOST_GLYPH = re.compile(r"\(cid:\d+\)")
_UTF8 = ("utf-8", "utf-8-sig")


def read_document_file(path: Path, pack: Pack, columns: Collection[str]) -> Iterator[RawRow]:
    """Yield the documents of a file in the pack's language, or why one cannot be read.

    Raises:
        DataError: the file as a whole cannot be read: damaged, or in no encoding that gives known letters.
        MissingExtra: the extra "documents" is not installed.
    """
    kind = file_kind(path)[1]
    with store.friendly_os_errors(path):
        try:
            if kind == "xml":
                yield from _read_wiki_dump(path)
            elif kind in _WHOLE:
                for number, (title, text) in enumerate(_WHOLE[kind](path, pack), 1):
                    values = {"text": text, "title": title, VISUAL: kind == "pdf"}
                    yield number, "", values if text else "no text in it"
            else:
                yield from _read_rows(path, pack, columns)
        except ImportError as error:
            raise MissingExtra(str(path), "documents") from error
        except (zipfile.BadZipFile, EOFError, ElementTree.ParseError) as error:
            raise DataError(f"{path}: damaged ({error})", "Download the file again.") from error


def _read_rows(path: Path, pack: Pack, columns: Collection[str]) -> Iterator[RawRow]:
    """Yield the rows of a text file; a byte that cannot be read is U+FFFD."""
    if file_kind(path)[1] in ("parquet", ""):
        yield from read_file(path, columns)
        return
    encoding = _require_encoding(path, pack)
    for number, raw, values in read_file(path, columns, encoding):
        if isinstance(values, dict) and encoding not in _UTF8:
            values[ENCODING] = encoding
        yield number, raw, values


def _require_encoding(path: Path, pack: Pack) -> str:
    with _OPENERS.get(path.suffix.lower(), open)(path, "rb") as file:
        try:
            head = file.read(HEAD_BYTES)
        except gzip.BadGzipFile:
            return "utf-8"  # `store.read_lines` says what is wrong
    if found := find_encoding(head, pack):
        return found
    hint = "Save the file as UTF-8."
    raise DataError(f"{path}: in no encoding that gives letters of {pack.name}", hint)


def _read_page(path: Path, pack: Pack) -> Iterator[tuple[str, str]]:
    yield _extract_article(path.read_bytes(), pack)


def _extract_article(page: bytes, pack: Pack) -> tuple[str, str]:
    """Return title and article of a web page; the letters decide the encoding, not what the page says."""
    import trafilatura  # noqa: PLC0415  (an extra)

    encoding = find_encoding(page, pack) or "utf-8"
    page_text = re.sub(r"^\s*<\?xml[^>]*\?>", "", page.decode(encoding, "replace"))
    found = trafilatura.bare_extraction(
        page_text, include_comments=False, include_tables=False, with_metadata=True
    )
    if found is None or isinstance(found, dict):  # a dictionary only where it is asked for one
        return "", ""
    lines = [line.strip() for line in str(found.text or "").split("\n")]
    return str(found.title or ""), "\n".join(line for line in lines if line)


def _read_pdf(path: Path, pack: Pack) -> Iterator[tuple[str, str]]:
    """Yield a PDF file's text, which stands in the order of its places: the corpus puts that right.

    Raises:
        DataError: it has no text layer, or one of a font's own codes.
    """
    from pdfminer.high_level import extract_pages  # noqa: PLC0415  (an extra)
    from pdfminer.layout import LAParams, LTTextContainer  # noqa: PLC0415
    from pdfminer.pdfexceptions import PDFException  # noqa: PLC0415

    pages: list[str] = []
    try:
        for page in extract_pages(path, laparams=LAParams(boxes_flow=None)):
            pages.append("".join(block.get_text() for block in page if isinstance(block, LTTextContainer)))
    except PDFException as error:
        hint = "Open it and print it to a new PDF file."
        raise DataError(f"{path}: damaged, or locked ({error})", hint) from error
    text = _LOST_GLYPH.sub("\ufffd", "\n".join(pages))
    count, lost = LetterCount.of(normalise_text(text, pack), pack), text.count("\ufffd")
    known = (count.in_script - count.out_of_inventory) / (count.total + lost or 1)
    fewest = MIN_LETTERS_PER_PAGE * len(pages)
    if count.total < fewest or known < MIN_TEXT_SHARE or lost > MAX_LOST_SHARE * count.total:
        share = f"{known:.0%} of {count.total + lost:,} letters on {len(pages)} pages are of {pack.name}"
        hint = "It needs OCR: read the pages by a program that recognises letters, and name its text."
        raise DataError(f"{path}: no usable text layer ({share})", hint)
    yield "", text


def _read_word_file(path: Path, pack: Pack) -> Iterator[tuple[str, str]]:
    """Yield the paragraphs of a Word file, cells of a table between bars."""
    import docx  # noqa: PLC0415  (an extra)
    from docx.opc.exceptions import OpcError  # noqa: PLC0415
    from docx.table import Table  # noqa: PLC0415

    try:
        document = docx.Document(str(path))
    except (ValueError, KeyError, OpcError) as error:
        raise DataError(f"{path}: not a Word file, or damaged ({error})", "Save it as .docx.") from error
    blocks: list[str] = []
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            blocks += [" | ".join(cell.text.strip() for cell in row.cells) for row in block.rows]
        else:
            blocks.append(block.text.strip())
    yield document.core_properties.title or "", "\n".join(filter(None, blocks))


def _read_epub(path: Path, pack: Pack) -> Iterator[tuple[str, str]]:
    """Yield the chapters of a book in the order in which they are read."""
    with zipfile.ZipFile(path) as book:
        try:
            container = ElementTree.fromstring(book.read("META-INF/container.xml"))
            package = next(
                one.attrib["full-path"] for one in container.iter() if one.tag.endswith("}rootfile")
            )
            tree = ElementTree.fromstring(book.read(package))
            files = {one.attrib["id"]: one.attrib["href"] for one in tree.iter() if one.tag.endswith("}item")}
            order = [files[one.attrib["idref"]] for one in tree.iter() if one.tag.endswith("}itemref")]
            places = (posixpath.join(posixpath.dirname(package), unquote(name)) for name in order)
            chapters = [book.read(posixpath.normpath(place)) for place in places]
        except (KeyError, StopIteration) as error:
            missing = str(error) or "list of its files"
            raise DataError(f"{path}: damaged: no {missing}", "Download the file again.") from error
    yield from (_extract_article(chapter, pack) for chapter in chapters)


_WHOLE: dict[str, Callable[[Path, Pack], Iterator[tuple[str, str]]]] = {
    **dict.fromkeys(("html", "htm", "xhtml"), _read_page), "pdf": _read_pdf, "docx": _read_word_file,
    "epub": _read_epub,
}  # fmt: skip


def _read_wiki_dump(path: Path) -> Iterator[RawRow]:
    """Yield the articles of a dump, streamed; pages of other namespaces and redirects are not rows.

    Raises:
        DataError: the dump is cut, or has no page.
    """
    import mwparserfromhell  # noqa: F401, PLC0415  (an extra: ask before the first page)

    number, namespaces = 0, set[str]()
    with _OPENERS.get(path.suffix.lower(), open)(path, "rb") as file:
        root: ElementTree.Element | None = None
        for event, element in ElementTree.iterparse(file, events=("start", "end")):
            root = element if root is None else root
            name = element.tag.rpartition("}")[2]
            if event == "start":
                continue
            if name == "namespace" and element.get("key") != "0":
                namespaces |= {(element.text or "").lower()} - {""}
            elif name == "page":
                number += 1
                found = {one.tag.rpartition("}")[2]: one for one in reversed([*element.iter()])}
                values = {key: found[key].text or "" for key in ("id", "title", "text") if key in found}
                if found["ns"].text == "0" and "redirect" not in found:
                    text = wikitext_to_text(values["text"], _ENGLISH_NAMESPACES | namespaces)
                    yield number, "", {**values, "text": text}
                root.clear()
    if not number:
        hint = "Name a dump such as urwiki-latest-pages-articles.xml.bz2."
        raise DataError(f"{path}: no page in it", hint)


_ENGLISH_NAMESPACES = {"file", "image", "media", "category", "template", "help", "portal", "special"}
"""Names that every wiki understands beside its own."""
