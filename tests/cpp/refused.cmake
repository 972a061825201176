# SPDX-License-Identifier: MIT
# Compiles refused.cc for a case, and wants one error with a text.
#   cmake -DCOMPILER=... -DROOT=... -DCASE=... -DTEXT=... -P refused.cmake

execute_process(COMMAND "${COMPILER}" -std=c++20 -fsyntax-only "-DCASE_${CASE}"
  "-I${ROOT}/include" "${ROOT}/tests/cpp/refused.cc"
  RESULT_VARIABLE result ERROR_VARIABLE errors)
string(REGEX MATCHALL "error:" all "${errors}")
list(LENGTH all count)
if(CASE STREQUAL "none")
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "the file must compile without a case:\n${errors}")
  endif()
elseif(result EQUAL 0)
  message(FATAL_ERROR "it compiles")
elseif(NOT count EQUAL 1)
  message(FATAL_ERROR "${count} errors:\n${errors}")
else()
  string(FIND "${errors}" "${TEXT}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "no '${TEXT}' in:\n${errors}")
  endif()
endif()
