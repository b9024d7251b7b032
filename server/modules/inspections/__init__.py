"""Inspections (检查): templates as data, and what an inspection scores.

template  a template's record, read
question  what is asked, and what an answer comes to
score     score, grade, what is missing, what costs most
computed  the same as records in, records out
plan      on which days a recurring plan asks, and what came of it
document  a template as a file
library   the templates that are shipped
workbook, book_reading   a template as XLSX, out and in
routes    at which address
report    an inspection on paper, and the daily log
"""

from server.modules.inspections.computed import computed
from server.modules.inspections.library import check
from server.modules.inspections.report import reports
from server.modules.inspections.routes import routes

__all__ = ["check", "computed", "reports", "routes"]
