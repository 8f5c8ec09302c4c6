"""One command on a machine with a GPU: see tools/gpu_check."""
