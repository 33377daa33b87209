"""The command `score`: it reports what the network says, by every name of a split and for every source."""

import json

import cv2
import numpy as np
import pytest
from flax import nnx

from data.faceset import EXPRESSIONS, FaceSetWriter
from data.features import FEATURES
from flows import score
from flows.fitting import fit
from metrics.calibration import expected_calibration_error, tempered
from models.fer import predict, weights
from models.fer.mini_xception import MiniXception

USAGES = ("Training", "PublicTest", "PrivateTest")


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """Weights of a random network for 48×48 grey faces."""
    path = tmp_path_factory.mktemp("network") / "weights.npz"
    weights.save(path, MiniXception(rngs=nnx.Rngs(0)), {"labels": list(EXPRESSIONS), "size": 48, "channels": 1})
    return path


@pytest.fixture(scope="module")
def pictures():
    """60 grey pictures of blurred noise, (60, 48, 48) uint8."""
    noise = np.random.default_rng(0).integers(0, 256, (60, 48, 48), np.uint8)
    return np.stack([cv2.equalizeHist(cv2.blur(each, (5, 5))) for each in noise])


@pytest.fixture
def table(tmp_path, pictures):
    """The pictures as fer2013.csv: 30 Training, 20 PublicTest, 10 PrivateTest rows; row i has label i % 7."""
    path = tmp_path / "fer2013.csv"
    usages = np.repeat(USAGES, (30, 20, 10))
    lines = [f"{i % 7},{' '.join(map(str, image.ravel()))},{usages[i]}" for i, image in enumerate(pictures)]
    path.write_text("\n".join(["emotion,pixels,Usage", *lines]) + "\n")
    return path


def scored(tmp_path, *argv) -> dict:
    """What the command writes as JSON."""
    file = tmp_path / "scores.json"
    assert score.main([*map(str, argv), "--json", str(file)]) == 0
    return json.loads(file.read_text())


@pytest.mark.parametrize(
    ("split", "rows"),
    [
        ("PublicTest", slice(30, 50)),
        ("public_test", slice(30, 50)),
        ("PRIVATETEST", slice(50, 60)),
        ("Private_Test", slice(50, 60)),
        ("Training", slice(0, 30)),
        ("train", slice(0, 30)),
    ],
)
def test_a_split_by_any_of_its_names_is_scored_as_the_network_says(tmp_path, network, pictures, table, split, rows):
    result = scored(tmp_path, "fer2013", table, "--split", split, "--weights", network)
    called = predict.probabilities(weights.load(network)[0], pictures[rows, :, :, None]).argmax(axis=1)
    labels = np.arange(60)[rows] % 7
    assert result["n"] == len(labels)
    assert result["accuracy"] == pytest.approx(np.mean(called == labels))
    confusion = np.zeros((7, 7), int)
    np.add.at(confusion, (labels, called), 1)
    assert result["confusion_matrix"] == confusion.tolist()
    assert list(result["recall"]) == list(EXPRESSIONS)


def test_without_a_split_all_rows_are_scored_and_training_rows_are_pointed_out(tmp_path, network, table, capsys):
    result = scored(tmp_path, "fer2013", table, "--weights", network)
    assert result["rows_by_split"] == {"train": 30, "public_test": 20, "private_test": 10}
    printed = capsys.readouterr().out
    assert "30 of these pictures are for training" in printed
    assert "balanced accuracy" in printed and "surprise" in printed and "actual down, predicted across" in printed


def test_batches_do_not_change_the_result(tmp_path, network, table, monkeypatch):
    whole = scored(tmp_path, "fer2013", table, "--weights", network)
    monkeypatch.setattr(score, "BATCH", 7)
    assert scored(tmp_path, "fer2013", table, "--weights", network) == whole


def test_a_face_set_and_a_folder_score_as_the_table_does(tmp_path, network, pictures, table):
    expected = scored(tmp_path, "fer2013", table, "--split", "public_test", "--weights", network)
    with FaceSetWriter(tmp_path / "set", (48, 48, 1)) as writer:
        rows = [{"split": "test" if 30 <= i < 50 else "train", "label": i % 7} for i in range(60)]
        writer.append(pictures[..., None], rows)
    for i in range(30, 50):
        folder = tmp_path / "folder" / "test" / EXPRESSIONS[i % 7]
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{i}.png"), pictures[i])
    for source, path, options in (("faceset", "set", []), ("folder", "folder", ["--faces", "crop"])):
        result = scored(tmp_path, source, tmp_path / path, "--split", "test", "--weights", network, *options)
        assert {key: result[key] for key in ("accuracy", "recall", "macro_f1_low", "confusion_matrix")} == {
            key: expected[key] for key in ("accuracy", "recall", "macro_f1_low", "confusion_matrix")
        }


def test_pictures_are_made_the_features_that_the_network_learnt_from(tmp_path, network, pictures, table):
    model, card = weights.load(network)
    weights.save(tmp_path / "hog.npz", model, card | {"features": "hog"})
    hog = FEATURES["hog"](pictures)
    with FaceSetWriter(tmp_path / "set", (48, 48, 1)) as writer:  # as stage `faces` makes it for that network
        writer.append(hog[..., None], [{"split": "test", "label": i % 7} for i in range(60)])
    called = predict.probabilities(model, hog[..., None]).argmax(axis=1)
    for source in (["fer2013", table], ["faceset", tmp_path / "set"]):
        result = scored(tmp_path, *source, "--weights", tmp_path / "hog.npz")
        assert result["accuracy"] == pytest.approx(np.mean(called == np.arange(60) % 7))


@pytest.fixture
def pair(tmp_path, network):
    """That network at a temperature, and another of 64 pixels that learnt from equalised pictures and looks at both sides."""
    sure, other = tmp_path / "sure.npz", tmp_path / "other.npz"
    model, card = weights.load(network)
    weights.save(sure, model, card | {"temperature": 0.1})
    weights.save(other, MiniXception(rngs=nnx.Rngs(1)), card | {"size": 64, "features": "equalise", "mirror": True})
    return sure, other


def test_of_several_weights_the_mean_is_scored(tmp_path, pair, pictures, table):
    result = scored(tmp_path, "fer2013", table, "--weights", pair[0], "--weights", pair[1])
    large = np.stack([fit(each[..., None], 64, 1) for each in pictures])
    said = [
        predict.probabilities(weights.load(pair[0])[0], pictures[..., None]),
        predict.probabilities(weights.load(pair[1])[0], FEATURES["equalise"](large[..., 0])[..., None], mirror=True),
    ]
    labels = np.arange(60) % 7
    mean = (said[0] + said[1]) / 2
    confusion = np.zeros((7, 7), int)
    np.add.at(confusion, (labels, mean.argmax(axis=1)), 1)
    assert result["confusion_matrix"] == confusion.tolist()
    assert result["calibration_error"] == pytest.approx(expected_calibration_error(labels, mean), abs=1e-5)
    mended = (tempered(said[0], 0.1) + said[1]) / 2
    assert result["calibration_error_tempered"] == pytest.approx(expected_calibration_error(labels, mended), abs=1e-5)
    assert result["calibration_error_tempered"] != pytest.approx(result["calibration_error"], abs=1e-3)
    assert result["weights"] == [str(path) for path in pair]


def test_a_face_set_is_refused_to_weights_of_different_features(tmp_path, pair, pictures):
    with FaceSetWriter(tmp_path / "set", (48, 48, 1)) as writer:
        writer.append(pictures[..., None], [{"split": "test", "label": i % 7} for i in range(60)])
    both = ["--weights", str(pair[0]), "--weights", str(pair[1])]
    with pytest.raises(ValueError, match=r"one kind of features, but .*sure\.npz from none, .*other\.npz from equalise"):
        score.main(["faceset", str(tmp_path / "set"), *both])


def test_pictures_are_fitted_to_the_network():
    rows = np.arange(0, 200, 2, dtype=np.uint8)
    colour = np.repeat(np.broadcast_to(rows[:, None], (100, 60))[..., None], 3, axis=2)
    fitted = fit(colour, 50, 1)
    assert fitted.shape == (50, 50, 1) and fitted.dtype == np.uint8
    assert not fitted[:, :9].any() and not fitted[:, -9:].any()  # bars beside it: it was not stretched
    np.testing.assert_allclose(fitted[:, 25, 0], rows.reshape(50, 2).mean(axis=1), atol=1)
    assert fit(colour, 120, 3).shape == (120, 120, 3)


def test_faces_are_found_in_larger_pictures(project, network):
    """Drawn faces are found and cut; a picture without one is counted and not scored."""
    images = [image for image, _ in score.sources.read("synthetic", seed=3, count=3, size=128)]
    images.append(np.full((128, 128, 3), 120, np.uint8))
    for i, image in enumerate(images):
        (project / "folder" / "happy").mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(project / "folder" / "happy" / f"{i}.png"), image[..., ::-1])
    result = scored(project, "folder", project / "folder", "--weights", network)
    assert result["faces"] == "detect"
    assert result["without_face"] == 4 - result["n"] >= 1
    assert result["n"] >= 2
    assert result["recall"]["sad"] is None  # the folder shows only happy faces
    model, card = weights.load(network)
    weights.save(project / "large.npz", model, card | {"size": 128})  # for which every picture is a face as a whole
    alone = scored(project, "folder", project / "folder", "--weights", project / "large.npz")
    both = scored(project, "folder", project / "folder", "--weights", project / "large.npz", "--weights", network)
    assert alone["n"] == 4 and both["n"] == result["n"]  # what is no face for one of them is not scored


def test_published_weights_give_their_recorded_table(tmp_path, shared):
    """The first 250 PublicTest rows, against what Keras said of all: its confusion matrix holds ours, cell by cell."""
    packed = np.load(shared / "data" / "fer2013" / "fer2013_train_public.npz")
    rows = np.flatnonzero(packed["usage"] == 1)[:250]
    lines = ["emotion,pixels,Usage"]
    for row in rows:
        start, end = packed["offsets"][row : row + 2]
        image = cv2.imdecode(packed["webp"][start:end], cv2.IMREAD_GRAYSCALE)
        lines.append(f"{packed['emotion'][row]},{' '.join(map(str, image.ravel()))},PublicTest")
    (tmp_path / "part.csv").write_text("\n".join(lines))
    keras = shared / "data" / "weights" / "fer2013_mini_XCEPTION.102-0.66.hdf5"
    result = scored(tmp_path, "fer2013", tmp_path / "part.csv", "--split", "PublicTest", "--weights", keras)
    recorded = json.loads((shared / "parity" / "mini_xception_baseline.json").read_text())["public_m11"]
    assert (np.array(result["confusion_matrix"]) <= np.array(recorded["cm"])).all()
    assert result["accuracy_low"] < recorded["acc"] < result["accuracy_high"]


def test_wrong_input_is_named(tmp_path, network, table):
    with pytest.raises(ValueError, match=r"split 'test'.*private_test \(10\), public_test \(20\), train \(30\)"):
        score.main(["fer2013", str(table), "--split", "test", "--weights", str(network)])
    with pytest.raises(ValueError, match="did you mean 'fer2013'"):
        score.main(["fer2012", str(table), "--weights", str(network)])
    with pytest.raises(FileNotFoundError, match=r"none\.csv does not exist"):
        score.main(["fer2013", str(tmp_path / "none.csv"), "--weights", str(network)])
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        score.main(["fer2013", str(table), "--weights", str(network), "--json", str(tmp_path / "no" / "scores.json")])
    with pytest.raises(ValueError, match="folder of a face set"):
        score.main(["faceset", "--weights", str(network)])


def test_rows_without_label_are_counted_and_refused(tmp_path, network, pictures):
    with FaceSetWriter(tmp_path / "set", (48, 48, 1)) as writer:
        writer.append(pictures[..., None], [{"split": "test", "label": None if i < 4 else 1} for i in range(60)])
    with pytest.raises(ValueError, match="4 of 60 pictures have no label"):
        score.main(["faceset", str(tmp_path / "set"), "--weights", str(network)])


def test_weights_of_something_else_are_refused(tmp_path, table):
    path = tmp_path / "gender.npz"
    weights.save(path, MiniXception(2, rngs=nnx.Rngs(0)), {"labels": ["woman", "man"], "size": 48, "channels": 1})
    with pytest.raises(ValueError, match="tells woman, man, not the seven expressions"):
        score.main(["fer2013", str(table), "--weights", str(path)])


def test_trained_weights_come_before_released_ones(tmp_path, monkeypatch):
    trained, released = tmp_path / "trained.npz", tmp_path / "released.npz"
    monkeypatch.setattr(score, "TRAINED", trained)
    monkeypatch.setattr(score, "RELEASED", released)
    with pytest.raises(FileNotFoundError, match="no weights at .*trained.npz or .*released.npz"):
        score.default_weights()
    released.touch()
    assert score.default_weights() == released
    trained.touch()
    assert score.default_weights() == trained
