"""What torch-cluster tells of its operators: its fps takes a list of offsets, or does not."""

from __future__ import annotations

import torch

from hitgraph.compat import _original

_original.load()
WITH_PTR_LIST = hasattr(torch.ops.torch_cluster, "fps_ptr_list")
