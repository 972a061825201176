// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_ENGINE_OPEN_LINK_LIBRARY_H_
#define ALLOY_SRC_ENGINE_OPEN_LINK_LIBRARY_H_

#include <string>

#include "base/result.h"

namespace alloy::core {

// Link a static archive as a load of it does, and write the library to `output`. Nothing
// of it runs.
//   Fails  INVALID: `archive` is not an archive, or `output` cannot be written.
//          REFUSED: a load would refuse the library.
Status LinkLibrary(const std::string& archive, const std::string& output);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_OPEN_LINK_LIBRARY_H_
