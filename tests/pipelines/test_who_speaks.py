"""Who of several mouths speaks: in turn, at once, or nobody who is seen."""

from itertools import product

import numpy as np
import pytest

from pipelines.eligibility import Eligibility
from pipelines.heard_sound import heard_sound
from pipelines.speaking import Mouth
from pipelines.who_speaks import forward_backward, speaking_scores
from tests.mouths_made import Floats, resting, samples, seen, syllables, voice

TURNS = [samples(0.2, 3.0), samples(3.5, 6.3)]
LENGTH_S = 6.5


def heard_in_turn(first: Floats, second: Floats) -> tuple[Floats, Floats, Floats]:
    """Mouths of two who speak in turn and rest meanwhile, and what both say together."""
    one, other = resting(1, LENGTH_S), resting(2, LENGTH_S)
    one[20:300], other[350:630] = first[20:300], second[350:630]
    quiet = np.zeros(len(one))
    quiet[20:300], quiet[350:630] = first[20:300], second[350:630]
    return one, other, quiet


@pytest.mark.parametrize("seed", range(4))
def test_each_of_two_who_speak_in_turn_owns_their_own_pieces(seed: int) -> None:
    one, other, said = heard_in_turn(syllables(seed, LENGTH_S), syllables(seed + 50, LENGTH_S))

    pieces, scores = speaking_scores([seen(one), seen(other)], heard_sound(voice(said)), TURNS)

    firsts = np.array([start < TURNS[1][0] for start, _ in pieces])
    assert scores[0, firsts].min() > 0.9
    assert scores[1, ~firsts].min() > 0.9
    assert scores[0, ~firsts].max() < 0.1
    assert scores[1, firsts].max() < 0.1


@pytest.mark.parametrize("seed", range(4))
def test_of_two_who_move_alike_the_one_who_is_heard_is_found(seed: int) -> None:
    mine, other = syllables(seed), syllables(seed + 100)

    _, scores = speaking_scores([seen(other), seen(mine)], heard_sound(voice(mine)), [samples(0, 6)])

    assert scores[1].min() > 0.8
    assert scores[0].max() < 0.3


def test_nobody_is_heard_where_the_voice_is_off_screen() -> None:
    _, scores = speaking_scores(
        [seen(resting(1)), seen(resting(2))], heard_sound(voice(syllables(3))), [samples(0, 6)]
    )

    assert scores.max() < 0.05


def test_a_mouth_is_scored_only_where_it_is_seen() -> None:
    mouth = syllables(0)
    late = seen(mouth[300:])
    shown = type(late)(late.times_s + 3, late.openings)

    pieces, (scores,) = speaking_scores([shown], heard_sound(voice(mouth)), [samples(0, 6)])

    assert [bool(np.isnan(score)) for score in scores] == [end <= samples(0, 3)[1] for _, end in pieces]
    assert np.nanmin(scores) > 0.8


def test_film_time_may_begin_below_zero() -> None:
    """A second of picture before the sound begins, and speech that is said to be there: nobody is heard in it."""
    mouth = syllables(0)
    early = Mouth(seen(mouth).times_s - 1.0, seen(mouth).openings)

    _, ((before, *_, last),) = speaking_scores(
        [early], heard_sound(voice(mouth[100:])), [samples(-1, -0.3), samples(0, 5)]
    )

    assert 0 <= before <= 1
    assert last > 0.9


def test_without_mouths_or_speech_there_is_nothing_to_say() -> None:
    heard = heard_sound(voice(syllables(0)))

    assert speaking_scores([], heard, [samples(0, 1)])[1].shape == (0, 1)
    assert speaking_scores([seen(syllables(0))], heard, [])[1].shape == (1, 0)


def test_posteriors_are_those_of_all_sequences_of_states_added_up() -> None:
    """The third state is not possible in the second piece, the second one not in the last."""
    emissions, change = np.random.default_rng(0).normal(0, 2, (4, 3)), np.array([0.03, 0.25, 0.4])
    emissions[1, 2] = emissions[3, 1] = -np.inf
    possible = np.isfinite(emissions)
    expected = np.zeros((4, 3))
    for path in product(range(3), repeat=4):
        weight = np.exp(sum(emissions[at, path[at]] for at in range(4))) * possible[0, path[0]] / possible[0].sum()
        for at in range(3):
            stays = (1 - change[at]) * possible[at + 1, path[at]]
            weight *= stays * (path[at + 1] == path[at]) + (1 - stays) / possible[at + 1].sum()
        for at in range(4):
            expected[at, path[at]] += weight

    found = forward_backward(emissions, change)

    assert np.allclose(found, expected / expected.sum(1, keepdims=True))


def test_short_words_and_passing_faces_change_nothing_about_who_speaks() -> None:
    mouth = syllables(0)
    speech = [samples(*span) for span in ((0.2, 1.7), (2.1, 2.3), (2.7, 3.8), (4.2, 4.4), (4.8, 5.8))]
    passing = [Mouth(np.array([2.0 + 0.01 * place]), np.array([0.1])) for place in range(20)]

    _, (alone,) = speaking_scores([seen(mouth)], heard_sound(voice(mouth)), speech)
    _, (crowded, *others) = speaking_scores([seen(mouth), *passing], heard_sound(voice(mouth)), speech)

    assert alone.min() > Eligibility().min_speaking_score
    assert np.abs(crowded - alone).max() < 0.02
    assert np.isnan(others).all()


def test_without_evidence_nobody_is_surely_heard() -> None:
    """One word of a fifth of a second."""
    _, ((score,),) = speaking_scores([seen(syllables(0))], heard_sound(voice(syllables(0))), [samples(2.0, 2.2)])

    assert Eligibility().min_doubt_score < score < Eligibility().min_speaking_score
