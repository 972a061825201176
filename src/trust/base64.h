// SPDX-License-Identifier: MIT
//
// Base64 as RFC 4648, section 4, has it, and in one spelling only.
#ifndef ALLOY_SRC_TRUST_BASE64_H_
#define ALLOY_SRC_TRUST_BASE64_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace alloy::core {

// Fill `out` with what the text stands for. Gives what is wrong with the text, empty when
// nothing is: a character outside of the alphabet, a blank, padding that is missing or in
// the middle, or bits in the last character that no encoder sets.
std::string DecodeBase64(std::string_view text, std::vector<std::byte>* out);

}  // namespace alloy::core

#endif  // ALLOY_SRC_TRUST_BASE64_H_
