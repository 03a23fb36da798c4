"""Sound that this project makes, for its own later stages: Wave64 of 32-bit floats.

No sum is clipped in it, and no film is too long for it.
"""

from collections.abc import Iterable
from typing import BinaryIO

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray


def write_wave64(file: BinaryIO, blocks: Iterable[NDArray[np.float32]], sample_rate_hz: int, layout: str) -> None:
    """Write blocks as they come; the same samples are the same bytes.

    Args:
        file: written from its beginning, and sought in.
        blocks: [C, n] in the order of the layout's channels.
        sample_rate_hz: of them.
        layout: FFmpeg's name.
    """
    with av.open(file, "w", format="w64", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("pcm_f32le", rate=sample_rate_hz, layout=layout)
        for block in blocks:
            frame = AudioFrame.from_ndarray(block.T.reshape(1, -1).copy(), format="flt", layout=layout)
            frame.sample_rate = sample_rate_hz
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
