"""Who is on a picture: a compact embedding network, trained on the pipeline's own people."""
