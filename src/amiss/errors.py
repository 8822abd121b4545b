"""Everything that amiss raises on purpose.

::

    AmissError                  one line: what is wrong, and what to do
    ├── InputError              the user can mend it (exit status 2)
    │   ├── ConfigError         an unknown key, a value out of range
    │   ├── FootageError        a missing, empty, damaged or changing video or folder
    │   ├── DatasetError        a benchmark folder that is not laid out as expected
    │   ├── ModelError          a model folder that is missing, damaged or foreign
    │   ├── ExportError         a network that another format or engine cannot say, or a model without any
    │   ├── WeightsError        a pretrained network that is absent, damaged or of another kind
    │   ├── ScoresError         score files that are missing, damaged or do not fit the labels
    │   └── MetricError         labels and scores that no metric can be computed from
    ├── ShapeError              an array that does not have the shape or values its noun states
    ├── RegistryError           the same id registered twice
    ├── TrainingError           a network whose training came to nothing (exit status 1)
    ├── ClusterError            workers that cannot be started, or a cluster that has gone away (exit status 1)
    ├── CameraError             a camera that does not answer, fell silent, or ended its stream (exit status 1)
    ├── DeliveryError           a receiver of alerts that did not take one; it is tried again
    └── StorageError            the disk is full or cannot be written, the store is damaged (exit status 1)
        ├── BusyError           another process holds the store, or its server does not answer; it may do so later
        └── LeaseError          another process has the camera by now, so that nothing of it is written here
"""

__all__ = [
    "AmissError",
    "BusyError",
    "CameraError",
    "ClusterError",
    "ConfigError",
    "DatasetError",
    "DeliveryError",
    "ExportError",
    "FootageError",
    "InputError",
    "LeaseError",
    "MetricError",
    "ModelError",
    "RegistryError",
    "ScoresError",
    "ShapeError",
    "StorageError",
    "TrainingError",
    "WeightsError",
]


class AmissError(Exception):
    """Base of all errors of amiss; its text is one line that names the thing and what to do.

    Attributes:
        exit_status: What the command line exits with when this error reaches it.
    """

    exit_status = 1


class InputError(AmissError):
    """Something the user gave cannot be used as it is."""

    exit_status = 2


class ConfigError(InputError):
    """A setting that does not exist, or a value that it does not take."""


class FootageError(InputError):
    """Footage that is missing, empty, damaged, or changes its size on the way."""


class DatasetError(InputError):
    """A benchmark folder whose layout or annotations are not as expected."""


class ModelError(InputError):
    """A model folder that is missing a file, was altered, or was not written by amiss."""


class ExportError(InputError):
    """A network that another format or engine cannot say, or a model that has none."""


class WeightsError(InputError):
    """A pretrained network that cannot be had, was altered, or is not what it should be."""


class ScoresError(InputError):
    """Score files that are missing, damaged, or do not fit the labels."""


class MetricError(InputError):
    """Labels and scores from which the metric is not defined."""


class ShapeError(AmissError, ValueError):
    """An array that does not have the shape or the values which its noun states."""


class RegistryError(AmissError, ValueError):
    """The same id registered twice."""


class TrainingError(AmissError):
    """A loss or a gradient that is not a number; what was learned before that is kept."""


class ClusterError(AmissError):
    """Workers that cannot be started, or a cluster that has gone away; what was finished is kept."""


class CameraError(AmissError):
    """A camera that does not answer, fell silent, or ended its stream; trying again later may help."""


class StorageError(AmissError):
    """The disk is full, a place cannot be written, or what is stored there is damaged."""


class BusyError(StorageError):
    """Another process holds the store, or its server does not answer; nothing was written, and it may work later."""


class LeaseError(StorageError):
    """Another process has the camera, or the name of this shard, by now; what was to be written of it is refused."""


class DeliveryError(AmissError):
    """A receiver of alerts that did not take a message, or did not say that it did; it is tried again.

    Attributes:
        pause: Seconds for which the receiver should be left alone; None where it only seems to be out of reach.
        alone: Whether it is this message that is not taken, and another may be.
    """

    def __init__(self, text: str, pause: float | None = None, *, alone: bool = False) -> None:
        super().__init__(text)
        self.pause, self.alone = pause, alone
