# libhitgraph.so and the Python module.
#
# torch's headers and libraries are taken from its package by path, not by find_package(Torch): that
# turns on torch's own CUDA discovery, whose nvcc flags name architectures (sm_50) that CUDA 13 has
# dropped and leak into every target, and it needs torch to be importable, which it is not inside an
# isolated build.

set(torch_include ${HITGRAPH_TORCH_DIR}/include ${HITGRAPH_TORCH_DIR}/include/torch/csrc/api/include)
set(torch_libraries "")
set(torch_library_names torch torch_cpu c10)
if(HITGRAPH_CUDA_VERSION)
  list(APPEND torch_library_names c10_cuda)
endif()
foreach(name ${torch_library_names})
  # Not find_library: its result would stay in the cache when another torch is given.
  set(library ${HITGRAPH_TORCH_DIR}/lib/${CMAKE_SHARED_LIBRARY_PREFIX}${name}${CMAKE_SHARED_LIBRARY_SUFFIX})
  if(NOT EXISTS ${library})
    message(FATAL_ERROR "hitgraph: expected HITGRAPH_TORCH_DIR to be the folder of the torch package, "
                        "found no ${library}")
  endif()
  list(APPEND torch_libraries ${library})
endforeach()
file(READ ${HITGRAPH_TORCH_DIR}/version.py torch_version)
string(REGEX MATCH "__version__ = '([^']+)'" _ "${torch_version}")
set(HITGRAPH_BUILD_TORCH ${CMAKE_MATCH_1})
string(REGEX MATCH "^[0-9]+\\.[0-9]+" HITGRAPH_TORCH_MINOR "${HITGRAPH_BUILD_TORCH}")

string(REPLACE ";" " " cuda_architectures "${HITGRAPH_CUDA_ARCHITECTURES}")
set(build_definitions
    HITGRAPH_VERSION="${PROJECT_VERSION}"
    HITGRAPH_BUILD_TORCH="${HITGRAPH_BUILD_TORCH}"
    HITGRAPH_BUILD_COMPILER="${CMAKE_CXX_COMPILER_ID}\ ${CMAKE_CXX_COMPILER_VERSION}"
    HITGRAPH_BUILD_TYPE="${CMAKE_BUILD_TYPE}"
    HITGRAPH_BUILD_CUDA="${HITGRAPH_CUDA_VERSION}"
    HITGRAPH_BUILD_CUDA_TOOLKIT="${HITGRAPH_CUDA_TOOLKIT}"
    HITGRAPH_BUILD_CUDA_ARCHITECTURES="${cuda_architectures}")


add_library(hitgraph SHARED ${HITGRAPH_OPS_SOURCES})
target_compile_features(hitgraph PUBLIC cxx_std_20)
target_include_directories(hitgraph SYSTEM PUBLIC ${torch_include})
target_compile_definitions(hitgraph PRIVATE ${build_definitions})
target_compile_options(hitgraph PRIVATE -Wall -Wextra -O2)
# Linked by name: at run time it is the libgomp.so.1 that torch has loaded.
find_package(OpenMP REQUIRED)
set_source_files_properties(csrc/ops/cpu/executor.cpp PROPERTIES COMPILE_OPTIONS
                            "${OpenMP_CXX_FLAGS}")
target_link_libraries(hitgraph PRIVATE ${OpenMP_gomp_LIBRARY} hitgraph_core ${torch_libraries} Threads::Threads)
if(HITGRAPH_CUDA_VERSION)
  target_sources(hitgraph PRIVATE ${HITGRAPH_OPS_CUDA_SOURCES})
  target_link_libraries(hitgraph PRIVATE hitgraph_core_cuda CUDA::cudart)
else()
  target_sources(hitgraph PRIVATE ${HITGRAPH_OPS_WITHOUT_CUDA_SOURCES})
endif()
# The package lies beside torch's in site-packages; Python has loaded torch before.
set(torch_rpath "$ORIGIN;$ORIGIN/../torch/lib;${HITGRAPH_TORCH_DIR}/lib")
if(HITGRAPH_CUDA_VERSION)
  # torch's own runtime library comes first: a process should have one.
  string(REGEX MATCH "^[0-9]+" cuda_major ${HITGRAPH_CUDA_VERSION})
  list(APPEND torch_rpath "$ORIGIN/../nvidia/cu${cuda_major}/lib"
       "${HITGRAPH_TORCH_DIR}/../nvidia/cu${cuda_major}/lib" "${CUDAToolkit_LIBRARY_DIR}")
endif()
set_target_properties(hitgraph PROPERTIES INSTALL_RPATH "${torch_rpath}" BUILD_RPATH
                      "${HITGRAPH_TORCH_DIR}/lib")
install(TARGETS hitgraph LIBRARY DESTINATION .)
install(DIRECTORY csrc/include/hitgraph DESTINATION include)

include(CMakePackageConfigHelpers)
configure_file(cmake/hitgraph-config.cmake.in hitgraph-config.cmake @ONLY)
write_basic_package_version_file(hitgraph-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/hitgraph-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/hitgraph-config-version.cmake DESTINATION cmake)
# Read before the library is loaded, to say what is wrong when it cannot be.
configure_file(cmake/build_torch.txt.in build_torch.txt @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/build_torch.txt DESTINATION .)

if(HITGRAPH_PYTHON_INCLUDE_DIR)
  add_library(_C MODULE ${HITGRAPH_PYTHON_SOURCES})
  target_compile_features(_C PRIVATE cxx_std_17)
  target_include_directories(_C SYSTEM PRIVATE ${HITGRAPH_PYTHON_INCLUDE_DIR}
                             ${HITGRAPH_PYBIND11_INCLUDE_DIR})
  target_include_directories(_C PRIVATE csrc csrc/include)
  target_compile_definitions(_C PRIVATE ${build_definitions})
  target_compile_options(_C PRIVATE -fvisibility=hidden -Wall -Wextra)
  target_link_libraries(_C PRIVATE hitgraph)
  set_target_properties(_C PROPERTIES PREFIX "" SUFFIX "${HITGRAPH_PYTHON_SUFFIX}" INSTALL_RPATH
                        "${torch_rpath}")
  install(TARGETS _C LIBRARY DESTINATION .)
endif()
message(STATUS "hitgraph ${PROJECT_VERSION}: torch ${HITGRAPH_BUILD_TORCH}, CUDA: "
               "${HITGRAPH_CUDA_VERSION} ${cuda_architectures}")
