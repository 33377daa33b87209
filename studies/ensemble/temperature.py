"""Fits the temperature of a released network (Guo et al. 2017) on the validation rows of SET and keeps it in its card.

    python -m studies.ensemble.temperature SET models/released/NAME.npz

SET is a face set in which the rows called validation are those that the network was not trained on: the carve of
`data.validation` and `seed` that its card or NAME.params.yaml tells. Weights and all else in the card stay as they are.
"""

import sys
from pathlib import Path

from data.faceset import FaceSet
from metrics.calibration import expected_calibration_error, fit_temperature, tempered
from models.fer import weights
from models.fer.predict import probabilities


def main(faces: Path, path: Path) -> None:
    """Writes the weights file anew, and prints accuracy and calibration error of those rows before and after."""
    model, card = weights.load(path)
    validation = FaceSet.open(faces).split("validation")
    if validation.images.shape[1:] != (card["size"], card["size"], card["channels"]):
        raise ValueError(f"{faces} holds faces {validation.images.shape[1:]}, the network takes {card['size']} pixels")
    labels = validation.table["label"].to_numpy(int)
    said = probabilities(model, validation.images, card["mirror"])
    card["temperature"] = fit_temperature(labels, said)
    weights.save(path, model, card)
    before, after = (expected_calibration_error(labels, each) for each in (said, tempered(said, card["temperature"])))
    print(f"{path}: {len(labels):,} rows, accuracy {(said.argmax(axis=1) == labels).mean():.4f}, temperature "
          f"{card['temperature']:.3f}, calibration error {before:.3f} before, {after:.3f} after")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
