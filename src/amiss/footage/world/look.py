"""How people look: size, build, clothes, bags."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from amiss.footage.world.canvas import Colour, tint

__all__ = ["Look", "random_look"]

_SKIN: tuple[Colour, ...] = ((224, 182, 152), (198, 148, 116), (236, 200, 172), (150, 104, 78), (104, 72, 54))
_HAIR: tuple[Colour, ...] = ((40, 32, 28), (72, 50, 34), (120, 88, 52), (116, 110, 106), (28, 26, 28), (168, 128, 76))
_TOPS: tuple[Colour, ...] = (
    (44, 52, 72), (132, 44, 44), (60, 84, 66), (196, 190, 178), (58, 58, 62), (92, 108, 138), (150, 116, 72),
    (34, 36, 40), (172, 84, 58), (104, 70, 104), (204, 172, 84), (74, 122, 140), (222, 222, 218), (112, 120, 96),
)  # fmt: skip
_LEGS: tuple[Colour, ...] = (
    (42, 50, 74), (34, 34, 38), (78, 74, 70), (108, 98, 82), (60, 72, 100), (140, 128, 106), (50, 46, 44),
)  # fmt: skip
_SHOES: tuple[Colour, ...] = ((36, 32, 30), (62, 46, 36), (200, 198, 194), (90, 88, 90))
_BAGS: tuple[Colour, ...] = ((52, 40, 34), (120, 48, 44), (44, 64, 88), (70, 74, 60), (30, 30, 34), (168, 138, 92))


@dataclass(frozen=True)
class Look:
    """One person's looks.

    Attributes:
        height: Metres.
        build: Breadth, 1 for the usual.
        garment: Outline of the trunk: "shirt", "coat" or "skirt".
        bag: What is carried: "", "pack", "hand" or "case".
        skin: Colour.
        hair: Colour.
        top: Colour of the upper garment.
        legs: Colour of the trousers or the skirt.
        shins: Colour of the lower legs, the skin's where they are bare.
        sleeves: Colour of the forearms, the skin's where they are bare.
        shoes: Colour.
        leather: Colour of the bag.
    """

    height: float
    build: float
    garment: str
    bag: str
    skin: Colour
    hair: Colour
    top: Colour
    legs: Colour
    shins: Colour
    sleeves: Colour
    shoes: Colour
    leather: Colour


def _pick(rng: np.random.Generator, colours: tuple[Colour, ...]) -> Colour:
    """One of the colours, a little lighter or darker."""
    return tint(colours[int(rng.integers(len(colours)))], float(rng.uniform(0.85, 1.12)))


def random_look(rng: np.random.Generator, bags: tuple[str, ...] = ("", "", "pack", "hand", "case")) -> Look:
    """Somebody; one in sixteen is a child.

    Args:
        rng: Source of chance.
        bags: What may be carried, each as likely.
    """
    child = rng.random() < 1 / 16
    height = float(rng.uniform(1.2, 1.45) if child else np.clip(rng.normal(1.72, 0.085), 1.52, 1.95))
    garment = str(rng.choice(["shirt", "shirt", "coat", "skirt"], p=[0.3, 0.28, 0.24, 0.18]))
    skin, top, legs = _pick(rng, _SKIN), _pick(rng, _TOPS), _pick(rng, _LEGS)
    bare_legs = garment == "skirt" or (garment == "shirt" and rng.random() < 0.2)
    bare_arms = garment != "coat" and rng.random() < 0.45
    bag = str(bags[int(rng.integers(len(bags)))])
    return Look(
        height=height,
        build=float(np.clip(rng.normal(1.06, 0.09), 0.88, 1.32)),
        garment=garment,
        bag="" if child and bag == "case" else bag,
        skin=skin,
        hair=_pick(rng, _HAIR),
        top=top,
        legs=legs if garment != "coat" else tint(legs, 0.95),
        shins=skin if bare_legs else legs,
        sleeves=skin if bare_arms else top,
        shoes=_pick(rng, _SHOES),
        leather=_pick(rng, _BAGS),
    )
