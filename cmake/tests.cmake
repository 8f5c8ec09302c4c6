# The C++ tests: GoogleTest, linked to the core alone.
find_package(GTest REQUIRED)
include(GoogleTest)
foreach(source ${HITGRAPH_CPP_TESTS})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_compile_options(${name} PRIVATE -O2 -Wall -Wextra)
  target_link_libraries(${name} PRIVATE hitgraph_core GTest::gtest GTest::gtest_main Threads::Threads)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60)
endforeach()
if(NOT HITGRAPH_SANITIZE AND CMAKE_BUILD_TYPE STREQUAL "Release")
  add_test(NAME isa_symbols COMMAND ${PROJECT_SOURCE_DIR}/tests/cpp/isa_symbols.sh
                                    $<TARGET_FILE:hitgraph_core> ${CMAKE_NM})
endif()
