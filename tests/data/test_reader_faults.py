"""Every reader refuses a set that is cut short, misnamed, mislabelled, of another version, or climbs out of its
archive: by an error that names the place, and without a face set that is half there."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from made_up import cut, pack, put, text
from test_celeba import attributes
from test_emoji_font import with_cbdt
from test_openface import table

from data import sources
from data.faceset import EXPRESSIONS, FaceSet, FaceSetWriter
from data.letterbox import letterbox
from data.sources.source_error import SourceError

TELEMOJI = [f"{split}/{name}/{number}.jpg" for split in ("train", "test") for number in (1, 2)
            for name in ("angry", "disgust", "fear", "happy", "sad", "suprise", "neutral")]
PIXELS = [" ".join(map(str, row)) for row in np.random.default_rng(0).integers(0, 256, (3, 48 * 48))]
VOTES = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"


def folder(at: Path) -> None:
    """A telemoji-style tree: sizes mixed, `suprise` spelt so."""
    for seed, name in enumerate(TELEMOJI):
        put(at, name, (20 + 7 * seed, 64 - 2 * seed, 3), seed)


def fer2013(at: Path) -> None:
    text(at, "fer2013.csv", f"emotion,pixels,Usage\n0,{PIXELS[0]},Training\n3,{PIXELS[1]},Training\n"
                            f"6,{PIXELS[2]},PublicTest\n")


def ferplus(at: Path) -> None:
    fer2013(at)
    text(at, "fer2013new.csv", VOTES + "Training,a,0,0,0,0,10,0,0,0,0,0\nTraining,b,0,10,0,0,0,0,0,0,0,0\n"
                                       "PublicTest,c,10,0,0,0,0,0,0,0,0,0\n")


def rafdb(at: Path) -> None:
    names = ["train_00001", "train_00002", "test_00001"]
    for seed, name in enumerate(names):
        put(at, f"Image/aligned/{name}_aligned.jpg", (100, 100, 3), seed)
    text(at, RAF_LIST, "".join(f"{name}.jpg {label}\n" for label, name in enumerate(names, 1)))


def celeba(at: Path) -> None:
    names = [f"{number:06d}.jpg" for number in range(1, 4)]
    for seed, name in enumerate(names):
        put(at, f"Img/img_align_celeba/{name}", (218, 178, 3), seed)
    text(at, "Anno/list_attr_celeba.txt", attributes(names))
    text(at, "Anno/identity_CelebA.txt", "".join(f"{name} {person}\n" for person, name in enumerate(names)))
    text(at, "Eval/list_eval_partition.txt", "".join(f"{name} {part}\n" for part, name in enumerate(names)))


def lfw(at: Path) -> None:
    for seed, name in enumerate(("Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee/Ann_Lee_0002.jpg", "Zoe/Zoe_0001.jpg")):
        put(at, f"lfw-deepfunneled/{name}", (250, 250, 3), seed)
    text(at, "gender.csv", "person,gender\nAnn_Lee,female\n")


def utkface(at: Path) -> None:
    for seed, name in enumerate(("26_1_0", "80_0_4", "1_0_2")):
        put(at, f"{name}_2017010415013{seed}123.jpg.chip.jpg", (200, 200, 3), seed)


def orl(at: Path) -> None:
    for seed, name in enumerate(("s1/1", "s1/10", "s40/3")):
        put(at, f"{name}.pgm", (112, 92), seed)


def ffhq(at: Path) -> None:
    for number in (0, 999, 60_000):
        put(at, f"thumbnails128x128/{number // 1000 * 1000:05d}/{number:05d}.png", (128, 128, 3), number)


def openface(at: Path) -> None:
    for start, name in enumerate(("one", "two")):
        put(at, f"{name}.jpg", seed=start)
        text(at, f"processed/{name}.csv", table([((0, 0.9), start)]))


def emoji_folder(at: Path) -> None:
    for seed, code in enumerate(("1f600", "1f601")):
        put(at, f"emoji_u{code}.png", (64, 64, 4), seed)


def emoji_font(at: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 4), np.uint8)
    grin, frown = (cv2.imencode(".png", image)[1].tobytes() for image in noise)
    at.mkdir(exist_ok=True)
    with_cbdt(at / "Emoji.ttf", {32: {"grin": grin, "frown": frown}})


def rename(old: str, new: str) -> Callable[[Path], None]:
    def apply(at: Path) -> None:
        (at / new).parent.mkdir(parents=True, exist_ok=True)
        (at / old).rename(at / new)
    return apply


def change(name: str, old: str, new: str) -> Callable[[Path], None]:
    def apply(at: Path) -> None:
        content = (at / name).read_text()
        assert old in content
        (at / name).write_text(content.replace(old, new))
    return apply


def short(name: str) -> Callable[[Path], None]:
    return lambda at: cut(at / name)


def picture(name: str, *shape: int) -> Callable[[Path], None]:
    return lambda at: put(at, name, shape)


def jpeg_named_png(at: Path) -> None:
    put(at, "a.jpg")
    (at / "a.jpg").rename(at / "emoji_u1f602.png")


def scarcely_coloured(at: Path) -> None:
    """A font with pictures, of which none is a smiley's."""
    with_cbdt(at / "Emoji.ttf", {32: {"heart": cv2.imencode(".png", np.zeros((32, 32, 4), np.uint8))[1].tobytes()}})


RAF_LIST, ATTR_LIST = "EmoLabel/list_patition_label.txt", "Anno/list_attr_celeba.txt"
ALIGNED, CROPPED = "Image/aligned/train_00001_aligned.jpg", "26_1_0_20170104150130123.jpg.chip.jpg"
THUMBNAIL = "thumbnails128x128/00000/00999.png"

# Of each reader: what is done to a good set, and what the error says of it. Where a set has no labels, a number in a
# name that no picture of it has is the nearest to a wrong one.
FAULTS = {
    "folder": {
        "cut short": (short("test/sad/2.jpg"), "test/sad/2.jpg: the picture is cut short"),
        "misnamed": (rename("train/happy", "train/hapy"), "'hapy' is not a known class or split: did you mean 'happy'"),
        "mislabelled": (rename("train/happy/1.jpg", "train/1.jpg"), "train/1.jpg: in a split but in no class"),
        "version": (rename("train/angry", "train/contempt"), "'contempt' is not a known class"),
    },
    "fer2013": {
        "cut short": (short("fer2013.csv"), r"fer2013.csv, line 3: \d+ (pixels|fields), expected"),
        "misnamed": (rename("fer2013.csv", "train.csv"), "expected one fer2013.csv in it, found train.csv"),
        "mislabelled": (change("fer2013.csv", "\n3,", "\n7,"), "line 3: emotion is '7', expected one of 0, 1"),
        "version": (change("fer2013.csv", "emotion,pixels", "emotion,image"), "line 1: column pixels missing"),
    },
    "ferplus": {
        "cut short": (short("fer2013new.csv"), "fer2013new.csv, line 2: 8 fields, expected 12"),
        "misnamed": (rename("fer2013new.csv", "new.csv"), "fer2013new.csv is missing.*FERPlus"),
        "mislabelled": (change("fer2013new.csv", "b,0,10", "b,0,11"), "line 3: happiness is '11', expected one of 0"),
        "version": (change("fer2013new.csv", "neutral,happiness", "neutral,joy"), "line 1: column happiness missing"),
    },
    "rafdb": {
        "cut short": (short(ALIGNED), "train_00001_aligned.jpg: the picture is cut short"),
        "misnamed": (rename(ALIGNED, "Image/aligned/1.jpg"), "aligned/1.jpg: not named as train_00001_aligned.jpg"),
        "mislabelled": (change(RAF_LIST, "1.jpg 1", "1.jpg 8"), "line 1: label is '8', expected one of 1, 2"),
        "version": (change(RAF_LIST, "train_00002", "train_00003"), "line 2: there is no picture train_00003_aligned"),
    },
    "celeba": {
        "cut short": (short("Img/img_align_celeba/000003.jpg"), "000003.jpg: the picture is cut short"),
        "misnamed": (rename("Eval/list_eval_partition.txt", "Eval/parts.txt"), "list_eval_partition.txt is missing"),
        "mislabelled": (change(ATTR_LIST, " -1  1", "  2  1"), "line 4: Male is '2', expected one of -1, 1"),
        "version": (picture("Img/img_align_celeba/000001.jpg", 256, 256, 3), "256×256 pixels, expected 178×218"),
    },
    "lfw": {
        "cut short": (short("lfw-deepfunneled/Zoe/Zoe_0001.jpg"), "Zoe_0001.jpg: the picture is cut short"),
        "misnamed": (rename("lfw-deepfunneled/Zoe", "lfw-deepfunneled/Zoë"), "Zoë/Zoe_0001.jpg: not named after its"),
        "mislabelled": (change("gender.csv", "female", "f"), "gender.csv, line 2: gender is 'f', expected one of"),
        "version": (picture("lfw-deepfunneled/Zoe/Zoe_0001.jpg", 160, 160, 3), "160×160 pixels, expected 250×250"),
    },
    "utkface": {
        "cut short": (short(CROPPED), f"{CROPPED}: the picture is cut short"),
        "misnamed": (rename(CROPPED, "face.jpg"), "face.jpg: not named age_gender_race_date.jpg"),
        "mislabelled": (rename(CROPPED, "126_1_0_20170104150130123.jpg"), "age is 126, expected 0 to 116"),
        "version": (rename(CROPPED, "26_2_0_20170104150130123.jpg"), "26_2_0_.*: not named age_gender_race_date.jpg"),
    },
    "orl": {
        "cut short": (short("s40/3.pgm"), "s40/3.pgm: the picture is cut short"),
        "misnamed": (rename("s1/1.pgm", "s1/01.pgm"), "s1/01.pgm: not named by person and number"),
        "mislabelled": (rename("s40/3.pgm", "s41/3.pgm"), "s41/3.pgm: not named by person and number"),
        "version": (picture("s1/1.pgm", 64, 64), "s1/1.pgm: 64×64 pixels, expected 92×112"),
    },
    "ffhq": {
        "cut short": (short(THUMBNAIL), f"{THUMBNAIL}: the picture is cut short"),
        "misnamed": (rename(THUMBNAIL, "thumbnails128x128/999.png"), "999.png: not named by its number"),
        "mislabelled": (rename(THUMBNAIL, "thumbnails128x128/70000.png"), "number 70000, but FFHQ has 70,000"),
        "version": (picture(THUMBNAIL, 600, 800, 3), "800×600 pixels, expected a square.*not in-the-wild-images"),
    },
    "openface": {
        "cut short": (short("processed/two.csv"), "two.csv, line 2: . fields, expected 40"),
        "misnamed": (rename("two.jpg", "three.jpg"), "there is no picture for two.csv"),
        "mislabelled": (change("processed/two.csv", "1.00", "5.10"), "two.csv, line 2: AU.*_r is 5.10, expected 0 to"),
        "version": (change("processed/two.csv", "AU12_r", "AU12"), "two.csv, line 1: column AU12_r missing"),
    },
    "emoji_folder": {
        "cut short": (short("emoji_u1f601.png"), "emoji_u1f601.png: the picture is cut short"),
        "misnamed": (jpeg_named_png, "emoji_u1f602.png: not a PNG"),
        "version": (picture("emoji_u1f602.webp", 64, 64, 3), "emoji_u1f602.webp: not a PNG"),
    },
    "emoji_font": {
        "cut short": (short("Emoji.ttf"), "Emoji.ttf: not a font, damaged or cut short"),
        "misnamed": (rename("Emoji.ttf", "Emoji.zip.part"), "expected one font in it, found none"),
        "version": (scarcely_coloured, "Emoji.ttf: no smiley"),
    },
}


MAKERS = {make.__name__: make for make in (folder, fer2013, ferplus, rafdb, celeba, lfw, utkface, orl, ffhq, openface,
                                           emoji_folder, emoji_font)}


def ingest(name: str, path: Path, at: Path) -> FaceSet:
    """Reads a whole set as the stage does, into a face set of 16×16 pixels."""
    with FaceSetWriter(at, (16, 16, 3)) as writer:
        for image, row in sources.read(name, path):
            writer.append(letterbox(image, 16, 3)[None], [row])
    return FaceSet.open(at)


def make(name: str, at: Path) -> Path:
    MAKERS[name](at)
    return at


def test_every_reader_is_tried():
    assert FAULTS.keys() == {name for name, source in sources.SOURCES.items() if source.WHERE is not None}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("packing", ["", ".zip", ".tar.gz"])
def test_the_good_set_is_read(name, packing, tmp_path):
    path = pack(make(name, tmp_path / "raw"), packing)
    faces = ingest(name, path, tmp_path / "set")
    assert len(faces) > 1 and faces.table["source"].eq(name).all() and faces.table["id"].is_unique


@pytest.mark.parametrize("name, fault", [(name, fault) for name, faults in FAULTS.items() for fault in faults])
def test_a_planted_fault_is_named_and_nothing_is_kept(name, fault, tmp_path):
    path = make(name, tmp_path / "raw")
    plant, message = FAULTS[name][fault]
    plant(path)
    with pytest.raises(SourceError, match=f"raw.*({message})"):
        ingest(name, path, tmp_path / "set")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("packing", [".zip", ".tar.gz"])
def test_an_archive_that_climbs_out_is_not_touched(name, packing, tmp_path):
    path = pack(make(name, tmp_path / "raw"), "")
    archive = tmp_path / f"download{packing}"
    files = [file for file in sorted(path.rglob("*")) if file.is_file()]
    if packing == ".zip":
        with zipfile.ZipFile(archive, "w") as out:
            for file in files:
                out.write(file, file.relative_to(path))
            out.writestr("../escaped.jpg", files[0].read_bytes())
    else:
        with tarfile.open(archive, "w:gz") as out:
            for file in files:
                out.add(file, str(file.relative_to(path)))
            entry = tarfile.TarInfo("../escaped.jpg")
            entry.size = 4
            out.addfile(entry, io.BytesIO(b"data"))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SourceError, match=f"download{packing}: the member '../escaped.jpg' climbs out of the archive"):
        ingest(name, archive, tmp_path / "set")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("packing", [".zip", ".tar.gz"])
def test_an_archive_cut_short_is_named(name, packing, tmp_path):
    make(name, tmp_path / "raw")
    archive = cut(pack(tmp_path / "raw", packing), 0.8)
    with pytest.raises(SourceError, match=f"raw{packing}: damaged or cut short"):
        ingest(name, archive, tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_a_telemoji_tree_keeps_its_splits_and_classes_whatever_the_sizes(tmp_path):
    faces = ingest("folder", make("folder", tmp_path / "raw"), tmp_path / "set")
    counts = faces.table.groupby(["split", "label"]).size()
    assert len(counts) == 2 * len(EXPRESSIONS) and (counts == 2).all()
    misspelt = faces.table["origin"].str.contains("suprise")
    assert faces.table.loc[misspelt, "label"].eq(EXPRESSIONS.index("surprise")).all() and misspelt.sum() == 4
