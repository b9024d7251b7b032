"""Labour (劳务): check-ins paired to shifts, and the sheets that are signed.

entry     a check-in: does it count, and when was it
shift     check-ins → shifts: the definitions
computed  the same as records in, records out
sheet     shifts → day and month sheets
words, workbook, page   how a sheet is written, as XLSX and as a page to print
read, routes            who may see which lines, and at which address
"""

from server.modules.labour.computed import computed
from server.modules.labour.routes import routes

__all__ = ["computed", "routes"]
