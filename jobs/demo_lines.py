"""What the demo film says, and what its Spanish dub says instead."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

TAKES = Path(__file__).with_name("demo_takes")
LANGUAGE = "es"


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoLine:
    """One line of the dub and where it lies."""

    name: str  # of its take
    shot_index: int
    start_s: Fraction  # from the start of its shot
    length_s: Fraction  # the take is fitted to it, as a voice actor fits a line to the lips
    original: str  # what is said in the clip
    text: str  # the line
    spoken: str  # the line as a Spanish letter-to-sound rule has to read it
    voice: str  # of the synthesiser

    @property
    def take(self) -> Path:
        """The recorded line."""
        return TAKES / f"{self.name}.ogg"


LINES = (
    DemoLine(
        name="greeting",
        shot_index=0,
        start_s=Fraction("0.78"),
        length_s=Fraction("1.20"),
        original="Hi, I'm Jon Peirce.",
        text="Hola, soy Jon Peirce.",
        spoken="Hola, soy Yon Pirs.",
        voice="em_alex",
    ),
    DemoLine(
        name="lecturer",
        shot_index=0,
        start_s=Fraction("2.10"),
        length_s=Fraction("2.10"),
        original="I'm a lecturer at the University of Nottingham, and I'm a",
        text="Soy profesor en la Universidad de Nottingham.",
        spoken="Soy profesor en la Universidad de Nótingam.",
        voice="em_alex",
    ),
    DemoLine(
        name="today",
        shot_index=1,
        start_s=Fraction("1.05"),
        length_s=Fraction("0.50"),
        original="Today,",
        text="Hoy,",
        spoken="Hoy,",
        voice="em_santa",
    ),
    DemoLine(
        name="negotiations",
        shot_index=1,
        start_s=Fraction("2.10"),
        length_s=Fraction("1.65"),
        original="after two years of negotiations,",
        text="tras dos años de negociaciones,",
        spoken="tras dos años de negociaciones,",
        voice="em_santa",
    ),
    DemoLine(
        name="hello",
        shot_index=4,
        start_s=Fraction("0.24"),
        length_s=Fraction("1.06"),
        original="Hi, I'm Jon Peirce.",
        text="Me llamo Jon Peirce.",
        spoken="Me llamo Yon Pirs.",
        voice="em_alex",
    ),
    DemoLine(
        name="psychology",
        shot_index=4,
        start_s=Fraction("1.35"),
        length_s=Fraction("2.12"),
        original="I'm a lecturer in psychology at the University of Nottingham.",
        text="Doy clases de psicología en Nottingham.",
        spoken="Doy clases de sicología en Nótingam.",
        voice="em_alex",
    ),
)
