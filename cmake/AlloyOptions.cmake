# SPDX-License-Identifier: MIT
# What holds for every target of the project: language level, warnings, visibility, places.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")

find_program(ALLOY_CCACHE ccache)
if(ALLOY_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER "${ALLOY_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${ALLOY_CCACHE}")
endif()

set(ALLOY_SANITIZE "" CACHE STRING "Sanitizers for every target of ours, as -fsanitize= takes them")

# What is given to other machines names no folder of this one, so that two builds are equal.
if(ALLOY_PACKAGE OR ALLOY_WHEEL)
  add_compile_options(-g0 "-ffile-prefix-map=${PROJECT_SOURCE_DIR}=."
    "-ffile-prefix-map=${PROJECT_BINARY_DIR}=build")
endif()

if(ALLOY_WHEEL)
  # So that the linker can leave out what nothing calls. A wheel is downloaded often, so what no
  # call runs is small; python/CMakeLists.txt names what is fast instead.
  add_compile_options(-ffunction-sections -fdata-sections -Os)
endif()

# alloy_flags: warnings and sanitizers; every target of ours links it.
add_library(alloy_flags INTERFACE)
target_compile_options(alloy_flags INTERFACE -Wall -Wextra -Wshadow -Werror
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>)
if(ALLOY_SANITIZE)
  # GCC's analysis of what may be uninitialised is wrong about instrumented code.
  target_compile_options(alloy_flags INTERFACE -fsanitize=${ALLOY_SANITIZE}
    -fno-sanitize-recover=all -fno-omit-frame-pointer
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(alloy_flags INTERFACE -fsanitize=${ALLOY_SANITIZE})
endif()

find_package(Threads REQUIRED)

# A module of the engine: a folder of src/, an object library, and a row of the module table.
#   alloy_module(NAME DEPENDS other... SOURCES x.cc... TESTS x_test.cc...)
function(alloy_module name)
  cmake_parse_arguments(M "" "" "DEPENDS;SOURCES;TESTS;TEST_LIBRARIES" ${ARGN})
  add_library(alloy_module_${name} OBJECT ${M_SOURCES})
  target_include_directories(alloy_module_${name} PUBLIC "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(alloy_module_${name} PRIVATE alloy_flags)
  foreach(dependency IN LISTS M_DEPENDS)
    target_link_libraries(alloy_module_${name} PUBLIC alloy_module_${dependency})
  endforeach()
  set_property(GLOBAL APPEND PROPERTY ALLOY_MODULES ${name})
  set_property(GLOBAL PROPERTY ALLOY_MODULE_${name}_DEPENDS "${M_DEPENDS}")
  if(ALLOY_TESTS AND M_TESTS)
    alloy_test(${name}_test SOURCES ${M_TESTS} MODULES ${name} LIBRARIES ${M_TEST_LIBRARIES})
  endif()
endfunction()

# Links modules and all that they depend on into a program.
function(alloy_link_modules target)
  set(pending ${ARGN})
  set(modules "")
  while(pending)
    list(POP_FRONT pending module)
    if(NOT module IN_LIST modules)
      list(APPEND modules ${module})
      get_property(more GLOBAL PROPERTY ALLOY_MODULE_${module}_DEPENDS)
      list(APPEND pending ${more})
    endif()
  endwhile()
  # Objects do not travel through object libraries: name each module once.
  foreach(module IN LISTS modules)
    target_link_libraries(${target} PRIVATE alloy_module_${module})
  endforeach()
endfunction()

# What these test happens on one thread, or another test does it on several: the conformance
# kit also runs in conformance_test. ThreadSanitizer can find nothing in them, and takes
# minutes to do so. Under it they are neither built nor run.
set(ALLOY_ONE_THREAD_TESTS trust_test wire_test abi_test array_test backend_test backend_c_test
  examples_test tpch_queries_test archives_test faults_gate_test faults_rust_test golden_test
  random_test arrow_bugs_test attacks_link_test testing_test)

# A GoogleTest program, registered with ctest as one test; the count inside is read from its
# own XML report in build/reports.
#   alloy_test(NAME SOURCES ... [MODULES m...] [LIBRARIES target...] [DEFINITIONS ...])
function(alloy_test name)
  cmake_parse_arguments(T "" "" "SOURCES;MODULES;LIBRARIES;DEFINITIONS" ${ARGN})
  find_package(GTest REQUIRED)
  add_executable(${name} ${T_SOURCES})
  alloy_link_modules(${name} ${T_MODULES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/include"
    "${PROJECT_SOURCE_DIR}/testing/include" "${PROJECT_SOURCE_DIR}")
  target_compile_definitions(${name} PRIVATE ${T_DEFINITIONS})
  # What is tested is optimised, and the tests are not: this halves the time to compile them.
  # Lines in a trace are all that is wanted of their debug information.
  target_compile_options(${name} PRIVATE -O0 -g1)
  target_link_libraries(${name} PRIVATE alloy_flags ${T_LIBRARIES} GTest::gtest_main Threads::Threads ${CMAKE_DL_LIBS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  if(ALLOY_SANITIZE MATCHES thread AND name IN_LIST ALLOY_ONE_THREAD_TESTS)
    foreach(source IN LISTS T_SOURCES)
      file(STRINGS "${source}" threads REGEX "std::(j?thread|async)|pthread_create")
      if(threads)
        message(FATAL_ERROR "${name} starts threads in ${source}: take it off ALLOY_ONE_THREAD_TESTS")
      endif()
    endforeach()
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL TRUE)
    return()
  endif()
  add_test(NAME ${name} COMMAND ${name} --gtest_output=xml:${CMAKE_BINARY_DIR}/reports/${name}.xml --gtest_brief=1)
  set_tests_properties(${name} PROPERTIES ENVIRONMENT
    "ASAN_OPTIONS=detect_leaks=1:abort_on_error=0;UBSAN_OPTIONS=print_stacktrace=1;TSAN_OPTIONS=halt_on_error=1:suppressions=${PROJECT_SOURCE_DIR}/cmake/tsan.supp")
endfunction()
