# The C++ tests: GoogleTest, linked to the core alone.
find_package(GTest REQUIRED)
find_package(Boost REQUIRED COMPONENTS context)
include(GoogleTest)

# The tests that link this compile the kernels with the host's compiler.
add_library(host_cuda STATIC ${HITGRAPH_HOST_CUDA_SOURCES})
target_compile_features(host_cuda PUBLIC cxx_std_17)
target_compile_definitions(host_cuda PUBLIC HITGRAPH_HOST_CUDA)
target_compile_options(host_cuda PRIVATE -O2 -Wall -Wextra)
target_include_directories(host_cuda PUBLIC ${PROJECT_SOURCE_DIR}/csrc ${PROJECT_SOURCE_DIR}/tests/cpp)
target_link_libraries(host_cuda PUBLIC Boost::context)

foreach(source ${HITGRAPH_CPP_TESTS} ${HITGRAPH_HOST_CUDA_TESTS})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  # Their plain loops round as the core does.
  target_compile_options(${name} PRIVATE ${HITGRAPH_CORE_FLAGS} -O2)
  target_link_libraries(${name} PRIVATE hitgraph_core GTest::gtest GTest::gtest_main Threads::Threads)
  if(source IN_LIST HITGRAPH_HOST_CUDA_TESTS)
    target_link_libraries(${name} PRIVATE host_cuda)
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60)
endforeach()
target_compile_definitions(knn_cuda_work_test PRIVATE
  HITGRAPH_WORK_TABLE="${PROJECT_SOURCE_DIR}/benchmarks/results/cuda_work.txt")

# Kernels with a fault each: the host's execution must catch every one, by name.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(faults ${PROJECT_SOURCE_DIR}/tests/cpp/faults/faults.py)
file(GLOB fault_catalogue CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/cpp/faults/catalogue/*.py)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${faults} ${fault_catalogue})
execute_process(COMMAND ${Python3_EXECUTABLE} ${faults} --list OUTPUT_VARIABLE fault_names)
if(NOT HITGRAPH_SANITIZE)
  foreach(name ${fault_names})
    add_test(NAME fault.${name} COMMAND ${Python3_EXECUTABLE} ${faults} ${name}
             --compiler ${CMAKE_CXX_COMPILER} --libraries $<TARGET_FILE:host_cuda>
             $<TARGET_FILE:hitgraph_core> $<TARGET_FILE:Boost::context>)
  endforeach()
endif()

if(NOT HITGRAPH_SANITIZE AND CMAKE_BUILD_TYPE STREQUAL "Release")
  add_test(NAME isa_symbols COMMAND ${PROJECT_SOURCE_DIR}/tests/cpp/isa_symbols.sh
                                    $<TARGET_FILE:hitgraph_core> ${CMAKE_NM})
endif()
