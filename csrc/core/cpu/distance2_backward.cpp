#include <algorithm>
#include <type_traits>
#include <vector>

#include "core/cpu/graph_order.h"
#include "core/cpu/point_sums.h"
#include "core/cpu/quotient.h"
#include "core/edge_gradient.h"
#include "core/graph.h"

namespace hitgraph {
namespace {

// kDim axes, any number if it is 0.
template <typename T, typename Index, typename Edge, int kDim>
class Backward {
 public:
  Backward(const Distance2Backward<T, Index, Edge>& problem, const Executor& executor)
      : problem_(problem),
        executor_(executor),
        quotient_(std::max<int64_t>(problem.k, 1)),
        order_(order_of_work(
            problem.index, problem.rows, problem.k, problem.points_size, problem.order,
            problem.points_size * problem.dim * static_cast<int64_t>(sizeof(T)), kNearBytes)) {}

  void by_queries(T* grad_queries) const {
    std::vector<std::vector<double>> sums(std::max(1, executor_.threads),
                                          std::vector<double>(dim()));
    // As they are numbered: index and grad are read one after the other so, and are far larger than
    // the coordinates.
    for_each_task(executor_, problem_.rows, 256, [&](int64_t row, int worker) {
      std::vector<double>& sum = sums[worker];
      std::fill(sum.begin(), sum.end(), 0.0);
      const auto ends = [&](int64_t edge) { return Ends{edge, row, problem_.index[edge]}; };
      add(1, row * problem_.k, (row + 1) * problem_.k, ends, sum.data());
      std::transform(sum.begin(), sum.end(), grad_queries + row * dim(),
                     [](double value) { return static_cast<T>(value); });
    });
  }

  void by_points(T* grad_points) const {
    PointSums<T, Edge> sums(problem_.offsets, problem_.edges, problem_.points_size, dim(),
                            grad_points);
    sums.run(
        executor_, order_,
        [&](int64_t begin, int64_t end, int64_t point, int, double* sum) {
          const auto ends = [&](int64_t place) {
            const int64_t edge = problem_.edges[place];
            return Ends{edge, quotient_(edge), point};
          };
          add(-1, begin, end, ends, sum);
        },
        [&](int64_t edge) { prefetch(problem_.grad + edge, 1); });
  }

 private:
  static constexpr int64_t kNearBytes = int64_t{1} << 17;

  struct Ends {
    int64_t edge, row, point;
  };

  int64_t dim() const { return kDim == 0 ? problem_.dim : kDim; }

  // Adds sign * 2 grad (query - point) of the edges ends_at(begin) ... ends_at(end - 1) to a sum of
  // zeros. An infinite grad times no difference, which counts as 0, leaves a NaN: then all is done
  // again with the comparisons that the definition asks for.
  template <typename EndsAt>
  void add(double sign, int64_t begin, int64_t end, const EndsAt& ends_at, double* sum) const {
    add_products(begin, end, ends_at, sum, [&](T grad) {
      const double factor = sign * 2 * static_cast<double>(grad);
      return [=](T difference) { return factor * static_cast<double>(difference); };
    });
    if (std::none_of(sum, sum + dim(), [](double value) { return value != value; })) return;
    std::fill_n(sum, dim(), 0.0);
    add_products(begin, end, ends_at, sum, [&](T grad) {
      return [=](T difference) { return sign * distance2_gradient(grad, difference); };
    });
  }

  template <typename EndsAt, typename ProductOf>
  void add_products(int64_t begin, int64_t end, const EndsAt& ends_at, double* sum,
                    const ProductOf& product_of) const {
    double fixed[kDim == 0 ? 1 : kDim] = {};  // in registers, since nothing else can be there
    double* total = kDim == 0 ? sum : fixed;
    const T *queries = problem_.queries, *points = problem_.points, *grads = problem_.grad;
    for (int64_t place = begin; place < end; ++place) {
      const Ends ends = ends_at(place);
      if (ends.point < 0) continue;
      const auto product = product_of(grads[ends.edge]);
      const T *from = queries + ends.row * dim(), *to = points + ends.point * dim();
      for (int64_t axis = 0; axis < dim(); ++axis) total[axis] += product(from[axis] - to[axis]);
    }
    if (kDim != 0) std::copy_n(fixed, kDim, sum);
  }

  const Distance2Backward<T, Index, Edge>& problem_;
  const Executor& executor_;
  const Quotient<Edge> quotient_;
  const std::vector<int32_t> order_;
};

}  // namespace

template <typename T, typename Index, typename Edge>
void distance2_backward_cpu(const Distance2Backward<T, Index, Edge>& problem,
                            const Executor& executor, T* grad_queries, T* grad_points) {
  const auto run = [&](auto dim) {
    const Backward<T, Index, Edge, decltype(dim)::value> backward(problem, executor);
    backward.by_queries(grad_queries);
    backward.by_points(grad_points);
  };
  switch (problem.dim) {
    case 2: return run(std::integral_constant<int, 2>());
    case 3: return run(std::integral_constant<int, 3>());
    case 4: return run(std::integral_constant<int, 4>());
    case 8: return run(std::integral_constant<int, 8>());
    default: return run(std::integral_constant<int, 0>());
  }
}

#define HITGRAPH_INSTANTIATE(T, Index, Edge)                                                      \
  template void distance2_backward_cpu(const Distance2Backward<T, Index, Edge>&, const Executor&, \
                                       T*, T*);
#define HITGRAPH_INSTANTIATE_ALL(T)         \
  HITGRAPH_INSTANTIATE(T, int32_t, int32_t) \
  HITGRAPH_INSTANTIATE(T, int32_t, int64_t) \
  HITGRAPH_INSTANTIATE(T, int64_t, int32_t) \
  HITGRAPH_INSTANTIATE(T, int64_t, int64_t)
HITGRAPH_INSTANTIATE_ALL(float)
HITGRAPH_INSTANTIATE_ALL(double)
#undef HITGRAPH_INSTANTIATE_ALL
#undef HITGRAPH_INSTANTIATE

}  // namespace hitgraph
