"""What parts the cells of a CSV: spreadsheets of half the world write semicolons, where a comma parts decimals."""

import re
from collections.abc import Collection

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
_SEPARATOR = re.compile(r'"?sep=.?[,;\t]*"?[,;\t ]*(?:\r\n|\r|\n)', re.IGNORECASE)


def csv_delimiter(text: str, columns: Collection[str]) -> str:
    """Of comma, semicolon and tab the one by which the header names most columns; the comma where none names any.

    Args:
        text: the CSV, with its header.
        columns: the names that are known, in small letters.
    """
    header = text.lstrip().splitlines()[:1]
    named = {
        delimiter: sum(name.strip(' "').lower() in columns for line in header for name in line.split(delimiter))
        for delimiter in DELIMITERS
    }
    return max(named, key=lambda delimiter: named[delimiter])


def without_separator(text: str) -> tuple[str, int]:
    """A CSV without the line `sep=;` that spreadsheets write before the header, and how many lines that are.

    Args:
        text: the CSV.
    """
    line = _SEPARATOR.match(text)
    return (text[line.end() :], 1) if line else (text, 0)
