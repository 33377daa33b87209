"""Networks, losses and training programs, one package a paper."""
