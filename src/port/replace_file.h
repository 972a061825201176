// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_PORT_REPLACE_FILE_H_
#define ALLOY_SRC_PORT_REPLACE_FILE_H_

#include <cstddef>
#include <span>
#include <string>

namespace alloy::core {

// Create or replace the file at `path`. The bytes are written under a temporary name next
// to it and then moved, so nobody sees half a file. `executable`: with execute permission,
// as far as the process's umask allows. Returns an error number; the old file is unchanged
// then.
int ReplaceFile(const std::string& path, std::span<const std::byte> bytes,
                bool executable);

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_REPLACE_FILE_H_
