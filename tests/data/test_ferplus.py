"""The FER+ reader joins votes to FER-2013 by position and keeps to the authors' rule of majority."""

import gzip
import itertools
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from data import sources
from data.faceset import EXPRESSIONS, conform
from data.sources.source_error import SourceError

HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
ROWS = [  # usage, votes in the order of the header, what comes of them
    ("Training", "4,0,0,1,3,2,0,0,0,0", None),                  # 4 of the 9 that are left: no majority
    ("Training", "6,0,1,1,0,0,0,0,2,0", "neutral"),             # 6 of 8, the single votes gone
    ("Training", "0,0,0,0,0,0,0,0,0,10", None),                 # no face
    ("Training", "0,0,0,0,0,3,0,7,0,0", None),                  # contempt
    ("PublicTest", "0,9,1,0,0,0,0,0,0,0", "happy"),
    ("PublicTest", "2,0,0,0,0,0,0,0,8,0", None),                # unknown
    ("PrivateTest", "0,0,0,2,6,0,0,0,2,0", "angry"),
    ("PrivateTest", "5,0,0,0,5,0,0,0,0,0", None),               # a half is no majority
    ("PrivateTest", "1,1,1,1,1,1,1,1,1,1", None),               # single votes only
]
IMAGES = np.random.default_rng(0).integers(0, 256, (len(ROWS), 48, 48), np.uint8)


def write(folder, rows=ROWS, names=True):
    votes = [HEADER] + [f"{usage},{f'fer{i:07d}.png' * names},{votes}" for i, (usage, votes, _) in enumerate(rows)]
    (folder / "fer2013new.csv").write_text("\n".join(votes) + "\n")
    lines = [f"0,{' '.join(map(str, image.ravel()))},{usage}" for image, (usage, *_) in zip(IMAGES, ROWS)]
    (folder / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *lines]) + "\n")
    return folder


@pytest.mark.parametrize("packed", [False, True])
def test_labels_votes_and_splits_follow_the_authors_rule(tmp_path, packed):
    write(tmp_path, names=not packed)
    if packed:
        (tmp_path / "fer2013.csv.gz").write_bytes(gzip.compress((tmp_path / "fer2013.csv").read_bytes()))
        (tmp_path / "fer2013.csv").unlink()
    images, rows = zip(*sources.read("ferplus", tmp_path))
    kept = [i for i, row in enumerate(ROWS) if row[2]]
    assert np.array_equal(images, IMAGES[kept])
    assert [EXPRESSIONS[row["label"]] for row in rows] == [ROWS[i][2] for i in kept]
    assert [row["split"] for row in rows] == ["train", "public_test", "private_test"]
    assert [row["origin"].rpartition(":")[2] for row in rows] == ["3", "6", "8"]
    votes = conform(list(rows))["votes"]
    assert votes[0].tolist() == [0, 0, 0, 0, 0, 0, 1] and votes[1].tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert votes[2].tolist() == [0.75, 0, 0, 0, 0.25, 0, 0], "6 angry and 2 sad; unknown is none of the seven"


@pytest.mark.parametrize("rows, message", [
    (ROWS[:-1], "only 8 rows, but FER-2013 goes on at .*fer2013.csv:10"),
    ([*ROWS, ROWS[-1]], "10 rows, but FER-2013 has 9"),
    ([*ROWS[:3], ROWS[4], ROWS[3], *ROWS[5:]], "line 5: Usage is PublicTest, but .*fer2013.csv:5 is of train"),
    ([(ROWS[0][0], "4,0,0,1,3,x,0,0,0,0", None), *ROWS[1:]], "line 2: disgust is 'x', expected one of 0, 1"),
    ([(ROWS[0][0], "4,0,0,1,3,11,0,0,0,0", None), *ROWS[1:]], "line 2: disgust is '11'"),
    ([(ROWS[0][0], "4,0,0,1,3,2", None), *ROWS[1:]], "line 2: 8 fields, expected 12"),
    ([("Trainig", ROWS[0][1], None), *ROWS[1:]], "line 2: Usage is 'Trainig'"),
])
def test_tables_that_do_not_belong_together_are_named(tmp_path, rows, message):
    with pytest.raises(SourceError, match=f"fer2013new.csv.*{message}"):
        list(sources.read("ferplus", write(tmp_path, rows)))


def test_a_missing_or_other_table_is_named(tmp_path):
    write(tmp_path)
    (tmp_path / "fer2013new.csv").rename(tmp_path / "label.csv")
    with pytest.raises(SourceError, match="fer2013new.csv is missing.*github.com/microsoft/FERPlus"):
        list(sources.read("ferplus", tmp_path))
    (tmp_path / "label.csv").rename(tmp_path / "fer2013new.csv")
    (tmp_path / "fer2013new.csv").write_text("fer0000000.png,\"(0, 0, 48, 48)\",4,0,0,1,3,2,0,0,0,0\n")
    with pytest.raises(SourceError, match="fer2013new.csv, line 1: column Usage, anger, .* missing"):
        list(sources.read("ferplus", tmp_path))
    write(tmp_path)
    (tmp_path / "fer2013.csv").unlink()
    with pytest.raises(SourceError, match="expected one fer2013.csv in it, found"):
        list(sources.read("ferplus", tmp_path))


def test_the_published_votes_give_the_numbers_of_the_authors(shared, tmp_path, monkeypatch):
    """25,060 training and 3,199 validation pictures with a majority among eight emotions, 119 and 13 of contempt."""
    from data.sources import fer2013

    usages = (line.partition(",")[0] for line in (shared / "data/fer2013/fer2013new.csv").open())
    next(usages)
    blank = np.zeros((48, 48), np.uint8)
    monkeypatch.setattr(fer2013, "read", lambda path: (
        (blank, {"split": fer2013.SPLITS[usage], "origin": ""}) for usage in usages))
    rows = [row for _, row in sources.read("ferplus", shared / "data/fer2013")]
    found = Counter((row["split"], EXPRESSIONS[row["label"]]) for row in rows)
    assert sum(count for (split, _), count in found.items() if split == "train") == 25_060 - 119
    assert sum(count for (split, _), count in found.items() if split == "public_test") == 3_199 - 13
    assert found["train", "neutral"] == 8_740 and found["train", "disgust"] == 119


def test_pictures_and_votes_of_the_same_row_meet(shared, tmp_path):
    """The first rows of the real tables: their FER-2013 label and FER+ label agree far more often than by chance."""
    program = shared / "data/fer2013/to_csv.py"
    subprocess.run([sys.executable, program, tmp_path / "fer2013.csv", "--rows", "150"], check=True)
    original = [row for _, row in sources.read("fer2013", tmp_path / "fer2013.csv") if row["split"] == "train"]
    lines = (shared / "data/fer2013/fer2013new.csv").read_text().splitlines()
    votes = [*lines[:151], *itertools.islice((line for line in lines if line.startswith("PublicTest")), 150)]
    (tmp_path / "fer2013new.csv").write_text("\n".join(votes) + "\n")
    labels = {row["origin"]: row["label"] for row in original}
    pairs = [(row["label"], labels[row["origin"]]) for _, row in sources.read("ferplus", tmp_path)
             if row["split"] == "train"]
    assert len(pairs) > 110
    assert np.mean([new == old for new, old in pairs]) > 0.6
