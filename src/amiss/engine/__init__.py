"""Learn, score, evaluate, save and load: what people do with amiss, without a page or a command line."""

from amiss.engine.bench import bench
from amiss.engine.compare import compare, read_result
from amiss.engine.evaluate import evaluate, evaluate_folder, evaluate_plain
from amiss.engine.learn import learn
from amiss.engine.model import Model, check_target
from amiss.engine.pictures import event_pictures
from amiss.engine.score import score_clip, score_clips
from amiss.engine.scores import Scores, read_scores, write_scores
from amiss.engine.stream import Stream, Update
from amiss.engine.transfer import Transfer

__all__ = [
    "Model",
    "Scores",
    "Stream",
    "Transfer",
    "Update",
    "bench",
    "check_target",
    "compare",
    "evaluate",
    "evaluate_folder",
    "evaluate_plain",
    "event_pictures",
    "learn",
    "read_result",
    "read_scores",
    "score_clip",
    "score_clips",
    "write_scores",
]
