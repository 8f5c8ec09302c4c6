// hitgraph._C: what was built, and how. No tensors here: the operators reach Python through torch's
// dispatcher, and importing this module loads the library that registers them.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "core/simd_level.h"
#include "hitgraph/compat.h"
#include "hitgraph/debug.h"
#include "hitgraph/version.h"

namespace py = pybind11;

namespace {

std::vector<std::string> simd_levels() {
  std::vector<std::string> names;
  for (const auto level :
       {hitgraph::SimdLevel::kPortable, hitgraph::SimdLevel::kAvx2, hitgraph::SimdLevel::kAvx512}) {
    if (hitgraph::simd_level_available(level)) names.emplace_back(hitgraph::simd_level_name(level));
  }
  return names;
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

py::dict build_info() {
  py::dict info;
  info["version"] = hitgraph::version();
  info["torch"] = HITGRAPH_BUILD_TORCH;
  info["compiler"] = HITGRAPH_BUILD_COMPILER;
  info["build_type"] = HITGRAPH_BUILD_TYPE;
  // Kernels, and what could compile them.
  const std::string cuda = HITGRAPH_BUILD_CUDA;
  info["cuda"] = cuda.empty() ? py::object(py::none()) : py::object(py::str(cuda));
  info["cuda_toolkit"] = HITGRAPH_BUILD_CUDA_TOOLKIT;
  info["cuda_architectures"] =
      cuda.empty() ? std::vector<std::string>{} : words(HITGRAPH_BUILD_CUDA_ARCHITECTURES);
  info["simd"] = hitgraph::simd_level_name(hitgraph::best_simd_level());
  info["simd_available"] = simd_levels();
  return info;
}

}  // namespace

PYBIND11_MODULE(_C, m) {
  m.doc() = "Build information of hitgraph; importing it registers the operators.";
  m.def("build_info", &build_info,
        "Versions, compiler, CUDA architectures and SIMD levels of this build.");
  m.def("set_debug_checks", &hitgraph::set_debug_checks, py::arg("enabled"));
  m.def("debug_checks", &hitgraph::debug_checks);
  m.def("set_pyg_operators", &hitgraph::set_pyg_operators, py::arg("enabled"));
}
