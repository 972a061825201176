# SPDX-License-Identifier: MIT
# Fuzz targets. One source serves twice: under the preset `fuzz` as a libFuzzer program
# (tools/fuzz runs it), and in every build with tests as a replay of its corpus.

# alloy_fuzz(NAME SOURCES x_fuzz.cc... [MODULES m...] [LIBRARIES target...]): the sources
# define LLVMFuzzerTestOneInput; the corpus is fuzz/NAME.
#   fuzz_NAME         with ALLOY_FUZZ, in bin/
#   NAME_corpus_test  with ALLOY_TESTS
function(alloy_fuzz name)
  cmake_parse_arguments(F "" "" "SOURCES;MODULES;LIBRARIES" ${ARGN})
  if(ALLOY_FUZZ)
    add_executable(fuzz_${name} ${F_SOURCES})
    alloy_link_modules(fuzz_${name} ${F_MODULES})
    target_include_directories(fuzz_${name} PRIVATE
      "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}")
    target_link_libraries(fuzz_${name} PRIVATE
      alloy_flags ${F_LIBRARIES} Threads::Threads ${CMAKE_DL_LIBS})
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  endif()
  if(ALLOY_TESTS)
    alloy_test(${name}_corpus_test
      SOURCES ${F_SOURCES} "${PROJECT_SOURCE_DIR}/tests/support/replay.cc"
      MODULES ${F_MODULES} LIBRARIES ${F_LIBRARIES}
      DEFINITIONS "ALLOY_CORPUS=\"${PROJECT_SOURCE_DIR}/fuzz/${name}\"")
  endif()
endfunction()
