"""``realfake``: asks people which pictures are real, one second each, as study B did on a crowd site, and counts how often they
are wrong (Shaham et al. 2019, section 3: "confusion"; half of all answers is the most that chance gives).

The fakes are samples of the pyramids in `artifacts/singan`, the real ones the faces that these were trained on. The first
TUTORIAL pictures tell the truth afterwards and do not count. Answers are kept in one csv file, a row each, by whoever
came to the page: a server of this machine alone.
"""

import argparse
import base64
import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock

import cv2
import jax
import numpy as np
import pandas as pd
from jinja2 import Environment, StrictUndefined
from rich.console import Console
from rich.table import Table

from flows.singan import STARTS
from models.pixels import to_uint8
from models.singan import snapshot
from models.singan.sample import sample

PYRAMIDS = Path("artifacts/singan/pyramids.npz")
ANSWERS = Path("data/raw/realfake.csv")  # where git ignores it
TEMPLATE = Path(__file__).with_name("realfake.html.jinja")
KINDS = ("paired", "single")
TUTORIAL, TRIALS = 10, 50
SIDE = 256  # pixels as they are shown
RESAMPLES, BOUNDS = 2000, (2.5, 97.5)
COLUMNS = ("when", "person", "start", "kind", "trial", "answer", "truth")
MOST = 1 << 16  # bytes of an answer


@dataclass(frozen=True)
class Trial:
    """One question: the PNGs that are shown, and which is the fake: "left" or "right" of two, else "real" or "fake"."""

    pictures: tuple[bytes, ...]
    truth: str


def main(argv: list[str]) -> int:
    """Serves the page until it is interrupted, then, or at once with --report, prints what was answered."""
    words = argparse.ArgumentParser(prog="python -m flows realfake", description=__doc__.partition("\n")[0])
    words.add_argument("--start", choices=STARTS, default="N-1", help="from which scale on the fakes are left to chance")
    words.add_argument("--kind", choices=KINDS, default="paired", help="find the fake of two, or judge one alone")
    words.add_argument("--answers", type=Path, default=ANSWERS, help=f"where answers are kept (default: {ANSWERS})")
    words.add_argument("--port", type=int, default=8765)
    words.add_argument("--seed", type=int, default=0)
    words.add_argument("--report", action="store_true", help="only print what was answered so far")
    options = words.parse_args(argv)
    if not options.report:
        trials = made(PYRAMIDS, options.start, options.kind, options.seed)
        with server(trials, options.start, options.kind, options.answers, options.port) as serving:
            print(f"http://127.0.0.1:{serving.server_port}/ asks {TUTORIAL} + {TRIALS} questions; Ctrl-C ends it", flush=True)
            try:
                serving.serve_forever()
            except KeyboardInterrupt:
                print()
    if not options.answers.is_file():
        raise ValueError(f"{options.answers} is not there: nothing was answered yet")
    show(read(options.answers))
    return 0


def made(path: Path, start: str, kind: str, seed: int) -> list[Trial]:
    """TUTORIAL + TRIALS questions about the pyramids in `path`, each fake a sample of its own."""
    pyramids, _ = snapshot.load(path)
    count, wanted = pyramids.pictures, TUTORIAL + TRIALS
    key = jax.random.key(seed)
    samples = to_uint8(sample(pyramids, key, -(-wanted // count), STARTS[start]))
    real = to_uint8(pyramids.reals[-1])
    rng = np.random.default_rng(seed)
    trials = []
    for number in range(wanted):
        face, which = number % count, number // count
        pair = real[face], samples[face, which]
        first = bool(rng.integers(2))  # whether the fake is on the left, or shown at all
        if kind == "paired":
            shown, truth = pair[::-1] if first else pair, "left" if first else "right"
        else:
            shown, truth = (pair[first],), "fake" if first else "real"
        trials.append(Trial(tuple(map(png, shown)), truth))
    return trials


def png(picture: np.ndarray) -> bytes:
    """A picture (S, S, 3) uint8 RGB, enlarged to SIDE, as a file's bytes."""
    enlarged = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".png", cv2.cvtColor(enlarged, cv2.COLOR_RGB2BGR))[1].tobytes()


def server(trials: Sequence[Trial], start: str, kind: str, answers: Path, port: int) -> ThreadingHTTPServer:
    """A server on this machine that gives out the page and keeps what comes back."""
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(TEMPLATE.read_text())
    questions = [[base64.b64encode(each).decode() for each in trial.pictures] for trial in trials]
    page = template.render(questions=questions, tutorial=[trial.truth for trial in trials[:TUTORIAL]], kind=kind).encode()
    keep = partial(append, answers, Lock(), start=start, kind=kind, truths=[trial.truth for trial in trials])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply(200 if self.path == "/" else 404, page if self.path == "/" else b"there is only /")

        def do_POST(self) -> None:
            try:
                length = int(self.headers.get("Content-Length", 0))
                if self.path != "/answers" or not 0 < length <= MOST:
                    raise ValueError(f"an answer of 1 to {MOST} bytes at /answers is expected")
                keep(json.loads(self.rfile.read(length)))
            except (ValueError, TypeError, KeyError) as error:
                self.reply(400, str(error).encode())
            except OSError as error:
                self.reply(500, str(error).encode())
            else:
                self.reply(204, b"")

        def reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8" if status == 200 else "text/plain; charset=utf-8")
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            """Nothing: the answers are what counts."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def append(path: Path, lock: Lock, answer: dict, start: str, kind: str, truths: Sequence[str]) -> None:
    """Adds one answer {"person", "trial", "answer"} to the file; raises ValueError for one that no page of ours sends."""
    possible = ("left", "right") if kind == "paired" else ("real", "fake")
    person, trial, said = str(answer["person"]), answer["trial"], answer["answer"]
    if not person.isalnum() or len(person) > 32 or type(trial) is not int or said not in possible:
        raise ValueError(f"expected a person, the number of a question and one of {', '.join(possible)}")
    if not TUTORIAL <= trial < len(truths):
        raise ValueError(f"question {trial} does not count, expected {TUTORIAL} to {len(truths) - 1}")
    with lock:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.writer(file)
            if fresh:
                writer.writerow(COLUMNS)
            writer.writerow([datetime.now(UTC).isoformat(timespec="seconds"), person, start, kind, trial, said, truths[trial]])


def read(path: Path) -> pd.DataFrame:
    """The answers in a file; raises ValueError naming the columns that it lacks."""
    table = pd.read_csv(path, dtype={"person": "str"})
    if absent := [name for name in COLUMNS if name not in table]:
        raise ValueError(f"{path} has no column {', '.join(absent)}: it is not a file of answers")
    return table.drop_duplicates(["person", "start", "kind", "trial"], keep="first")


def confusion(answers: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """The share of wrong answers for each start and kind, with a bootstrap interval: people are drawn anew, or, of one person
    alone, answers."""
    rows = []
    for (start, kind), part in answers.groupby(["start", "kind"]):
        wrong = (part["answer"] != part["truth"]).astype(float)
        groups = [each.to_numpy() for _, each in wrong.groupby(part["person"])]
        units = groups if len(groups) > 1 else [np.array([value]) for value in wrong]
        drawn = np.random.default_rng(seed).integers(0, len(units), (RESAMPLES, len(units)))
        totals = np.array([[unit.sum(), len(unit)] for unit in units])[drawn].sum(axis=1)
        low, high = np.percentile(totals[:, 0] / totals[:, 1], BOUNDS)
        rows.append({"start": start, "kind": kind, "people": len(groups), "answers": len(part),
                     "confusion": wrong.mean(), "low": low, "high": high})  # fmt: skip
    return pd.DataFrame(rows)


def show(answers: pd.DataFrame) -> None:
    """Prints the table."""
    table = Table(title="how often people were wrong")
    for name in ("fakes from", "asked", "people", "answers", "confusion", "95 % interval"):
        table.add_column(name)
    for row in confusion(answers).itertuples():
        bounds = f"{row.low:.1%} to {row.high:.1%}"
        table.add_row(row.start, row.kind, str(row.people), str(row.answers), f"{row.confusion:.1%}", bounds)
    Console(highlight=False).print(table)
