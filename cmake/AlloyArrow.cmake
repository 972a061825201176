# SPDX-License-Identifier: MIT
# Apache Arrow C++: the target alloy_arrow for hosts (alloy/arrow.hpp), where Arrow can be
# found; alloy_parquet and alloy_flight, where it has Parquet and Flight; and for backends,
# which may have no run path, alloy_arrow_compute, where it has compute functions. Its
# property ALLOY_MAY_NEED are the files that a backend then needs, in the order in which a
# host loads them.
# First a package of it (find_package); then the one inside an installed pyarrow, of the
# Python that ALLOY_PYTHON names, or of .venv.

if(TARGET alloy_arrow)
  return()
endif()
find_package(Arrow QUIET)
if(Arrow_FOUND)
  add_library(alloy_arrow INTERFACE)
  target_link_libraries(alloy_arrow INTERFACE Arrow::arrow_shared)
  find_package(Parquet QUIET)
  if(Parquet_FOUND)
    add_library(alloy_parquet INTERFACE)
    target_link_libraries(alloy_parquet INTERFACE alloy_arrow Parquet::parquet_shared)
  endif()
  find_package(ArrowCompute QUIET)
  if(ArrowCompute_FOUND)
    add_library(alloy_arrow_compute INTERFACE)
    target_link_libraries(alloy_arrow_compute INTERFACE ArrowCompute::arrow_compute_shared
      Arrow::arrow_shared)
    set_property(TARGET alloy_arrow_compute PROPERTY ALLOY_MAY_NEED
      "$<TARGET_FILE:Arrow::arrow_shared>" "$<TARGET_FILE:ArrowCompute::arrow_compute_shared>")
  endif()
  find_package(ArrowFlight QUIET)
  if(ArrowFlight_FOUND)
    add_library(alloy_flight INTERFACE)
    target_link_libraries(alloy_flight INTERFACE ArrowFlight::arrow_flight_shared alloy_arrow)
  endif()
  return()
endif()

find_program(ALLOY_PYTHON python3 HINTS "${PROJECT_SOURCE_DIR}/.venv/bin" NO_DEFAULT_PATH)
find_program(ALLOY_PYTHON python3)
if(NOT ALLOY_PYTHON)
  return()
endif()
execute_process(
  COMMAND "${ALLOY_PYTHON}" -c "import pyarrow; print(pyarrow.get_include()); print(pyarrow.get_library_dirs()[0])"
  OUTPUT_VARIABLE places RESULT_VARIABLE result ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT result EQUAL 0)
  return()
endif()
string(REPLACE "\n" ";" places "${places}")
list(GET places 0 include)
list(GET places 1 folder)
# The wheel has no libarrow.so to link to, only the full name of its version.
file(GLOB library "${folder}/libarrow.so.*")
if(NOT library)
  return()
endif()
list(GET library 0 library)
add_library(alloy_pyarrow SHARED IMPORTED GLOBAL)
set_target_properties(alloy_pyarrow PROPERTIES IMPORTED_LOCATION "${library}"
  INTERFACE_INCLUDE_DIRECTORIES "${include}")
add_library(alloy_arrow INTERFACE)
target_link_libraries(alloy_arrow INTERFACE alloy_pyarrow)
target_link_options(alloy_arrow INTERFACE "LINKER:-rpath,${folder}")
message(STATUS "Arrow C++ of pyarrow: ${library}")

file(GLOB library "${folder}/libparquet.so.*")
if(library)
  list(GET library 0 library)
  add_library(alloy_pyarrow_parquet SHARED IMPORTED GLOBAL)
  set_target_properties(alloy_pyarrow_parquet PROPERTIES IMPORTED_LOCATION "${library}"
    INTERFACE_INCLUDE_DIRECTORIES "${include}")
  add_library(alloy_parquet INTERFACE)
  target_link_libraries(alloy_parquet INTERFACE alloy_pyarrow_parquet alloy_arrow)
endif()

file(GLOB library "${folder}/libarrow_compute.so.*")
if(library)
  list(GET library 0 library)
  add_library(alloy_pyarrow_compute SHARED IMPORTED GLOBAL)
  set_target_properties(alloy_pyarrow_compute PROPERTIES IMPORTED_LOCATION "${library}"
    INTERFACE_INCLUDE_DIRECTORIES "${include}")
  add_library(alloy_arrow_compute INTERFACE)
  target_link_libraries(alloy_arrow_compute INTERFACE alloy_pyarrow_compute alloy_pyarrow)
  set_property(TARGET alloy_arrow_compute PROPERTY ALLOY_MAY_NEED
    "$<TARGET_FILE:alloy_pyarrow>" "$<TARGET_FILE:alloy_pyarrow_compute>")
endif()

file(GLOB library "${folder}/libarrow_flight.so.*")
if(library)
  list(GET library 0 library)
  add_library(alloy_pyarrow_flight SHARED IMPORTED GLOBAL)
  set_target_properties(alloy_pyarrow_flight PROPERTIES IMPORTED_LOCATION "${library}"
    INTERFACE_INCLUDE_DIRECTORIES "${include}")
  add_library(alloy_flight INTERFACE)
  target_link_libraries(alloy_flight INTERFACE alloy_pyarrow_flight alloy_arrow)
endif()
