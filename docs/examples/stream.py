"""Score frame by frame, as for a live camera.

    python docs/examples/stream.py MODEL FOOTAGE

Any `Frame` will do: an RGB picture, its number, and its time in seconds. Frames may come from a camera of your own.
"""

import sys

import amiss
from amiss.footage import open_footage
from amiss.types import Event


def show(event: Event | None) -> None:
    """Say when an event was and why, as soon as it has ended."""
    if event is not None:
        print(f"{event.camera}: {event.start:.1f} to {event.end:.1f} s, {'; '.join(event.reasons)}")


def main(folder: str, path: str) -> None:
    """Follow the footage at `path` with the model in `folder`."""
    watcher = amiss.load(folder).stream(camera="gate")
    highest = 0.0
    for frame in open_footage(path):
        found = watcher.update(frame)
        highest = max(highest, found.calibrated)
        show(found.event)
    show(watcher.finish())
    print(f"the rarest moment was one in {10**highest:,.0f} normal frames")


if __name__ == "__main__":
    main(*sys.argv[1:])
