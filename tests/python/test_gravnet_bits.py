"""The fused aggregation of GravNet: the same bits always, ties, and values that are no numbers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from gravnet_graphs import features_of, graph
from torch import Tensor

import hitgraph
from hitgraph.nn.functional import gravnet_aggregate

OPS = torch.ops.hitgraph


class TestBits:
    def results(self, transposed: bool = False) -> list[Tensor]:
        index, distance2 = graph(3000, 40, 2000)
        index[:, :3] = 7  # hubs: 3000 edges, parts of several shares
        features = features_of(2000, 22).float().requires_grad_()
        values = distance2.float().masked_fill(index == 7, 0.5).requires_grad_()
        given = hitgraph.transpose_graph(index, 2000) if transposed else None
        outputs = gravnet_aggregate(features, index, values, transposed=given)
        random = torch.Generator().manual_seed(2)
        torch.autograd.backward(
            outputs, [torch.randn(out.shape, generator=random) for out in outputs]
        )
        return [*outputs, features.grad, values.grad]

    def test_twice(self) -> None:
        assert all(torch.equal(a, b) for a, b in zip(self.results(), self.results(), strict=True))

    def test_threads(self) -> None:
        before = torch.get_num_threads()
        runs = []
        try:
            for threads in (1, 2, 3):
                torch.set_num_threads(threads)
                runs.append(self.results())
        finally:
            torch.set_num_threads(before)
        for run in runs[1:]:
            assert all(torch.equal(a, b) for a, b in zip(runs[0], run, strict=True))

    def test_a_given_transposed_graph(self) -> None:
        for made, given in zip(self.results(), self.results(True), strict=True):
            assert torch.equal(made, given)

    @pytest.mark.parametrize("level", ["portable", "avx2", "avx512"])
    def test_simd_levels(self, level: str, tmp_path: Path) -> None:
        if level not in hitgraph._C.build_info()["simd_available"]:
            pytest.skip(f"this machine has no {level}")
        script = (
            "import torch, sys; sys.path.insert(0, sys.argv[1])\n"
            "from test_gravnet_bits import TestBits\n"
            "torch.save(TestBits().results()[:2], sys.argv[2])"
        )
        file = tmp_path / "results.pt"
        subprocess.run(
            [sys.executable, "-c", script, Path(__file__).parent, file],
            check=True,
            env={**os.environ, "HITGRAPH_SIMD": level},
        )
        for there, here in zip(torch.load(file), self.results()[:2], strict=True):
            assert torch.equal(there, here)


class TestSpecialValues:
    def test_the_first_of_equal_products_wins_and_so_does_the_first_nan(self) -> None:
        features = torch.tensor([[1.0], [1.0], [torch.nan], [-torch.inf], [2.0]])
        index = torch.tensor([[0, 1, -1], [4, 2, 2], [3, 3, -1], [-1, 3, 3]])
        weight = torch.ones(4, 3)
        total, maximum, slot = OPS.gravnet_aggregate(features, index, weight, None)
        assert slot.flatten().tolist() == [0, 1, 0, 1] and slot.dtype == torch.uint8
        assert maximum.flatten().tolist()[::2] == [1.0, -torch.inf]
        assert maximum[1].isnan() and total[1].isnan()

    def test_slots_of_missing_neighbours(self) -> None:
        features = torch.tensor([[-1.0, 1.0]])
        index = torch.tensor([[0, -1, -1], [-1, -1, -1]])
        slots = {
            missing: OPS.gravnet_aggregate(
                features, index, torch.ones(2, 3), None, missing=missing
            )[2].tolist()
            for missing in ("skip", "zero")
        }
        assert slots == {"skip": [[0, 0], [255, 255]], "zero": [[1, 0], [0, 0]]}

    def test_slots_of_many_neighbours_are_int32(self) -> None:
        features = torch.arange(300.0).view(300, 1)
        index = torch.arange(300).expand(2, 300).clone()
        index[1] = -1
        slot = OPS.gravnet_aggregate(features, index, torch.ones(2, 300), None)[2]
        assert slot.dtype == torch.int32 and slot.flatten().tolist() == [299, -1]

    def test_an_infinite_weight_touches_only_what_it_won(self) -> None:
        features = torch.tensor([[1.0, -1.0], [1.0, 1.0]], requires_grad=True)
        weight = torch.tensor([[torch.inf, 1.0]])
        (maximum,) = gravnet_aggregate(
            features, torch.tensor([[0, 1]]), None, weight=weight, reduce=("max",)
        )
        maximum.sum().backward()
        assert features.grad.tolist() == [[torch.inf, 0.0], [0.0, 1.0]]

    def test_far_neighbours_have_weight_zero(self) -> None:
        features = torch.ones(2, 1)
        distance2 = torch.tensor([[86.9, 87.1], [1e30, torch.inf]])
        total = OPS.gravnet_aggregate(
            features, torch.tensor([[0, 1], [0, 1]]), distance2, 1.0, True, False, "one"
        )[0]
        expected = torch.exp(torch.tensor([-86.9], dtype=torch.float64)).float()
        torch.testing.assert_close(total[0], expected, rtol=2e-6, atol=0.0)
        assert total[1].item() == 0.0
