"""The child that looks at untrusted media: requests in by line, verdicts out by line, and nothing else.

Run as `python -m pipelines.admission`. It is spawned, never forked (decoder threads do not survive a fork),
limited in memory, and killed by its parent when it stands still.
"""

import json
import resource
import sys
from functools import cache, partial
from pathlib import Path
from typing import Any

from pipelines.cue_cells import CueSheetError
from pipelines.cue_sheet import CueLine, cue_lines, takes_of
from pipelines.media.dub_sound import SoundProbe, probe_sound
from pipelines.media.given_stream import GivenSound, given_sound
from pipelines.media.probe import Probe, probe_film
from pipelines.media.refusal import MediaRefusedError
from pipelines.programme_time import first_timecode_s, misplaced
from pipelines.stem_channel import stem_channel
from schemas.mix import StemChannel
from schemas.reason import FilmNote, Refusal
from schemas.timing import rational

VERSION = 15  # raised when the same files are admitted otherwise, or with other facts
MEMORY_BYTES = 6 << 30
FILM_FACTS = (
    "width_px",
    "height_px",
    "pixel_format",
    "video_codec",
    "sound_rate_hz",
    "sound_layout",
    "sound_place",
    "num_sounds",
    "time_base",
    "frame_rate",
    "start_pts",
    "end_pts",
    "num_frames",
    "num_gops",
    "whole",
    "colours",
    "notes",
)
FACTS = (*FILM_FACTS, "dub_place")
Problem = dict[str, str]


def examine(request: dict[str, Any]) -> dict[str, Any]:
    """The film's facts and all that is wrong with the files of one request."""
    film = _tried(partial(_film, source_language=request.get("source_language")), request["film"])
    problems, dub = [{"column": "film", **film}] if isinstance(film, dict) else [], GivenSound()
    channel = StemChannel.MEAN
    if request["dub_kind"] == "cue_sheet":
        problems += [
            {"column": "cue_sheet", **problem} for problem in _sheet(Path(request["dub"]), film, request["film"])
        ]
    else:
        dub = _tried(partial(_given, language=request.get("language")), request["dub"])
        problems += [{"column": request["dub_kind"], **dub}] if isinstance(dub, dict) else []
        if not problems:
            channel = _channel(request, dub)
    if request.get("me_stem"):
        me = _tried(partial(_given, language=None), request["me_stem"])
        problems += [{"column": "me_stem", **me}] if isinstance(me, dict) else []
    facts = (
        _with_dub(film_facts(film), dub, channel) if isinstance(film, Probe) and isinstance(dub, GivenSound) else None
    )
    return {"facts": facts, "problems": problems}


def film_facts(probe: Probe) -> dict[str, Any]:
    """The columns of FILM that a probe knows."""
    facts = {name: getattr(probe, name) for name in FILM_FACTS}
    facts |= {name: rational(facts[name]) for name in ("time_base", "frame_rate")}
    colours = [{"start_pts": pts, **tags._asdict()} for pts, tags in probe.colours]
    notes = [{"note": note.note.value, "detail": note.detail} for note in probe.notes]
    return facts | {"colours": colours, "notes": notes}


def _channel(request: dict[str, Any], dub: GivenSound | Problem) -> StemChannel:
    """What of a dub that nothing is wrong with is heard."""
    place = dub.place if isinstance(dub, GivenSound) else 0
    return stem_channel(Path(request["dub"]), request["dub_kind"], lambda: _say({"heard": request["dub"]}), place)


def _with_dub(facts: dict[str, Any], dub: GivenSound, channel: StemChannel) -> dict[str, Any]:
    """The facts of a film with those of its dub's file."""
    told = [{"note": FilmNote.DUB_SOUND.value, "detail": dub.told}] if dub.told else []
    return facts | {"dub_place": dub.place, "dub_channel": channel.value, "notes": [*facts["notes"], *told]}


def _sheet(path: Path, film: Probe | Problem, film_path: str) -> list[Problem]:
    """What is wrong with a cue sheet as a whole; a take that is no sound costs its line alone."""
    try:
        lines = cue_lines(path)
    except CueSheetError as error:
        return [{"refusal": Refusal.BAD_ROW.value, "detail": detail} for detail in str(error).splitlines()]
    looks = [_heard_take(take) for take in takes_of(path, lines).values()]  # each: none may crash whoever places it
    problems = _misplaced(lines, film, Path(film_path)) if isinstance(film, Probe) else []
    if None not in looks:
        detail = f"none of its takes can be heard: {looks[0]}"
        problems.append({"refusal": Refusal.NO_SOUND.value, "detail": detail})
    return problems


def _misplaced(lines: list[CueLine], film: Probe, path: Path) -> list[Problem]:
    starts = [line.start_s for line in lines if line.start_s is not None and not line.flaw]
    detail = misplaced(starts, film.duration_s, first_timecode_s(path))
    return [{"refusal": Refusal.BAD_ROW.value, "detail": detail}] if detail else []


def _heard_take(path: Path) -> str | None:
    """Why a take cannot be heard; None of one that can."""
    _say({"take": path.name})
    try:
        look = _tried(_sound, str(path))
    except OSError as error:
        return f"{path.name}: {error.strerror}"
    return None if isinstance(look, SoundProbe) else str(look["detail"])


def _tried(look: Any, path: str) -> Any:
    try:
        return look(path)
    except MediaRefusedError as error:
        return {"refusal": error.refusal.value, "detail": error.detail}


@cache  # several languages of one film are one look
def _film(path: str, source_language: str | None) -> Probe:
    return probe_film(Path(path), lambda num_frames: _say({"num_frames": num_frames}), source_language)


@cache
def _sound(path: str, place: int = 0) -> SoundProbe:
    return probe_sound(Path(path), place)


def _given(path: str, language: str | None) -> GivenSound:
    """Which sound of a file is a dub, or music and effects; one that can be heard."""
    given = given_sound(Path(path), language)
    _sound(path, given.place)
    return given


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def serve() -> None:
    """Answer each line of standard input until it ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _say({"ready": True})
    for line in sys.stdin:
        _say(examine(json.loads(line)))


if __name__ == "__main__":
    serve()
