"""Densities against closed forms, and the choice between them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal, spearmanr

from amiss.methods.attributes import matching
from amiss.methods.attributes.choosing import best, likelihoods
from amiss.methods.attributes.density import CHOICE, Forms
from amiss.methods.attributes.estimators import Neighbours, Shape
from amiss.methods.attributes.matching import ScoreMatching
from amiss.methods.attributes.mixture import Mixture
from amiss.types import FloatArray

LAW = multivariate_normal([1.0, -2.0], [[4.0, 1.5], [1.5, 1.0]])
GROUPS = np.arange(4000) % 8


def samples(count: int, seed: int = 0) -> FloatArray:
    return LAW.rvs(count, random_state=seed).astype(np.float32)


def two_kinds(count: int, seed: int = 0) -> FloatArray:
    """Two narrow clusters, on either side of a void."""
    generator = np.random.default_rng(seed)
    return (generator.normal(0, 0.2, (count, 2)) + 3 * generator.choice([-1, 1], (count, 1))).astype(np.float32)


@pytest.fixture(scope="module")
def quick() -> ScoreMatching:
    """Learned in a quarter of the steps."""
    found = ScoreMatching(3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "STEPS", 500)
        found.learn(samples(4000), seed=0)
    return found


def test_a_mixture_gives_the_density_itself() -> None:
    found = Mixture(3)
    found.fit(samples(4000), GROUPS, np.ones(4000), seed=0)
    probe = samples(500, seed=5)
    assert found.score(probe) == pytest.approx(-LAW.logpdf(probe), abs=0.3)
    assert spearmanr(found.score(probe), -LAW.logpdf(probe))[0] > 0.95


def test_neighbours_follow_the_density() -> None:
    found = Neighbours(4000, 50)
    found.fit(samples(4000), GROUPS, np.ones(4000), seed=0)
    probe = samples(500, seed=5)
    assert spearmanr(found.score(probe), -LAW.logpdf(probe))[0] > 0.95


def test_score_matching_learns_the_density_up_to_a_constant(quick: ScoreMatching) -> None:
    """What the network says at a middling noise level is minus the log-density of samples blurred by as much."""
    probe, level = samples(500, seed=5), 12
    sigma = matching.LEVELS[level] * samples(4000).std(0)
    blurred = multivariate_normal(LAW.mean, LAW.cov + np.diag(sigma**2))
    said = matching._answers(quick.state(), probe)[:, level]
    assert spearmanr(said, -blurred.logpdf(probe))[0] > 0.95
    assert spearmanr(quick.score(probe), -LAW.logpdf(probe))[0] > 0.85
    far = quick.score(samples(200, seed=6) * 5)
    assert np.median(far) > np.quantile(quick.score(probe), 0.99)


def test_a_seed_gives_the_same_network_again_and_leaves_chance_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "STEPS", 20)
    before = torch.random.get_rng_state()
    one, same, other = (ScoreMatching(3).learned(samples(300), seed) for seed in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(np.array_equal(one[name], same[name]) for name in ScoreMatching.arrays)
    assert not np.array_equal(one["w1"], other["w1"])


@pytest.mark.parametrize("form", ["mixture", "score-matching"])
def test_one_by_one_gives_what_all_at_once_give_and_state_gives_it_back(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "STEPS", 20)
    found: Shape = Mixture(3) if form == "mixture" else ScoreMatching(3)
    found.fit(samples(4000), GROUPS, np.ones(4000), seed=0)
    probe = samples(60, seed=3)
    whole = found.score(probe)
    assert np.array_equal(whole, np.concatenate([found.score(row[None]) for row in probe]))
    assert found.score(probe[:0]).shape == (0,)
    again = type(found)(3)
    again.restore(found.state())
    assert np.array_equal(again.score(probe), whole)
    assert again.seen == 4000


def test_what_was_taken_in_is_average_at_most_but_a_single_sample_excuses_nothing() -> None:
    found = Mixture(3)
    left_out = found.fit(samples(4000), GROUPS, np.ones(4000), seed=0)
    odd = np.full((1, 2), 30, np.float32)
    before = found.score(odd)
    found.add(odd, np.ones(1))
    assert found.score(odd) == before
    found.add(np.repeat(odd, 3, 0), np.ones(3))
    assert found.score(odd) == pytest.approx([left_out.mean()])
    assert found.score(odd + 20) > before
    assert found.seen == 4004
    again = Mixture(3)
    again.restore(found.state())
    assert again.score(odd) == found.score(odd)


def test_a_shape_is_calibrated_on_what_it_has_not_met() -> None:
    """Two clips, each of its own kind: from the other's side both are far off."""
    vectors = two_kinds(400)
    sides = (vectors[:, 0] > 0).astype(int)
    apart = Mixture(3).fit(vectors, sides, np.ones(400), seed=0)
    mixed = Mixture(3).fit(vectors, np.arange(400) % 2, np.ones(400), seed=0)
    assert np.median(apart) > 20 + np.median(mixed)


class Given:
    """A score that is known."""

    def __init__(self, score: object) -> None:
        self._score = score

    def learn(self, vectors: FloatArray, seed: int) -> None:
        pass

    def score(self, vectors: FloatArray) -> FloatArray:
        return np.asarray(self._score(vectors))  # type: ignore[operator]


def test_likelihood_is_highest_for_the_true_density_and_the_same_for_what_increases_with_it() -> None:
    true = Given(lambda x: -LAW.logpdf(x))
    bent = Given(lambda x: np.cbrt(-LAW.logpdf(x) - 9))
    wrong = Given(lambda x: ((x - LAW.mean) ** 2).sum(1))
    void = Given(lambda x: np.zeros(len(x)))
    named = {"true": true, "bent": bent, "wrong": wrong, "void": void}
    nats = likelihoods(named, samples(4000), GROUPS, seed=0).mean(1)
    assert nats[0] == pytest.approx(nats[1])
    assert nats[0] > nats[2] + 0.02
    assert nats[2] > nats[3] + 0.1
    assert nats[3] == pytest.approx(0, abs=0.02)


def test_the_first_is_kept_unless_another_is_clearly_better() -> None:
    true, wrong = Given(lambda x: -LAW.logpdf(x)), Given(lambda x: -((x - LAW.mean) ** 2).sum(1))
    assert best({"a": true, "b": true}, samples(4000), GROUPS, 0)[0] == "a"
    assert best({"a": wrong, "b": true}, samples(4000), GROUPS, 0)[0] == "b"
    name, nats = best({"a": wrong, "b": true}, samples(4000), GROUPS % 3, 0)
    assert (name, nats.tolist()) == ("a", [0, 0])


def test_what_is_chosen_from_can_be_made() -> None:
    made = [type(Forms(100, 5).make(name)).__name__ for name in CHOICE]
    assert made == ["Neighbours", "Mixture", "ScoreMatching"]
