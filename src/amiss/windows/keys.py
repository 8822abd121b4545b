"""What the cache knows footage by: its content, and every setting that what is kept of it depends on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from amiss.config import Config
from amiss.footage import FeatureFile, Footage
from amiss.footage.names import content_hash
from amiss.perception.cache import content_key
from amiss.windows.needs import Needs

__all__ = ["Keys"]

STAGES_VERSION = 14
"""Raised when a stage changes what it gives for the same settings, so that old cache entries are not taken."""
ASKED = {"features": "feature", "poses": "pose"}
"""Stages that work only where windows are to carry what they give."""


class _Source(Protocol):
    def fingerprint(self, origin: Path | None) -> str: ...


class _FlowSource(Protocol):
    def fingerprint(self) -> str: ...


@dataclass(frozen=True)
class Keys:
    """The keys of everything that a pipeline keeps.

    Attributes:
        config: Settings of footage and perception.
        needs: What the method asks for.
        boxes: Where boxes come from; None where there are none.
        flow: Where flow comes from.
        poses: Where poses come from.
    """

    config: Config
    needs: Needs
    boxes: _Source | None
    flow: _FlowSource | None
    poses: _Source | None

    def whole(self, footage: Footage) -> str:
        """Of the windows of all methods at once."""
        keys = self.windows(footage)
        return content_key(keys) if self.needs.members else keys[""]

    def windows(self, footage: Footage) -> dict[str, str]:
        """Of the windows of each method, by its name; of one alone, which has none."""
        return {name: self._window(footage, needs) for name, needs in self.needs.members or (("", self.needs),)}

    def _window(self, footage: Footage, needs: Needs) -> str:
        """Of the windows that one method asks for, whatever else is asked for with them."""
        if isinstance(footage, FeatureFile):
            return content_key(STAGES_VERSION, footage.fingerprint(), needs.length)
        scene = self._settings("scenes") if "scene" in needs.arrays else ""
        seen = self.stages(footage) if needs.boxes else {"frames": self._frames(footage)}
        seen = {stage: key for stage, key in seen.items() if ASKED.get(stage, "") in ("", *needs.arrays)}
        block = self._settings("clips") + self._weights() if needs.bags else ""
        flow = self._flow() if "flow" in needs.arrays else ""
        asked = {name: value for name, value in vars(needs).items() if name != "members"}
        return content_key(*seen.values(), flow, scene + block, asked)

    def _frames(self, footage: Footage) -> str:
        """Of the frames alone, where nothing is looked for in them."""
        shown = footage.fingerprint(), footage.rate, self._settings("masks"), self.config.footage.gap
        return content_key(STAGES_VERSION, *shown)

    def stages(self, footage: Footage) -> dict[str, str]:
        """Of each stage whose output is kept."""
        if not self.boxes or isinstance(footage, FeatureFile):
            return {}
        settings = self.config.perception.boxes.model_dump(mode="json", exclude={"path"}), self._settings("masks")
        source = self.boxes.fingerprint(footage.path)
        found = content_key(STAGES_VERSION, footage.fingerprint(), footage.rate, settings, source)
        tracked = content_key(found, self._settings("tracks"), self.config.footage.gap)
        keys = {"boxes": found, "tracks": tracked}
        if "feature" in self.needs.arrays:
            keys["features"] = content_key(tracked, self._settings("features"))
        if self.poses:
            asked = self.config.perception.poses.model_dump(mode="json", exclude={"path"})
            keys["poses"] = content_key(tracked, asked, self.poses.fingerprint(footage.path))
        return keys

    def _weights(self) -> str:
        """Of the file of weights that features of blocks come from."""
        weights = self.config.perception.clips.weights
        return content_hash([weights]) if weights and weights.is_file() else ""

    def _flow(self) -> str:
        if not self.flow:
            return ""
        settings = self.config.perception.flow.model_dump_json(exclude={"network"})
        return settings + self.flow.fingerprint()

    def _settings(self, group: str) -> str:
        return str(getattr(self.config.perception, group).model_dump_json())
