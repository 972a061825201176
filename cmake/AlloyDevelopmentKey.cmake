# SPDX-License-Identifier: MIT
# The project signs its own backends where it builds them, by a key that is made in the
# build folder: dev.key, dev.crt, and dev.crt.base64, the line that SetImplLib takes.

include("${CMAKE_CURRENT_LIST_DIR}/AlloySign.cmake")

# Sanitized backends need libraries of the sanitizers, which no host allows; their tests
# load them unsigned.
set(ALLOY_SIGN OFF)
if(ALLOY_COMMAND_LINE AND NOT ALLOY_SANITIZE)
  set(ALLOY_SIGN ON)
endif()

set(ALLOY_DEV "${CMAKE_BINARY_DIR}/dev")
if(ALLOY_SIGN)
  # Without a dependency on the program's file: a key that is there stays.
  add_custom_command(OUTPUT "${ALLOY_DEV}.key" "${ALLOY_DEV}.crt"
    COMMAND "${CMAKE_COMMAND}" -E rm -f "${ALLOY_DEV}.key" "${ALLOY_DEV}.crt"
    COMMAND alloy::arrowalloy keygen --out "${ALLOY_DEV}" --days 3650 --subject "Alloy development" --quiet
    COMMENT "Making the development key of this build"
    VERBATIM)
  add_custom_command(OUTPUT "${ALLOY_DEV}.crt.base64"
    COMMAND alloy::arrowalloy cert-base64 "${ALLOY_DEV}.crt" > "${ALLOY_DEV}.crt.base64"
    DEPENDS "${ALLOY_DEV}.crt"
    VERBATIM)
  add_custom_target(alloy_development_key
    DEPENDS "${ALLOY_DEV}.key" "${ALLOY_DEV}.crt" "${ALLOY_DEV}.crt.base64")
endif()

# Sign a backend of the project after each linking.
#   alloy_sign_own(TARGET [NAME name VERSION version])
function(alloy_sign_own target)
  if(ALLOY_SIGN)
    alloy_sign(${target} KEY "${ALLOY_DEV}.key" CERTIFICATE "${ALLOY_DEV}.crt" ${ARGN})
    add_dependencies(${target} alloy_development_key)
  endif()
endfunction()
