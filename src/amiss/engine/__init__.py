"""Learn, score, evaluate, save and load: what people do with amiss, without a page or a command line."""

from amiss.engine.bench import bench
from amiss.engine.compare import compare, compare_rows, read_result
from amiss.engine.evaluate import evaluate, evaluate_folder, evaluate_plain
from amiss.engine.export import check_export_target, export_model, portable_networks
from amiss.engine.learn import learn, learn_parts, with_boxes
from amiss.engine.model import Model, check_target, make_method
from amiss.engine.pictures import event_pictures
from amiss.engine.rows import bench_rows, table_of
from amiss.engine.score import score_clip, score_clips
from amiss.engine.scores import Scores, read_scores, write_scores
from amiss.engine.settings import changed_settings
from amiss.engine.stream import Pending, Stream, Update
from amiss.engine.sweep import Row, Sweep, read_sweep, rows_of_methods
from amiss.engine.transfer import Transfer

__all__ = [
    "Model",
    "Pending",
    "Row",
    "Scores",
    "Stream",
    "Sweep",
    "Transfer",
    "Update",
    "bench",
    "bench_rows",
    "changed_settings",
    "check_export_target",
    "check_target",
    "compare",
    "compare_rows",
    "evaluate",
    "evaluate_folder",
    "evaluate_plain",
    "event_pictures",
    "export_model",
    "learn",
    "learn_parts",
    "make_method",
    "portable_networks",
    "read_result",
    "read_scores",
    "read_sweep",
    "rows_of_methods",
    "score_clip",
    "score_clips",
    "table_of",
    "with_boxes",
    "write_scores",
]
