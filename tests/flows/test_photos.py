"""Photos of a person: those that show one face are cut, every other is named with its fault, and nothing else is lost."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from data.faceset import FaceSetWriter
from data.synthetic import draw
from flows import photos, settings
from flows.cutting import TIGHT

PARAMS = settings.load(Path(__file__).parents[2] / "params.yaml")


class Heard(list):
    """A watcher that remembers what it was told."""

    def log(self, text: str) -> None:
        self.append(text)


def stage(folder: Path, place: Path | str, **faces) -> SimpleNamespace:
    emoji = replace(PARAMS.personal_emoji, photos=str(place))
    params = replace(PARAMS, personal_emoji=emoji, faces=replace(PARAMS.faces, **faces))
    return SimpleNamespace(params=params, inputs={"faces": folder}, watch=Heard())


@pytest.fixture(scope="module")
def faces(tmp_path_factory) -> Path:
    """What stage `faces` leaves: the portraits of one drawn picture."""
    folder, size = tmp_path_factory.mktemp("faces"), PARAMS.faces.portrait.size
    with FaceSetWriter(folder / "portraits", (size, size, 3)) as writer:
        writer.append(np.zeros((1, size, size, 3), np.uint8), [{"source": "synthetic", "origin": "0", "split": "train"}])
    return folder


@pytest.fixture(scope="module")
def album(tmp_path_factory) -> Path:
    """Two good photos, and one each of no face, three faces, 20 pixels, text named .jpg and a cut-off file."""
    folder = tmp_path_factory.mktemp("me")
    faces = [cv2.cvtColor(image, cv2.COLOR_RGB2BGR) for image, _ in draw(5, 3, 192)]
    cv2.imwrite(str(folder / "good.png"), faces[0])
    cv2.imwrite(str(folder / "large.jpg"), cv2.resize(faces[1], (900, 900), interpolation=cv2.INTER_CUBIC))
    cv2.imwrite(str(folder / "wall.png"), np.full((200, 200, 3), 127, np.uint8))
    cv2.imwrite(str(folder / "three.png"), np.concatenate(faces, axis=1))
    cv2.imwrite(str(folder / "tiny.png"), cv2.resize(faces[2], (20, 20)))
    (folder / "words.jpg").write_text("not a picture")
    (folder / "cut.png").write_bytes((folder / "good.png").read_bytes()[:2000])
    return folder


def test_good_photos_are_cut_and_the_others_named(album, faces):
    asked = stage(faces, album)
    portraits = photos.person_of(asked)
    size = PARAMS.faces.portrait.size
    assert portraits.shape == (2, size, size, 3) and portraits.std() > 20
    told = "\n".join(asked.watch)
    for file, fault in (("wall.png", "no faces"), ("three.png", "3 faces"), ("tiny.png", "20×20"), ("words.jpg", "not a picture"),
                        ("cut.png", "cut short")):  # fmt: skip
        assert any(file in line and fault in line for line in asked.watch), f"{file}, {fault}: {told}"
    assert "good.png" not in told and "large.jpg" not in told


def test_photos_are_cut_as_tight_as_the_faces_of_a_source_that_has_faces_only(album, faces, tmp_path):
    (tmp_path / "good.png").write_bytes((album / "good.png").read_bytes())
    wide, tight = (photos.person_of(stage(faces, tmp_path, detect=detect))[0] for detect in (True, False))
    # The tight cut is the middle of the wide one, enlarged by the quotient of their sides.
    size, share = PARAMS.faces.portrait.size, (1 + TIGHT) / (1 + PARAMS.faces.portrait.margin)
    edge = round(size * (1 - share) / 2)
    middle = cv2.resize(wide[edge : size - edge, edge : size - edge], (size, size))
    assert np.abs(tight.astype(float) - middle).mean() < 0.6 * np.abs(tight.astype(float) - wide).mean()


def test_a_folder_without_a_usable_photo_is_refused_with_every_reason(album, faces, tmp_path):
    for name in ("wall.png", "words.jpg"):
        (tmp_path / name).write_bytes((album / name).read_bytes())
    with pytest.raises(ValueError, match=r"no photo in .* shows one face: wall.png.*words.jpg"):
        photos.person_of(stage(faces, tmp_path))
    with pytest.raises(ValueError, match="put one or more"):
        photos.person_of(stage(faces, tmp_path / "absent"))


def test_the_drawn_person_is_one_that_nothing_was_trained_on(tmp_path):
    pictures, rows = zip(*draw(1, 40, 32), strict=True)
    splits = ["train", "validation", "test", "test"]
    rows = [row | {"split": splits[i // 10]} for i, row in enumerate(rows)]
    with FaceSetWriter(tmp_path / "portraits", (32, 32, 3)) as writer:
        writer.append(np.stack(pictures), rows)
    chosen = photos.person_of(stage(tmp_path, photos.DRAWN))
    assert len(chosen) == photos.MOST
    own = [index for index in range(40) if any(np.array_equal(pictures[index], each) for each in chosen)]
    assert len(own) == photos.MOST and set(own) <= set(range(20, 30))
