"""What can be wrong with weights, named without loading torch."""


class CheckpointError(ValueError):
    """A file that is no checkpoint of ours or of the published ones, or whose weights do not fit its network."""
