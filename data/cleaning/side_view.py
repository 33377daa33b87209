"""Rule `side_view`: how far a head is turned to the side, from where the tip of the nose lies between eyes and mouth.

From the front it lies midway. Turned by θ, what is w to the side of the middle comes to lie at w cos θ and the tip of
the nose, which stands out by d, at d sin θ: the second is d/w tan θ times the first.
"""

import math

import numpy as np

from data.cleaning.look import Look

WORSE = "higher"
MEASURE = "turn of the head to the side in degrees"
FAINT = True
NOSE = 0.8  # d/w, by the drawn heads, whose turn is known, from 0 to 45 degrees


def measure(look: Look) -> float:
    """The turn of the main face in degrees, 0 to 90 to either side; nan without a face."""
    if look.main is None:
        return math.nan
    left, right, nose, *corners = look.landmarks[look.main].astype(np.float64)
    eyes, mouth = (left + right) / 2, (corners[0] + corners[1]) / 2
    down = mouth - eyes
    across = np.array([down[1], -down[0]]) / max(np.hypot(*down), 1e-6)
    half = ((right - left + corners[1] - corners[0]) * across).sum() / 4
    return math.degrees(math.atan2(abs(((nose - eyes) * across).sum()), NOSE * max(half, 0.0)))
