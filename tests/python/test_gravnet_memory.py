"""The memory that GravNet's aggregation takes: never a tensor of the edges' features."""

import sys

import pytest
from benchmarks.peak_memory import AGGREGATE, aggregate_bytes, aggregate_peak, peak_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
N, K, F = 30_000, 64, 64


@pytest.mark.parametrize(("given", "most"), [(True, 1.3), (False, 1.7)])
def test_forward_and_backward(given: bool, most: float) -> None:
    assert 2 * aggregate_bytes(N, K, F) < N * K * F * 4  # what must not appear would be seen
    ratio = aggregate_peak(N, K, F, transposed_given=given)
    assert 0.9 < ratio <= most


def test_an_edge_tensor_would_be_seen() -> None:
    work = f"kept = work({N}, {K}, {F}, True); kept[0][kept[1]]"
    assert peak_of(AGGREGATE, work) > 1.7 * aggregate_bytes(N, K, F)
