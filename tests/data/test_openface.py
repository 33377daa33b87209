"""The OpenFace reader takes action units by the columns' names and joins them to pictures by file name."""

import pytest
from made_up import PACKINGS, cut, pack, put, text

from data import sources
from data.faceset import ACTION_UNITS, AU_COLUMNS
from data.sources.source_error import SourceError

INTENSITIES = [f"AU{unit:02d}_r" for unit in ACTION_UNITS]
PRESENCES = [f"AU{unit:02d}_c" for unit in (*ACTION_UNITS, 28)]
GAZE = ["gaze_0_x", "gaze_0_y", "pose_Tx"]


def table(rows, first=("face", "confidence"), order=(*GAZE, *INTENSITIES, *PRESENCES), blank=""):
    """A csv of OpenFace: `rows` of values for the `first` columns, and an intensity that the 17 are counted from."""
    lines = [f",{blank}".join([*first, *order])]
    for values, start in rows:
        cells = {column: f"{start + 0.1 * place:.2f}" for place, column in enumerate(INTENSITIES)}
        lines.append(f",{blank}".join([*map(str, values), *(cells.get(column, "1.00") for column in order)]))
    return "\n".join(lines) + "\n"


def units(row):
    return [round(row[column] * 5, 2) if column in row else None for column in AU_COLUMNS]


def counted(start):
    return [round(start + 0.1 * place, 2) for place in range(17)]


@pytest.mark.parametrize("packing", PACKINGS)
def test_pictures_meet_their_csv_by_name(tmp_path, packing):
    for seed, name in enumerate(["b.jpg", "a.png", "none.jpg", "two.jpg"]):
        put(tmp_path / "set", f"pictures/{name}", seed=seed)
    text(tmp_path / "set", "processed/a.csv", table([((0, 0.98), 1)]))
    text(tmp_path / "set", "processed/b.csv", table([((0, 0.98), 3)]))
    text(tmp_path / "set", "processed/two.csv", table([((0, 0.98), 1), ((1, 0.9), 2)]))
    pictures = sources.read("openface", pack(tmp_path / "set", packing))
    rows = {row["origin"].rpartition("/")[2]: row for _, row in pictures}
    assert units(rows["a.png"]) == counted(1) and units(rows["b.jpg"]) == counted(3)
    assert units(rows["none.jpg"]) == [None] * 17, "no face was found"
    assert units(rows["two.jpg"]) == [None] * 17, "which of the two it is, nobody knows"


@pytest.mark.parametrize("order", [
    tuple(INTENSITIES), (*PRESENCES, *INTENSITIES, *GAZE), (*GAZE, *reversed(INTENSITIES)),
])
@pytest.mark.parametrize("blank", ["", " "])
def test_the_place_of_a_column_does_not_matter(tmp_path, order, blank):
    put(tmp_path, "a.jpg")
    text(tmp_path, "a.csv", table([((0, 0.98), 2)], order=order, blank=blank))
    (_, row), = sources.read("openface", tmp_path)
    assert units(row) == counted(2)
    assert row["au45"] == pytest.approx((2 + 1.6) / 5), "5 there is 1 here"


def test_aligned_faces_have_the_row_of_their_number(tmp_path):
    put(tmp_path, "pictures/a.jpg")
    put(tmp_path, "processed/a_aligned/face_det_000001.bmp")
    put(tmp_path, "processed/b_aligned/face_det_000000.bmp")
    text(tmp_path, "processed/a.csv", table([((0, 0.5), 1), ((1, 0.9), 2)]))
    text(tmp_path, "processed/b.csv", table([((0, 0.5), 3)]))
    text(tmp_path, "processed/bad.csv", table([((0, 0.1), 3)]))  # a face that could not be aligned has no picture
    found = {row["origin"]: units(row) for _, row in sources.read("openface", tmp_path)}
    assert found == {"processed/a_aligned/face_det_000001.bmp": counted(2),
                     "processed/b_aligned/face_det_000000.bmp": counted(3)}


@pytest.mark.parametrize("first", [("frame", "face_id", "timestamp", "confidence", "success"),
                                   ("frame", "timestamp", "confidence", "success")])
def test_frames_of_a_film_have_the_row_of_their_number(tmp_path, first):
    frames = [(1, 0, 0.0, 0.98, 1), (2, 0, 0.03, 0.98, 1), (3, 0, 0.06, 0.1, 0)]
    rows = [([value for value, column in zip(frame, ("frame", "face_id", "timestamp", "confidence", "success"))
              if column in first], frame[0] / 2) for frame in frames]
    text(tmp_path, "film.csv", table(rows, first))
    for number in (1, 2, 3):
        put(tmp_path, f"film_aligned/frame_det_00_{number:06d}.bmp", seed=number)
    found = [units(row) for _, row in sources.read("openface", tmp_path)]
    assert found == [counted(0.5), counted(1), [None] * 17], "frame 3 failed"


@pytest.mark.parametrize("content, message", [
    (table([((0, 0.98), 1)], order=[*GAZE, *PRESENCES]), "line 1: column AU01_r, AU02_r"),
    (table([((0, 0.98), 1)], order=INTENSITIES[:-1]), "line 1: column AU45_r missing"),
    (table([((0, 0.98), 4)]), "line 2: AU45_r is 5.60, expected 0 to 5"),
    (table([((0, 0.98), -0.5)]), "line 2: AU01_r is -0.50, expected 0 to 5"),
    (table([((0, 0.98), 1)]).replace("1.30", "x"), "line 2: AU05_r is 'x', expected a number"),
    (table([((0, 0.98), 1)]).replace("1.30", "nan"), "line 2: AU05_r is 'nan', expected a number"),
    (table([((0, 0.98), 1)])[:-30], r"line 2: \d+ fields, expected 40"),
    (table([((0, 0.98), 1), ((0, 0.98), 1)]), "line 3: a second row of one face"),
    ("", "the file is empty"),
])
def test_a_wrong_csv_is_named(tmp_path, content, message):
    put(tmp_path, "a.jpg")
    text(tmp_path, "a.csv", content)
    with pytest.raises(SourceError, match=f"a.csv.*{message}"):
        list(sources.read("openface", tmp_path))


def test_what_does_not_belong_together_is_named(tmp_path):
    put(tmp_path, "a.jpg")
    with pytest.raises(SourceError, match="no csv of OpenFace found.*FaceLandmarkImg"):
        next(sources.read("openface", tmp_path))
    text(tmp_path, "b.csv", table([((0, 0.98), 1)]))
    with pytest.raises(SourceError, match="there is no picture for b.csv"):
        next(sources.read("openface", tmp_path))
    text(tmp_path, "other/b.csv", table([((0, 0.98), 1)]))
    with pytest.raises(SourceError, match="other/b.csv: there are two b.csv"):
        next(sources.read("openface", tmp_path))
    (tmp_path / "other/b.csv").unlink()
    put(tmp_path, "b_aligned/face_det_000007.bmp")
    with pytest.raises(SourceError, match="face_det_000007.bmp: b.csv has no row of it"):
        next(sources.read("openface", tmp_path))
    (tmp_path / "b_aligned/face_det_000007.bmp").unlink()
    put(tmp_path, "b.jpg")
    cut(tmp_path / "b.jpg")
    with pytest.raises(SourceError, match="b.jpg: the picture is cut short"):
        list(sources.read("openface", tmp_path))
