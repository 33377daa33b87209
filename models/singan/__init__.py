"""SinGAN: a pyramid of small generators, learnt from one picture (Shaham, Dekel and Michaeli 2019)."""
