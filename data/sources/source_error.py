"""What is wrong with data from outside, said so that a person can put it right."""


class SourceError(ValueError):
    """Names the file and row, what was expected there, and what to do."""


def known(place: str, line: int, column: str, text: str, values: dict[str, str | int]) -> str | int:
    """What `text` stands for in `values`. Raises SourceError, naming the line, if it is none of them."""
    value = values.get(text.strip())
    if value is None:
        raise SourceError(f"{place}, line {line}: {column} is {text.strip()!r}, expected one of {', '.join(values)}")
    return value
