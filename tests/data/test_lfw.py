"""The LFW reader knows people by their folders and gender by gender.csv, and refuses misplaced pictures."""

import itertools

import pytest
from made_up import PACKINGS, cut, pack, put, text

from data import sources
from data.sources import lfw
from data.sources.source_error import SourceError

PEOPLE = {"Ann_Lee": 2, "George_W_Bush": 3, "Zoe": 1}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "lfw-deepfunneled"
    for seed, (person, count) in enumerate(PEOPLE.items()):
        for number in range(1, count + 1):
            put(folder, f"{person}/{person}_{number:04d}.jpg", (250, 250, 3), 10 * seed + number)
    return folder


@pytest.mark.parametrize("packing", PACKINGS)
def test_people_and_their_gender(folder, packing):
    pack(folder, packing)
    text(folder.parent, "gender.csv", "person,gender\nAnn_Lee,female\nGeorge_W_Bush,male\n")
    rows = [row for _, row in sources.read("lfw", folder.parent)]  # what is packed is read only if not there unpacked
    found = [(row["subject"], row["gender"]) for row in rows]
    assert found == [("Ann_Lee", 0)] * 2 + [("George_W_Bush", 1)] * 3 + [("Zoe", None)]
    alone = [row for _, row in sources.read("lfw", folder.with_name(folder.name + packing))]
    assert [row["subject"] for row in alone] == [row["subject"] for row in rows]
    assert all(row["gender"] is None for row in alone), "gender.csv lies beside, not in it"


@pytest.mark.parametrize("name", ["Ann_Lee/Ann_0001.jpg", "Ann_Lee/Ann_Lee_1.jpg", "Ann_Lee_0001.jpg",
                                  "Zoe/Ann_Lee_0003.jpg", "Ann_Lee/Ann_Lee_0001.png"])
def test_a_misplaced_picture_is_named(folder, name):
    put(folder, name)
    with pytest.raises(SourceError, match=f"{name}: not named after its folder, as George_W_Bush"):
        next(sources.read("lfw", folder))


def test_two_versions_at_once_are_refused(folder):
    put(folder.parent / "lfw_funneled", "Zoe/Zoe_0001.jpg")
    with pytest.raises(SourceError, match="lfw_funneled/Zoe/Zoe_0001.jpg: the same as lfw-deepfunneled/Zoe/Zoe_0001"):
        next(sources.read("lfw", folder.parent))


@pytest.mark.parametrize("table, message", [
    ("person,gender\nAnn_Lea,female\n", "line 2: there are no pictures of Ann_Lea"),
    ("person,gender\nAnn_Lee,woman\n", "line 2: gender is 'woman', expected one of female, male"),
    ("name,gender\nAnn_Lee,female\n", "line 1: column person missing"),
])
def test_a_wrong_table_is_named(folder, table, message):
    text(folder, "gender.csv", table)
    with pytest.raises(SourceError, match=f"gender.csv, {message}"):
        next(sources.read("lfw", folder))


def test_a_broken_picture_and_an_empty_folder_are_named(folder, tmp_path):
    cut(folder / "Zoe/Zoe_0001.jpg")
    with pytest.raises(SourceError, match="Zoe_0001.jpg: the picture is cut short"):
        list(sources.read("lfw", folder))
    (tmp_path / "nothing").mkdir()
    with pytest.raises(SourceError, match="no pictures found.*vis-www.cs.umass.edu/lfw"):
        next(sources.read("lfw", tmp_path / "nothing"))


def test_pairs_name_pictures(folder, tmp_path):
    same, other = ["Ann_Lee\t1\t2", "George_W_Bush\t1\t3"], ["Ann_Lee\t1\tZoe\t1", "Zoe\t1\tGeorge_W_Bush\t2"]
    lines = ["2\t1", same[0], other[0], same[1], other[1]]
    pairs = lfw.read_pairs(text(tmp_path, "pairs.txt", "\n".join(lines) + "\n"))
    assert pairs[0] == (0, "Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee/Ann_Lee_0002.jpg", True)
    assert pairs[3] == (1, "Zoe/Zoe_0001.jpg", "George_W_Bush/George_W_Bush_0002.jpg", False)
    assert [pair.fold for pair in pairs] == [0, 0, 1, 1]
    origins = {row["origin"] for _, row in sources.read("lfw", folder)}
    assert {name for pair in pairs for name in (pair.first, pair.second)} <= origins
    development = lfw.read_pairs(text(tmp_path, "pairsDevTest.txt", "\n".join(["2", *same, *other]) + "\n"))
    assert [pair.same for pair in development] == [True, True, False, False]


def test_people_with_two_pictures_are_first_and_second(folder):
    origins = [row["origin"] for _, row in sources.read("lfw", folder.parent)]
    place = "lfw-deepfunneled/{0}/{0}_000{1}.jpg".format
    assert lfw.first_and_second(reversed(origins)) == {
        person: (place(person, 1), place(person, 2)) for person in ("Ann_Lee", "George_W_Bush")}


@pytest.mark.parametrize("content, message", [
    ("2\t1\nA\t1\t2\nA\t1\tB\t1\nB\t1\t2\n", "3 pairs, but line 1 says 4"),
    ("1\nA\t1\tB\t1\nA\t1\t2\n", "line 2: .*expected person, number, number"),
    ("1\nA\t1\t2\nA\t1\tB\n", "line 3: .*expected person, number, person, number"),
    ("1\nA\t1\tx\nA\t1\tB\t1\n", "line 2: "),
    ("A\t1\t2\n", "line 1: .*expected the number of folds"),
])
def test_wrong_pairs_are_named(tmp_path, content, message):
    with pytest.raises(SourceError, match=f"pairs.txt.*{message}"):
        lfw.read_pairs(text(tmp_path, "pairs.txt", content))


def test_the_real_pictures(shared):
    images, rows = zip(*itertools.islice(sources.read("lfw", shared / "data/lfw"), 20))
    assert {image.shape for image in images} == {(250, 250, 3)}
    assert (rows[0]["subject"], rows[0]["gender"]) == ("Aaron_Sorkin", 1)
    assert all(row["gender"] in (0, 1) for row in rows)
    assert len(lfw.first_and_second(row["origin"] for row in rows)) == 10, "two pictures of each"
