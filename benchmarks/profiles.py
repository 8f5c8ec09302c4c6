"""How much a run measures."""

from __future__ import annotations

from .cells import Profile
from .method.clock import Effort

# A hundred million pairs take two cores half a second (FAISS a third); what would take minutes is
# left out.
MANY = {"cpu": 3e9, "cuda": 4.1e10}
FEW = {"cpu": 1.2e8, "cuda": 1.2e8}
FEWEST = {"cpu": 1e7, "cuda": 1e7}
PROFILES = {
    # Two idle cores: within five minutes.
    "quick": Profile("quick", 285, Effort(rounds=3, burst=0.06, enough=0.4), FEW),
    "full": Profile("full", float("inf"), Effort(rounds=5, burst=0.5, enough=10), MANY),
    # One GPU: within eight minutes.
    "gpu": Profile("gpu", 460, Effort(rounds=5, burst=0.1, enough=1), MANY),
    # For tests: everything once, on as little as possible.
    "smoke": Profile("smoke", 60, Effort(rounds=1, burst=0, enough=0), FEWEST, memory=False),
}
