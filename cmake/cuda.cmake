# HITGRAPH_CUDA: AUTO takes CUDA if nvcc is found, ON insists, OFF leaves it out. This version has no
# CUDA kernels yet (HITGRAPH_CORE_CUDA_SOURCES is empty); what was found is part of the build
# information, and architectures are settled here so that no other file speaks of them.
set(HITGRAPH_CUDA AUTO CACHE STRING "CUDA kernels: AUTO, ON or OFF")
set_property(CACHE HITGRAPH_CUDA PROPERTY STRINGS AUTO ON OFF)
set(HITGRAPH_CUDA_VERSION "")
set(HITGRAPH_CUDA_ARCHITECTURES "")

if(NOT HITGRAPH_CUDA STREQUAL "OFF")
  find_program(HITGRAPH_NVCC nvcc HINTS $ENV{CUDA_HOME}/bin $ENV{CUDA_PATH}/bin /usr/local/cuda/bin)
  if(HITGRAPH_NVCC)
    execute_process(COMMAND ${HITGRAPH_NVCC} --version OUTPUT_VARIABLE nvcc_says)
    string(REGEX MATCH "release ([0-9]+\\.[0-9]+)" _ "${nvcc_says}")
    set(HITGRAPH_CUDA_VERSION ${CMAKE_MATCH_1})
  elseif(HITGRAPH_CUDA STREQUAL "ON")
    message(FATAL_ERROR "hitgraph: expected nvcc, since HITGRAPH_CUDA=ON, found none on PATH, in "
                        "CUDA_HOME or in /usr/local/cuda: install the CUDA toolkit, or set "
                        "HITGRAPH_CUDA=OFF.")
  endif()
endif()

if(HITGRAPH_CUDA_VERSION)
  if(DEFINED ENV{TORCH_CUDA_ARCH_LIST})
    # "8.0;9.0+PTX" or "8.0 9.0" to 80;90.
    string(REGEX REPLACE "[ ;]+" ";" architectures "$ENV{TORCH_CUDA_ARCH_LIST}")
    string(REGEX REPLACE "\\+PTX|\\." "" HITGRAPH_CUDA_ARCHITECTURES "${architectures}")
  elseif(CMAKE_CUDA_ARCHITECTURES)
    set(HITGRAPH_CUDA_ARCHITECTURES ${CMAKE_CUDA_ARCHITECTURES})
  elseif(HITGRAPH_CUDA_VERSION VERSION_LESS 13)
    set(HITGRAPH_CUDA_ARCHITECTURES 61 75 80 86 89 90)
  else()
    set(HITGRAPH_CUDA_ARCHITECTURES 75 80 86 89 90)
  endif()
endif()
