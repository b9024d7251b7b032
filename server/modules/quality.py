"""Quality (质量): what its defects are printed as."""

from __future__ import annotations

from server.web import forms

reports = forms.reports("quality", "quality.defect")
