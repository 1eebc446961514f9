"""Folders and zips: every article in them is read, with its pictures, and no name leads anywhere else."""

import os
import random
import stat
import string
import struct
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

from blog.importing.blocks import Problem, SourceArticle, UnreadableSource
from blog.importing.readers import is_export, limits, read_path, zips

from .sources import attachment, docx, paragraph, post, read, texts, wxr, zipped

pytestmark = pytest.mark.once

UPLOAD = "https://old.example/wp-content/uploads/2019/05/spine.jpg"
FILES: dict[str, bytes | str] = {
    "10 later.html": '<h1>Ten</h1><p>Text. <img src="10%20later_files/pic.png?ver=1"></p>',
    "10 later_files/pic.png": "saved",
    "10 later_files/frame.html": "<p>An advertisement.</p>",
    "10 later_files/page.css": "p {}",
    "2 first.md": "# Two\n\nText.\n\n![A back](./img/Back.JPG)\n",
    "img/back.jpg": "back",
    "img/unused.png": "unused",
    "old/export.xml": wxr(
        post(1, f'<p>Text.</p><img src="{UPLOAD.replace(".jpg", "-300x200.jpg")}">'), attachment(9, UPLOAD)
    ),
    "old/uploads/2019/05/spine.jpg": "of May",
    "old/uploads/2018/05/spine.jpg": "of another year",
    "word.docx": docx(paragraph("A Word text.")),
    "note.txt": "A note.\n\nIts text.\n",
    "paper.pdf": "%PDF-1.4",
    "song.mp3": "x",
    "__MACOSX/._note.txt": "x",
    ".DS_Store": "x",
    "Thumbs.db": "x",
    ".git/config": "x",
}


@pytest.fixture(params=["folder", "zip"])
def bundle(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The files in a folder, and in a zip."""
    if request.param == "zip":
        path = tmp_path / "archive.zip"
        path.write_bytes(zipped(FILES))
        return path
    path = tmp_path / "archive"
    for name, content in FILES.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_everything_readable_is_read_in_natural_order(bundle: Path) -> None:
    items = list(read_path(bundle))
    names = [item.name for item in items if isinstance(item, SourceArticle)]
    assert names == [
        "archive/2 first.md",
        "archive/10 later.html",
        "archive/note.txt",
        "archive/old/export.xml › Post 1",  # noqa: RUF001
        "archive/word.docx",
    ]
    problems = [item for item in items if isinstance(item, Problem)]
    assert [(problem.name, problem.message[:13], problem.is_note) for problem in problems] == [
        ("archive/paper.pdf", "This is a PDF", False),
        ("archive", "Left out, as ", True),
        ("archive", "Pictures that", True),
    ]
    assert problems[1].message == "Left out, as they are no articles: 1 .html, 1 .css, 1 .mp3."
    assert problems[2].message == "Pictures that no article shows (2): img/unused.png, old/uploads/2018/05/spine.jpg."


def test_pictures_are_found_by_the_names_that_articles_give_them(bundle: Path) -> None:
    articles = [item for item in read_path(bundle) if isinstance(item, SourceArticle)]
    found = {
        block.picture.source: article.open_file(block.picture.source)
        for article in articles
        for block in article.blocks
        if block.picture
    }
    assert found == {
        "./img/Back.JPG": b"back",
        "10%20later_files/pic.png?ver=1": b"saved",
        UPLOAD.replace(".jpg", "-300x200.jpg"): b"of May",
    }


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("pic.png", b"pages"),
        ("./pic.png#top", b"pages"),
        ("PIC.PNG", b"pages"),
        (".\\pic.png", b"pages"),
        ("../pic.png", b"root"),
        ("/pic.png", b"root"),
        ("/pages/pic.png", b"pages"),
        ("a%20b.png", b"spaced"),
        ("100%25.png", b"percent"),
        ("https://old.example/x/other/deep.png", b"deep"),
        ("//old.example/x/other/deep-1024x768.png", b"deep"),
        ("https://old.example/uploads/2018/05/year.png", b"2018"),
        ("https://old.example/uploads/2019/05/year.png", None),
        ("https://old.example/pic.png", None),  # two of that name
        ("Über.png", b"composed"),
        ("U\u0308ber.png", b"composed"),
        ("", None),
        ("missing.png", None),
        ("../../pic.png", None),
        ("..%2f..%2fpic.png", None),
        ("..\\..\\pic.png", None),
        ("C:\\pic.png", None),
        ("file:///pic.png", None),
        ("http://[bad/pic.png", None),
        ("pic\0.png", None),
        ("/etc/passwd", None),
        ("\\\\server\\share\\x.png", None),
        ("deep.png/", b"deep"),
    ],
)
def test_addresses_of_pictures(address: str, expected: bytes | None) -> None:
    files: dict[str, bytes | str] = {
        "pages/text.txt": "Some text.",
        "pages/pic.png": "pages",
        "pic.png": "root",
        "pages/a b.png": "spaced",
        "pages/100%.png": "percent",
        "other/deep.png": "deep",
        "2018/05/year.png": "2018",
        "pages/\xdcber.png": "composed",
    }
    (article,), _notes = read(zipped(files), "x.zip")
    assert article.open_file(address) == expected


def test_names_that_differ_in_case_alone_are_told_apart() -> None:
    (article,), _notes = read(zipped({"a.txt": "Text.", "Pic.png": "1", "pic.PNG": "2"}), "x.zip")
    assert (article.open_file("Pic.png"), article.open_file("pic.PNG"), article.open_file("pic.png")) == (
        b"1",
        b"2",
        None,
    )


def test_pictures_in_their_own_address_are_unpacked() -> None:
    (article,), _problems = read("<p>Text.</p>")
    assert article.open_file("data:image/png;base64,aGVsbG8=") == b"hello"
    assert article.open_file("data:image/png,a%20b") == b"a b"
    assert article.open_file("data:image/png;base64,%%%") is None
    assert article.open_file("data:text/html,<p>") is None


def _hostile_names() -> list[str]:
    chance = random.Random(5)
    ups = [
        "../",
        "..\\",
        "%2e%2e/",
        "....//",
        "..;/",
        "/../",
        "./../",
        "a/../../",
        "\\\\host\\share\\",
        "C:\\",
        "c:/",
        "/",
        "//",
    ]
    tails = [
        "etc/passwd.txt",
        "x.txt",
        "a/b.txt",
        "..",
        "con.txt",
        "aux",
        "nul.txt\0.png",
        "x.txt:stream",
        "\r\nx.txt",
        "~/x.txt",
    ]
    names = [up * times + tail for up in ups for tail in tails for times in (1, 4)]
    return names + ["".join(chance.choices("./\\:%~\0" + string.ascii_lowercase, k=30)) for _name in range(20)]


def test_hostile_names_lead_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = _hostile_names()
    assert len(names) > 200
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    out = BytesIO()
    with ZipFile(out, "w") as archive:
        for name in ["safe.txt", *names]:
            info = ZipInfo("x")
            info.filename = name
            archive.writestr(info, "Text of a note.")
    articles, problems = read(out.getvalue(), "x.zip")
    assert "x/safe.txt" in [article.name for article in articles]
    assert all(".." not in article.name.split("/") and "\\" not in article.name for article in articles)
    assert all(problem.message for problem in problems)
    assert len(problems) > 100
    for article in articles:
        for name in names:
            data = article.open_file(name)
            assert data in (None, b"Text of a note.")
    # Nothing was written anywhere.
    assert [path.name for path in tmp_path.rglob("*")] == ["work"]


@pytest.mark.parametrize(
    "name",
    [
        "../a.txt",
        "/a.txt",
        "C:/a.txt",
        "a/../../b.txt",
        "a\0.txt",
        "con.txt",
        "x/NUL",
        "a" * 1001,
        "a/" * 41 + "b",
        "..",
    ],
)
def test_unsafe_names_have_no_path(name: str) -> None:
    assert zips.safe_name(name) == ""


def test_links_and_devices_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("Secret.")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.html").write_text('<p>Text.</p><img src="link.png"><img src="../secret.txt">')
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "link.png").symlink_to(tmp_path / "secret.txt")
    (folder / "up").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.txt")
    items = list(read_path(folder))
    (article,) = (item for item in items if isinstance(item, SourceArticle))
    assert article.open_file("link.png") is None
    assert article.open_file("../secret.txt") is None
    refused = sorted(item.name for item in items if isinstance(item, Problem))
    assert refused == ["folder/link.png", "folder/link.txt", "folder/pipe.txt", "folder/up"]


def test_a_file_that_became_a_link_meanwhile_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_text("Secret.")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.txt").write_text("Text.")
    (folder / "b.png").write_text("picture")
    article = next(item for item in read_path(folder) if isinstance(item, SourceArticle))
    (folder / "b.png").unlink()
    (folder / "b.png").symlink_to(tmp_path / "secret.png")
    assert article.open_file("b.png") is None


def test_a_link_in_a_zip_is_not_read() -> None:
    out = BytesIO()
    with ZipFile(out, "w") as archive:
        link = ZipInfo("link.txt")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("a.txt", "Text.")
    articles, (problem,) = read(out.getvalue(), "x.zip")
    assert [article.name for article in articles] == ["x/a.txt"]
    assert "link to another file" in problem.message


def test_a_zip_within_a_zip_is_not_opened() -> None:
    articles, (problem,) = read(zipped({"in.zip": zipped({"a.txt": "Text."}), "b.txt": "Text."}), "x.zip")
    assert [article.name for article in articles] == ["x/b.txt"]
    assert "zip within the zip" in problem.message


def test_a_zip_in_a_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "in.zip").write_bytes(zipped({"a.txt": "Text."}))
    assert [item.name for item in read_path(tmp_path)] == [f"{tmp_path.name}/in/a.txt"]


def test_two_zips_do_not_make_one_article_of_two() -> None:
    (one,), _notes = read(zipped({"a.txt": "Text."}), "one.zip")
    (two,), _notes = read(zipped({"a.txt": "Other text."}), "two.zip")
    assert one.identity != two.identity


def test_a_file_that_is_protected_or_damaged_costs_only_itself() -> None:
    data = bytearray(zipped({"a.txt": "Text of a.", "b.txt": "Text of b. " * 50, "c.txt": "Text of c."}))
    first = data.index(b"PK\x01\x02")
    data[first + 8] |= 1  # a.txt: encrypted
    packed = data.index(b"b.txt") + 5
    data[packed : packed + 8] = b"\xff" * 8
    articles, problems = read(bytes(data), "x.zip")
    assert [article.name for article in articles] == ["x/c.txt"]
    assert {problem.name: problem.message.split(".")[0] for problem in problems} == {
        "x/a.txt": "It is protected by a password",
        "x/b.txt": "This file is damaged in the zip, or packed in a way that cannot be read",
    }


def test_a_file_that_says_it_is_larger_or_smaller_than_it_is() -> None:
    data = bytearray(zipped({"a.txt": "Text of a. " * 100, "b.txt": "Text of b."}))
    entry = data.index(b"PK\x01\x02")
    struct.pack_into("<I", data, entry + 24, 20)
    articles, problems = read(bytes(data), "x.zip")
    assert [article.name for article in articles] == ["x/b.txt"]
    assert [problem.name for problem in problems] == ["x/a.txt"]


def test_a_file_that_grows_out_of_almost_nothing_is_not_unpacked() -> None:
    articles, (problem,) = read(zipped({"a.txt": "Text.", "bomb.txt": b"0" * 20_000_000}), "x.zip")
    assert len(articles) == 1
    assert problem.message == "It would unpack to 19 MB from almost nothing, so it was not read."


def test_many_files_that_are_the_same_bytes_are_refused() -> None:
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", b"0" * 4_000_000)
        for number in range(200):
            copy = ZipInfo(f"{number}.txt")
            original = archive.getinfo("a.txt")
            for name in ("header_offset", "CRC", "compress_size", "file_size", "compress_type"):
                setattr(copy, name, getattr(original, name))
            archive.filelist.append(copy)
    with pytest.raises(UnreadableSource, match="overlap"):
        read(out.getvalue(), "x.zip")


def test_more_than_any_archive_has_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(zips, "RATIO_COUNTS_FROM", 5000)
    with pytest.raises(UnreadableSource, match="would unpack to"):
        read(zipped({f"{number}.txt": b"0" * 4900 for number in range(25)}), "x.zip")
    monkeypatch.setattr(zips, "MAX_FILES", 3)
    with pytest.raises(UnreadableSource, match="more than 3 files"):
        read(zipped({f"{number}.txt": "Text." for number in range(4)}), "x.zip")
    monkeypatch.setattr(zips, "MAX_DIRECTORY", 50)
    with pytest.raises(UnreadableSource, match="more than 3 files"):
        read(zipped({f"{number}.txt": "Text." for number in range(2)}), "x.zip")
    monkeypatch.setattr("blog.importing.readers.bundle.MAX_FILES", 3)
    for number in range(4):
        (tmp_path / f"{number}.txt").write_text("Text.")
    with pytest.raises(UnreadableSource, match="more than 3 files"):
        list(read_path(tmp_path))


def test_a_large_picture_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blog.importing.readers.bundle.MAX_PICTURE", 10)
    (article,), _notes = read(zipped({"a.txt": "Text.", "a.png": "x" * 10, "b.png": "x" * 11}), "x.zip")
    assert (article.open_file("a.png"), article.open_file("b.png")) == (b"x" * 10, None)


@pytest.mark.parametrize("files", [{}, {"a.css": "x"}, {".DS_Store": "x"}])
def test_nothing_to_read_says_so(files: dict[str, bytes | str], tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource, match="no file in it"):
        read(zipped(files), "x.zip")
    for name, content in files.items():
        (tmp_path / name).write_text(str(content))
    with pytest.raises(UnreadableSource, match="no file in it"):
        list(read_path(tmp_path))


def test_an_export_of_our_own_is_told_by_its_file(tmp_path: Path) -> None:
    whole = tmp_path / "export.zip"
    whole.write_bytes(zipped({"site/bedside.json": "{}", "site/a.txt": "Text."}))
    other = tmp_path / "other.zip"
    other.write_bytes(zipped({"a/b/bedside.json": "{}", "a.txt": "Text."}))
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "bedside.json").write_text("{}")
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\x03\x04 and no more")
    assert [is_export(path) for path in (whole, other, folder, broken, tmp_path, tmp_path / "none")] == [
        *(True, False, True),
        *(False, False, False),
    ]
    with pytest.raises(UnreadableSource, match="export of a whole site"):
        list(read_path(folder))


def test_what_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource, match="no such file"):
        list(read_path(tmp_path / "none.txt"))


def test_a_folder_deeper_than_any_is_not_entered(tmp_path: Path) -> None:
    deep = tmp_path
    for _level in range(limits.MAX_FOLDERS + 5):
        deep = deep / "d"
        deep.mkdir()
    (deep / "a.txt").write_text("Too deep.")
    (tmp_path / "b.txt").write_text("Text.")
    (article,) = read_path(tmp_path)
    assert isinstance(article, SourceArticle)
    assert texts(article) == ["Text."]
