// hitgraph::row_splits_from_batch on CUDA tensors. Waits for the device if batch_size is not given,
// and in debug mode; else a batch that is not sorted gives row_splits that find no neighbours.
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/searchsorted.h>
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include <algorithm>

#include "ops/batch_checks.h"

namespace hitgraph {
namespace {

at::Tensor row_splits_from_batch(const at::Tensor& batch, std::optional<int64_t> batch_size,
                                 std::string name) {
  check_batch(batch, batch_size, name);
  const c10::DeviceGuard guard(batch.device());
  if (checks_values_of(batch)) {
    static const auto op = c10::Dispatcher::singleton()
                               .findSchemaOrThrow("hitgraph::row_splits_from_batch", "")
                               .typed<decltype(row_splits_from_batch)>();
    return op.call(batch.cpu(), batch_size, name).to(batch.device());
  }
  const at::Tensor numbers = batch.to(at::kLong).contiguous();
  if (!batch_size) {
    const int64_t last = numbers.size(0) == 0 ? -1 : numbers[-1].item<int64_t>();
    TORCH_CHECK_VALUE(last < kMaxPoints, kRowSplitsOp, ": expected ", name,
                      " to hold numbers below ", kMaxPoints, ", got ", last);
    batch_size = std::max<int64_t>(0, last + 1);
  }
  return at::searchsorted(numbers, at::arange(*batch_size + 1, numbers.options()));
}

}  // namespace

TORCH_LIBRARY_IMPL(hitgraph, CUDA, m) { m.impl("row_splits_from_batch", &row_splits_from_batch); }

}  // namespace hitgraph
