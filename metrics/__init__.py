"""Figures of merit: how good a classifier is, how sure that is, and pictures of both."""
