"""A person's verdicts are read or refused with file, line and column, and fall on every copy of the picture."""

from pathlib import Path

import pandas as pd
import pytest

from data.cleaning import curation
from data.faceset import EXPRESSIONS

ROOT = Path(__file__).resolve().parents[3]
A, B, C = "a" * 32, "0b" * 16, "c" * 32


def write(folder: Path, *rows: str, header: str = "id,verdict,label") -> Path:
    path = folder / "curation.csv"
    path.write_text("\n".join((header, *rows)) + "\n")
    return path


def table(*ids: str) -> pd.DataFrame:
    return pd.DataFrame({"id": ids, "label": pd.array([*range(len(ids) - 1), None], "Int8")})


def test_verdicts_fall_on_their_pictures_and_all_copies(tmp_path):
    path = write(tmp_path, f"{A},relabel,happy", f"{B},reject,", f"{C},keep,")
    curated = curation.apply(table(A, B, A, C, "d" * 32), curation.read(path))
    assert curated.relabelled.tolist() == [True, False, True, False, False]
    assert curated.rejected.tolist() == [False, True, False, False, False]
    assert curated.kept.tolist() == [False, False, False, True, False]
    happy = EXPRESSIONS.index("happy")
    assert curated.label.tolist() == [happy, 1, happy, 3, pd.NA]
    assert curated.label.dtype == "Int8"
    assert curated.unknown == 0


def test_verdicts_on_pictures_that_are_not_there_are_counted(tmp_path):
    verdicts = curation.read(write(tmp_path, f"{A},reject,", f"{B},relabel,sad"))
    curated = curation.apply(table(C, B), verdicts)
    assert curated.unknown == 1
    assert not curated.rejected.any() and curated.relabelled.tolist() == [False, True]


def test_a_spreadsheets_habits_are_forgiven(tmp_path):
    path = tmp_path / "curation.csv"
    path.write_bytes(f"\ufeffid, verdict,label\r\n {A} , reject ,\r\n\r\n,,\r\n{A},reject,\r\n".encode())
    assert curation.read(path)["id"].tolist() == [A]


def test_the_file_that_comes_with_the_project_says_nothing():
    verdicts = curation.read(ROOT / "data" / "curation.csv")
    curated = curation.apply(table(A, B), verdicts)
    assert not (curated.kept | curated.rejected | curated.relabelled).any() and curated.unknown == 0


@pytest.mark.parametrize("row, said", [
    (f"{A},rejct,", r"line 3: verdict is 'rejct', did you mean 'reject'"),
    (f"{A},,", r"line 3: verdict is '', expected one of keep, reject, relabel"),
    (f"{A},relabel,suprise", r"line 3: label is 'suprise', did you mean 'surprise'"),
    (f"{A},relabel,", r"line 3: label is '', expected one of angry"),
    (f"{A},keep,happy", r"line 3: label is 'happy' beside keep"),
    ("17,keep,", r"line 3: id is '17', expected the 32 digits"),
    (f"{A},keep", r"line 3: 2 fields"),
    (f"{B},reject,", rf"line 3: verdict on {B} is another"),
])
def test_a_wrong_row_is_named(tmp_path, row, said):
    with pytest.raises(ValueError, match=rf"curation\.csv, {said}"):
        curation.read(write(tmp_path, f"{B},keep,", row))


def test_another_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"curation.csv, line 1: name,age, expected id,verdict,label"):
        curation.read(write(tmp_path, header="name,age"))
    with pytest.raises(ValueError, match="is missing: make it with the one line id,verdict,label"):
        curation.read(tmp_path / "none.csv")
    (tmp_path / "curation.csv").write_bytes(b"\x89PNG\r\n\xff\xfe")
    with pytest.raises(ValueError, match="curation.csv: not a csv"):
        curation.read(tmp_path / "curation.csv")
