"""Where frames come from (camera, film, picture) and where they go (film, picture)."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

PICTURES = {".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
FILMS = {".avi": "MJPG", ".m4v": "mp4v", ".mkv": "mp4v", ".mov": "mp4v", ".mp4": "mp4v"}
USUAL_RATE = 30.0  # frames a second where a camera or a file does not say
PATIENCE = 10.0  # seconds to wait for a camera's next frame


class VideoError(Exception):
    """A camera or a file that cannot be used; the message says what to do."""


class Frame(NamedTuple):
    """A BGR picture (H, W, 3) uint8, its number, its time in the video in seconds, and the clock when it was taken."""

    index: int
    time: float
    picture: np.ndarray
    taken: float


class Film:
    """Every frame of a video file in order, none left out."""

    def __init__(self, path: Path):
        self._path = path
        self._capture = cv2.VideoCapture(str(_existing(path)))
        self.rate = _rate(self._capture)
        if next(iter(self), None) is None:
            raise VideoError(
                f"{path}: no frame can be read from it. "
                "Give a video (mp4, avi, …) or a picture (jpg, png, …) that other programs open."
            )

    def __iter__(self) -> Iterator[Frame]:
        self._capture.release()
        self._capture.open(str(self._path))
        index = 0
        while True:
            read, picture = self._capture.read()
            if not read:
                return
            yield Frame(index, index / self.rate, picture, time.perf_counter())
            index += 1

    def close(self) -> None:
        self._capture.release()


class Picture:
    """A single picture file as a film of one frame."""

    rate = USUAL_RATE

    def __init__(self, path: Path):
        picture = (
            cv2.imdecode(np.fromfile(_existing(path), np.uint8), cv2.IMREAD_COLOR) if path.stat().st_size else None
        )
        if picture is None:
            raise VideoError(f"{path}: is not a whole picture. Give a picture (jpg, png, …) that other programs open.")
        self._picture = picture

    def __iter__(self) -> Iterator[Frame]:
        yield Frame(0, 0.0, self._picture.copy(), time.perf_counter())

    def close(self) -> None:
        pass


class Camera:
    """The latest frame of a camera: a thread reads all of them, so that a slow program is never behind what happens."""

    def __init__(self, number: int):
        self._name = f"camera {number}"
        self._capture = cv2.VideoCapture(number)
        read, _ = self._capture.read()
        if not read:
            self._capture.release()
            raise VideoError(
                f"{self._name} gives no picture: none is connected, another program uses it, or this program may not. "
                "Close other programs, allow the camera in the system's settings, try --camera 1, or use --input FILE."
            )
        self.rate = _rate(self._capture)
        self._latest: Frame | None = None
        self._news = threading.Condition()
        self._closed = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        began, index = time.perf_counter(), 0
        while not self._closed:
            read, picture = self._capture.read()
            if not read:
                return
            now = time.perf_counter()
            with self._news:
                self._latest = Frame(index, now - began, picture, now)
                self._news.notify()
            index += 1

    def __iter__(self) -> Iterator[Frame]:
        while True:
            with self._news:
                if not self._news.wait_for(lambda: self._latest is not None, PATIENCE):
                    raise VideoError(
                        f"{self._name} gave no picture for {PATIENCE:.0f} seconds. Connect it again and start anew."
                    )
                frame, self._latest = self._latest, None
            yield frame

    def close(self) -> None:
        self._closed = True
        self._reader.join(PATIENCE)
        self._capture.release()


def open_video(path: Path | None, camera: int) -> Film | Picture | Camera:
    """The file at `path`, or the camera where no path is given.

    Raises:
        VideoError: it is missing, or no frame can be read from it.
    """
    if path is None:
        return Camera(camera)
    return Picture(path) if path.suffix.lower() in PICTURES and _existing(path) else Film(path)


class Recorder:
    """Writes frames into a video file, or a single one into a picture file.

    The file is written beside its place and renamed by `close`. A camera's frames are repeated or left out so that the
    film keeps the time at which they were taken.

    Args:
        path: the ending decides: .mp4, .mov, .m4v, .mkv, .avi, or a picture's.
        rate: frames a second of the film.
        single: whether only one frame will come.
    """

    def __init__(self, path: Path, rate: float, single: bool):
        known = sorted(PICTURES if single else FILMS)
        if path.suffix.lower() not in known:
            kind = "picture" if single else "video"
            raise VideoError(
                f"{path}: a {kind} is written to a file that ends in {', '.join(known)}. Give another --output."
            )
        if not path.resolve().parent.is_dir():
            raise VideoError(f"{path}: its folder does not exist. Make it first.")
        self._path, self._rate, self._single = path, rate, single
        self._part = path.with_name(f".{path.stem}.part{path.suffix}")
        self._writer: cv2.VideoWriter | None = None
        self._written = 0

    def write(self, picture: np.ndarray, moment: float) -> None:
        """Adds a BGR picture that was taken `moment` seconds after the film began."""
        if self._single:
            try:
                self._part.write_bytes(cv2.imencode(self._path.suffix, picture)[1].tobytes())
            except OSError as error:
                raise VideoError(f"{self._path}: could not be written ({error.strerror})") from error
            self._written = 1
            return
        if self._writer is None:
            code = cv2.VideoWriter_fourcc(*FILMS[self._path.suffix.lower()])
            self._writer = cv2.VideoWriter(str(self._part), code, self._rate, (picture.shape[1], picture.shape[0]))
            if not self._writer.isOpened():
                raise VideoError(
                    f"{self._path}: cannot be written. Is there room on the disk, and may you write there?"
                )
        while self._written <= round(moment * self._rate):
            self._writer.write(picture)
            self._written += 1

    def close(self) -> None:
        """Puts the finished file in its place.

        Raises:
            VideoError: it does not hold all frames. OpenCV does not tell of failed writes, so they are counted.
        """
        if self._writer is not None:
            self._writer.release()
            finished = cv2.VideoCapture(str(self._part))
            whole = int(finished.get(cv2.CAP_PROP_FRAME_COUNT)) == self._written
            finished.release()
            if not whole:
                self._part.unlink(missing_ok=True)
                raise VideoError(f"{self._path}: could not be written whole. Is the disk full?")
        if self._written:
            os.replace(self._part, self._path)
        else:
            self._part.unlink(missing_ok=True)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise VideoError(
            f"{path}: there is no such file. Check the name given to --input, or leave it out to use the camera."
        )
    return path


def _rate(capture: cv2.VideoCapture) -> float:
    rate = capture.get(cv2.CAP_PROP_FPS)
    return rate if 1 <= rate <= 1000 else USUAL_RATE
