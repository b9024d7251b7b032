"""What every Python test shares: hypothesis without a stop-watch, and seeds that are always printed."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("gongbu", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gongbu")
