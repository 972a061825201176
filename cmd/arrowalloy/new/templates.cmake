# SPDX-License-Identifier: MIT
# Writes the files of templates/ into one C++ source.
#   cmake -DFOLDER=templates -DOUT=templates.cc -P templates.cmake

file(GLOB_RECURSE files RELATIVE "${FOLDER}" "${FOLDER}/*.in" "${FOLDER}/.*.in")
list(SORT files)
set(text "// Written by templates.cmake.\n#include \"new/templates.h\"\n\nnamespace arrowalloy {\nnamespace {\n\n")
string(APPEND text "constexpr Template kTemplates[] = {\n")
foreach(file IN LISTS files)
  string(REGEX MATCH "^([^/]+)/(.*)\\.in$" matched "${file}")
  set(set "${CMAKE_MATCH_1}")
  set(path "${CMAKE_MATCH_2}")
  file(READ "${FOLDER}/${file}" content)
  string(APPEND text "{\"${set}\", \"${path}\", R\"template(${content})template\"},\n")
endforeach()
string(APPEND text "};\n\n}  // namespace\n\nstd::span<const Template> Templates() { return kTemplates; }\n\n}  // namespace arrowalloy\n")
file(WRITE "${OUT}" "${text}")
