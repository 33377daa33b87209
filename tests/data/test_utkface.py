"""The UTKFace reader takes gender from the names, which count it the other way round than we do."""

import itertools

import pytest
from made_up import PACKINGS, cut, pack, put

from data import sources
from data.faceset import GENDERS
from data.sources.source_error import SourceError

NAMES = {  # the irregular ones are the publisher's own
    "26_0_2_20170104023102422.jpg.chip.jpg": "man",
    "1_1_0_20170109190813891.jpg.chip.jpg": "woman",
    "116_1_4_20170112213500903.jpg": "woman",
    "55_0_0_20170116232725357jpg.chip.jpg": "man",
    "24_0_1_20170116220224657 .jpg.chip.jpg": "man",
    "44_1_4_20170116235150272.pg.chip.jpg": "woman",
    "61_1_20170109142408075.jpg.chip.jpg": None,
    "61_3_20170109150557335.jpg.chip.jpg": None,
    "53__0_20170116184028385.jpg": None,
}


@pytest.mark.parametrize("packing", PACKINGS)
def test_gender_is_flipped_and_null_where_a_number_is_missing(tmp_path, packing):
    for seed, name in enumerate(NAMES):
        put(tmp_path / "UTKFace", name, seed=seed)
    rows = [row for _, row in sources.read("utkface", pack(tmp_path / "UTKFace", packing))]
    found = {row["origin"].rpartition("/")[2]: row["gender"] for row in rows}
    assert found == {name: gender and GENDERS.index(gender) for name, gender in NAMES.items()}


@pytest.mark.parametrize("name", ["face.jpg", "26_2_2_20170104023102422.jpg", "26_0_5_20170104023102422.jpg",
                                  "26_0_2.jpg", "_0_2_20170104023102422.jpg", "26-0-2-20170104023102422.jpg"])
def test_another_name_is_refused(tmp_path, name):
    put(tmp_path, name)
    with pytest.raises(SourceError, match=f"{name}: not named age_gender_race_date.jpg"):
        list(sources.read("utkface", tmp_path))


def test_an_impossible_age_and_a_broken_picture_are_named(tmp_path):
    put(tmp_path, "26_0_2_20170104023102422.jpg")
    cut(tmp_path / "26_0_2_20170104023102422.jpg")
    with pytest.raises(SourceError, match="26_0_2_20170104023102422.jpg: the picture is cut short"):
        list(sources.read("utkface", tmp_path))
    put(tmp_path, "117_0_2_20170104023102422.jpg")
    with pytest.raises(SourceError, match="117_0_2_20170104023102422.jpg: age is 117, expected 0 to 116"):
        list(sources.read("utkface", tmp_path))


def test_the_real_pictures(shared):
    images, rows = zip(*itertools.islice(sources.read("utkface", shared / "data/utkface"), 50))
    assert {image.shape for image in images} == {(200, 200, 3)}
    for row in rows:
        assert GENDERS[row["gender"]] == {"0": "man", "1": "woman"}[row["origin"].split("_")[1]]
