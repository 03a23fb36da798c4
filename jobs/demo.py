"""The demo: a film of several shots is built, dubbed and verified, and its run is logged."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jobs.demo_film import build_demo
from jobs.dub import FAILED, DubOutcome, DubRequest
from jobs.dub_pipeline import dub_here
from jobs.progress import Display
from pipelines.proof import Proof
from pipelines.verify import verify_films

MATERIAL = "material"  # folder below OUT: the film and its dub, which are not deliveries


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoOutcome:
    """What the demo came to."""

    dub: DubOutcome
    proofs: list[Proof]
    seconds: float
    out: Path

    @property
    def exit_code(self) -> int:
        """0 when the film is dubbed and every proof holds."""
        return self.dub.exit_code if all(proof.holds for proof in self.proofs) else FAILED

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        proofs = [asdict(proof) | {"holds": proof.holds} for proof in self.proofs]
        return {"dub": asdict(self.dub), "proofs": proofs, "seconds": self.seconds, "out": str(self.out)}


def run_demo(out: Path, display: Display) -> DemoOutcome:
    """Build, dub, verify.

    Raises:
        AssetUnavailableError: a clip or a model is neither in the cache nor to be had.
    """
    begin = time.monotonic()
    demo = build_demo(out / MATERIAL)
    outcome = dub_here(DubRequest(catalog=demo.catalog, out=out), display)
    delivered = [Path(film["delivered_uri"]) for film in outcome.films if film["delivered_uri"]]
    proofs = [verify_films(demo.film, path, demo.dub) for path in delivered]
    return DemoOutcome(dub=outcome, proofs=proofs, seconds=round(time.monotonic() - begin, 1), out=out)
