"""People keep their ids over misses and crossings, and nobody inherits another's."""

import numpy as np
import pytest

from realtime.cascade import Faces
from realtime.tracking import LONGEST_MISS, Tracker

WIDTH, HEIGHT = 640, 480


def faces(*centres: tuple[float, float], side: float = 60, score: float = 0.9) -> Faces:
    middle = np.array(centres, float).reshape(-1, 2)
    boxes = np.hstack([middle - side / 2, middle + side / 2])
    return Faces(boxes, np.full(len(middle), score), np.repeat(middle[:, None], 5, axis=1))


def step(tracker: Tracker, found: Faces) -> dict[int, float]:
    """One frame with a detection; returns the x of each person seen in it, by id."""
    tracker.advance(WIDTH, HEIGHT)
    tracker.detect(found)
    return {track.id: float(track.box[[0, 2]].mean()) for track in tracker.tracks if not track.missed}


def test_two_people_walking_keep_their_ids() -> None:
    tracker = Tracker()
    for frame in range(40):
        seen = step(tracker, faces((100 + 5 * frame, 200), (500 - 2 * frame, 220)))
        assert sorted(seen) == [1, 2]
        assert seen[1] == pytest.approx(100 + 5 * frame, abs=10)


def test_people_who_cross_with_one_hidden_behind_the_other_keep_their_ids() -> None:
    tracker = Tracker()
    for frame in range(60):
        front, behind = 150 + 6 * frame, 480 - 6 * frame
        hidden = abs(front - behind) < 45
        seen = step(tracker, faces((front, 200), side=64) if hidden else faces((front, 200), (behind, 206)))
        assert seen[1] == pytest.approx(front, abs=20)
        if frame > 35:
            assert seen[2] == pytest.approx(behind, abs=20)
    assert sorted(seen) == [1, 2]


def test_a_face_unseen_for_a_while_keeps_its_id_and_its_pace() -> None:
    tracker = Tracker()
    for frame in range(15):
        step(tracker, faces((100 + 4 * frame, 200)))
    for _ in range(LONGEST_MISS - 1):
        assert step(tracker, faces()) == {}
    assert list(step(tracker, faces((100 + 4 * (14 + LONGEST_MISS), 200)))) == [1]


def test_a_face_gone_for_longer_comes_back_as_a_new_one() -> None:
    tracker = Tracker()
    step(tracker, faces((300, 200)))
    for _ in range(LONGEST_MISS + 1):
        step(tracker, faces())
    assert list(step(tracker, faces((300, 200)))) == [2]


def test_somebody_else_elsewhere_does_not_inherit_the_id_of_one_who_left() -> None:
    tracker = Tracker()
    for _ in range(5):
        step(tracker, faces((100, 100)))
    assert list(step(tracker, faces((400, 300)))) == [2]


def test_after_a_cut_everybody_is_new() -> None:
    tracker = Tracker()
    step(tracker, faces((300, 200)))
    tracker.forget()
    assert list(step(tracker, faces((300, 200)))) == [2]


def test_two_tracks_that_end_on_one_face_leave_it_to_the_one_that_expected_it() -> None:
    tracker = Tracker()
    step(tracker, faces((200, 200), (240, 200), side=100))
    tracker.advance(WIDTH, HEIGHT)
    tracker.refine(faces((203, 200), (205, 200), side=100))  # O-Net finds the first face from both places
    assert [track.missed for track in tracker.tracks] == [0, 1]


def test_a_low_score_is_a_miss() -> None:
    tracker = Tracker()
    step(tracker, faces((200, 200)))
    tracker.advance(WIDTH, HEIGHT)
    tracker.refine(faces((200, 200), score=0.2))
    assert not tracker.all_seen


def test_who_walks_out_of_the_frame_is_dropped() -> None:
    tracker = Tracker()
    for frame in range(12):
        step(tracker, faces((590 + 6 * min(frame, 7), 200)) if frame < 8 else faces())
    assert tracker.tracks == []


def test_probabilities_are_an_exponential_average() -> None:
    tracker = Tracker()
    step(tracker, faces((200, 200)))
    track = tracker.tracks[0]
    for value in ([1.0, 0.0], [0.0, 1.0], [0.0, 1.0]):
        track.smooth(np.array(value), 0.6)
    assert track.probabilities == pytest.approx([0.36, 0.64])
