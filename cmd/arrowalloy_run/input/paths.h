// SPDX-License-Identifier: MIT
//
// The files that one -i names.
#ifndef ARROWALLOY_RUN_INPUT_PATHS_H_
#define ARROWALLOY_RUN_INPUT_PATHS_H_

#include <string>
#include <vector>

namespace arrowalloy::run {

// A folder stands for the files in it, a pattern such as `part-*.csv` for the files that
// it matches, both in the order of their names. Names that begin with a dot or `_` are left
// out, as in every folder that a job of Hadoop or Spark writes. Anything else stands for
// itself.
//   Throws  E0101 if no file is there, or the folder has folders.
std::vector<std::string> FilesOf(const std::string& path);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INPUT_PATHS_H_
