"""Safety (安全): what its hazards are printed as."""

from __future__ import annotations

from server.web import forms

reports = forms.reports("safety", "safety.hazard")
