"""What happens in a shot of two people: who speaks when, what the other one does meanwhile, and how they move.

Each kind is a trap for whoever has to tell which mouth a voice belongs to; the truth of each follows from how it is
made.
"""

from dataclasses import dataclass
from enum import StrEnum

LEFT, RIGHT, UNSEEN = 0, 1, None  # who speaks; people are counted from the left of the first frame
PAUSE_S = 0.5  # between two who take turns, and before and after all


class Doing(StrEnum):
    """What a mouth does while its owner does not speak."""

    RESTS = "rests"
    CHEWS = "chews"
    LAUGHS = "laughs"
    MOUTHS_ALONG = "mouths along"  # what the other one says, late and small
    FILMED = "filmed"  # a real person who smiles or makes faces


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody speaks, in seconds of the shot."""

    who: int | None  # LEFT, RIGHT, or UNSEEN
    start_s: float
    end_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PeopleShot:
    """A shot of one or two people.

    Attributes:
        kind: its name, the same for all shots of this kind.
        length_s: of the shot.
        turns: who speaks when; those of different people may overlap.
        meanwhile: what each person does while silent.
        crosses: whether the two pass each other halfway.
    """

    kind: str
    length_s: float
    turns: tuple[Turn, ...]
    meanwhile: tuple[Doing, ...]
    crosses: bool = False

    @property
    def talks_over(self) -> bool:
        """Whether two people are heard at once."""
        pairs = [(one, other) for one in self.turns for other in self.turns if one.who != other.who]
        return any(one.start_s < other.end_s and other.start_s < one.end_s for one, other in pairs)

    def speaks(self, person: int) -> bool:
        """Whether this person says something."""
        return any(turn.who == person for turn in self.turns)


def people_shots() -> list[PeopleShot]:
    """All shots, in an order that puts unlike ones next to each other."""
    kinds = [
        *(_alone(who, doing) for doing in Doing for who in (LEFT, RIGHT)),
        *(_alone(who, Doing.RESTS, crosses=True) for who in (LEFT, RIGHT)),
        *(_alone(UNSEEN, doing) for doing in (Doing.RESTS, Doing.CHEWS, Doing.FILMED)),
        _in_turn(LEFT, RIGHT),
        _in_turn(RIGHT, LEFT),
        _in_turn(LEFT, RIGHT, crosses=True),
        _in_turn(LEFT, UNSEEN),
        _in_turn(UNSEEN, RIGHT),
        _silent(Doing.RESTS),
        _silent(Doing.CHEWS),
        _both(),
        _one_person(LEFT),
        _one_person(UNSEEN),
    ]
    return [kinds[(7 * place) % len(kinds)] for place in range(2 * len(kinds))]


def _alone(who: int | None, doing: Doing, *, crosses: bool = False) -> PeopleShot:
    name = {LEFT: "left speaks", RIGHT: "right speaks", UNSEEN: "voice off screen"}[who]
    return PeopleShot(
        kind=f"{name}, other {doing}" + (", they cross" if crosses else ""),
        length_s=5.0,
        turns=(Turn(who, PAUSE_S, 4.5),),
        meanwhile=(doing, doing) if doing is not Doing.FILMED or who is UNSEEN else _filmed(who),
        crosses=crosses,
    )


def _filmed(speaker: int | None) -> tuple[Doing, ...]:
    """Only who never speaks can be a real person."""
    return (Doing.RESTS, Doing.FILMED) if speaker == LEFT else (Doing.FILMED, Doing.RESTS)


def _in_turn(first: int | None, second: int | None, *, crosses: bool = False) -> PeopleShot:
    names = {LEFT: "left", RIGHT: "right", UNSEEN: "off screen"}
    return PeopleShot(
        kind=f"{names[first]}, then {names[second]}" + (", they cross" if crosses else ""),
        length_s=6.5,
        turns=(Turn(first, PAUSE_S, 3.0), Turn(second, 3.0 + PAUSE_S, 6.0)),
        meanwhile=(Doing.RESTS, Doing.RESTS),
        crosses=crosses,
    )


def _silent(doing: Doing) -> PeopleShot:
    return PeopleShot(kind=f"nobody speaks, both {doing}", length_s=3.0, turns=(), meanwhile=(doing, doing))


def _both() -> PeopleShot:
    turns = (Turn(LEFT, PAUSE_S, 4.0), Turn(RIGHT, 2 * PAUSE_S, 4.5))
    return PeopleShot(kind="both at once", length_s=5.0, turns=turns, meanwhile=(Doing.RESTS, Doing.RESTS))


def _one_person(who: int | None) -> PeopleShot:
    kind = "one person speaks" if who == LEFT else "one person hears a voice off screen"
    return PeopleShot(kind=kind, length_s=4.0, turns=(Turn(who, PAUSE_S, 3.5),), meanwhile=(Doing.RESTS,))
