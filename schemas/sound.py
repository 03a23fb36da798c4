"""SOUND, what a sound that a dub is made of measures, and what is wrong with it."""

import pyarrow as pa

from schemas.column import column

SOUND_FLAW = pa.struct(
    [
        column("flaw", pa.string(), "One of SoundFlaw."),
        column("detail", pa.string(), "The same in words."),
    ]
)

SOUND = pa.schema(
    [
        column("role", pa.string(), "dub, music_and_effects, or original: the film's own sound."),
        column("codec", pa.string(), "FFmpeg's name of its codec."),
        column("sample_rate_hz", pa.int32(), "Samples a second.", unit="Hz"),
        column("layout", pa.string(), "FFmpeg's name of its channels."),
        column("length_s", pa.float64(), "Until its last sample, from the film's first frame.", unit="s"),
        column(
            "integrated_lufs", pa.float64(), "Loudness (ITU-R BS.1770-4); null of silence.", unit="LUFS", nullable=True
        ),
        column("range_lu", pa.float64(), "Loudness range (EBU Tech 3342).", unit="LU", nullable=True),
        column("true_peak_dbtp", pa.float64(), "Largest peak, oversampled.", unit="dBTP", nullable=True),
        column("sample_peak_dbfs", pa.float64(), "Largest sample.", unit="dBFS", nullable=True),
        column("num_clipped", pa.int64(), "Samples in runs of 3 and more at full scale, all channels."),
        column("speech_s", pa.float64(), "How long somebody speaks in it; null of M&E.", unit="s", nullable=True),
        column("flaws", pa.list_(SOUND_FLAW), "What is wrong with it."),
    ]
)
