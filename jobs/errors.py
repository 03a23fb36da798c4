"""Which named errors end a command, and with which exit code. Everything else is our mistake and shows its trace."""

from diff2lip.errors import CheckpointError
from jobs.ancestry import UnknownSubjectError
from jobs.catalog_file import CatalogUnreadableError
from jobs.lineage import TrackingError
from jobs.model_reference import ModelUnavailableError
from jobs.out_lock import OutInUseError
from jobs.overrides import OverrideError
from jobs.plan_cells import PlanUnreadableError
from jobs.review import ReviewUnavailableError
from jobs.submit import SubmitError
from jobs.training_errors import (
    ExpertMismatchError,
    ExpertMissingError,
    ParentMismatchError,
    PictureMismatchError,
    TrainingBrokenError,
    UnfinishedNightError,
    UnknownRecipeError,
    WorkersError,
)
from pipelines.assets import AssetUnavailableError
from pipelines.clip_list import ClipListError
from pipelines.media.container import UndecodableError
from pipelines.media.refusal import MediaRefusedError
from pipelines.pair_list import PairListError
from pipelines.placement import ClusterTooSmallError
from pipelines.spoken_lines import ScriptChangedError
from pipelines.storage import UnknownStorageError
from pipelines.stretch_index import NoStretchesError
from pipelines.training_set import TrainingSetError
from pipelines.vox_tree import VoxTreeError

WRONG_USES = (
    CatalogUnreadableError,
    ClipListError,
    ExpertMismatchError,
    ExpertMissingError,
    ModelUnavailableError,
    NoStretchesError,
    OverrideError,
    PairListError,
    ParentMismatchError,
    PictureMismatchError,
    PlanUnreadableError,
    TrainingSetError,
    UnfinishedNightError,
    UnknownRecipeError,
    UnknownStorageError,
    VoxTreeError,
    WorkersError,
)
FAILURES = (
    AssetUnavailableError,
    CheckpointError,
    ClusterTooSmallError,
    ConnectionError,  # a cluster or a tracking server that is not there
    MediaRefusedError,
    OutInUseError,
    ReviewUnavailableError,
    ScriptChangedError,
    SubmitError,
    TrackingError,
    TrainingBrokenError,
    UndecodableError,
    UnknownSubjectError,
)
