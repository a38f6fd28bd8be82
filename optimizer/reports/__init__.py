"""Identify and read other people's report files; every kind is a profile in `configs/reports`.

`read_report` refuses a file that cannot be trusted, quarantines rows that cannot, and returns the
rest with a reconciliation against the file's own totals.
"""

from optimizer.reports.profiles import ReportProfile, Told
from optimizer.reports.reading import identify, read_report, read_reports

__all__ = ["ReportProfile", "Told", "identify", "read_report", "read_reports"]
