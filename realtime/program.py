"""The command line of emoji_cam, and its loop: read a frame, recognise, tell, draw, show."""

import argparse
import json
import os
import sys
import time
from contextlib import ExitStack
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TextIO

import cv2
import numpy as np

from realtime.bundle import Bundle
from realtime.overlay import Overlay
from realtime.privacy import SHOWN, Hider, PrivacyError
from realtime.recognition import Recogniser
from realtime.tracking import Track
from realtime.video import Frame, Picture, Recorder, VideoError, open_video

WINDOW = "emoji_cam - q or Esc quits"
QUIT_KEYS = {ord("q"), ord("Q"), 27}


def main(arguments: list[str] | None = None, folder: Traversable | None = None) -> int:
    """Runs the program; returns its exit status: 0, or 2 where camera, file or screen cannot be used.

    Args:
        arguments: of the command line, without the program's name.
        folder: where the networks and emoji are; by default "assets" beside this code, inside the archive.
    """
    options = parse(arguments)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    cv2.setNumThreads(options.threads)
    bundle = Bundle.load(folder or files("realtime") / "assets", options.threads)
    if options.about:
        _print(bundle.card)
        return 0
    try:
        return run(options, bundle)
    except (VideoError, PrivacyError, OSError) as error:
        print(f"emoji_cam: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0  # with --no-window this is how one ends it


def _print(text: str) -> None:
    """Prints as much of `text` as whoever reads it wants: `| head` closes the pipe before the end."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it flushes at the end


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line's options."""
    parser = argparse.ArgumentParser("emoji_cam", description="Lays the emoji of each face's expression over the face.")
    parser.add_argument("--input", type=Path, metavar="FILE", help="a video or a picture instead of the camera")
    parser.add_argument("--camera", type=_count(0), default=0, metavar="N", help="which camera (default: 0, the first)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write what is shown: a video (.mp4), or a picture")
    parser.add_argument("--events", type=Path, metavar="FILE", help="write what is recognised: one JSON line a frame")
    parser.add_argument("--no-window", action="store_true", help="show nothing")
    parser.add_argument(
        "--benchmark", type=_count(1), metavar="N", help="measure N frames without a window and print milliseconds"
    )
    parser.add_argument(
        "--privacy",
        choices=SHOWN,
        help="before anything is shown or written, put a grey face in place of every face that was found, on which other "
        "programs read an attribute such as gender as that of another class (op) or as of none (nt). A face that is not "
        "found cannot be hidden and is shown as it is, and so are hair, clothes and all else around the face",
    )
    parser.add_argument("--about", action="store_true", help="print where the model comes from and how good it is")
    parser.add_argument("--min-face", type=_count(12), metavar="PIXELS", help="side of the smallest face to find")
    parser.add_argument("--detect-every", type=_count(1), metavar="N", help="look for new faces every N frames")
    parser.add_argument(
        "--threads", type=_count(1), default=1, metavar="N", help="processor threads to use (default: 1)"
    )
    return parser.parse_args(arguments)


def run(options: argparse.Namespace, bundle: Bundle) -> int:
    """Opens everything, then goes through the frames."""
    with_window = not (options.no_window or options.benchmark)
    if with_window:
        _require_screen()
    recogniser = Recogniser(
        bundle, options.min_face or bundle.settings.min_face, options.detect_every or bundle.settings.detect_every
    )
    hider = Hider(bundle.privacy, options.privacy) if options.privacy else None
    with ExitStack() as stack:
        video = open_video(options.input, options.camera)
        stack.callback(video.close)
        events = stack.enter_context(options.events.open("w", encoding="utf-8")) if options.events else None
        recorder = Recorder(options.output, video.rate, single=isinstance(video, Picture)) if options.output else None
        if recorder:
            stack.callback(recorder.close)
        if with_window:
            stack.callback(cv2.destroyAllWindows)
        drawing = with_window or recorder is not None or options.benchmark is not None
        clock, frames = Clock(), iter(video)
        while options.benchmark is None or clock.frames < options.benchmark:
            frame = next(frames, None)
            if frame is None and options.benchmark is not None:
                frames = iter(video)
                continue
            if frame is None:
                break
            if not clock.frames:
                recogniser.warm_up(*frame.picture.shape[:2])
                overlay = Overlay(bundle.emoji, height=frame.picture.shape[0])
            clock.start()
            people = recogniser.see(frame.picture)
            clock.recognised(len(people))
            if hider:
                hider.hide(frame.picture, recogniser.followed)
            if events:
                _tell(events, frame, people, bundle.settings.labels)
            if drawing:
                overlay.draw(frame.picture, people, None if isinstance(video, Picture) else clock.rate)
            clock.stop()
            if recorder:
                recorder.write(frame.picture, frame.time)
            if with_window and not _show(frame.picture, wait_for_key=isinstance(video, Picture)):
                break
    if options.benchmark is not None:
        print(json.dumps(clock.summary() | {"threads": options.threads}, indent=2))
    return 0


class Clock:
    """Milliseconds per frame, without reading it from the file and writing it."""

    def __init__(self) -> None:
        self._recognition: list[float] = []
        self._whole: list[float] = []
        self._people: list[int] = []
        self.rate: float | None = None

    @property
    def frames(self) -> int:
        return len(self._whole)

    def start(self) -> None:
        now = time.perf_counter()
        if self.frames:
            rate = 1 / (now - self._began)
            self.rate = rate if self.rate is None else 0.9 * self.rate + 0.1 * rate
        self._began = now

    def recognised(self, people: int) -> None:
        self._recognition.append((time.perf_counter() - self._began) * 1e3)
        self._people.append(people)

    def stop(self) -> None:
        self._whole.append((time.perf_counter() - self._began) * 1e3)

    def summary(self) -> dict[str, float]:
        """Medians and 95th percentiles of whole frames and of recognition alone; the rest is drawing."""
        figures = {"frames": self.frames, "frames_with_face": sum(map(bool, self._people))}
        figures |= {"faces_per_frame": round(sum(self._people) / self.frames, 2)}
        for name, times in (("frame", self._whole), ("recognition", self._recognition)):
            for share in (50, 95):
                figures[f"{name}_ms_p{share}"] = round(float(np.percentile(times, share)), 2)
        return figures


def _tell(events: TextIO, frame: Frame, people: list[Track], labels: tuple[str, ...]) -> None:
    """One line, written through at once, so that another program can follow. Boxes end at the frame's border."""
    latency = round((time.perf_counter() - frame.taken) * 1e3, 2)
    height, width = frame.picture.shape[:2]
    faces = []
    for person in people:
        x1, y1, x2, y2 = np.clip(person.box, 0, [width, height, width, height])
        faces.append(
            {
                "id": person.id,
                "box": [round(float(value), 1) for value in (x1, y1, x2 - x1, y2 - y1)],
                "score": round(person.score, 4),
                "label": labels[int(person.probabilities.argmax())],
                "probabilities": {
                    name: round(float(p), 4) for name, p in zip(labels, person.probabilities, strict=True)
                },
                "latency_ms": latency,
            }
        )
    print(json.dumps({"frame": frame.index, "time": round(frame.time, 4), "faces": faces}), file=events, flush=True)


def _show(picture: np.ndarray, wait_for_key: bool) -> bool:
    """Whether to go on: false once a quit key is pressed or the window closed."""
    cv2.imshow(WINDOW, picture)
    while True:
        key = cv2.waitKey(50 if wait_for_key else 1) & 0xFF
        if key in QUIT_KEYS or cv2.getWindowProperty(WINDOW, cv2.WND_PROP_VISIBLE) < 1:
            return False
        if not wait_for_key:
            return True


def _require_screen() -> None:
    """A window without a screen would end the whole process, with no chance to say why."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise VideoError(
            "there is no screen to show a window on. Try --no-window, with --output FILE.mp4 or --events FILE.jsonl."
        )


def _count(least: int):
    def count(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{value} is too small, the least is {least}")
        return value

    return count
