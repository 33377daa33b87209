"""A folder and its archives give the same files; what is damaged or climbs out is refused before anything is read."""

import io
import tarfile
import zipfile

import pytest
from made_up import PACKINGS, cut, pack, put, text

from data.sources.archive import open_files
from data.sources.source_error import SourceError


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "set"
    text(folder, "lists/a.txt", "one 1\n\ntwo 2\n")
    text(folder, "lists/b.csv", "y, x\n1,2\n")
    put(folder, "pictures/1.png", seed=1)
    put(folder, "pictures/2.png", seed=2)
    text(folder, "pictures/Thumbs.db", "x")
    text(folder, "__MACOSX/pictures/._1.png", "x")
    text(folder, ".hidden/1.png", "x")
    return folder


@pytest.mark.parametrize("packing", PACKINGS)
def test_the_same_files_come_out_of_a_folder_and_its_archives(folder, packing):
    names = ["lists/a.txt", "lists/b.csv", "pictures/1.png", "pictures/2.png"]
    with open_files(pack(folder, packing)) as files:
        assert files.names == [("set/" if packing else "") + name for name in names]
        for name in reversed(files.names):
            assert files.read(name) == (folder / name.removeprefix("set/")).read_bytes()
        assert list(files.fields(files.find("a.txt"), 2)) == [(1, ["one", "1"]), (3, ["two", "2"])]
        assert list(files.table(files.find("b.csv"), ("x",))) == [(2, {"x": "2"})]
        assert files.find("c.txt") is None
        assert files.pictures("") == files.names[2:]


@pytest.mark.parametrize("packing", PACKINGS[1:])
def test_an_archive_in_a_folder_is_a_folder_unless_it_is_unpacked_beside_itself(folder, packing, tmp_path):
    pack(folder, packing)
    with open_files(tmp_path) as files:
        assert files.names[:1] == ["set/lists/a.txt"] and len(files.names) == 4
    folder.rename(tmp_path / "elsewhere")
    with open_files(tmp_path) as files:
        inside = [name for name in files.names if name.startswith("set")]
        assert inside[2] == f"set{packing}/set/pictures/1.png" and len(inside) == 4
        assert files.read(inside[2]) == files.read("elsewhere/pictures/1.png")
    with open_files(tmp_path, archives_inside=False) as files:
        assert all(name.startswith("elsewhere") for name in files.names)


@pytest.mark.parametrize("packing", PACKINGS[1:])
@pytest.mark.parametrize("member", ["../out.png", "a/../../out.png", "/etc/out.png", "C:/out.png", "..\\out.png"])
def test_a_member_that_climbs_out_is_refused(tmp_path, packing, member):
    path = tmp_path / f"set{packing}"
    if packing == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("good.png", b"good")
            archive.writestr(member, b"bad")
    else:
        with tarfile.open(path, "w:gz") as archive:
            for name in ("good.png", member):
                entry = tarfile.TarInfo(name)
                entry.size = 4
                archive.addfile(entry, io.BytesIO(b"data"))
    with pytest.raises(SourceError, match=f"set{packing}: the member .*out.png' climbs out of the archive"):
        with open_files(path):
            pytest.fail("nothing of it may be read")
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("packing", PACKINGS[1:])
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.95])
def test_an_archive_cut_short_is_named(folder, packing, kept):
    with pytest.raises(SourceError, match=f"set{packing}.*damaged or cut short.*download it again"):
        with open_files(cut(pack(folder, packing), kept)) as files:
            for name in files.names:
                files.read(name)


def test_a_changed_byte_in_a_zip_is_found_by_its_checksum(folder):
    path = pack(folder, ".zip")
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("set/pictures/1.png").header_offset
    data = bytearray(path.read_bytes())
    data[start + 200] ^= 0xFF
    path.write_bytes(data)
    with open_files(path) as files, pytest.raises(SourceError, match="set/pictures/1.png: damaged"):
        files.read("set/pictures/1.png")


def test_a_damaged_header_in_a_tar_is_not_taken_for_its_end(folder, tmp_path):
    path = tmp_path / "stored.tar.gz"
    put(folder, "pictures/3.png", (400, 400, 3))  # so much that the file's end is not read with the header
    with tarfile.open(path, "w:gz", compresslevel=0, format=tarfile.USTAR_FORMAT) as archive:
        archive.add(folder, "set")
    data = bytearray(path.read_bytes())
    data[data.index(b"set/pictures/2.png") + 4] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(SourceError, match="stored.tar.gz: damaged"), open_files(path):
        pass


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_what_is_no_file_in_a_tar_is_not_passed_over(tmp_path, kind):
    path = tmp_path / "set.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("1.png"))
        entry = tarfile.TarInfo("2.png")
        entry.type, entry.linkname = kind, "1.png"
        archive.addfile(entry)
    with pytest.raises(SourceError, match="set.tar.gz: 2.png is a link or a device, not a file; unpack"):
        with open_files(path):
            pytest.fail("nothing of it may be read")


def test_a_locked_archive_says_to_unpack_it(folder):
    path = pack(folder, ".zip")
    data = path.read_bytes()
    entry = data.index(b"PK\x01\x02")
    path.write_bytes(data[:entry + 8] + b"\x01" + data[entry + 9:])  # the flag bit of encryption
    with pytest.raises(SourceError, match="locked with a password; unpack"), open_files(path):
        pass


def test_a_file_of_another_kind_with_an_archives_name(tmp_path):
    for name in ("a.zip", "a.tar.gz"):
        (tmp_path / name).write_bytes(b"<html>Sign in to download</html>")
        with pytest.raises(SourceError, match=f"{name}: damaged"), open_files(tmp_path / name):
            pass


def test_lists_say_which_line_is_wrong(tmp_path):
    text(tmp_path, "a.txt", "one 1\ntwo\n")
    text(tmp_path, "b.csv", "x,y\n1,2\n1\n")
    text(tmp_path, "c.csv", 'x,y\n1,"2\n')
    text(tmp_path, "d.txt", "one 1\n\none 2\n")
    text(tmp_path, "empty.txt", "")
    (tmp_path / "no.txt").write_bytes(b"\xff\xfe\x00")
    with open_files(tmp_path) as files:
        with pytest.raises(SourceError, match="a.txt, line 2: 1 values, expected 2"):
            list(files.fields("a.txt", 2))
        with pytest.raises(SourceError, match="b.csv, line 3: 1 fields, expected 2"):
            list(files.table("b.csv", ("x",)))
        with pytest.raises(SourceError, match="c.csv, line 2: unexpected end of data"):
            list(files.table("c.csv", ("x",)))
        with pytest.raises(SourceError, match="d.txt, line 3: one is in line 1 already"):
            list(files.fields("d.txt", 2))
        with pytest.raises(SourceError, match="b.csv, line 1: column z missing, found x, y"):
            list(files.table("b.csv", ("x", "z")))
        with pytest.raises(SourceError, match="empty.txt: the file is empty"):
            files.lines("empty.txt")
        with pytest.raises(SourceError, match="no.txt: not a text file"):
            files.lines("no.txt")
        with pytest.raises(SourceError, match="list.txt is missing. Get it there"):
            files.require("list.txt", "Get it there")


def test_two_files_of_one_name_are_named(tmp_path):
    text(tmp_path, "a/list.txt", "1")
    text(tmp_path, "b/list.txt", "2")
    with open_files(tmp_path) as files, pytest.raises(SourceError, match="more than once, as a/list.txt and b/list"):
        files.find("list.txt")


def test_a_single_file_is_a_folder_of_one(tmp_path):
    path = text(tmp_path, "a.txt", "1")
    with open_files(path) as files:
        assert files.names == ["a.txt"] and files.read("a.txt") == b"1"
        assert files.place("a.txt") == str(path)
