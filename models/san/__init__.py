"""Semi-adversarial networks: faces that keep who they show and lose what they shall not tell."""
