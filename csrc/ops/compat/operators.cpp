// torch-cluster's searches as operators: hitgraph's own, which its Python functions call, and
// pyg-lib's, which PyTorch Geometric calls from release 2.8 on.
#include <c10/util/Exception.h>
#include <torch/library.h>

#include <string>
#include <vector>

#include "hitgraph/compat.h"
#include "ops/compat/edge_ops.h"

namespace hitgraph {
namespace {

at::Tensor call_knn(const at::Tensor& x, const OptionalTensor& y, int64_t k,
                    const OptionalTensor& batch_x, const OptionalTensor& batch_y,
                    std::optional<int64_t> batch_size, bool loop, bool cosine, bool source_first) {
  const EdgeRequest request{.op = "hitgraph::knn_edges",
                            .points = x,
                            .queries = y,
                            .batch = batch_x,
                            .query_batch = batch_y,
                            .batch_size = batch_size,
                            .loop = loop,
                            .cosine = cosine};
  return knn_edges(request, k, source_first);
}

at::Tensor call_radius(const at::Tensor& x, const OptionalTensor& y, double r,
                       const OptionalTensor& batch_x, const OptionalTensor& batch_y,
                       std::optional<int64_t> batch_size, int64_t max_num_neighbors, bool loop,
                       bool source_first) {
  const EdgeRequest request{.op = "hitgraph::radius_edges",
                            .points = x,
                            .queries = y,
                            .batch = batch_x,
                            .query_batch = batch_y,
                            .batch_size = batch_size,
                            .loop = loop};
  return radius_edges(request, r, max_num_neighbors, source_first);
}

at::Tensor call_nearest(const at::Tensor& x, const at::Tensor& y, const OptionalTensor& batch_x,
                        const OptionalTensor& batch_y) {
  return nearest_rows({.op = "hitgraph::nearest_rows",
                       .points = y,
                       .queries = x,
                       .batch = batch_y,
                       .query_batch = batch_x,
                       .names = kNearestNames});
}

// pyg-lib's. num_workers is read by nobody, there neither.

at::Tensor pyg_knn(const at::Tensor& x, const at::Tensor& y, const OptionalTensor& ptr_x,
                   const OptionalTensor& ptr_y, int64_t k, bool cosine, int64_t /*num_workers*/) {
  const EdgeRequest request{.op = "pyg::knn",
                            .points = x,
                            .queries = y,
                            .ptr = ptr_x,
                            .query_ptr = ptr_y,
                            .cosine = cosine};
  return knn_edges(request, k, false);
}

at::Tensor pyg_radius(const at::Tensor& x, const at::Tensor& y, const OptionalTensor& ptr_x,
                      const OptionalTensor& ptr_y, double r, int64_t max_num_neighbors,
                      int64_t /*num_workers*/, bool ignore_same_index) {
  const EdgeRequest request{.op = "pyg::radius",
                            .points = x,
                            .queries = y,
                            .ptr = ptr_x,
                            .query_ptr = ptr_y,
                            .loop = !ignore_same_index};
  return radius_edges(request, r, max_num_neighbors, false);
}

at::Tensor pyg_nearest(const at::Tensor& x, const at::Tensor& y, const OptionalTensor& ptr_x,
                       const OptionalTensor& ptr_y) {
  return nearest_rows({.op = "pyg::nearest",
                       .points = y,
                       .queries = x,
                       .ptr = ptr_y,
                       .query_ptr = ptr_x,
                       .names = kNearestNames});
}

// The registrations last as long as these. Never destroyed: at exit the dispatcher may be gone.
std::vector<torch::Library>& pyg_registrations() {
  static auto* registrations = new std::vector<torch::Library>;
  return *registrations;
}

torch::Library pyg_library(torch::Library::Kind kind, std::optional<c10::DispatchKey> key) {
  return {kind, "pyg", key, __FILE__, __LINE__};
}

// As pyg-lib 0.8 declares them.
constexpr const char* kPygSchemas[] = {
    "knn(Tensor x, Tensor y, Tensor? ptr_x=None, Tensor? ptr_y=None, int k=1, bool cosine=False, "
    "int num_workers=1) -> Tensor",
    "radius(Tensor x, Tensor y, Tensor? ptr_x=None, Tensor? ptr_y=None, float r=1.0, "
    "int max_num_neighbors=32, int num_workers=1, bool ignore_same_index=False) -> Tensor",
    "nearest(Tensor x, Tensor y, Tensor? ptr_x=None, Tensor? ptr_y=None) -> Tensor",
};

// The dispatcher warns of every kernel that is set aside; here that is the purpose.
struct Silence : c10::WarningHandler {
  void process(const c10::Warning& /*warning*/) override {}
};

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CompositeExplicitAutograd, m) {
  m.impl("knn_edges", &call_knn);
  m.impl("radius_edges", &call_radius);
  m.impl("nearest_rows", &call_nearest);
}

// Integers have no gradient.
TORCH_LIBRARY_IMPL(hitgraph, Autograd, m) {
  for (const char* op : {"knn_edges", "radius_edges", "nearest_rows"}) {
    m.impl(op, torch::CppFunction::makeFallthrough());
  }
}

void set_pyg_operators(bool enabled) {
  std::vector<torch::Library>& registrations = pyg_registrations();
  if (!enabled) return registrations.clear();
  if (!registrations.empty()) return;
  Silence silence;
  const c10::WarningUtils::WarningHandlerGuard silent(&silence);
  registrations.push_back(pyg_library(torch::Library::FRAGMENT, std::nullopt));
  for (const char* schema : kPygSchemas) {
    const std::string declared(schema), name = "pyg::" + declared.substr(0, declared.find('('));
    if (c10::Dispatcher::singleton().findSchema({name, ""})) continue;
    registrations.back().def(schema);
  }
  for (const c10::DispatchKey key : {c10::DispatchKey::CPU, c10::DispatchKey::CUDA}) {
    registrations.push_back(pyg_library(torch::Library::IMPL, key));
    registrations.back().impl("knn", &pyg_knn);
    registrations.back().impl("radius", &pyg_radius);
    registrations.back().impl("nearest", &pyg_nearest);
  }
}

}  // namespace hitgraph
