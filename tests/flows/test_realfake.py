"""The real-or-fake test: its page asks, answers are kept and counted, and what is no answer of ours is refused."""

import json
import threading
import urllib.error
import urllib.request

import jax
import numpy as np
import pandas as pd
import pytest

from flows import realfake
from models.singan import snapshot
from untrained import untrained_pyramids


@pytest.fixture(scope="module")
def pyramids(tmp_path_factory):
    """Two untrained ones, on disk."""
    path = tmp_path_factory.mktemp("singan") / "pyramids.npz"
    snapshot.save(path, untrained_pyramids(jax.random.key(0)), {})
    return path


def test_every_question_has_one_fake_at_most_and_both_answers_occur(pyramids):
    paired, single = (realfake.made(pyramids, "N-1", kind, seed=0) for kind in realfake.KINDS)
    assert len(paired) == len(single) == realfake.TUTORIAL + realfake.TRIALS
    assert {trial.truth for trial in paired} == {"left", "right"} and {trial.truth for trial in single} == {"real", "fake"}
    assert all(len(trial.pictures) == 2 and trial.pictures[0] != trial.pictures[1] for trial in paired)
    real = set(trial.pictures[0 if trial.truth == "right" else 1] for trial in paired)
    assert len(real) == 2  # the faces themselves, over and over
    fakes = [trial.pictures[0] for trial in single if trial.truth == "fake"]
    assert fakes and not real & set(fakes)
    assert {trial.pictures[0] for trial in single if trial.truth == "real"} <= real


@pytest.fixture
def served(tmp_path):
    trials = [realfake.Trial((b"left", b"right"), "left")] * realfake.TUTORIAL
    trials += [realfake.Trial((b"one", b"two"), "right")] * 3
    answers = tmp_path / "deep" / "answers.csv"
    serving = realfake.server(trials, "N-2", "paired", answers, port=0)
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{serving.server_port}", answers
    serving.shutdown()
    thread.join()
    serving.server_close()


def post(address, body, path="/answers"):
    return urllib.request.urlopen(urllib.request.Request(address + path, json.dumps(body).encode(), method="POST")).status


def test_the_page_hides_the_truth_but_of_the_tutorial_and_answers_are_kept(served):
    address, file = served
    page = urllib.request.urlopen(address).read().decode()
    assert page.count('"left"') == realfake.TUTORIAL + 1 and page.count('"right"') == 1  # and the names of the buttons
    for person, said in (("a", "right"), ("b", "left")):
        for trial in range(realfake.TUTORIAL, realfake.TUTORIAL + 3):
            assert post(address, {"person": person, "trial": trial, "answer": said}) == 204
    post(address, {"person": "a", "trial": realfake.TUTORIAL, "answer": "left"})  # asked again: the first word counts
    answers = realfake.read(file)
    assert len(answers) == 6 and set(answers["start"]) == {"N-2"}
    row = realfake.confusion(answers).iloc[0]
    assert (row["people"], row["answers"], row["confusion"], row["low"], row["high"]) == (2, 6, 0.5, 0.0, 1.0)


@pytest.mark.parametrize(
    "body",
    [
        {"person": "a", "trial": 0, "answer": "left"},
        {"person": "a", "trial": 99, "answer": "left"},
        {"person": "a,b", "trial": 11, "answer": "left"},
        {"person": "a", "trial": "11", "answer": "left"},
        {"person": "a", "trial": 11, "answer": "=1+1"},
        {"trial": 11},
        [],
    ],
)
def test_what_is_no_answer_is_refused_and_not_kept(served, body):
    address, file = served
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(address, body)
    assert refused.value.code == 400 and not file.exists()


def test_an_interval_narrows_with_people():
    def asked(people):
        rng = np.random.default_rng(0)
        rows = [(f"p{person}", "N-1", "single", trial, "fake" if rng.random() < 0.4 else "real", "real")
                for person in range(people) for trial in range(50)]  # fmt: skip
        frame = pd.DataFrame(rows, columns=["person", "start", "kind", "trial", "answer", "truth"])
        row = realfake.confusion(frame).iloc[0]
        assert row["low"] < row["confusion"] < row["high"]
        return row["high"] - row["low"]

    assert asked(90) < asked(10) / 1.5


def test_no_answers_and_other_files_are_named(tmp_path):
    with pytest.raises(ValueError, match="nothing was answered"):
        realfake.main(["--report", "--answers", str(tmp_path / "none.csv")])
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="no column when, person"):
        realfake.main(["--report", "--answers", str(tmp_path / "other.csv")])
