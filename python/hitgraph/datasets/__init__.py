"""Event generators and point clouds: seeded, in NumPy, float32.

Events with labels: `calo_event`, `tracker_event`, `learned_space`; recorded events: `read_event`;
clouds to classify: `shapes`, `jets`.
Sets for benchmarks and tests by name: `points`, `batch`, `names`. Every generator takes ``rng``, a
seed or a numpy Generator: the same seed gives the same data.
"""

from .adversarial import (
    JET_PADDING,
    collapsed_with_outliers,
    duplicates,
    far_from_origin,
    half_identical,
    identical,
    integer_lattice,
    jet_padding,
    line,
    line_with_outlier,
    non_finite,
    overflowing,
    underflowing,
)
from .batches import Batch, batch_of_sizes, empty_events, one_huge_many_tiny, uneven_events
from .calorimeter import CaloEvent, calo_event
from .jets import JET_CLASSES, JET_FEATURES, Jets, jets
from .recorded import EVENT_COLUMNS, read_event, read_event_table
from .registry import batch, names, points
from .shapes import SHAPE_CLASSES, Shapes, shapes
from .spaces import (
    LabelledPoints,
    clustered,
    detector_lattice,
    energy_eta,
    gauss,
    heavy_tailed,
    learned_space,
    uniform,
)
from .tracker import TrackerEvent, tracker_event

__all__ = [
    "EVENT_COLUMNS",
    "JET_CLASSES",
    "JET_FEATURES",
    "JET_PADDING",
    "SHAPE_CLASSES",
    "Batch",
    "CaloEvent",
    "Jets",
    "LabelledPoints",
    "Shapes",
    "TrackerEvent",
    "batch",
    "batch_of_sizes",
    "calo_event",
    "clustered",
    "collapsed_with_outliers",
    "detector_lattice",
    "duplicates",
    "empty_events",
    "energy_eta",
    "far_from_origin",
    "gauss",
    "half_identical",
    "heavy_tailed",
    "identical",
    "integer_lattice",
    "jet_padding",
    "jets",
    "learned_space",
    "line",
    "line_with_outlier",
    "names",
    "non_finite",
    "one_huge_many_tiny",
    "overflowing",
    "points",
    "read_event",
    "read_event_table",
    "shapes",
    "tracker_event",
    "underflowing",
    "uneven_events",
    "uniform",
]
