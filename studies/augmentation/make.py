"""Faces made of few faces, by the pipeline's own stages: `action_units`, `ganimation`, `singan` and `augment`.

    python -m studies.augmentation.make N DRAW

Reads `results/N-DRAW/faces` and the first classifier of the arm `classical`, which learnt from the same N rows: nothing
that makes, labels or judges a face here has seen another row of FER-2013. What reads action units and what knows people
learnt from drawn people, and is trained once for all draws. Writes `results/N-DRAW/{matcher,action_units,ganimation,
singan,augment}` as the stages do; a stage whose folder is there is not run again.
"""

import importlib
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from data.faceset import FaceSet
from flows import environment, settings
from flows.configure import configure
from flows.sections import Params
from flows.stage import Stage
from flows.watch import Terminal, Watch
from studies.augmentation.subset import RESULTS
from studies.unfinished import unfinished, which

INPUTS = {
    "matcher@common": ("faces",),
    "action_units": ("faces", "fer@base"),
    "ganimation": ("faces", "action_units"),
    "singan": ("faces",),
    "augment": ("faces", "fer@base", "matcher@common", "ganimation", "singan"),
}
DRAWN = ("matcher@common", "action_units")  # stages whose networks learn from drawn people, of one seed
GANIMATION_STEPS = 800  # of the critic
WORDS = (
    "data=fer2013", "scale=laptop", "matcher.people=150", "matcher.epochs=8", "action_units.people=150",
    "action_units.reader.batch_size=32", "action_units.reader.epochs=16", "action_units.mixture=0.8",
    "ganimation.architecture.width=12", "ganimation.architecture.blocks=2", "ganimation.architecture.critic_width=24",
    "ganimation.recipe.batch_size=16", "ganimation.recipe.generator_condition=320", "ganimation.recipe.cycle=5",
    "singan.parents=14", "singan.recipe.width=12", "singan.recipe.iterations=60", "singan.recipe.chunk=30",
    "augment.variants=4",
)  # fmt: skip


def main(count: int, draw: int, results: Path = RESULTS) -> None:
    """Runs the stages whose folders are not there; raises what they raise."""
    folder = results / f"{count}-{draw}"
    params = of_study(count, folder)
    places = {name: folder / name.partition("@")[0] for name in ("faces", *INPUTS)}
    places["fer@base"] = folder / "classical-0"
    for name, upstream in INPUTS.items():
        if places[name].exists():
            continue
        partial = places[name].with_name(f".{places[name].name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        module, _, item = name.partition("@")
        if name in DRAWN:
            checkpoints = unfinished(f"augmentation/drawn/{module}", params.faces, params.matcher, params.action_units)
        else:
            faces = which(FaceSet.open(folder / "faces" / "set"))
            checkpoints = unfinished(f"augmentation/{folder.name}/{module}", params, draw, faces)
        inputs = {each: places[each] for each in upstream}
        seeded, watch = replace(params, seed=0 if name in DRAWN else draw), Watch(Terminal(f"{name} {folder.name}"))
        stage = Stage(name, item or None, seeded, inputs, partial, checkpoints, watch)
        importlib.import_module(f"flows.{module}").run(stage)
        os.replace(partial, places[name])
        shutil.rmtree(checkpoints, ignore_errors=True)  # not every stage has some


def of_study(count: int, folder: Path) -> Params:
    """The settings, which are also written into `folder`."""
    epochs = max(1, GANIMATION_STEPS // (count // 16))
    words = [*WORDS, f"augment.edited={count}", f"ganimation.recipe.epochs={epochs}"]
    file = folder / "params.yaml"
    return settings.validate(configure(words, file=file), file)


if __name__ == "__main__":
    environment.enter("studies.augmentation.make", sys.argv[1:])
    main(int(sys.argv[1]), int(sys.argv[2]))
