// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_TRUST_QUOTE_H_
#define ALLOY_SRC_TRUST_QUOTE_H_

#include <string>
#include <string_view>

namespace alloy::core {

// Text of a stranger for a text of ours: between quotation marks, cut at 80 bytes, and
// whatever is not printable ASCII as \x0a.
std::string Quote(std::string_view text);

}  // namespace alloy::core

#endif  // ALLOY_SRC_TRUST_QUOTE_H_
