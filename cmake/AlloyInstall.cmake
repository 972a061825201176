# SPDX-License-Identifier: MIT
# What other projects see: alloy::alloy, alloy::backend, the CMake package and alloy.pc.
# Included once the target `alloy` exists.

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
# The components are the packages of tools/deb: library, command, and this one for the rest.
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME development)

# alloy_backend: what a library links to become a backend. Hides every symbol but one.
add_library(alloy_backend INTERFACE)
set(ALLOY_BACKEND_MAP "${PROJECT_SOURCE_DIR}/cmake/alloy_backend.map")
set(ALLOY_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/alloy")
target_include_directories(alloy_backend INTERFACE
  "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
  "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
target_compile_features(alloy_backend INTERFACE cxx_std_20)
set_target_properties(alloy_backend PROPERTIES EXPORT_NAME backend)
target_link_options(alloy_backend INTERFACE
  "$<BUILD_INTERFACE:LINKER:--version-script=${ALLOY_BACKEND_MAP}>"
  "$<INSTALL_INTERFACE:LINKER:--version-script=$<INSTALL_PREFIX>/${ALLOY_CMAKE_DIR}/alloy_backend.map>")
set_property(TARGET alloy_backend PROPERTY INTERFACE_LINK_DEPENDS
  "$<BUILD_INTERFACE:${ALLOY_BACKEND_MAP}>"
  "$<INSTALL_INTERFACE:$<INSTALL_PREFIX>/${ALLOY_CMAKE_DIR}/alloy_backend.map>")

set_target_properties(alloy PROPERTIES EXPORT_NAME alloy)
target_include_directories(alloy INTERFACE
  "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
  "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
# For alloy.hpp; nothing to a project in C.
target_compile_features(alloy INTERFACE cxx_std_20)
add_library(alloy::alloy ALIAS alloy)
add_library(alloy::backend ALIAS alloy_backend)

install(TARGETS alloy alloy_backend EXPORT alloyTargets
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT library
    NAMELINK_COMPONENT development)
# The engine looks for it next to itself, and in this folder.
install(TARGETS alloy_worker RUNTIME DESTINATION "${CMAKE_INSTALL_LIBDIR}/alloy" COMPONENT library)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/alloy" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  PATTERN README.md EXCLUDE)
install(FILES "${ALLOY_BACKEND_MAP}" DESTINATION "${ALLOY_CMAKE_DIR}")
install(EXPORT alloyTargets NAMESPACE alloy:: DESTINATION "${ALLOY_CMAKE_DIR}")

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/alloyConfig.cmake.in"
  "${CMAKE_BINARY_DIR}/package/alloyConfig.cmake" INSTALL_DESTINATION "${ALLOY_CMAKE_DIR}")
write_basic_package_version_file("${CMAKE_BINARY_DIR}/package/alloyConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/package/alloyConfig.cmake"
  "${CMAKE_BINARY_DIR}/package/alloyConfigVersion.cmake" DESTINATION "${ALLOY_CMAKE_DIR}")

# The same for programs of the build folder, such as `build/bin/arrowalloy new`.
export(EXPORT alloyTargets NAMESPACE alloy:: FILE "${CMAKE_BINARY_DIR}/package/alloyTargets.cmake")
configure_file("${PROJECT_SOURCE_DIR}/cmake/AlloySign.cmake" "${CMAKE_BINARY_DIR}/package" COPYONLY)
configure_file("${ALLOY_BACKEND_MAP}" "${CMAKE_BINARY_DIR}/package" COPYONLY)
file(CREATE_LINK "${PROJECT_SOURCE_DIR}/include" "${CMAKE_BINARY_DIR}/package/include" SYMBOLIC)
configure_file("${PROJECT_SOURCE_DIR}/cmake/AlloyArrow.cmake" "${CMAKE_BINARY_DIR}/package" COPYONLY)
install(FILES "${PROJECT_SOURCE_DIR}/cmake/AlloySign.cmake" "${PROJECT_SOURCE_DIR}/cmake/AlloyArrow.cmake"
  DESTINATION "${ALLOY_CMAKE_DIR}")

# The crate for backends in Rust, with a manifest that needs no workspace.
file(STRINGS "${PROJECT_SOURCE_DIR}/Cargo.toml" manifest)
foreach(field IN ITEMS edition rust-version)
  string(REGEX MATCH "(^|;)${field} = \"([^\"]+)\"" matched "${manifest}")
  string(REPLACE "-" "_" variable "ALLOY_${field}")
  set(${variable} "${CMAKE_MATCH_2}")
endforeach()
set(ALLOY_CRATE "${CMAKE_BINARY_DIR}/package/rust")
configure_file("${PROJECT_SOURCE_DIR}/cmake/crate.toml.in" "${ALLOY_CRATE}/Cargo.toml" @ONLY)
file(CREATE_LINK "${PROJECT_SOURCE_DIR}/rust/src" "${ALLOY_CRATE}/src" SYMBOLIC)
install(FILES "${ALLOY_CRATE}/Cargo.toml" DESTINATION "${CMAKE_INSTALL_DATADIR}/arrowalloy/rust")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/rust/src" DESTINATION "${CMAKE_INSTALL_DATADIR}/arrowalloy/rust")

# The parts of the Go module that backends in Go need; the engine is not among them.
file(CREATE_LINK "${PROJECT_SOURCE_DIR}" "${CMAKE_BINARY_DIR}/package/go" SYMBOLIC)
install(FILES "${PROJECT_SOURCE_DIR}/go.mod" "${PROJECT_SOURCE_DIR}/go.sum"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/arrowalloy/go")
foreach(part IN ITEMS abi cdata backend)
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/go/${part}"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/arrowalloy/go/go" PATTERN "*_test.go" EXCLUDE)
endforeach()

# Found from where alloy.pc lies, so that an installed tree may be moved.
file(RELATIVE_PATH ALLOY_PC_TO_PREFIX
  "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
configure_file("${PROJECT_SOURCE_DIR}/cmake/alloy.pc.in" "${CMAKE_BINARY_DIR}/package/alloy.pc" @ONLY)
install(FILES "${CMAKE_BINARY_DIR}/package/alloy.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
