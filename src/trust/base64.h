// SPDX-License-Identifier: MIT
//
// Base64 by RFC 4648, section 4. Each value has exactly one accepted spelling.
#ifndef ALLOY_SRC_TRUST_BASE64_H_
#define ALLOY_SRC_TRUST_BASE64_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace alloy::core {

// Decode `text` into `out`. Returns what is wrong with the text, or an empty string: a
// character outside of the alphabet, a blank, padding that is missing or in the middle, or
// bits in the last character that no encoder sets.
std::string DecodeBase64(std::string_view text, std::vector<std::byte>* out);

}  // namespace alloy::core

#endif  // ALLOY_SRC_TRUST_BASE64_H_
