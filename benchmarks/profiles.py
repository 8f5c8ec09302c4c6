"""How much a run measures."""

from __future__ import annotations

from .cells import Profile
from .method.clock import Effort

PROFILES = {
    # Two idle cores: within five minutes.
    "quick": Profile("quick", 285, Effort(rounds=3, burst=0.06, enough=0.4), pairs=1.2e8),
    "full": Profile("full", float("inf"), Effort(rounds=5, burst=0.5, enough=10), pairs=4.1e10),
    # One GPU: within eight minutes.
    "gpu": Profile("gpu", 460, Effort(rounds=5, burst=0.1, enough=1), pairs=4.1e10),
    # For tests: everything once, on as little as possible.
    "smoke": Profile("smoke", 60, Effort(rounds=1, burst=0, enough=0), pairs=1e7, memory=False),
}
