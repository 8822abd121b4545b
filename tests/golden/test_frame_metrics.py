"""Frame metrics against known values on real score files, which are not part of the project."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat
from sklearn.metrics import auc

from amiss import metrics
from amiss.datasets import DATASETS
from amiss.engine import evaluate_plain

SHARED = Path(os.environ.get("AMISS_SHARED_DATA", Path(__file__).parents[2] / "../shared/data"))
EXACT = {"rel": 0, "abs": 1e-9}


def shared(*parts):
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path} is absent (AMISS_SHARED_DATA names the folder of shared data)")
    return path


@pytest.fixture(scope="module")
def xd_violence():
    segments = np.load(shared("golden", "xd_violence", "pred_raw_seg_XD.npy")).ravel()
    labels = np.load(shared("xd_violence", "frame_labels.npz"))["gt"]
    return labels, segments.repeat(16)


@pytest.fixture(scope="module")
def retails():
    table = np.genfromtxt(shared("golden", "retails_staged", "frame_scores.csv"), delimiter=",", skip_header=1)
    expected = json.loads(shared("golden", "retails_staged", "metrics.json").read_text())
    return table[:, 2], table[:, 3], expected


def test_xd_violence_areas(xd_violence):
    assert len(xd_violence[0]) == 2_330_384
    assert metrics.frame_auc(*xd_violence) == pytest.approx(0.6656061807880673, **EXACT)
    assert metrics.pr_auc_trapezoid(*xd_violence) == pytest.approx(0.353701383271755, **EXACT)


def test_xd_violence_curves(xd_violence):
    folder = shared("golden", "xd_violence")
    fpr, tpr, _ = metrics.roc(*xd_violence)
    precision, recall, _ = metrics.precision_recall(*xd_violence)
    for name, curve in {"fpr": fpr, "tpr": tpr, "precision": precision, "recall": recall}.items():
        np.testing.assert_allclose(curve, np.load(folder / f"{name}_XD.npy"), rtol=0, atol=1e-9)


def test_retails_staged(retails):
    labels, scores, expected = retails
    assert (len(labels), labels.sum()) == (expected["num_frames"], expected["num_abnormal"])
    assert metrics.frame_auc(labels, scores) == pytest.approx(expected["auc_roc"], **EXACT)
    assert metrics.average_precision(labels, scores) == pytest.approx(expected["auc_pr"], **EXACT)
    assert metrics.nearest_equal_error_rate(labels, scores) == pytest.approx(expected["eer"], **EXACT)


def test_retails_staged_interpolated_eer_is_within_one_step_of_the_nearest(retails):
    labels, scores, expected = retails
    step = 1 / min(expected["num_abnormal"], expected["num_frames"] - expected["num_abnormal"])
    assert metrics.equal_error_rate(labels, scores) == pytest.approx(expected["eer"], rel=0, abs=step)


def test_retails_staged_best_f1(retails):
    labels, scores, expected = retails
    best = metrics.best_f1(labels, scores)
    assert best.f1 == pytest.approx(expected["best_f1"], **EXACT)
    assert best.threshold == pytest.approx(expected["best_f1_threshold"], **EXACT)
    assert best.precision == pytest.approx(expected["precision_at_best_f1"], **EXACT)
    assert best.recall == pytest.approx(expected["recall_at_best_f1"], **EXACT)


@pytest.mark.parametrize(
    ("name", "expected"), [("6_C3D_Final_L1L2", 0.7541173476463561), ("2_Cei_lui", 0.6551261387798222)]
)
def test_ucf_crime_roc(name, expected):
    """The printed value, the area of the stored curve, and frame_auc on frames drawn so that they give that curve."""
    stored = loadmat(shared("golden", "ucf_crime_roc", f"{name}.mat"))
    fpr, tpr = stored["X"].ravel().astype(float), stored["Y"].ravel().astype(float)
    assert auc(fpr, tpr) == pytest.approx(expected, **EXACT)
    assert stored["AUC"].item() == pytest.approx(expected, **EXACT)
    labels, scores = frames_of_curve(fpr, tpr)
    assert metrics.frame_auc(labels, scores) == pytest.approx(expected, rel=0, abs=2e-6)


def frames_of_curve(fpr, tpr, count=1_000_000):
    """Labels and scores whose ROC is the given curve, up to the rounding of `count` frames a class."""
    normal, abnormal = (np.diff(np.round(rate * count).astype(int)) for rate in (fpr, tpr))
    steps = -np.arange(len(normal), dtype=float)
    scores = np.concatenate([steps.repeat(normal), steps.repeat(abnormal)])
    return np.repeat([0, 1], [normal.sum(), abnormal.sum()]), scores


def test_ped2_labels_are_where_the_mask_is_not_empty():
    labels, masks = np.load(shared("ped2", "frame_labels.npz")), np.load(shared("ped2", "masks.npz"))
    assert set(labels.files) == set(masks.files)
    for clip in labels.files:
        np.testing.assert_array_equal(labels[clip].astype(bool), masks[clip].any(axis=(1, 2)))


def test_plain_scores_of_xd_violence_are_evaluated_without_its_videos(tmp_path):
    segments = np.load(shared("golden", "xd_violence", "pred_raw_seg_XD.npy")).ravel()
    np.save(tmp_path / "scores.npy", segments.repeat(16))
    dataset = DATASETS["xd-violence"](shared("xd_violence"))
    found = evaluate_plain(dataset, frame_scores=tmp_path / "scores.npy", smoothing="none")
    assert len(found["clips"]) == 800
    assert found["metrics"]["auc_micro"]["raw"] == pytest.approx(0.6656061807880673, **EXACT)
