"""SAN's stages one after the other on small made-up faces: a planted trait is lost, and what lacks is named."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from flax import nnx

from data.faceset import EXPRESSIONS, GENDERS, FaceSet, FaceSetWriter
from flows import attribute, evaluate_san, gender, prototypes, san, settings
from models import weights_file
from models.face_matcher import weights as matcher_weights
from models.face_matcher.network import FaceMatcher, XceptionMatcher
from models.fer import weights as fer_weights
from models.fer.mini_xception import MiniXception
from models.san import judges
from models.san import weights as san_weights
from models.san.gender import PortClassifier
from models.san.recipe import ClassifierRecipe, Recipe
from vgg_face_files import drawn, write_keras
from watchers import Interrupting, Silent

PARAMS = settings.load(Path(__file__).parents[2] / "params.yaml")
SPLITS = ["train"] * 8 + ["validation"] * 2 + ["test"] * 4  # of the people, seven pictures each
LANDMARKS = np.array([[12.0, 14], [20, 14], [16, 19], [13, 24], [19, 24]])
CLASSIFIER = ClassifierRecipe(epochs=6, batch_size=8, learning_rate=0.002, augment="none")
NETWORK = Recipe(
    objective="paper", encoder=(4, 6), decoder=(12, 6), enlarge=False, first_epochs=4, epochs=12,
    batch_size=8, learning_rate=0.01, ema=0.0, pixel=0.5, attribute=1.0, identity=0.1, identity_of="both", keep=0.1, augment="none",
)  # fmt: skip


def people_s_faces(channels: int = 1) -> tuple[np.ndarray, list[dict]]:
    """32×32: a pattern a person below; above, the men are bright and the women dark; a stripe tells the expression."""
    rng, images, rows = np.random.default_rng(0), [], []
    for number, split in enumerate(SPLITS):
        pattern = rng.integers(40, 215, (4, 8)).repeat(4, axis=0).repeat(4, axis=1)
        for label in range(7):
            picture = np.concatenate([np.full((16, 32), 75 + 100 * (number % 2)), pattern]) + rng.normal(0, 8, (32, 32))
            picture[16:, 4 * label + 2 : 4 * label + 4] = 20
            images.append(np.repeat(np.clip(picture, 0, 255)[..., None], channels, axis=2))
            rows.append({"split": split, "subject": f"p{number}", "gender": number % 2, "label": label, "source": "made up",
                         "landmarks": (LANDMARKS + rng.normal(0, 0.5, (5, 2))).ravel()})  # fmt: skip
    return np.stack(images).astype(np.uint8), rows


def write(folder: Path, images: np.ndarray, rows: list[dict]) -> Path:
    with FaceSetWriter(folder / "set", images.shape[1:]) as writer:
        writer.append(images, rows)
    return folder


def stage(inputs: dict[str, Path], out: Path, item: str | None = None, watch=None, **options) -> SimpleNamespace:
    """A stage with the small recipes; `options` are those of the section `san`."""
    out.mkdir(parents=True, exist_ok=True)
    options = {"classifier": CLASSIFIER, "network": NETWORK, "expressions": str(inputs["fer"])} | options
    section = replace(PARAMS.san, **options)
    params = replace(PARAMS, san=section, evaluate=replace(PARAMS.evaluate, splits=None))
    return SimpleNamespace(params=params, inputs=inputs, out=out, item=item, checkpoints=out.parent / f"{out.name}.checkpoints",
                           watch=watch or Silent())  # fmt: skip


def write_judges(root: Path, names: tuple[str, ...], labels: tuple[str, ...]) -> dict[str, Path]:
    """Classifiers that have learnt nothing, in files as stage `gender` writes them."""
    inputs = {}
    for number, name in enumerate(names):
        inputs[f"gender@{name}"] = root / f"gender_{name}"
        inputs[f"gender@{name}"].mkdir()
        card = {"network": "port", "labels": list(labels), "size": 32, "channels": 1}
        network = PortClassifier(len(labels), 32, rngs=nnx.Rngs(number))
        san_weights.save(inputs[f"gender@{name}"] / "weights.npz", network, card)
    return inputs


@pytest.fixture(autouse=True, scope="module")
def few_resamples():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate_san, "RESAMPLES", 50)
        yield


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> dict[str, Path]:
    """Faces, matchers and an expression classifier, the two latter as they are drawn."""
    root = tmp_path_factory.mktemp("artifacts")
    folders = {name: root / name for name in ("faces", "matcher@common", "matcher@unseen")}
    for folder in folders.values():
        folder.mkdir()
    write(folders["faces"], *people_s_faces())
    for number, (name, kind) in enumerate((("common", FaceMatcher), ("unseen", XceptionMatcher))):
        matcher_weights.save(folders[f"matcher@{name}"] / "weights.npz", kind(1, 16, rngs=nnx.Rngs(number)), {"size": 32})
    card = {"network": "mini_xception", "labels": list(EXPRESSIONS), "size": 32, "channels": 1, "mirror": True}
    fer_weights.save(root / "fer.npz", MiniXception(rngs=nnx.Rngs(5)), card)
    return folders | {"fer": root / "fer.npz"}


@pytest.fixture(scope="module")
def done(inputs, tmp_path_factory) -> dict[str, Path]:
    """All stages, with two classifiers trained, of the small kind, and two that stand in for trained ones."""
    root = tmp_path_factory.mktemp("done")
    folders = inputs | write_judges(root, ("mini_xception", "kept"), GENDERS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(gender.NETWORKS, "paper", "port")
        for name, module in (("prototypes", prototypes), ("gender@paper", gender), ("gender@port", gender), ("san", san),
                             ("evaluate_san", evaluate_san)):  # fmt: skip
            module.run(stage(folders, root / name, name.partition("@")[2]))
            folders[name] = root / name
    return folders


def test_the_planted_trait_is_lost_to_who_was_asked_and_to_who_was_not(done):
    figures = json.loads((done["evaluate_san"] / "metrics.json").read_text())
    assert figures["n"] == 28
    for judge in ("gender@paper", "gender@port"):
        assert figures[f"{judge}/before/auc"] > 0.95
        assert figures[f"{judge}/op/auc"] < 0.4 < figures[f"{judge}/sm/auc"]
        assert figures[f"{judge}/op/auc_low"] <= figures[f"{judge}/op/auc"] <= figures[f"{judge}/op/auc_high"]
    for judge in ("matcher@common", "matcher@unseen"):
        assert {"auc", "eer", "tmr_at_1_percent", "tmr_at_0.1_percent"} == {
            name.split("/")[2] for name in figures if name.startswith(f"{judge}/op/") and not name.endswith(("_low", "_high"))
        }
    assert 0 < figures["ssim/op"] < 1 and 0 <= figures["expression/op/accuracy"] <= 1
    assert {"expression/before/accuracy", "expression/nt/kept"} < figures.keys()


def test_a_set_a_prototype_has_the_rows_of_the_faces_and_says_what_made_it(done):
    held_out = FaceSet.open(done["faces"] / "set").split("test")
    pictures = {}
    for name in ("sm", "nt", "op"):
        made = FaceSet.open(done["evaluate_san"] / name)
        assert made.table["parent"].tolist() == held_out.table["id"].tolist() and set(made.table["maker"]) == {"san"}
        assert made.table["label"].tolist() == held_out.table["label"].tolist()
        pictures[name] = np.asarray(made.images[:])
    assert (pictures["sm"] != pictures["op"]).any()


def test_the_tables_of_curves_have_whole_curves_and_both_kinds_of_threshold(done):
    for name, known in (("attribute_roc", 3), ("matching_roc", 2)):
        points = pd.read_csv(done["evaluate_san"] / f"{name}.csv")
        lines = points.groupby(["judge", "shown"])
        assert len(lines) == 4 * known
        for _, line in lines:
            assert line[["fpr", "tpr"]].iloc[[0, -1]].to_numpy().tolist() == [[0, 0], [1, 1]]
    np.testing.assert_allclose(points["similarity"][1:5], 1 / (1 + points["distance"][1:5] ** 2), rtol=1e-4)


def test_the_prototypes_are_means_of_training_rows_only(done):
    faces = FaceSet.open(done["faces"] / "set")
    training = faces.split("train")
    with np.load(done["prototypes"] / "prototypes.npz") as stored:
        mean = training.images[:][(training.table["gender"] == 1).to_numpy()].mean(axis=0)
        np.testing.assert_allclose(stored["plain"][1], mean.repeat(3, axis=2), atol=0.51)
        np.testing.assert_allclose(stored["canonical"], LANDMARKS, atol=0.3)
        assert stored["aligned"].shape == stored["plain"].shape == (2, 32, 32, 3)


def test_a_killed_training_goes_on_to_the_same_bytes(done, tmp_path, saved_at_every_step):
    class Failing(Interrupting):
        """Ends the second part after three steps."""

        def log(self, text):
            self.second = text.startswith("second part")

        def progress(self, done, total, text=""):
            if self.second and done == 3:
                raise KeyboardInterrupt

    short = replace(NETWORK, first_epochs=1, epochs=1)
    san.run(stage(done, tmp_path / "whole", network=short))
    with pytest.raises(KeyboardInterrupt):
        san.run(stage(done, tmp_path / "san", watch=Failing(), network=short))
    san.run(stage(done, tmp_path / "san", network=short))
    for name in ("weights.npz", "history.csv"):
        assert (tmp_path / "san" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_two_judges_of_one_name_are_refused():
    files = ("one/weights.npz", "two/weights.npz")
    with pytest.raises(ValueError, match="san.judges is one/weights.npz, two/weights.npz.*rename one"):
        evaluate_san.named("gender@", "san.judges", files)
    assert list(evaluate_san.named("gender@", "san.judges", ("one/a.npz", "two/b.npz"))) == ["gender@a.npz", "gender@b.npz"]


def test_vgg_face_may_be_whom_san_learns_to_please_and_who_judges(done, tmp_path):
    vgg = str(write_keras(drawn(), tmp_path / "vgg.h5"))
    san.run(stage(done, tmp_path / "san", matcher=vgg, network=replace(NETWORK, first_epochs=1, epochs=1)))
    assert "identity" in pd.read_csv(tmp_path / "san" / "history.csv")
    evaluate_san.run(stage(done | {"san": tmp_path / "san"}, tmp_path / "out", matchers=(vgg,)))
    figures = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert 0 < figures["matcher@vgg.h5/op/auc"] <= 1 and 0 < figures["matcher@unseen/op/auc"] <= 1
    assert set(pd.read_csv(tmp_path / "out" / "matching_roc.csv")["judge"]) == {"matcher@common", "matcher@unseen", "matcher@vgg.h5"}
    (tmp_path / "none.h5").write_bytes(b"nothing")
    with pytest.raises(weights_file.WeightsError, match="none.h5 is not a Keras weights file"):
        san.run(stage(done, tmp_path / "other", matcher=str(tmp_path / "none.h5")))


def test_faces_of_one_gender_and_faces_that_do_not_tell_it_are_refused_by_name(inputs, tmp_path):
    images, rows = people_s_faces()
    for name, change, told in (("men", {"gender": 1}, "no training face is of gender woman"),
                               ("nobody", {"gender": None}, "san.attribute names: set san.attribute to label")):  # fmt: skip
        faces = write(tmp_path / name, images, [row | change for row in rows])
        for module, item in ((prototypes, None), (gender, "paper"), (san, None), (evaluate_san, None)):
            with pytest.raises(ValueError, match=told):
                module.run(stage(inputs | {"faces": faces}, tmp_path / "out", item))


def test_the_classifier_of_what_is_kept_learns_the_other_attribute(inputs, tmp_path):
    gender.run(stage(inputs, tmp_path / "kept", "kept", classifier=replace(CLASSIFIER, epochs=1)))
    judge, card = judges.classifier(tmp_path / "kept" / "weights.npz")
    assert (card["attribute"], card["labels"], card["network"]) == ("label", list(EXPRESSIONS), "mini_xception")
    assert judges.said(judge, people_s_faces()[0][:3]).shape == (3, 7)


def test_where_there_is_nothing_to_keep_the_classifier_is_empty(inputs, tmp_path):
    images, rows = people_s_faces()
    faces = write(tmp_path / "faces", images, [row | {"label": None} for row in rows])
    gender.run(stage(inputs | {"faces": faces}, tmp_path / "kept", "kept"))
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {"weights.npz", "history.csv", "curve.png", "metrics.json"}
    assert weights_file.read(tmp_path / "kept" / "weights.npz", ("network",))[0] == {}
    assert san.keepers_in(tmp_path / "kept" / "weights.npz") == []


def test_seven_expressions_are_hidden_with_the_next_one_and_people_alone_make_impostors_only(done, tmp_path):
    """In colour, from the SAN of before, which judges of seven classes only have to be able to look at."""
    images, rows = people_s_faces(channels=3)
    rows = [row | {"subject": f"{row['subject']}/{row['label']}"} if row["subject"] != "p10" else row for row in rows]
    folders = done | write_judges(tmp_path, ("paper", "port", "mini_xception"), EXPRESSIONS)
    folders["faces"], folders["prototypes"] = write(tmp_path / "faces", images, rows), tmp_path / "prototypes"
    prototypes.run(stage(folders, tmp_path / "prototypes", attribute="label"))
    evaluate_san.run(stage(folders, tmp_path / "out", attribute="label", aligned=False))
    figures = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert 0 < figures["gender@port/op/auc"] < 1 and 0 < figures["matcher@common/op/auc"] <= 1
    with pytest.raises(ValueError, match="tells woman, man, not angry.*san.attribute hides"):
        folders["gender@port"] = done["gender@port"]
        evaluate_san.run(stage(folders, tmp_path / "again", attribute="label", aligned=False))


def test_where_nobody_is_known_matching_is_left_out(done, tmp_path):
    images, rows = people_s_faces()
    faces = write(tmp_path / "faces", images, [row | {"subject": None} for row in rows])
    evaluate_san.run(stage(done | {"faces": faces}, tmp_path / "out"))
    figures = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert "gender@port/op/auc" in figures and not any(name.startswith("matcher") for name in figures)
    assert pd.read_csv(tmp_path / "out" / "matching_roc.csv").empty and (tmp_path / "out" / "matching_roc.png").exists()


def test_held_out_faces_of_one_gender_are_refused(done, tmp_path):
    images, rows = people_s_faces()
    rows = [row | {"gender": 1} if row["split"] == "test" else row for row in rows]
    with pytest.raises(ValueError, match="all 28 faces are of one class of gender: .*widen evaluate.splits"):
        evaluate_san.run(stage(done | {"faces": write(tmp_path / "faces", images, rows)}, tmp_path / "out"))


def test_grey_pictures_among_coloured_ones_become_what_they_become_alone(done, tmp_path):
    images, rows = people_s_faces()
    coloured = np.repeat(images, 3, axis=3)
    coloured[1::2, ..., 0] //= 2
    network, labels = san_weights.load(done["san"] / "weights.npz")[0], np.array([row["gender"] for row in rows])
    shown = attribute.Prototypes.load(done["prototypes"], aligned=True)
    for name, pictures in (("grey", images), ("mixed", coloured)):
        faces = FaceSet.open(write(tmp_path / name, pictures, rows) / "set")
        evaluate_san.write_sets(stage(done, tmp_path / name), network, shown, faces, labels)
    alone, among = (np.asarray(FaceSet.open(tmp_path / name / "op").images[:]) for name in ("grey", "mixed"))
    np.testing.assert_array_equal(among[::2], alone[::2])
    assert (among[1::2] != alone[1::2]).any(axis=(1, 2, 3)).all()
