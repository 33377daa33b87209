"""What is left of gender and of identity in held-out real faces, before and as SM, NT and OP, with bootstrap intervals.

Faces of UTKFace and LFW tell their gender, those of LFW and ORL who is on them. Intervals draw people anew.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from data.faceset import FaceSet
from flows.attribute import Prototypes
from metrics.roc import Curve, roc_curve
from metrics.ssim import ssim
from metrics.verification import class_figures, figures, pair_scores, pairs
from models.batches import in_batches
from models.san.autoencoder import Autoencoder
from models.san.judges import Judge
from models.san.perturb import perturb

BEFORE, SHOWN = "before", ("sm", "nt", "op")
IMPOSTORS = 20_000  # pairs of two people, where there are so many
GENDER_OF, MATCHING_OF = ("utkface", "lfw"), ("lfw", "orl")

Reader = Callable[[Any], np.ndarray]  # pictures (N, H, W, 1) uint8 -> what a judge says of them (N, K)
Pictures = Mapping[str, np.ndarray]  # by what is shown
Curves = dict[str, dict[str, Curve]]  # by panel and what is shown


def reader(judge: Judge) -> Reader:
    """`models.san.judges.said` of one judge, compiled once for all its pictures."""
    return partial(in_batches, jax.jit(lambda pictures: judge(pictures.astype(jnp.float32) / 255)))


@dataclass(frozen=True)
class HeldOut:
    """Faces that nothing was trained on, the class (N,) whose prototype is their own, which is their gender or, where it
    is not known, what the classifier that SAN learnt from reads; and the prototypes (N, H, W, 3) shown with them."""

    faces: FaceSet
    own: np.ndarray
    shown: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, faces: FaceSet, read: Reader, prototypes: Prototypes, at_once: int = 512) -> "HeldOut":
        said = read(faces.images).argmax(axis=1)
        own = faces.table["gender"].fillna(pd.Series(said, faces.table.index)).to_numpy(np.int32)
        parts = [prototypes.shown_to(faces.select(rows), own[rows])[1]
                 for rows in np.split(np.arange(len(own)), range(at_once, len(own), at_once))]  # fmt: skip
        return cls(faces, own, {name: np.concatenate([each[name] for each in parts]) for name in SHOWN})

    def told(self, source: str) -> np.ndarray:
        """Rows of a source whose gender is known: what a judge reads is no truth to judge by."""
        return np.flatnonzero(((self.faces.table["source"] == source) & self.faces.table["gender"].notna()).to_numpy())

    def of_source(self, source: str) -> np.ndarray:
        return np.flatnonzero((self.faces.table["source"] == source).to_numpy())

    def people(self) -> np.ndarray:
        """(N,) numbers of the people; UTKFace names nobody, so each of its faces is a person of its own."""
        table = self.faces.table
        names = np.where(table["source"] == "utkface", "face " + table["id"], table["subject"])
        return pd.factorize(names.astype(object))[0]


def perturbed(network: Autoencoder, held_out: HeldOut, wanted: Sequence[str] = SHOWN) -> dict[str, np.ndarray]:
    """The faces before and as the prototypes `wanted` make them."""
    shown = {name: held_out.shown[name] for name in wanted}
    return {BEFORE: held_out.faces.images} | perturb(network, held_out.faces.images, held_out.shown["sm"], shown)


def heard(readers: Mapping[str, Reader], pictures: Pictures) -> dict[str, dict[str, np.ndarray]]:
    """What each judge says of each kind of pictures; they compile side by side."""
    def all_of(read: Reader) -> dict[str, np.ndarray]:
        return {shown: read(each) for shown, each in pictures.items()}

    with ThreadPoolExecutor() as threads:
        return dict(zip(readers, threads.map(all_of, readers.values())))


def gender(
    pool: Executor, held_out: HeldOut, readers: Mapping[str, Reader], pictures: Pictures, resamples: int
) -> tuple[list[dict], Curves]:
    """Rows of AUC and EER by source, judge and what is shown, and the curves."""
    curves, waiting, people = {}, [], held_out.people()
    for judge, said in heard(readers, pictures).items():
        for source in GENDER_OF:
            rows = held_out.told(source)
            labels = held_out.own[rows]
            for shown, logits in said.items():
                scores = logits[rows] - np.logaddexp.reduce(logits[rows].astype(np.float64), axis=1, keepdims=True)
                curves.setdefault(f"{judge}, {source}", {})[shown] = roc_curve(labels == 1, scores[:, 1])
                key = {"of": "gender", "source": source, "judge": judge, "shown": shown, "n": len(rows)}
                waiting.append((key, pool.submit(class_figures, labels, scores, people[rows], resamples=resamples)))
    return told(waiting), curves


def matching(
    pool: Executor, held_out: HeldOut, readers: Mapping[str, Reader], pictures: Pictures, resamples: int
) -> tuple[list[dict], Curves]:
    """Rows of AUC, EER and TMR of original–original and original–perturbed pairs, and the curves."""
    curves, waiting, people = {}, [], held_out.people()
    for judge, vectors in heard(readers, pictures).items():
        for source in MATCHING_OF:
            rows = held_out.of_source(source)
            subjects = people[rows]
            same = np.bincount(subjects)
            possible = len(rows) * (len(rows) - 1) // 2 - int((same * (same - 1) // 2).sum())
            drawn, genuine = pairs(subjects, min(IMPOSTORS, possible))
            for shown, described in vectors.items():
                first, second = described[rows[drawn[:, 0]]], vectors[BEFORE][rows[drawn[:, 1]]]
                scores = pair_scores(first, second, "similarity")
                curves.setdefault(f"{judge}, {source}", {})[shown] = roc_curve(genuine, scores)
                key = {"of": "matching", "source": source, "judge": judge, "shown": shown, "n": int(genuine.sum())}
                waiting.append((key, pool.submit(figures, genuine, scores, subjects[drawn], resamples=resamples)))
    return told(waiting), curves


def quality(held_out: HeldOut, pictures: Pictures) -> list[dict]:
    """Rows of the mean SSIM with the face before."""
    rows = []
    for shown in [name for name in pictures if name != BEFORE]:
        alike = np.concatenate([
            ssim(pictures[BEFORE][part], pictures[shown][part])
            for part in np.array_split(np.arange(len(held_out.own)), max(1, len(held_out.own) // 256))
        ])  # fmt: skip
        rows += [{"of": "quality", "source": source, "judge": "ssim", "shown": shown,
                  "n": len(held_out.of_source(source)), "ssim": float(alike[held_out.of_source(source)].mean())}
                 for source in ("utkface", "lfw", "orl")]  # fmt: skip
    return rows


def told(waiting: list[tuple[dict, Future]]) -> list[dict]:
    """One row a set of figures; bounds of intervals as `…_low` and `…_high`."""
    rows = []
    for key, future in waiting:
        for name, figure in future.result().items():
            key |= {name: figure.value, f"{name}_low": figure.low, f"{name}_high": figure.high}
        rows.append(key)
    return rows
