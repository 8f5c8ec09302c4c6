// hitgraph::edge_conv_max and its gradient on CPU tensors.
#include <torch/library.h>

#include <cmath>
#include <vector>

#include "ops/cpu/executor.h"
#include "ops/edge_conv_run.h"

namespace hitgraph::edge_conv {
namespace {

constexpr int64_t kBlock = 64;  // channels

template <typename Graph>
Executor executor_for(const Graph& graph) {
  return torch_executor(graph.rows * graph.k * (8 + graph.channels) / 16);
}

// How often rows ask and points are reached.
struct Degrees {
  std::vector<int32_t> of_rows, of_points;
  double edges = 0;

  template <typename T, typename Index>
  explicit Degrees(const EdgeConvGraph<T, Index>& graph)
      : of_rows(graph.rows), of_points(graph.points) {
    edge_degrees(graph.index, graph.rows, graph.k, graph.points, of_rows.data(), of_points.data());
    for (const int32_t degree : of_rows) edges += degree;
  }
};

// The mean over all edges of a block's channels: of centers and neighbours, as often as they occur.
template <typename T, typename Index>
void edge_means(const EdgeConvGraph<T, Index>& graph, const Degrees& degrees,
                const Executor& executor, T* mean) {
  std::vector<double> sums(2 * graph.channels);
  weighted_column_sums(graph.center, graph.center_stride, graph.rows, graph.channels,
                       degrees.of_rows.data(), executor, sums.data());
  weighted_column_sums(graph.neighbour, graph.neighbour_stride, graph.points, graph.channels,
                       degrees.of_points.data(), executor, sums.data() + graph.channels);
  for (int64_t c = 0; c < graph.channels; ++c) {
    const double sum = sums[c] + sums[graph.channels + c];
    mean[c] = degrees.edges == 0 ? T(0) : static_cast<T>(sum / degrees.edges);
  }
}

// 1 / sqrt(variance + eps), and that times scale; 1 and scale without normalisation.
template <typename T>
struct Factors {
  std::vector<T> inverse, factor;

  Factors(const EdgeConvLayer<T>& layer, int64_t channels) : inverse(channels), factor(channels) {
    for (int64_t c = 0; c < channels; ++c) {
      const double deviation = layer.normal ? std::sqrt(layer.variance[c] + layer.eps) : 1;
      inverse[c] = static_cast<T>(1 / deviation);
      factor[c] = static_cast<T>(layer.scale[c] / deviation);
    }
  }
};

// `degrees` are made once, if they are needed.
template <typename T, typename Index, typename Slot>
void forward(const EdgeConvGraph<T, Index>& graph, const EdgeConvLayer<T>& layer,
             EdgeConvSelection<T, Slot> selection, std::optional<Degrees>& degrees) {
  const Executor executor = executor_for(graph);
  const int64_t channels = graph.channels;
  if (layer.trained && !degrees) degrees.emplace(graph);
  if (layer.trained) edge_means(graph, *degrees, executor, layer.mean);
  std::vector<T> signs(channels);
  for (int64_t c = 0; c < channels; ++c) signs[c] = layer.scale[c] < 0 ? T(-1) : T(1);
  std::vector<double> squares(channels);
  selection.sign = signs.data();
  selection.mean = layer.mean;
  if (layer.trained) selection.square_sums = squares.data();
  edge_conv_select_cpu(graph, best_simd_level(), executor, selection);
  for (int64_t c = 0; layer.trained && c < channels; ++c) {
    layer.variance[c] = degrees->edges == 0 ? T(0) : static_cast<T>(squares[c] / degrees->edges);
  }
  const Factors<T> factors(layer, channels);
  edge_conv_activate_cpu(selection, graph.rows, channels, factors.factor.data(), layer.shift,
                         layer.slope, executor);
}

FourTensors edge_conv_max(const at::Tensor& features, const at::Tensor& index,
                          const at::Tensor& weight, const OptionalTensor& bias,
                          const OptionalTensor& scale, const OptionalTensor& shift,
                          const OptionalTensor& mean, const OptionalTensor& variance, double eps,
                          double slope, const OptionalTensor& centers, const OptionalTensor&,
                          const OptionalTensor&) {
  std::optional<Degrees> degrees;
  return run(
      {kOp, features, index, weight, bias, scale, shift, mean, variance, eps, slope, centers},
      kBlock, [&](const auto& graph, const auto& layer, const auto& selection) {
        forward(graph, layer, selection, degrees);
      });
}

SixTensors edge_conv_max_backward(const at::Tensor& grad, const at::Tensor& slot,
                                  const at::Tensor& features, const at::Tensor& index,
                                  const at::Tensor& weight, const OptionalTensor& bias,
                                  const OptionalTensor& scale, const OptionalTensor& shift,
                                  const OptionalTensor& mean, const OptionalTensor& variance,
                                  double eps, bool trained, double slope,
                                  const OptionalTensor& centers, const OptionalTensor& offsets,
                                  const OptionalTensor& edges) {
  return run_backward({kBackwardOp, features, index, weight, bias, scale, shift, mean, variance,
                       eps, slope, centers},
                      grad, slot, trained, offsets, edges, kBlock, 2,
                      [](const auto& graph, const auto& layer, auto gradient) {
                        const Factors factors(layer, graph.channels);
                        gradient.mean = layer.mean;
                        gradient.inverse = factors.inverse.data();
                        gradient.factor = factors.factor.data();
                        gradient.shift = layer.shift;
                        gradient.slope = layer.slope;
                        gradient.trained = layer.trained;
                        edge_conv_backward_cpu(graph, best_simd_level(), executor_for(graph),
                                               gradient);
                      });
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CPU, m) {
  m.impl("edge_conv_max", &edge_conv_max);
  m.impl("edge_conv_max_backward", &edge_conv_max_backward);
}

}  // namespace hitgraph::edge_conv
