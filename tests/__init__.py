"""
The suite. It runs under pytest and under trial alike; what both have to know is here.
"""

import os

from hypothesis import HealthCheck, settings

# A timing never decides a test: no deadline. The soak is for the nights.
settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("soak", settings.get_profile("default"), max_examples=20_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
