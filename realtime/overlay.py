"""What is drawn on a frame: the emoji over each face, its label and probabilities, the frame rate. Colours are BGR."""

import cv2
import numpy as np

from realtime.cascade import overlap
from realtime.tracking import Track

COVER = 1.3  # side of the emoji in heights of the face's box, which MTCNN draws from brow to chin
COLOURS = {
    "angry": (60, 60, 235),
    "disgust": (80, 170, 60),
    "fear": (190, 90, 160),
    "happy": (60, 210, 250),
    "sad": (220, 140, 60),
    "surprise": (230, 210, 90),
    "neutral": (190, 190, 190),
}
WHITE = (255, 255, 255)
FONT = cv2.FONT_HERSHEY_SIMPLEX


class Sticker:
    """An emoji that can be laid at any size and tilt.

    Kept with premultiplied alpha, so that interpolation at the rim draws in no colour of transparent pixels, and at
    halved sizes, so that a small one is averaged and not sampled.

    Args:
        picture: (S, S, 4) uint8 BGRA, alpha not premultiplied.
    """

    def __init__(self, picture: np.ndarray):
        alpha = picture[..., 3:].astype(np.float32) / 255
        level = np.concatenate([picture[..., :3] * alpha, picture[..., 3:]], axis=2).round().astype(np.uint8)
        self._levels = [level]
        while level.shape[0] >= 32:
            level = cv2.resize(level, (level.shape[1] // 2, level.shape[0] // 2), interpolation=cv2.INTER_AREA)
            self._levels.append(level)

    def lay(self, frame: np.ndarray, centre: np.ndarray, side: float, tilt: float) -> None:
        """Draws into the BGR frame, clipped at its borders.

        Args:
            centre: (2,) x, y in pixels.
            side: of the whole emoji picture in pixels.
            tilt: radians, positive where the right side hangs lower.
        """
        height, width = frame.shape[:2]
        reach = side * (abs(np.cos(tilt)) + abs(np.sin(tilt))) / 2 + 1
        left, top = (max(int(np.floor(value - reach)), 0) for value in centre)
        right = min(int(np.ceil(centre[0] + reach)) + 1, width)
        bottom = min(int(np.ceil(centre[1] + reach)) + 1, height)
        if left >= right or top >= bottom or side < 2:
            return
        level = next((level for level in reversed(self._levels) if level.shape[0] >= side), self._levels[0])
        scale = side / level.shape[0]
        turn = scale * np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
        middle = np.full(2, (level.shape[0] - 1) / 2)
        shift = np.asarray(centre) - (left, top) - turn @ middle
        placed = cv2.warpAffine(
            level, np.column_stack([turn, shift]), (right - left, bottom - top), flags=cv2.INTER_LINEAR
        )
        under = frame[top:bottom, left:right]
        behind = under.astype(np.uint16) * (255 - placed[..., 3:]) + 127
        under[:] = np.minimum(placed[..., :3] + behind // 255, 255)


class Overlay:
    """Draws the people of a frame.

    Args:
        emoji: label -> (S, S, 4) uint8 BGRA.
        height: of the frames in pixels; the writing grows with it.
    """

    def __init__(self, emoji: dict[str, np.ndarray], height: int):
        self._labels = tuple(emoji)
        self._stickers = {label: Sticker(picture) for label, picture in emoji.items()}
        self._scale = scale = max(height / 480, 0.8)
        self._row, self._name_width, self._bar_width = int(14 * scale), int(60 * scale), int(56 * scale)
        self._names = np.zeros((self._row * len(emoji), self._name_width + self._bar_width, 3), np.uint8)
        for index, label in enumerate(self._labels):
            _write(self._names, label, (3, self._row * (index + 1) - int(4 * scale)), 0.38 * scale, WHITE)

    def draw(self, frame: np.ndarray, people: list[Track], fps: float | None = None) -> None:
        """Draws into the BGR frame: first all emoji, so that none hides a text, larger faces over smaller ones."""
        people = sorted(people, key=lambda person: person.box[3] - person.box[1])
        discs = np.array([_disc(person.box) for person in people]).reshape(-1, 4)
        for person, disc in zip(people, discs, strict=True):
            across = person.landmarks[1] - person.landmarks[0]
            sticker = self._stickers[self._labels[int(person.probabilities.argmax())]]
            sticker.lay(frame, (disc[:2] + disc[2:]) / 2, disc[2] - disc[0], float(np.arctan2(across[1], across[0])))
        labels = [
            self._write_label(frame, person.probabilities, disc) for person, disc in zip(people, discs, strict=True)
        ]
        taken = np.vstack([discs, *labels])
        for person, disc in reversed(list(zip(people, discs, strict=True))):
            panel = self._free_place(frame, disc, taken)
            if panel is not None:
                taken = np.vstack([taken, panel])
                self._draw_bars(frame, person.probabilities, int(panel[0]), int(panel[1]))
        if fps is not None:
            _write(frame, f"{fps:.0f} fps", (8, int(20 * self._scale)), 0.5 * self._scale, WHITE)

    def _write_label(self, frame: np.ndarray, probabilities: np.ndarray, disc: np.ndarray) -> np.ndarray:
        """Writes above the disc; returns the corners of the text."""
        best = int(probabilities.argmax())
        text, size = f"{self._labels[best]} {probabilities[best]:.0%}", 0.5 * self._scale
        (width, height), _ = cv2.getTextSize(text, FONT, size, 1)
        left = int(np.clip((disc[0] + disc[2] - width) / 2, 0, max(frame.shape[1] - width, 0)))
        bottom = int(max(disc[1] - 4, height + 2))
        _write(frame, text, (left, bottom), size, COLOURS.get(self._labels[best], WHITE))
        return np.array([left, bottom - height, left + width, bottom], np.float64)

    def _free_place(self, frame: np.ndarray, disc: np.ndarray, taken: np.ndarray) -> np.ndarray | None:
        """Corners of a panel beside the disc, inside the frame and over nothing else; None where there is no room."""
        height, width = self._names.shape[:2]
        top = int(np.clip((disc[1] + disc[3] - height) / 2, 0, max(frame.shape[0] - height, 0)))
        for left in (disc[2] + 4, disc[0] - 4 - width):
            place = np.trunc([left, top, left + width, top + height])
            inside = place[0] >= 0 and place[2] <= frame.shape[1] and place[3] <= frame.shape[0]
            if inside and not np.any(overlap(place[None], taken) > 0):
                return place
        return None

    def _draw_bars(self, frame: np.ndarray, probabilities: np.ndarray, left: int, top: int) -> None:
        panel = frame[top : top + self._names.shape[0], left : left + self._names.shape[1]]
        np.maximum(panel // 3, self._names, out=panel)
        for index, label in enumerate(self._labels):
            end = self._name_width + int(probabilities[index] * (self._bar_width - 3))
            corners = (self._name_width, self._row * index + 3), (end, self._row * (index + 1) - 4)
            cv2.rectangle(panel, *corners, COLOURS.get(label, WHITE), cv2.FILLED)


def _disc(box: np.ndarray) -> np.ndarray:
    """The square x1, y1, x2, y2 that a face's emoji takes."""
    centre, half = (box[:2] + box[2:]) / 2, COVER * max(box[2:] - box[:2]) / 2
    return np.concatenate([centre - half, centre + half])


def _write(frame: np.ndarray, text: str, corner: tuple[int, int], size: float, colour: tuple[int, int, int]) -> None:
    cv2.putText(frame, text, corner, FONT, size, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(frame, text, corner, FONT, size, colour, 1, cv2.LINE_AA)
