// Prints what the library launches: a line a kernel with its symbol, and what it is launched with.
// Taken from the launches themselves, on a device that launches nothing, so that
// tools/kernel_report repeats no formula. Kernels are named, never run: what they call need not be
// linked.
//
//   launch_sizes ROWS SHARED_BYTES_PER_MULTIPROCESSOR K...
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

#include "core/cuda/condensate_launches.h"
#include "core/cuda/condensation_launches.h"
#include "core/cuda/edge_conv_launches.h"
#include "core/cuda/graph_launches.h"
#include "core/cuda/gravnet_launches.h"
#include "core/cuda/knn_launches.h"
#include "core/cuda/radius_launches.h"

namespace hitgraph {
namespace {

// For the searches that serve any number of them: one query after another, and in tiles.
constexpr int64_t kManyDimensions = 12, kTileDimensions = 64;

template <typename Argument>
int group_of(const Argument&) {
  return 0;
}
template <typename T>
int group_of(const KnnLaunch<T>& launch) {
  return launch.queries.size;
}

template <typename T>
int group_of(const TileLaunch<T>& launch) {
  return launch.queries.size;
}

struct PrintingDevice {
  int64_t shared_bytes, dim, k;

  template <typename T>
  Global<T> array(const char*, int64_t) {
    return {};
  }
  template <typename T>
  void zero(Global<T>, int64_t) {}
  template <typename T>
  void exclusive_scan(Global<T>, Global<T>, int64_t) {}
  template <typename Key, typename Value>
  void sort_pairs(const Key&, const Key&, const Value&, const Value&, int64_t, int) {}
  template <typename Argument>
  void launch(const char* name, void (*kernel)(Argument), int64_t, int threads, uint32_t bytes,
              const Argument& argument) {
    Dl_info symbol{};
    if (dladdr(reinterpret_cast<void*>(kernel), &symbol) == 0 || symbol.dli_sname == nullptr) {
      std::fprintf(stderr, "launch_sizes: expected a symbol of %s, link with -rdynamic\n", name);
      std::exit(1);
    }
    std::printf("%s %lld %lld %d %d %u\n", symbol.dli_sname, static_cast<long long>(dim),
                static_cast<long long>(k), group_of(argument), threads, bytes);
  }
  int64_t shared_bytes_per_multiprocessor() const { return shared_bytes; }
};

host_cuda::Array something;

template <typename T>
void print_knn(int64_t rows, int64_t shared_bytes, int64_t dim, int64_t k, bool counting) {
  PrintingDevice device{shared_bytes, dim, k};
  KnnInput<T> input;
  input.points.rows = rows;
  input.points.dim = dim;
  input.points.row_splits = Global<const int64_t>(&something);
  input.k = k;
  input.query_rows = rows;
  if (counting) input.counters = Global<unsigned long long>(&something);
  launch_knn(device, input);
  if (dim != kTileDimensions) return;
  input.few_points = rows;
  launch_knn(device, input);
}

// Rows that are cut, as the search for as many neighbours is printed anyway, and rows that are
// merged.
template <typename T>
void print_radius(int64_t rows, int64_t shared_bytes, int64_t dim) {
  constexpr int64_t kMost = kMostPerPass;
  PrintingDevice device{shared_bytes, dim, kMost};
  RadiusInput<T> input;
  input.points.rows = rows;
  input.points.dim = dim;
  input.points.row_splits = Global<const int64_t>(&something);
  input.query_rows = rows;
  for (const int64_t max_neighbors : {kMost, rows}) {
    input.max_neighbors = max_neighbors;
    const unsigned long long longest = max_neighbors == kMost ? kMost : 2 * kPiece;
    const unsigned long long totals[kRadiusTotals] = {longest, longest};
    launch_radius_write(device, launch_radius_count(device, input), totals, Neighbours<T>());
  }
}

template <typename T, typename Index, typename Edge>
void print_backward(int64_t rows, int64_t shared_bytes) {
  PrintingDevice device{shared_bytes, 0, 0};
  Distance2Gradient<T, Index, Edge> gradient{};
  gradient.rows = rows;
  gradient.k = 1;
  gradient.dim = 1;
  const Global<int64_t> offsets(&something);
  launch_transpose<Edge, Index>(device, gradient.index, rows, rows, offsets, Global<Edge>());
  gradient.graph = transposed_graph<Edge>(rows, rows, offsets, Global<const Edge>());
  launch_distance2_backward(device, gradient);
}

// With vectors and without, with the maximum and without.
template <typename T, typename Index, typename Slot, typename Edge>
void print_gravnet(int64_t rows, int64_t shared_bytes) {
  PrintingDevice device{shared_bytes, 0, 0};
  for (const int channels : {32, 33}) {
    GravnetAggregate<T, Index, Slot> forward{};
    forward.edges.rows = forward.edges.points = rows;
    forward.edges.k = 1;
    forward.edges.channels = channels;
    launch_gravnet_aggregate(device, forward);
    forward.maximum = Global<T>(&something);
    launch_gravnet_aggregate(device, forward);

    GravnetBackward<T, Index, Slot, Edge> backward{};
    backward.edges = forward.edges;
    backward.divisor = Divisor::kPresent;
    backward.gradients.total = Global<const T>(&something);
    backward.grad_values = backward.grad_features = Global<T>(&something);
    launch_gravnet_backward(device, backward);
  }
}

template <typename T, typename Index, typename Slot, typename Edge>
void print_edge_conv(int64_t rows, int64_t shared_bytes) {
  PrintingDevice device{shared_bytes, 0, 0};
  for (const int channels : {64, 65}) {
    EdgeConvForward<T, Index, Slot> forward{};
    forward.edges.rows = forward.edges.points = rows;
    forward.edges.k = 1;
    forward.edges.channels = channels;
    forward.normal.normal = forward.normal.trained = true;
    launch_edge_conv(device, forward);

    EdgeConvBackward<T, Index, Slot, Edge> backward{};
    backward.edges = forward.edges;
    launch_edge_conv_backward(device, backward);
  }
}

// One event with an object a thousand hits.
template <typename T>
void print_condensation(int64_t rows, int64_t shared_bytes) {
  PrintingDevice device{shared_bytes, 0, 0};
  LabelledOrder<T> order{};
  launch_object_count(device, order, Global<const int64_t>(), rows, 1, Global<int32_t>());
  launch_objects(device, order, rows / 1000);
  for (const int dim : {3, 8, static_cast<int>(kManyDimensions)}) {
    CondensationPairs<T> pairs{};
    pairs.hits = rows;
    pairs.objects = rows / 1000;
    pairs.events = 1;
    pairs.dim = dim;
    launch_condensation_potential(device, pairs, Global<T>(), Global<T>());
    launch_condensation_backward(device, pairs, HitGradients<T>(), Global<T>(), Global<T>());
  }
  CondensateInput<T> input{};
  input.hits.rows = rows;
  input.hits.dim = 3;
  input.hits.row_splits = Global<const int64_t>(&something);
  launch_point_list(device, launch_condensate(device, input), rows, Global<int64_t>());
}

template <typename T, typename Index>
void print_gravnet_of_index(int64_t rows, int64_t shared_bytes) {
  print_gravnet<T, Index, uint8_t, int32_t>(rows, shared_bytes);
  print_gravnet<T, Index, uint8_t, int64_t>(rows, shared_bytes);
  print_gravnet<T, Index, int32_t, int32_t>(rows, shared_bytes);
  print_gravnet<T, Index, int32_t, int64_t>(rows, shared_bytes);
  print_edge_conv<T, Index, uint8_t, int32_t>(rows, shared_bytes);
  print_edge_conv<T, Index, uint8_t, int64_t>(rows, shared_bytes);
  print_edge_conv<T, Index, int32_t, int32_t>(rows, shared_bytes);
  print_edge_conv<T, Index, int32_t, int64_t>(rows, shared_bytes);
}

template <typename T>
void print_all(int64_t rows, int64_t shared_bytes, int count, char** ks) {
  for (int i = 0; i < count; ++i) {
    const int64_t k = std::atoll(ks[i]);
    for (int64_t dim = 1; dim <= 8; ++dim) print_knn<T>(rows, shared_bytes, dim, k, false);
    print_knn<T>(rows, shared_bytes, kManyDimensions, k, false);
    print_knn<T>(rows, shared_bytes, kManyDimensions, k, true);
    for (const bool counting : {false, true}) {
      print_knn<T>(rows, shared_bytes, kTileDimensions, k, counting);
    }
  }
  for (int64_t dim = 1; dim <= 8; ++dim) print_radius<T>(rows, shared_bytes, dim);
  print_radius<T>(rows, shared_bytes, kManyDimensions);
  print_backward<T, int32_t, int32_t>(rows, shared_bytes);
  print_backward<T, int64_t, int32_t>(rows, shared_bytes);
  print_backward<T, int32_t, int64_t>(rows, shared_bytes);
  print_backward<T, int64_t, int64_t>(rows, shared_bytes);
  print_condensation<T>(rows, shared_bytes);
  print_gravnet_of_index<T, int32_t>(rows, shared_bytes);
  print_gravnet_of_index<T, int64_t>(rows, shared_bytes);
}

}  // namespace
}  // namespace hitgraph

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: launch_sizes ROWS SHARED_BYTES_PER_MULTIPROCESSOR K...\n");
    return 2;
  }
  const int64_t rows = std::atoll(argv[1]), shared_bytes = std::atoll(argv[2]);
  hitgraph::print_all<float>(rows, shared_bytes, argc - 3, argv + 3);
  hitgraph::print_all<double>(rows, shared_bytes, argc - 3, argv + 3);
}
