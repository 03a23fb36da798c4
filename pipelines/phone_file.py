"""The phone times of a clip, as the Montreal Forced Aligner writes them: what is said when."""

import csv
from pathlib import Path

from diff2lip.mouth_motion import Phone

SUFFIX = ".csv"  # beside the clip, under its name
COLUMNS = ("Begin", "End", "Label", "Type")
PHONES = "phones"  # the other type is words


class PhoneFileError(ValueError):
    """A file of phone times that is none, or lines in it; all are named."""


def read_phones(path: Path) -> list[Phone]:
    """The phones of `mfa align --output_format csv`: columns Begin, End, Label, Type, seconds from the clip's start.

    Raises:
        PhoneFileError: columns are missing, a line has no times, or ends before it begins.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise PhoneFileError(
                    f"{path.name} has no column {', '.join(missing)}: write it by the aligner's csv format"
                )
            lines = [(reader.line_num, line) for line in reader if line["Type"] == PHONES]
    except UnicodeDecodeError as error:
        raise PhoneFileError(f"{path.name} is not UTF-8 text (byte {error.start})") from error
    found = [(number, _phone(line)) for number, line in lines]
    wrong = [str(number) for number, phone in found if phone is None]
    if wrong:
        raise PhoneFileError(f"{path.name}: no times, or an end before its begin, in line {', '.join(wrong[:10])}")
    return [phone for _, phone in found if phone is not None]


def _phone(line: dict[str, str]) -> Phone | None:
    try:
        begin_s, end_s = float(line["Begin"]), float(line["End"])
    except (TypeError, ValueError):
        return None
    return Phone(line["Label"], begin_s, end_s) if 0 <= begin_s < end_s < float("inf") else None
