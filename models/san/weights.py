"""SAN's networks on disk: an .npz with a card (`models.weights_file`) that says which network it is and how wide."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flax import nnx

from models import weights_file
from models.san.autoencoder import Autoencoder
from models.san.gender import Classifier, PaperClassifier, PortClassifier, made
from models.weights_file import WeightsError


def save(path: Path, network: Autoencoder | Classifier, card: Mapping[str, Any], half: bool = False) -> None:
    """Writes the weights, in single precision unless `half`; `card` holds whatever is to be remembered."""
    weights_file.write(path, nnx.to_pure_dict(nnx.state(network, nnx.Param)), {**card, **_facts(network)}, half)


def load(path: Path) -> tuple[Autoencoder | Classifier, dict[str, Any]]:
    """The network in a file that `save` made, and its card, whose `network` is "autoencoder", "paper" or "port".

    Raises FileNotFoundError, and WeightsError naming what the file lacks or has in another shape.
    """
    path = Path(path)
    arrays, card = weights_file.read(path, ("network",))
    try:
        blank = nnx.eval_shape(lambda: _made(card))
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{path}: its card describes no network of SAN: {error}") from error
    return weights_file.restore(blank, arrays, path), card


def _facts(network: Autoencoder | Classifier) -> dict[str, Any]:
    match network:
        case Autoencoder():
            widths = {"encoder": list(network.encoder_widths), "decoder": list(network.decoder_widths)}
            return {"network": "autoencoder", "slope": network.slope, "enlarge": network.enlarge} | widths
        case PaperClassifier():
            return {"network": "paper", "classes": network.classes, "size": None}
        case PortClassifier():
            return {"network": "port", "classes": network.classes, "size": network.size}


def _made(card: Mapping[str, Any]) -> Autoencoder | Classifier:
    rngs = nnx.Rngs(0)
    if card["network"] == "autoencoder":
        return Autoencoder(tuple(card["encoder"]), tuple(card["decoder"]), card["slope"], card["enlarge"], rngs=rngs)
    return made(card["network"], card["classes"], card["size"], rngs)
