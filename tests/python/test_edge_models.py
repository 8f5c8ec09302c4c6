"""DGCNN and ParticleNet against the same networks with every edge and event written out."""

import copy
import itertools

import pytest
import torch
from edge_conv_formula import edge_conv
from knn_reference import cloud, offsets
from refusals import assert_raises

import hitgraph
from hitgraph.models import DGCNN, DGCNNSegmentation, ParticleNet, SpatialTransform
from hitgraph.nn import EDGE_PRESETS, DynamicEdgeConv

SPLITS = offsets(40, 25, 60)


def turned(transform, x):
    """Every event's points times a matrix of its own."""
    index = hitgraph.knn(x.detach(), transform.edges.k, SPLITS, include_self=True).index
    points = transform.embed(edge_conv(transform.edges.nn, x, index))
    events = torch.stack([event.max(0).values for event in events_of(points)])
    numbers = transform.out(transform.dense(events))
    d = x.shape[1]
    pairs = zip(events_of(x), numbers, strict=True)
    return torch.cat([event @ own.reshape(d, d) for event, own in pairs])


def edge_layers(edges, x):
    if edges.transform is not None:
        x = turned(edges.transform, x)
    first = None if edges.coord_slice is None else x[:, edges.coord_slice]
    found = []
    for layer in edges.layers:
        space = x if first is None else first
        index = hitgraph.knn(space.detach(), layer.k, SPLITS, include_self=True).index
        x = edge_conv(layer.nn, x, index)
        first = None
        found.append(x)
    return torch.cat(found, 1)


def events_of(x):
    return x.tensor_split(SPLITS[1:-1])


def classify(model, x):
    points = model.embed(edge_layers(model.edges, x))
    events = [torch.cat((event.max(0).values, event.mean(0))) for event in events_of(points)]
    return model.out(model.dense(torch.stack(events)))


def segment(model, x, category):
    points = edge_layers(model.edges, x)
    events = torch.stack([event.max(0).values for event in events_of(model.embed(points))])
    if category is not None:
        kinds = torch.eye(model.categories, dtype=x.dtype)[category]
        events = torch.cat((events, model.category(kinds)), 1)
    rows = torch.repeat_interleave(SPLITS.diff())
    return model.out(model.dense(torch.cat((events[rows], points), 1)))


def assert_same_model(model, plain, run, formula, x):
    for training in (True, False):
        model.train(training), plain.train(training)
        mine, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
        got, expected = run(model, mine), formula(plain, theirs)
        torch.testing.assert_close(got, expected, rtol=1e-8, atol=1e-8)
        got.square().sum().backward()
        expected.square().sum().backward()
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-7, atol=1e-7)
        for a, b in zip(model.parameters(), plain.parameters(), strict=True):
            torch.testing.assert_close(a.grad, b.grad, rtol=1e-7, atol=1e-7)
        for a, b in zip(model.buffers(), plain.buffers(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-8)
        model.zero_grad(), plain.zero_grad()


def bend(model):
    """A new transform returns its input: give it weights that turn it."""
    if model.edges.transform is not None:
        torch.nn.init.normal_(model.edges.transform.out.weight, std=0.1)
    return model


@pytest.mark.parametrize(
    ("coord_slice", "transform"), [(None, False), (slice(1, 3), False), (slice(1, 3), True)]
)
def test_classification(coord_slice, transform):
    torch.manual_seed(1)
    sizes = {"widths": (8, 12), "embedding": 16, "hidden": (14, 10), "dropout": 0.0}
    first = {"coord_slice": coord_slice, "transform": transform}
    model = bend(DGCNN(3, 5, k=6, **first, **sizes).double())
    x = cloud(125, 3, seed=1, dtype=torch.float64)
    assert_same_model(model, copy.deepcopy(model), lambda m, x: m(x, SPLITS), classify, x)


@pytest.mark.parametrize(("categories", "transform"), [(0, False), (4, False), (4, True)])
def test_segmentation(categories, transform):
    torch.manual_seed(2)
    sizes = {"networks": ((8, 8), (12,)), "embedding": 16, "hidden": (10,), "dropout": 0.0}
    kind = {"categories": categories, "transform": transform}
    model = bend(DGCNNSegmentation(9, 5, k=6, **kind, **sizes).double())
    x = cloud(125, 9, seed=2, dtype=torch.float64)
    category = torch.tensor([3, 0, 1]) if categories else None
    assert_same_model(
        model,
        copy.deepcopy(model),
        lambda m, x: m(x, SPLITS, category=category),
        lambda m, x: segment(m, x, category),
        x,
    )


def test_a_new_transform_returns_its_input():
    torch.manual_seed(5)
    x = cloud(125, 3, seed=9)
    for training in (True, False):
        assert torch.equal(SpatialTransform(3, 6).train(training)(x, SPLITS), x)


def test_segmentations_of_the_paper():
    """Number by number: layers with their normalisation, those of the transform first."""

    def normalised(*widths):
        return sum(a * b + 2 * b for a, b in itertools.pairwise(widths))

    edges = normalised(6, 64, 64) + 2 * normalised(128, 64) + normalised(64, 64)
    transform = normalised(6, 64, 128, 1024, 512, 256) + 256 * 9 + 9
    dense = normalised(1024 + 64 + 192, 256, 256, 128) + 128 * 50 + 50
    parts = DGCNNSegmentation.preset("shapenet")
    expected = transform + edges + normalised(192, 1024) + normalised(16, 64) + dense
    assert sum(p.numel() for p in parts.parameters()) == expected
    rooms = DGCNNSegmentation.preset("s3dis")
    edges = normalised(18, 64, 64) + 2 * normalised(128, 64) + normalised(64, 64)
    dense = normalised(1024 + 192, 512, 256) + 256 * 13 + 13
    assert sum(p.numel() for p in rooms.parameters()) == edges + normalised(192, 1024) + dense
    assert [layer.k for layer in parts.edges.layers] == [40] * 3 and parts.edges.transform
    assert [layer.k for layer in rooms.edges.layers] == [20] * 3 and not rooms.edges.transform
    assert rooms.edges.coord_slice == slice(6, 9) and parts.edges.coord_slice is None
    for model, behind in ((parts, [256, 256]), (rooms, [256])):
        modules = list(model.dense)
        drops = [n for n, m in enumerate(modules) if isinstance(m, torch.nn.Dropout)]
        assert [modules[n - 2].num_features for n in drops] == behind
        assert all(modules[n].p == 0.5 for n in drops)
    x, kind = cloud(90, 3, seed=10), torch.tensor([3])
    assert DGCNNSegmentation.preset("shapenet", classes=4).eval()(x, category=kind).shape == (90, 4)
    assert_raises(ValueError, "one of s3dis", lambda: DGCNNSegmentation.preset("x"), "preset")


def test_events_of_equal_size():
    torch.manual_seed(6)
    x, splits = cloud(120, 9, seed=11), torch.tensor([0, 40, 80, 120])
    classifier, segmenter = DGCNN(9, 5, k=6).eval(), DGCNNSegmentation(9, 5, k=6).eval()
    dense = x.view(3, 40, 9)
    assert torch.equal(classifier(dense), classifier(x, splits))
    assert torch.equal(segmenter(dense), segmenter(x, splits).view(3, 40, 5))
    assert_raises(ValueError, "got both", lambda: classifier(dense, splits), "DGCNN")
    assert_raises(TypeError, "a Tensor", lambda: classifier([[0.0] * 9]), "DGCNN")


def jets_by_formula(model, coordinates, features):
    x, space = model.norm(features), coordinates
    for block in model.blocks:
        index = hitgraph.knn(space.detach(), block.edges.k, SPLITS).index
        x = (edge_conv(block.edges.nn, x, index, aggr="mean") + block.shortcut(x)).relu()
        space = x
    events = torch.stack([event.mean(0) for event in events_of(x)])
    return model.out(model.dense(events))


@pytest.mark.parametrize("size", ["lite", "full"])
def test_jets(size):
    torch.manual_seed(3)
    model = ParticleNet(7, 3, size=size, dropout=0.0).double()
    features = cloud(125, 7, seed=3, dtype=torch.float64)
    coordinates = cloud(125, 2, seed=4, dtype=torch.float64)
    assert_same_model(
        model,
        copy.deepcopy(model),
        lambda m, x: m(coordinates, x, SPLITS),
        lambda m, x: jets_by_formula(m, coordinates, x),
        features,
    )


def test_padded_jets_are_as_the_particles_alone():
    torch.manual_seed(4)
    model = ParticleNet(7, 3, size="lite", dropout=0.0).double()
    same = copy.deepcopy(model)
    features = cloud(125, 7, seed=3, dtype=torch.float64)
    coordinates = cloud(125, 2, seed=4, dtype=torch.float64)
    padded_x = torch.full((3, 64, 7), 123.0, dtype=torch.float64)
    padded_c = torch.full((3, 64, 2), 1e9, dtype=torch.float64)
    mask = torch.zeros(3, 64, dtype=torch.bool)
    for jet, (begin, end) in enumerate(itertools.pairwise(SPLITS.tolist())):
        size = end - begin
        padded_x[jet, :size], padded_c[jet, :size] = features[begin:end], coordinates[begin:end]
        mask[jet, :size] = True
    for training in (True, False):
        model.train(training), same.train(training)
        got, expected = model(padded_c, padded_x, mask=mask), same(coordinates, features, SPLITS)
        torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-9)
    for a, b in zip(model.buffers(), same.buffers(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


def test_jets_of_few_particles_and_of_none():
    """Fewer than k, and nothing but padding: the others are as without them."""
    torch.manual_seed(7)
    model = ParticleNet(7, 3, size="lite", dropout=0.0).double()
    same = copy.deepcopy(model)
    sizes = torch.tensor([12, 3, 0, 1])
    mask = torch.arange(16) < sizes[:, None]
    x = cloud(64, 7, seed=12, dtype=torch.float64).view(4, 16, 7)
    place = cloud(64, 2, seed=13, dtype=torch.float64).view(4, 16, 2)
    padded = place.masked_fill(~mask[..., None], 1e9), x.masked_fill(~mask[..., None], 1e3)
    splits = torch.cat((torch.zeros(1, dtype=torch.int64), sizes.cumsum(0)))
    for training in (True, False):
        model.train(training), same.train(training)
        got, expected = model(*padded, mask=mask), same(place[mask], x[mask], splits)
        torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-9)


def test_jets_filled_with_their_own_particles():
    """Padding by repetition: distances of 0, ties, and neighbours that are copies. Which of several
    copies is a neighbour is for rounding to say, so their gradients are compared together."""
    torch.manual_seed(8)
    model = ParticleNet(7, 3, size="lite", dropout=0.0).double()
    plain = copy.deepcopy(model)
    features = cloud(125, 7, seed=14, dtype=torch.float64)
    coordinates = cloud(125, 2, seed=15, dtype=torch.float64)
    original = torch.arange(125)
    for begin, end in itertools.pairwise(SPLITS.tolist()):
        original[begin:end] = begin + torch.arange(end - begin) % 11
    features, coordinates = features[original], coordinates[original]
    assert (hitgraph.knn(coordinates, 1, SPLITS).distance2 == 0).all()
    gradients = []
    for run, network in ((ParticleNet.forward, model), (jets_by_formula, plain)):
        x = features.clone().requires_grad_()
        arguments = (x, SPLITS) if network is model else (x,)
        result = run(network, coordinates, *arguments)
        result.square().sum().backward()
        of_originals = torch.zeros_like(x).index_add_(0, original, x.grad)
        gradients.append([result, of_originals, *(p.grad for p in network.parameters())])
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-7, atol=1e-7)


def test_far_coordinates_do_instead_of_a_mask_for_the_graph():
    coordinates, features = cloud(30, 2, seed=5), cloud(30, 7, seed=6)
    far = torch.cat((coordinates, torch.full((10, 2), 1e9)))
    alone = hitgraph.knn(coordinates, 7).index
    assert torch.equal(hitgraph.knn(far, 7).index[:30], alone)
    model = ParticleNet(7, size="lite").eval()
    assert model(far, torch.cat((features, torch.zeros(10, 7)))).isfinite().all()


def test_the_sizes_of_the_papers():
    def parameters(model):
        return sum(p.numel() for p in model.parameters())

    # dgcnn.pytorch has 1 809 576: with a bias in its second hidden layer, whose normalisation
    # takes it away again.
    assert parameters(DGCNN()) == 1_809_576 - 256
    # arXiv:1902.08570, table: 366k and 26k with the features of top tagging.
    assert abs(parameters(ParticleNet(7)) / 366e3 - 1) < 0.01
    assert abs(parameters(ParticleNet(7, size="lite")) / 26e3 - 1) < 0.02
    assert DGCNNSegmentation().edges.out_features == 192


def test_presets():
    for name, preset in EDGE_PRESETS.items():
        layer = DynamicEdgeConv.preset(name, (4, 8, 6), 5)
        assert layer.include_self == preset.include_self and layer.aggr == preset.aggr
        assert layer(cloud(20, 4, seed=7)).shape == (20, 6)
    assert DynamicEdgeConv.preset("dgcnn", (4, 8), 5).path() == "fused"
    assert DynamicEdgeConv.preset("dgcnn", (4, 8), 5, aggr="sum").aggr == "sum"
    assert_raises(
        ValueError, "one of dgcnn", lambda: DynamicEdgeConv.preset("x", (4, 8), 5), "preset"
    )
    assert_raises(
        ValueError, "two widths", lambda: DynamicEdgeConv.preset("pyg", (4,), 5), "preset"
    )


def test_state_dicts_of_torch_geometric():
    geometric = pytest.importorskip("torch_geometric.nn", reason="needs torch_geometric")
    x = cloud(60, 4, seed=8, dtype=torch.float64)
    for widths in ((4, 8), (4, 8, 6)):
        ours = DynamicEdgeConv.preset("pyg", widths, 5).double()
        network = copy.deepcopy(ours.nn)
        theirs = geometric.EdgeConv(network, "max").double()
        torch.manual_seed(9)
        theirs.reset_parameters()
        ours.load_state_dict(theirs.state_dict())
        index = hitgraph.knn(x, 5, include_self=True).index
        edges = torch.stack((index.flatten(), torch.arange(60).repeat_interleave(5)))
        for training in (True, False):
            ours.train(training), theirs.train(training)
            torch.testing.assert_close(ours(x), theirs(x, edges), rtol=1e-9, atol=1e-9)
        theirs.load_state_dict(ours.state_dict())


@pytest.mark.parametrize("aggr", ["max", "mean", "sum"])
def test_the_dynamic_layer_of_torch_geometric(aggr):
    """Its own search and ours, weights in both directions."""
    geometric = pytest.importorskip("torch_geometric.nn", reason="needs torch_geometric")
    pytest.importorskip("torch_cluster", reason="torch_geometric 2.7 searches with torch-cluster")
    x, batch = cloud(90, 4, seed=8), torch.arange(3).repeat_interleave(30)
    for widths in ((4, 8), (4, 8, 6)):
        torch.manual_seed(9)
        theirs = geometric.DynamicEdgeConv(copy.deepcopy(_pyg_network(widths, aggr)), 5, aggr)
        ours = DynamicEdgeConv.preset("pyg", widths, 5, aggr=aggr)
        for source, target in ((theirs, ours), (ours, theirs)):
            for p in source.parameters():
                torch.nn.init.normal_(p, std=0.5)
            target.load_state_dict(source.state_dict())
            for training in (True, False):
                ours.train(training), theirs.train(training)
                got, expected = ours(x, batch=batch, batch_size=3), theirs(x, batch)
                torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)
            for a, b in zip(ours.buffers(), theirs.buffers(), strict=True):
                torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def _pyg_network(widths, aggr):
    return DynamicEdgeConv.preset("pyg", widths, 5, aggr=aggr).nn


def test_refusals():
    assert_raises(ValueError, "size to be 'full'", lambda: ParticleNet(7, size="s"), "ParticleNet")
    assert_raises(ValueError, r"\(n, 3\)", lambda: DGCNN()(torch.rand(5, 4)), "DGCNN")
    model = DGCNNSegmentation(9, 5, categories=3)
    assert_raises(
        ValueError, "a category for each", lambda: model(torch.rand(5, 9)), "Segmentation"
    )
    padded = torch.rand(2, 4, 2), torch.rand(2, 4, 7), SPLITS
    assert_raises(ValueError, "got both", lambda: ParticleNet(7)(*padded), "ParticleNet")
