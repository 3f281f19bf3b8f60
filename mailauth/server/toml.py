"""
Reading a TOML table that a person wrote. Owns the mistakes: each is kept with its key, what the
key holds and what it may hold, and none stops the reading, so that all of them can be said at
once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import attrs

_T = TypeVar("_T")

_UNITS = {
    "": 1,
    "s": 1,
    "m": 60,
    "h": 3600,
    "d": 86400,
}
_SIZES = {"": 1, "kB": 1000, "KiB": 1024, "MB": 10**6, "MiB": 2**20, "GB": 10**9, "GiB": 2**30}


@attrs.frozen
class Mistake:
    """
    One thing that is wrong.

    @ivar key: the path of the key, such as C{signin.account_password}.
    @ivar says: what is wrong with it and what it may hold.
    """

    key: str
    says: str

    def __str__(self) -> str:
        return f"{self.key}: {self.says}"


class ConfigurationError(Exception):
    """
    A configuration cannot be used.

    @ivar mistakes: all of them.
    """

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class Table:
    """
    A table that is being read. Each method takes one key out of it, and answers with its default
    where it is missing or wrong; L{finish} complains about the keys that nobody took.
    """

    def __init__(
        self, members: Mapping[str, Any], mistakes: list[Mistake], path: str, directory: Path
    ) -> None:
        """
        @param mistakes: where mistakes are put.
        @param path: of this table, empty for the outermost.
        @param directory: what relative file names are relative to.
        """
        self._members = members
        self._mistakes = mistakes
        self._path = path
        self._directory = directory
        self._taken: set[str] = set()

    def mistaken(self, key: str, says: str) -> None:
        """
        Note a mistake.
        """
        self._mistakes.append(Mistake(self._name(key), says))

    def has(self, key: str) -> bool:
        """
        Whether the key is there.
        """
        return key in self._members

    def table(self, key: str) -> Table:
        """
        A table within this one; an empty one if it is missing.
        """
        members = self._take(key, {}, lambda value: isinstance(value, dict), "a table")
        return Table(members, self._mistakes, self._name(key), self._directory)

    def tables(self, key: str) -> dict[str, Table]:
        """
        The tables within a table, by their names.
        """
        outer = self.table(key)
        return {name: outer.table(name) for name in outer._members}

    def text(self, key: str, default: _T = None) -> str | _T:  # type: ignore[assignment]
        """
        A string that is not empty.
        """
        value: str | _T = self._take(
            key, default, lambda value: isinstance(value, str) and value, "a text that is not empty"
        )
        return value

    def required(self, key: str) -> str:
        """
        A string that has to be there.
        """
        self._taken.add(key)
        if key not in self._members:
            self.mistaken(key, "is missing")
            return ""
        return self.text(key, "")

    def choice(self, key: str, choices: Iterable[str], default: _T) -> str | _T:
        """
        One of several strings.
        """
        allowed = tuple(choices)
        value: str | _T = self._take(
            key,
            default,
            lambda value: isinstance(value, str) and value in allowed,
            "one of " + ", ".join(f'"{choice}"' for choice in allowed),
        )
        return value

    def texts(self, key: str, default: Iterable[str] = ()) -> tuple[str, ...]:
        """
        A list of strings, or one string.
        """
        value = self._take(
            key,
            list(default),
            lambda value: all(
                isinstance(each, str) and each
                for each in (value if isinstance(value, list) else [value])
            ),
            "a text that is not empty, or a list of them",
        )
        return tuple(value) if isinstance(value, list) else (value,)

    def boolean(self, key: str, default: bool) -> bool:
        """
        C{true} or C{false}.
        """
        value: bool = self._take(
            key, default, lambda value: isinstance(value, bool), "true or false"
        )
        return value

    def integer(self, key: str, default: int, low: int, high: int) -> int:
        """
        A whole number within bounds.
        """
        number: int = self._take(
            key,
            default,
            lambda value: (
                isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
            ),
            f"a whole number from {low} to {high}",
        )
        return number

    def seconds(self, key: str, default: float, low: float, high: float) -> float:
        """
        A duration: a number of seconds, or a text such as C{"15m"}.
        """
        return self._measured(
            key, default, low, high, parseDuration, 'a time such as "90s", "15m", "1h" or "30d"'
        )

    def octets(self, key: str, default: int, low: int, high: int) -> int:
        """
        A size: a number of octets, or a text such as C{"50MB"}.
        """
        return int(
            self._measured(
                key, default, low, high, parseSize, 'a size such as "500kB", "50MB" or "1GiB"'
            )
        )

    def _measured(
        self,
        key: str,
        default: float,
        low: float,
        high: float,
        parse: Callable[[str | float], float],
        says: str,
    ) -> float:
        def within(value: Any) -> bool:
            try:
                return low <= parse(value) <= high
            except (ValueError, OverflowError):
                return False

        return parse(self._take(key, default, within, f"{says}, from {low:g} to {high:g}"))

    def path(self, key: str, default: _T = None) -> Path | _T:  # type: ignore[assignment]
        """
        A file name; a relative one is relative to the configuration file.
        """
        name = self._take(
            key,
            None,
            lambda value: isinstance(value, str) and value and "\0" not in value,
            "the name of a file",
        )
        return default if name is None else self._directory / name

    def file(self, key: str) -> Path | None:
        """
        The name of a file that can be read.
        """
        path: Path | None = self.path(key)
        if path is not None:
            try:
                path.open("rb").close()
            except OSError as error:
                self.mistaken(key, f"cannot read {path}: {error.strerror}")
                return None
        return path

    def finish(self) -> None:
        """
        Complain about every key that nobody asked for: most often it is misspelt.
        """
        for key in self._members:
            if key not in self._taken:
                near = get_close_matches(key, self._taken, 1)
                says = "is not a key here" + (f"; did you mean {near[0]}?" if near else "")
                self.mistaken(key, says)

    def _take(self, key: str, default: Any, suits: Callable[[Any], Any], says: str) -> Any:
        self._taken.add(key)
        if key not in self._members:
            return default
        value = self._members[key]
        if not suits(value):
            self.mistaken(key, f"holds {value!r:.80}; it may hold {says}")
            return default
        return value

    def _name(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key


def parseDuration(value: str | float) -> float:
    """
    @return: seconds.
    @raise ValueError: it is no duration.
    """
    return _parse(value, _UNITS)


def parseSize(value: str | float) -> float:
    """
    @return: octets.
    @raise ValueError: it is no size.
    """
    return _parse(value, _SIZES)


def _parse(value: str | float, units: Mapping[str, int]) -> float:
    if isinstance(value, bool):
        raise ValueError("a number with a unit is needed")
    if isinstance(value, int | float):
        return float(value)
    match = re.fullmatch(r"([0-9]{1,12}) ?([A-Za-z]*)", value) if isinstance(value, str) else None
    if match is None or match[2] not in units:
        raise ValueError(f"a number with one of the units {', '.join(filter(None, units))}")
    return float(int(match[1]) * units[match[2]])
