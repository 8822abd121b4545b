"""Learn what is normal, score a clip, and write a report.

    python docs/examples/library.py OUT

The footage is a small synthetic plaza, rendered into OUT/world; give your own paths in its place.
"""

import sys
from pathlib import Path

import amiss
from amiss.footage.world import write_world


def main(out: Path) -> None:
    """Render a plaza, learn from everyday life there, and report on a clip in which something happens."""
    world = out / "world"
    write_world(world, normal=4, abnormal=2, seconds=4, places=("plaza",), rate=12.5, size=(320, 180))

    # Sixteen seconds of everyday life say little about a whole day; with real footage ask for "2/day".
    model = amiss.learn(
        world / "training",
        method="attributes",
        budget="60/hour",
        settings=["scoring.holdout=0.5"],
    )
    scores = model.score(world / "testing" / "plaza_02.mp4")
    for event in scores.events:
        print(f"{event.start:.1f} to {event.end:.1f} s, severity {event.severity:.1f}: {'; '.join(event.reasons)}")

    page = scores.report(out / "report")
    model.save(out / "plaza.amiss")
    print(f"the report is {page}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
