"""Stage `blend`: the generators of faces and of emoji as one, the layout of the one painted by the other.

Writes `snapshot.npz` (the blend that `blend` in params.yaml asks for), `table.png` (the same people as faces, as blends that
swap at every resolution, as emoji, and as blends the other way round) and `metrics.json`: of each row, how often the
classifier reads the same expression as in the face, and the AUC with which the matcher finds the face that it was made of;
and how often it reads in the face what the generator was told, where it is told expressions.
"""

import json
from dataclasses import asdict, replace

import numpy as np

from data.contact_sheet import contact_sheet
from data.png import write_png
from flows.eye import recognise
from flows.generated import Seeds, pictures_of, ws_of
from flows.judge import judge
from flows.stage import Stage
from metrics.roc import area, roc_curve
from models.stylegan2 import snapshot
from models.stylegan2.blend import Swap, blend
from models.stylegan2.train import Pair

COLUMNS = 14  # people on the table
JUDGED = 350  # people of the figures
PSI = 0.8


def run(stage: Stage) -> None:
    """Blends; raises ValueError where the swap lies beyond the generators' resolution or they are not related."""
    swap = Swap(**asdict(stage.params.blend))
    faces, face_card = snapshot.load(stage.inputs["stylegan@faces"] / "snapshot.npz")
    emoji, emoji_card = snapshot.load(stage.inputs["stylegan@emoji"] / "snapshot.npz")
    first, second, cards = faces.generator, emoji.generator, (face_card, emoji_card)
    chosen = blend(first, second, swap, cards)
    card = {"lineage": emoji_card["lineage"], "blend": asdict(swap), "ancestors": [each["lineage"] for each in cards]}
    snapshot.save(stage.out / "snapshot.npz", Pair(chosen, emoji.discriminator), card)

    shown = ws_of(first, Seeds.many(first.arch, COLUMNS, stage.params.seed + 1), PSI)
    seeds = Seeds.many(first.arch, JUDGED, stage.params.seed)
    judged = ws_of(first, seeds, PSI)
    read = judge(stage.inputs["fer@base"] / "weights.npz", stage.params.faces)
    know = recognise(stage.inputs["matcher@common"] / "weights.npz", stage.params.faces)
    posed = pictures_of(first, judged)
    seen, persons = read(posed).argmax(axis=1), know(posed)
    figures = {} if seeds.labels is None else {"expression_shown": float((seen == seeds.labels).mean())}
    rows = {"faces": first}
    rows |= {f"faces below {size}": blend(first, second, replace(swap, resolution=size), cards)
             for size in first.arch.resolutions}  # fmt: skip
    rows["emoji"] = second
    rows |= {f"emoji below {size}": blend(second, first, replace(swap, resolution=size), cards[::-1])
             for size in first.arch.resolutions}  # fmt: skip
    for number, (name, generator) in enumerate(rows.items()):
        stage.watch.progress(number, len(rows), name)
        made = pictures_of(generator, judged)
        figures[f"expression_kept/{name}"] = float((read(made).argmax(axis=1) == seen).mean())
        figures[f"identity_kept/{name}"] = area(roc_curve(np.eye(JUDGED, dtype=bool).ravel(), (know(made) @ persons.T).ravel()))
    pictures = np.concatenate([pictures_of(generator, shown) for generator in rows.values()])
    captions = [name if column == 0 else "" for name in rows for column in range(COLUMNS)]
    write_png(stage.out / "table.png", contact_sheet(pictures, COLUMNS, captions))
    (stage.out / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")
