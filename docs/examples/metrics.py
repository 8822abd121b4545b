"""Evaluate scores of any origin: the metrics take plain arrays.

python docs/examples/metrics.py
"""

import numpy as np

from amiss import metrics


def main() -> None:
    """Compare made-up scores of two clips with their labels."""
    generator = np.random.default_rng(0)
    labels = {"01": np.repeat([0, 1, 0], [80, 40, 80]), "02": np.repeat([0, 1], [150, 50])}
    scores = {name: truth + generator.normal(0, 0.7, len(truth)) for name, truth in labels.items()}

    print(f"micro AUC {metrics.micro_auc(labels, scores):.3f}")
    print(f"macro AUC {metrics.macro_auc(labels, scores):.3f}")
    print(f"equal error rate {metrics.equal_error_rate(labels, scores):.3f}")
    print(f"average precision {metrics.average_precision(labels, scores):.3f}")
    print(f"AUC of clip 01 alone {metrics.frame_auc(labels['01'], scores['01']):.3f}")


if __name__ == "__main__":
    main()
