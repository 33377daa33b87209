"""What is wrong with data from outside, said so that a person can put it right."""


class SourceError(ValueError):
    """Names the file and row, what was expected there, and what to do."""
