"""Semi-adversarial networks: faces that keep who they show and lose an attribute."""
