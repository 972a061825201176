// SPDX-License-Identifier: MIT
//
// Checks at once whether a long text is UTF-8, with vector instructions where the machine
// has them. For single characters use utf8.h.
//
// Source: J. Keiser and D. Lemire, "Validating UTF-8 In Less Than One Instruction Per
// Byte", Software: Practice and Experience 51 (5), 2021.
//
// Threads  shared.
#ifndef ALLOY_SRC_BASE_UTF8_SCAN_H_
#define ALLOY_SRC_BASE_UTF8_SCAN_H_

#include <cstdint>
#include <string_view>

namespace alloy::core {

enum class TextKind : uint8_t {
  kInvalid,  // not UTF-8
  kAscii,    // every byte is a character, so a text can be cut anywhere
  kUtf8,     // UTF-8, with at least one longer character
};

TextKind ScanText(std::string_view bytes);

// The same without vector instructions: for machines without them, and for tests.
TextKind ScanTextPlainly(std::string_view bytes);

}  // namespace alloy::core

#endif  // ALLOY_SRC_BASE_UTF8_SCAN_H_
