# SPDX-License-Identifier: MIT
# Signing a backend where it is built.
#
#   alloy_sign(TARGET KEY file CERTIFICATE file [NAME name VERSION version])
#
# After each linking `arrowalloy sign` writes <library>.alloysig beside the library. Without
# NAME and VERSION it asks the library's own table, which runs the library.

function(alloy_sign target)
  cmake_parse_arguments(S "" "KEY;CERTIFICATE;NAME;VERSION" "" ${ARGN})
  foreach(file IN ITEMS KEY CERTIFICATE)
    if(NOT S_${file})
      message(FATAL_ERROR "alloy_sign(${target}): ${file} is missing; arrowalloy keygen makes a pair")
    endif()
    cmake_path(ABSOLUTE_PATH S_${file} BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
  endforeach()
  set(options --key "${S_KEY}" --cert "${S_CERTIFICATE}")
  if(S_NAME)
    list(APPEND options --name "${S_NAME}")
  endif()
  if(S_VERSION)
    list(APPEND options --version "${S_VERSION}")
  endif()
  add_custom_command(TARGET ${target} POST_BUILD
    COMMAND alloy::arrowalloy sign "$<TARGET_FILE:${target}>" ${options} --quiet
    VERBATIM)
endfunction()
