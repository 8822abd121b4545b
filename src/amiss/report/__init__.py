"""What people look at: pages, tables and the annotated video."""

from amiss.report.bench_files import BenchFiles
from amiss.report.bench_page import read_drawn, write_bench_page
from amiss.report.comparison import Comparison, compared
from amiss.report.content import ClipReport, Summary
from amiss.report.markdown import write_markdown
from amiss.report.page import write_page
from amiss.report.published import published
from amiss.report.video import write_video
from amiss.report.write import write_report

__all__ = [
    "BenchFiles",
    "ClipReport",
    "Comparison",
    "Summary",
    "compared",
    "published",
    "read_drawn",
    "write_bench_page",
    "write_markdown",
    "write_page",
    "write_report",
    "write_video",
]
