"""`--set key=value`: a few fields of a frozen configuration replaced from the command line."""

import dataclasses
from collections.abc import Iterable
from enum import StrEnum
from fractions import Fraction
from typing import Any, TypeVar, get_type_hints

Config = TypeVar("Config")
_TYPES = (bool, int, float, str, Fraction)


class OverrideError(ValueError):
    """A key that is not there, or a value that does not fit; says which keys there are."""


def override_keys(config: Any) -> list[str]:
    """The keys that may be set, dotted, sorted: every field that holds a plain value."""
    return sorted(_fields(config, ""))


def override(config: Config, settings: Iterable[str]) -> Config:
    """The configuration with `key=value` texts applied; each class checks its own values.

    Raises:
        OverrideError: for the first text that does not fit.
    """
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise OverrideError(f"{setting!r} is not key=value")
        if key not in override_keys(config):
            raise OverrideError(f"unknown key {key!r}; known are {', '.join(override_keys(config))}")
        try:
            config = _replaced(config, key.split("."), text)
        except (ValueError, ZeroDivisionError) as error:
            raise OverrideError(f"{setting}: {error}") from error
    return config


def _fields(config: Any, prefix: str) -> list[str]:
    keys: list[str] = []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            keys += _fields(value, f"{prefix}{field.name}.")
        elif type(value) in _TYPES or isinstance(value, StrEnum):
            keys.append(prefix + field.name)
    return keys


def _replaced(config: Any, path: list[str], text: str) -> Any:
    old = getattr(config, path[0])
    new = _replaced(old, path[1:], text) if path[1:] else _parsed(text, _kind(config, path[0]))
    return dataclasses.replace(config, **{path[0]: new})


def _kind(config: Any, name: str) -> type:
    """Of a field's values: a float that happens to be a whole number, as a weight of 0, is none of int."""
    return float if get_type_hints(type(config))[name] is float else type(getattr(config, name))


def _parsed(text: str, kind: type) -> Any:
    if kind is bool:
        if text not in ("true", "false"):
            raise ValueError("true or false is needed")
        return text == "true"
    return kind(text)
