# SPDX-License-Identifier: MIT
# The Rust backends, built by cargo. All presets share one target folder, since cargo's
# products do not depend on ours: a sanitizer build compiles no Rust again.
#
#   alloy_rust_echo           the echo, for the ten lines of `make run`
#   alloy_rust_summary        the summary, for the flights of `make run`
#   alloy_rust_backends       both
#   alloy_rust_query_backends aggregates and TPC-H: for queries over streams
#   alloy_rust_identity       returns its input: for tests and benchmarks
#   alloy_rust_test_backends  every other one, for the tests
#   alloy_rust_archives       static archives of two backends, for the tests
#   alloy_rust_peer           what the benchmarks compare with

# The one on PATH first: tools/setup puts a newer one there than rustup may have.
find_program(ALLOY_CARGO cargo PATHS "$ENV{HOME}/.cargo/bin" REQUIRED)
set(ALLOY_CARGO_TARGET "${PROJECT_SOURCE_DIR}/build/cargo" CACHE PATH
  "Where cargo builds, for all presets")

# alloy_rust_target(NAME [ALL] [FOLDER below build/backends] PACKAGES package...): the
# libraries of these packages, as <package>.so. cargo itself knows what is out of date.
# Those that lie in build/backends itself are signed.
function(alloy_rust_target name)
  cmake_parse_arguments(R "ALL" "FOLDER" "PACKAGES" ${ARGN})
  set(folder "${CMAKE_BINARY_DIR}/backends/${R_FOLDER}")
  set(all "")
  if(R_ALL)
    set(all ALL)
  endif()
  set(packages "")
  set(copies "")
  set(products "")
  set(sidecars "")
  foreach(package IN LISTS R_PACKAGES)
    list(APPEND packages -p ${package})
    set(product "${folder}/${package}.so")
    list(APPEND products "${product}")
    list(APPEND copies COMMAND "${CMAKE_COMMAND}" -E copy_if_different
      "${ALLOY_CARGO_TARGET}/release/lib${package}.so" "${product}")
  endforeach()
  add_custom_target(${name}_cargo
    COMMAND "${CMAKE_COMMAND}" -E make_directory "${folder}"
    COMMAND "${CMAKE_COMMAND}" -E env "CARGO_TARGET_DIR=${ALLOY_CARGO_TARGET}"
      "${ALLOY_CARGO}" build --release --locked ${packages}
    ${copies}
    BYPRODUCTS ${products}
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
    COMMENT "Building in Rust: ${R_PACKAGES}"
    USES_TERMINAL
    VERBATIM)
  if(ALLOY_SIGN AND NOT R_FOLDER)
    foreach(product IN LISTS products)
      list(APPEND sidecars "${product}.alloysig")
      add_custom_command(OUTPUT "${product}.alloysig"
        COMMAND alloy::arrowalloy sign "${product}" --key "${ALLOY_DEV}.key"
          --cert "${ALLOY_DEV}.crt" --quiet
        DEPENDS "${product}" "${ALLOY_DEV}.crt" ${name}_cargo
        VERBATIM)
    endforeach()
  endif()
  add_custom_target(${name} ${all} DEPENDS ${sidecars})
  add_dependencies(${name} ${name}_cargo)
  if(ALLOY_SIGN)
    add_dependencies(${name} alloy_development_key)
  endif()
endfunction()

alloy_rust_target(alloy_rust_echo ALL PACKAGES echo_rust)
alloy_rust_target(alloy_rust_summary ALL PACKAGES summary_rust)
add_custom_target(alloy_rust_backends DEPENDS alloy_rust_echo alloy_rust_summary)
alloy_rust_target(alloy_rust_query_backends ALL PACKAGES aggregate_rust tpch_rust)
alloy_rust_target(alloy_rust_identity PACKAGES identity_rust)
alloy_rust_target(alloy_rust_test_backends PACKAGES echo_arrow2_rust echo_arrow2_014_rust
  identity_arrow59_rust faults_rust kernels_rust distance_rust total_rust
  trips_rust)

add_dependencies(alloy_rust_test_backends alloy_rust_identity)

# Static archives, as <package>.a: the same packages, whose manifests say cdylib.
set(copies "")
set(products "")
foreach(package IN ITEMS echo_rust distance_rust)
  set(product "${CMAKE_BINARY_DIR}/backends/${package}.a")
  list(APPEND products "${product}")
  list(APPEND copies
    COMMAND "${CMAKE_COMMAND}" -E env "CARGO_TARGET_DIR=${ALLOY_CARGO_TARGET}"
      "${ALLOY_CARGO}" rustc --quiet --release --locked -p ${package} --crate-type staticlib
    COMMAND "${CMAKE_COMMAND}" -E copy_if_different
      "${ALLOY_CARGO_TARGET}/release/lib${package}.a" "${product}")
endforeach()
add_custom_target(alloy_rust_archives
  COMMAND "${CMAKE_COMMAND}" -E make_directory "${CMAKE_BINARY_DIR}/backends"
  ${copies}
  BYPRODUCTS ${products}
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
  COMMENT "Building archives in Rust"
  USES_TERMINAL
  VERBATIM)

# No backend: what the benchmarks compare with.
alloy_rust_target(alloy_rust_peer FOLDER bench PACKAGES peer_rust)
