// SPDX-License-Identifier: MIT
//
// A copy of a library in a folder of its own, which no other user can enter. A command that
// looks at a library several times looks at the same bytes each time.
#ifndef ARROWALLOY_SIGN_PRIVATE_COPY_H_
#define ARROWALLOY_SIGN_PRIVATE_COPY_H_

#include <string>

#include "../base/failure.h"
#include "../base/temporary_folder.h"

namespace arrowalloy {

class PrivateCopy {
 public:
  // Read the file once. Holes stay holes.
  //   Throws  E0102: the copy does not fit on the disk; the engine's error for a file that no
  //           host can read.
  explicit PrivateCopy(const std::string& original);

  // It has the file name of the original.
  const std::string& path() const { return path_; }
  // The path of another file in the folder, for which `name` is not the original's.
  std::string Neighbour(const std::string& name) const;

  // Let an error about the copy be about the original.
  void NameOriginal(Failure* failure) const;

 private:
  const std::string original_;
  const TemporaryFolder folder_;
  const std::string path_;
};

}  // namespace arrowalloy

#endif  // ARROWALLOY_SIGN_PRIVATE_COPY_H_
