"""Rule `no_face`: how sure the detector is that what would be cut out of a picture is a face."""

import math

from data.cleaning.look import Look

WORSE = "lower"
MEASURE = "probability of the main face, 0 without one"


def measure(look: Look) -> float:
    """The detector's score of the main face, in [0, 1]; nan where no faces were looked for."""
    if look.scores is None:
        return math.nan
    return 0.0 if look.main is None else float(look.scores[look.main])
