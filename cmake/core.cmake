# hitgraph_core: no header of torch or Python.

add_library(hitgraph_core STATIC ${HITGRAPH_CORE_CPU_SOURCES})
target_compile_features(hitgraph_core PUBLIC cxx_std_17)
target_include_directories(hitgraph_core PUBLIC csrc csrc/include)
# Every fused multiply-add is written down; the compiler may neither add nor undo one, or the bits of
# a distance would depend on it. Nobody asks whether a comparison trapped; where one might, a choice
# between two numbers is a branch, which no vector has.
set(HITGRAPH_CORE_FLAGS -ffp-contract=off -fno-math-errno -fno-trapping-math -Wall -Wextra)
target_compile_options(hitgraph_core PRIVATE ${HITGRAPH_CORE_FLAGS} -O3)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(avx2 -mavx2 -mfma -mbmi -mbmi2 -mpopcnt)
  # GCC 12 warns of its own intrinsics: they start from a variable that they leave undefined.
  set(avx512 ${avx2} -mavx512f -mavx512vl -mavx512bw -mavx512dq -Wno-uninitialized
      -Wno-maybe-uninitialized)
  target_sources(hitgraph_core PRIVATE ${HITGRAPH_CORE_AVX2_SOURCES} ${HITGRAPH_CORE_AVX512_SOURCES})
  set_source_files_properties(${HITGRAPH_CORE_AVX2_SOURCES} PROPERTIES COMPILE_OPTIONS "${avx2}")
  set_source_files_properties(${HITGRAPH_CORE_AVX512_SOURCES} PROPERTIES COMPILE_OPTIONS "${avx512}")
  target_compile_definitions(hitgraph_core PUBLIC HITGRAPH_HAVE_AVX2 HITGRAPH_HAVE_AVX512)
endif()
