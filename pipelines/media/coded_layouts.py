"""Which layouts a codec keeps in a container, so that whoever reads the film finds the channels that were written."""

from pipelines.media.channels import LAYOUTS

TOLD_APART = (  # smaller ones first
    *("mono", "stereo", "2.1", "3.0", "3.1", "quad", "4.0", "4.1", "5.0", "5.0(side)", "5.1", "5.1(side)", "6.0"),
    *("6.1", "7.0", "7.1"),
)
OF_FLAC = ("mono", "stereo", "3.0", "quad", "5.0(side)", "5.1(side)", "6.1", "7.1")  # RFC 9639, 9.1.3: of a number
KEPT = {
    ("pcm_s24le", ".mov"): TOLD_APART,  # it has a box for them
    ("flac", ".mkv"): TOLD_APART,  # in a comment of FLAC
    ("flac", ".mp4"): OF_FLAC,  # FFmpeg leaves that comment out
}


def kept_layouts(codec: str, suffix: str) -> tuple[str, ...]:
    """The layouts that can be told apart when they are read, smaller ones first.

    AAC has numbers for seven (ISO/IEC 14496-3, table 1.19); PCM in MKV has a number of channels alone.

    Args:
        codec: encoder of a dub track.
        suffix: of the delivered film, with the dot.
    """
    return KEPT.get((codec, suffix), LAYOUTS)
