"""Inspections (检查): templates as data, and what an inspection scores.

template  a template's record, read
question  what is asked, and what an answer comes to
score     score, grade, what is missing, what costs most
computed  the same as records in, records out
"""

from server.modules.inspections.computed import computed

__all__ = ["computed"]
