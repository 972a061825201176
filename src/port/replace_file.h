// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_PORT_REPLACE_FILE_H_
#define ALLOY_SRC_PORT_REPLACE_FILE_H_

#include <cstddef>
#include <span>
#include <string>

namespace alloy::core {

// Put a file at `path`, or another in its place: written whole under a name of its own
// beside it, and then moved there, so that nobody ever sees half of it. `executable`: for
// everybody whom the process's mask lets. Answers an error number; what was there is
// untouched then.
int ReplaceFile(const std::string& path, std::span<const std::byte> bytes,
                bool executable);

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_REPLACE_FILE_H_
