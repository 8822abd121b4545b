"""What people look at: the page and the annotated video."""

from amiss.report.content import ClipReport, Summary
from amiss.report.page import write_page
from amiss.report.video import write_video
from amiss.report.write import write_report

__all__ = ["ClipReport", "Summary", "write_page", "write_report", "write_video"]
