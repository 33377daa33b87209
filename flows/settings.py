"""``params.yaml`` as the typed, strict form of ``flows.sections``: what runs now. A wrong key or value is refused by its name."""

import difflib
import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_type_hints

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML, YAMLError

from flows.sections import Params

FILE = Path("params.yaml")


class SettingsError(ValueError):
    """``params.yaml`` or a choice in ``conf/`` is not what the stages understand."""


def load(path: Path = FILE) -> Params:
    """The settings in a YAML file; raises ``SettingsError`` naming file, key, what was expected and what was found."""
    return validate(read(path), path)


def read(path: Path) -> dict:
    """The mapping in a YAML file, unchecked."""
    try:
        values = YAML(typ="safe").load(path)
    except FileNotFoundError:
        raise SettingsError(f"{path} is missing: make it with `python -m flows configure`") from None
    except YAMLError as error:
        raise SettingsError(f"{path} is not valid YAML: {error}") from None
    if not isinstance(values, dict):
        raise SettingsError(f"{path} holds {type(values).__name__}, not a mapping of settings")
    return values


def validate(values: dict, path: Path = FILE) -> Params:
    """``values`` as typed settings; ``path`` is the file that errors name."""
    try:
        # By way of JSON, because strict validation of Python values takes dataclasses but no mappings.
        return TypeAdapter(Params).validate_json(json.dumps(values, allow_nan=False), strict=True, extra="forbid")
    except ValidationError as error:
        faults = "\n".join(f"  {_fault(each)}" for each in error.errors(include_url=False))
        raise SettingsError(f"{path}:\n{faults}") from None
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{path} holds something else than finite numbers, text, lists, mappings: {error}") from None


def flatten(values: dict, prefix: str = "") -> dict:
    """Nested settings as one mapping from dotted keys, in order."""
    flat = {}
    for key, value in values.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def keys(section: type = Params, prefix: str = "") -> list[str]:
    """The dotted names of all settings, such as ``fer.epochs``."""
    names = []
    hints = get_type_hints(section)
    for field in fields(section):
        kind = hints[field.name]
        name = prefix + field.name
        names += keys(kind, f"{name}.") if is_dataclass(kind) else [name]
    return names


def keys_and_sections() -> list[str]:
    """``keys()`` and the names of the sections that they are in."""
    names = keys()
    return sorted({*names, *(name.rpartition(".")[0] for name in names if "." in name)})


def nearest(word: str, known: list[str]) -> str:
    """A sentence for an error: the known word nearest to ``word``, or all of them if none is near."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(sorted(known))}"


def _fault(error: dict) -> str:
    key, got = ".".join(str(part) for part in error["loc"]), error["input"]
    match error["type"]:
        case "unexpected_keyword_argument":
            return f"unknown key '{key}'; {nearest(key, keys_and_sections())}"
        case "missing":
            return f"key '{key}' is missing; `python -m flows configure` writes all keys"
        case "value_error":
            return f"'{key}': {error['msg'].removeprefix('Value error, ')}"
        case _:
            return f"'{key}': {error['msg'].replace('Input', 'it')}, got {got!r} ({type(got).__name__})"
