"""How things are measured: time, correctness, memory, the machine's ceilings, statistics."""
