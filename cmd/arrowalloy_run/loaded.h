// SPDX-License-Identifier: MIT
#ifndef ARROWALLOY_RUN_LOADED_H_
#define ARROWALLOY_RUN_LOADED_H_

#include <string>

namespace arrowalloy::run {

// This program itself uses Apache Arrow C++. The loader gives one name to one file: with
// another copy of the same library a backend would get this program's copy, or both at
// once.
//   Throws  E0002, which names the copy that is loaded, when `may_need` is the path of
//           another copy.
void CheckOtherCopy(const std::string& may_need);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_LOADED_H_
