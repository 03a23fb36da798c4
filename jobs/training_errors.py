"""What can be wrong with a training, named without loading anything."""


class UnknownRecipeError(ValueError):
    """A name that no recipe has; says which there are."""


class ExpertMissingError(ValueError):
    """An objective that wants an expert, and none is there."""


class ExpertMismatchError(ValueError):
    """An expert that was trained on other crops than those it would judge."""


class ParentMismatchError(ValueError):
    """Weights to begin from that are another network's than the recipe's."""


class PictureMismatchError(ValueError):
    """A data set whose pictures do not hold what a network looks at."""


class WorkersError(ValueError):
    """More workers than a batch can be shared out to."""


class UnfinishedNightError(ValueError):
    """A training with other settings lies there unfinished; says what to do."""


class TrainingBrokenError(Exception):
    """A training whose workers failed again and again; says where its last checkpoint is kept."""
