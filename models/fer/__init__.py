"""Expression classifiers: networks, the weights people have, and how they are trained."""
