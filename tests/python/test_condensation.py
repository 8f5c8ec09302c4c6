"""The object condensation loss against dense formulas, and what holds for every preset."""

import subprocess
import sys

import condensation_formula
import pytest
import torch
from condensation_cases import LABELS, PRESETS, SIZES, data

import hitgraph
from hitgraph.nn import CONDENSATION_PRESETS, ObjectCondensationLoss
from hitgraph.nn.labelled_hits import SegmentSumsByColumns, segment_sums


def loss_of(preset, beta, x, labels, splits, phi, weight, **changes):
    loss = ObjectCondensationLoss.preset(preset, **changes)
    scale = phi if loss.scale else None
    return loss(beta, x, labels, splits, scale=scale, object_weight=weight)


def formula_of(preset, beta, x, labels, splits, phi, weight):
    return condensation_formula.of_batch(preset, splits.tolist(), beta, x, labels, phi, weight)


def combination(parts):
    """A number that depends on all parts and payload weights."""
    payload = parts[4] * torch.linspace(0.5, 2, len(parts[4]), dtype=parts[4].dtype)
    return parts[0] + 2 * parts[1] + 3 * parts[2] + 4 * parts[3] + 5 * payload.sum()


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("preset", PRESETS)
def test_is_the_formula_with_its_gradient(preset, sizes, labels):
    given = data(SIZES[sizes], labels, torch.float64)
    leaves = [given[i].requires_grad_() for i in (0, 1, 4, 5)]
    found, truth = loss_of(preset, *given), formula_of(preset, *given)
    for name, a, b in zip(found._fields, found, truth, strict=False):
        assert torch.allclose(a, b, rtol=1e-12, atol=1e-13), name
    gradients = [
        torch.autograd.grad(combination(parts), leaves, allow_unused=True)
        for parts in (found, truth)
    ]
    for a, b in zip(*gradients, strict=True):
        a, b = (torch.zeros(1, dtype=torch.float64) if g is None else g for g in (a, b))
        assert torch.allclose(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("sizes", ("one event", "several"))
@pytest.mark.parametrize("preset", PRESETS)
def test_float32_is_as_accurate_as_its_terms(preset, sizes):
    given = data(SIZES[sizes], coordinates=3)
    found = loss_of(preset, *given)
    wide = [a.double() if a.is_floating_point() else a for a in given]
    truth = formula_of(preset, *wide)
    # All terms are positive, but those of the β term, which are differences of numbers up to 1.
    for name, a, b in zip(found._fields[:4], found, truth, strict=False):
        assert a.dtype == torch.float32
        assert abs(a.double() - b) <= 1e-6 * max(float(b), 1 if name == "beta" else 0), name


@pytest.mark.parametrize("preset", PRESETS)
def test_gradcheck(preset):
    beta, x, labels, splits, phi, weight = data([14, 0, 9], dtype=torch.float64, coordinates=3)

    def total(beta, x, phi, weight):
        found = loss_of(preset, beta, x, labels, splits, phi, weight)
        return combination(found)

    leaves = [a.requires_grad_() for a in (beta, x, phi, weight)]
    if not ObjectCondensationLoss.preset(preset).scale:
        leaves[2] = phi.detach()
    torch.autograd.gradcheck(total, leaves)


@pytest.mark.parametrize("preset", PRESETS)
def test_condensation_points_are_those_of_the_largest_beta(preset):
    given = list(data(SIZES["several"], dtype=torch.float64))
    given[0] = (given[0] * 6).round() / 7 + 0.01  # equal ones: the first
    found = loss_of(preset, *given)
    noise_label = CONDENSATION_PRESETS[preset].get("noise_label", -1)
    event = torch.repeat_interleave(torch.arange(5), given[3].diff())
    for i in range(len(given[0])):
        if given[2][i] <= noise_label:
            assert found.condensation_point[i] == -1
            continue
        rows = ((event == event[i]) & (given[2] == given[2][i])).nonzero()[:, 0]
        assert found.condensation_point[i] == rows[given[0][rows].argmax()]


@pytest.mark.parametrize("dtype", (torch.float32, torch.float64))
@pytest.mark.parametrize("preset", PRESETS)
def test_is_finite_at_the_ends_of_beta(preset, dtype):
    given = list(data([80], dtype=dtype))
    given[0][:20], given[0][20:40] = 1, 0
    given[1][10:30] = given[1][5]  # coincident
    leaves = [given[i].requires_grad_() for i in (0, 1)]
    found = loss_of(preset, *given)
    for gradient in torch.autograd.grad(combination(found), leaves):
        assert gradient.isfinite().all()
    assert all(part.isfinite().all() for part in found)
    beta = torch.zeros_like(given[0]).requires_grad_()  # nothing to weight by
    found = loss_of(preset, beta, *given[1:])
    assert torch.autograd.grad(combination(found), beta)[0].isfinite().all()


@pytest.mark.parametrize("preset", PRESETS)
def test_does_not_depend_on_threads_or_runs(preset):
    given = data([3000, 2500, 40], coordinates=3)
    leaves = [given[i].requires_grad_() for i in (0, 1, 4, 5)]
    results = []
    threads = torch.get_num_threads()
    try:
        for number in (1, 2, 2):
            torch.set_num_threads(number)
            found = loss_of(preset, *given)
            grads = torch.autograd.grad(combination(found), leaves, allow_unused=True)
            results.append([*found, *(g for g in grads if g is not None)])
    finally:
        torch.set_num_threads(threads)
    for result in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], result, strict=True))


def test_batch_says_the_same_as_row_splits_and_columns_may_be_matrices():
    beta, x, labels, splits, _, weight = data(SIZES["several"])
    loss = ObjectCondensationLoss()
    batch = torch.repeat_interleave(torch.arange(5), splits.diff())
    a = loss(beta, x, labels, splits, object_weight=weight)
    b = loss(beta[:, None], x, labels.int(), batch=batch, object_weight=weight[:, None])
    c = loss(beta, x, labels, batch=batch, batch_size=9, object_weight=weight)
    for parts in (b, c):
        assert all(torch.equal(p, q) for p, q in zip(a, parts, strict=True))
    one = loss(beta, x, labels)
    assert torch.equal(one.total, loss(beta, x, labels, torch.tensor([0, len(beta)])).total)
    assert torch.equal(a.total, a.attraction + a.repulsion + a.beta + a.noise)


def test_sums_by_columns_are_those_of_all_columns():
    """What a GPU does, on the CPU: the same sums and gradients; rows beyond the last segment."""
    values = torch.randn(40, 3, dtype=torch.float64, requires_grad=True)
    for splits in ([0, 7, 7, 30, 40], [0, 5, 21], [0, 0], [0]):
        splits = torch.tensor(splits)
        found = [sums(values, splits) for sums in (segment_sums, SegmentSumsByColumns.apply)]
        assert torch.equal(*found)
        weight = torch.randn_like(found[0])
        assert torch.equal(*(torch.autograd.grad(sums, values, weight)[0] for sums in found))


def test_half_precision_and_autocast_compute_in_float32():
    beta, x, labels, splits, *_ = data([200])
    loss = ObjectCondensationLoss()
    half = loss(beta.bfloat16(), x.bfloat16(), labels, splits)
    assert half.total.dtype == torch.float32
    assert torch.equal(
        half.total, loss(beta.bfloat16().float(), x.bfloat16().float(), labels).total
    )
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(loss(beta, x, labels, splits).total, loss(beta, x, labels).total)


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_named_and_changed(preset):
    loss = ObjectCondensationLoss.preset(preset, noise_weight=0.5)
    assert loss.noise_weight == 0.5
    for name, value in CONDENSATION_PRESETS[preset].items():
        assert getattr(loss, name) == value
    given = data([100])
    whole = loss_of(preset, *given)
    assert torch.allclose(loss_of(preset, *given, noise_weight=0.5).noise, whole.noise / 2)


def test_the_paper_is_the_default():
    for name, value in CONDENSATION_PRESETS["paper"].items():
        assert getattr(ObjectCondensationLoss(), name) == value
    assert repr(ObjectCondensationLoss()) == "ObjectCondensationLoss()"
    assert "repulsion='exponential'" in repr(ObjectCondensationLoss.preset("talk"))


MEMORY = """
import resource, torch, hitgraph
torch.set_num_threads(2)
torch.manual_seed(0)
n, objects = 200_000, 1000
beta = torch.rand(n).requires_grad_()
x = (torch.randn(n, 3) * 0.05).requires_grad_()
labels = torch.randint(-1, objects, (n,))
phi = torch.rand(n)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
loss = hitgraph.nn.ObjectCondensationLoss.preset("{preset}")
loss(beta, x, labels, scale=phi if loss.scale else None).total.backward()
assert x.grad.isfinite().all() and x.grad.abs().sum() > 0
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.parametrize("preset", ("paper", "talk"))
def test_memory_is_that_of_hits_not_of_pairs(preset):
    """All hits in one place, within reach of every centre; all pairs would be 800 MB a time."""
    program = MEMORY.format(preset=preset)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert float(ran.stdout) < 200, f"{float(ran.stdout):.0f} MB"


def test_an_optimizer_separates_two_objects():
    torch.manual_seed(1)
    x = (torch.randn(60, 2) * 0.1).requires_grad_()
    logit = torch.zeros(60, requires_grad=True)
    labels = torch.arange(60) % 3 - 1
    loss = ObjectCondensationLoss()
    optimizer = torch.optim.Adam([x, logit], lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        loss(logit.sigmoid(), x, labels).total.backward()
        optimizer.step()
    found = hitgraph.nn.ObjectCondensationLoss()(logit.sigmoid(), x, labels)
    beta = logit.sigmoid()
    assert beta[labels < 0].max() < 0.1
    points = found.condensation_point[labels >= 0].unique()
    assert len(points) == 2 and beta[points].min() > 0.9
    assert (x[points[0]] - x[points[1]]).norm() > 0.9
