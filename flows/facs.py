"""What FACS expects of the seven expressions (Friesen and Ekman 1983, "EMFACS")."""

import numpy as np

from data.faceset import EXPRESSIONS
from data.synthetic.action_units import MIXTURES, vector

STRENGTH = 0.8  # of an expression as people show it, of its mixtures' full one


def expected_units() -> np.ndarray:
    """(7, 17) float32 in [0, 1]: the action units of each expression, the mean of its mixtures."""
    means = [np.mean([vector(mixture) for mixture in MIXTURES[name]], axis=0) for name in EXPRESSIONS]
    return (STRENGTH * np.stack(means)).astype(np.float32)
