"""Models see films in wide colours and high dynamic range as on an ordinary screen, and what is painted goes back."""

from fractions import Fraction

import numpy as np
import pytest
from av.filter import Graph
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from pipelines.media.ordinary_screen import filmed, shown
from pipelines.media.picture import coding_of, to_rgb
from tests.wide_colours import BT2020, HLG, PQ, SDR, SKIN, wide_codes, wide_rgb

TRANSFERS = [pytest.param(SDR, id="SDR"), pytest.param(PQ, id="PQ"), pytest.param(HLG, id="HLG")]
LIMITED = 1


def frame_of(colours: NDArray[np.uint8], transfer: int, primaries: int = BT2020) -> VideoFrame:
    """A frame of 10 bits in BT.2020 whose columns show colours of BT.709, 16 px each."""
    codes = np.rint(wide_codes(colours, transfer)).astype(np.uint16).repeat(16, 0)
    frame = VideoFrame(len(codes), 16, "yuv444p10le")
    for plane, values in zip(frame.planes, codes.T, strict=True):
        rows = np.zeros((16, plane.line_size // 2), np.uint16)
        rows[:, : len(values)] = values
        plane.update(rows.tobytes())
    frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range = BT2020, primaries, transfer, LIMITED
    return frame


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_skin_of_a_film_in_bt_2020_is_seen_as_that_of_the_same_film_in_bt_709(transfer: int) -> None:
    colours = np.array(SKIN, np.uint8)

    seen = to_rgb(frame_of(colours, transfer))[8, 8::16].astype(int)

    assert np.abs(seen - colours).max() <= 2
    pale = np.rint(255 * wide_rgb(colours, transfer)).astype(int)
    assert np.abs(pale - colours).max() >= 8  # else this could not fail


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_a_matrix_of_bt_2020_says_its_primaries_where_no_tag_does(transfer: int) -> None:
    said, unsaid = (frame_of(np.array(SKIN, np.uint8), transfer, primaries) for primaries in (BT2020, 2))

    assert coding_of(unsaid).primaries == BT2020
    assert np.array_equal(to_rgb(said), to_rgb(unsaid))


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_what_is_painted_gets_the_codes_of_the_standard(transfer: int) -> None:
    colours = np.array([*SKIN, (120, 40, 50), (200, 200, 190), (12, 10, 9)], np.uint8)  # with lips, teeth and mouth
    coding = coding_of(frame_of(colours, transfer))

    codes = coding.yuv(colours[None].astype(np.float32))[0]

    bright = 217 if transfer != SDR else 256  # in HDR what is brighter is pressed together
    plain = (colours < bright).all(1)
    assert np.abs(codes - wide_codes(colours, transfer))[plain].max() < 0.5  # of 10 bits


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_colours_of_an_ordinary_screen_come_back_as_they_were(transfer: int) -> None:
    levels = np.arange(30, 211, 15)
    colours = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(1, -1, 3)

    there = filmed((colours / 255).astype(np.float32), transfer, BT2020)

    codes = np.rint(there * 0xFFFF).astype(np.uint16)
    assert np.abs(shown(codes, transfer, BT2020).astype(int) - colours).max() <= 1


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_colours_that_an_ordinary_screen_cannot_show_are_clipped_and_grey_stays_grey(transfer: int) -> None:
    green, grey = np.array([[[0, 40_000, 0]]], np.uint16), np.full((1, 1, 3), 30_000, np.uint16)

    assert shown(green, transfer, BT2020)[0, 0, [0, 2]].tolist() == [0, 0]
    assert np.ptp(shown(grey, transfer, BT2020).astype(int)) <= 1


def test_bt_2020_of_standard_range_is_seen_as_ffmpegs_colour_filter_shows_it() -> None:
    """It reckons with the light of the camera, not of the screen: a few codes lie between."""
    frame, graph = frame_of(np.array(SKIN, np.uint8), SDR), Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1))
    other, sink = graph.add("colorspace", "all=bt709:iall=bt2020:format=yuv444p10"), graph.add("buffersink")
    source.link_to(other)
    other.link_to(sink)
    graph.configure()
    graph.vpush(frame)

    theirs = to_rgb(graph.vpull()).astype(int)

    assert np.abs(to_rgb(frame) - theirs).max() <= 6
