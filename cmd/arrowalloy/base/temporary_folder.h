// SPDX-License-Identifier: MIT
#ifndef ARROWALLOY_BASE_TEMPORARY_FOLDER_H_
#define ARROWALLOY_BASE_TEMPORARY_FOLDER_H_

#include <string>

#include "leftovers.h"

namespace arrowalloy {

// A folder for temporary files that only this user can read. It is removed at the end, and
// when a signal ends the program.
class TemporaryFolder {
 public:
  //   Throws  E0102.
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
  Leftover leftover_;
};

}  // namespace arrowalloy

#endif  // ARROWALLOY_BASE_TEMPORARY_FOLDER_H_
