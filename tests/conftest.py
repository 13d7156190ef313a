"""For all tests: hypothesis judges what is true, never how fast it is; machines are noisy."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("hub", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hub")
