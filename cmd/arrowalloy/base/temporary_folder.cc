// SPDX-License-Identifier: MIT
#include "temporary_folder.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "failure.h"
#include "os_error.h"

namespace arrowalloy {

TemporaryFolder::TemporaryFolder() {
  std::error_code error;
  const auto above = std::filesystem::temp_directory_path(error);
  path_ = ((error ? "/tmp" : above) / "arrowalloy.XXXXXX").string();
  if (mkdtemp(path_.data()) == nullptr) {
    throw Failure(
        Exit::kMachine, kWriteCode,
        fmt::format("cannot make the temporary folder {}: {}", path_, ErrorText(errno)),
        path_, "df -h /tmp; or set TMPDIR to a folder that has room");
  }
  leftover_ = Leftover::Folder(path_);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace arrowalloy
