"""The child that looks at untrusted media: requests in by line, verdicts out by line, and nothing else.

Run as `python -m pipelines.admission`. It is spawned, never forked (decoder threads do not survive a fork),
limited in memory, and killed by its parent when it stands still.
"""

import json
import resource
import sys
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.cue_sheet import CueSheetError, cue_lines, takes_of
from pipelines.media.dub_sound import SoundProbe, probe_sound
from pipelines.media.probe import Probe, probe_film
from pipelines.media.refusal import MediaRefusedError
from schemas.reason import Refusal
from schemas.timing import rational

VERSION = 1  # raised when the same files are admitted otherwise, or with other facts
MEMORY_BYTES = 6 << 30
MIN_DUB_SHARE = 0.9  # a stem may end after its last line; one that covers less of the film is another film's
FACTS = (
    "width_px",
    "height_px",
    "pixel_format",
    "video_codec",
    "time_base",
    "frame_rate",
    "start_pts",
    "end_pts",
    "num_frames",
)
Problem = dict[str, str]


def examine(request: dict[str, Any]) -> dict[str, Any]:
    """The film's facts and all that is wrong with the files of one request."""
    film = _tried(_film, request["film"])
    problems = [{"column": "film", **film}] if isinstance(film, dict) else []
    if request["dub_kind"] == "cue_sheet":
        problems += [{"column": "cue_sheet", **problem} for problem in _sheet(request["dub"])]
    else:
        dub = _tried(_sound, request["dub"])
        problems += [{"column": request["dub_kind"], **dub}] if isinstance(dub, dict) else []
        problems += [] if isinstance(dub, dict) else _too_short(request["dub_kind"], film, dub)
    if request.get("me_stem"):
        me = _tried(_sound, request["me_stem"])
        problems += [{"column": "me_stem", **me}] if isinstance(me, dict) else _too_short("me_stem", film, me)
    return {"facts": film_facts(film) if isinstance(film, Probe) else None, "problems": problems}


def film_facts(probe: Probe) -> dict[str, Any]:
    """The columns of FILM that a probe knows."""
    facts = {name: getattr(probe, name) for name in FACTS}
    return facts | {name: rational(facts[name]) for name in ("time_base", "frame_rate")}


def _too_short(column: str, film: Probe | Problem, sound: SoundProbe | Problem) -> list[Problem]:
    if not isinstance(film, Probe) or not isinstance(sound, SoundProbe):
        return []
    film_s = film.duration_s
    if sound.end_s >= film_s * MIN_DUB_SHARE:
        return []
    detail = f"its sound ends at {float(sound.end_s):.1f} s, the film lasts {float(film_s):.1f} s"
    return [{"column": column, "refusal": Refusal.DUB_TOO_SHORT.value, "detail": detail}]


def _sheet(path: str) -> list[Problem]:
    """What is wrong with a cue sheet as a whole; a take that is no sound costs its line alone."""
    try:
        takes = takes_of(Path(path), cue_lines(Path(path)))
    except CueSheetError as error:
        return [{"refusal": Refusal.BAD_ROW.value, "detail": detail} for detail in str(error).splitlines()]
    looks = [_tried(_sound, str(take)) for take in takes.values()]
    if any(isinstance(look, SoundProbe) for look in looks):
        return []
    return [{"refusal": Refusal.NO_SOUND.value, "detail": f"none of its takes can be heard: {looks[0]['detail']}"}]


def _tried(look: Any, path: str) -> Any:
    try:
        return look(path)
    except MediaRefusedError as error:
        return {"refusal": error.refusal.value, "detail": error.detail}


@cache  # several languages of one film are one look
def _film(path: str) -> Probe:
    return probe_film(Path(path), lambda num_frames: _say({"num_frames": num_frames}))


@cache
def _sound(path: str) -> SoundProbe:
    return probe_sound(Path(path))


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
