// SPDX-License-Identifier: MIT
//
// Finds the characters of UTF-8 text, for checks of columns and for texts that must be
// cut or repaired.
//
// Threads  shared.
#ifndef ALLOY_SRC_BASE_UTF8_H_
#define ALLOY_SRC_BASE_UTF8_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "alloy/detail/utf8.hpp"

namespace alloy::core {

using alloy::detail::CutText;
using alloy::detail::IsContinuation;
using alloy::detail::Utf8Character;
using alloy::detail::Utf8Length;

// `text` with a question mark in place of each byte that is not UTF-8. What a host reads
// is always text, whatever a backend wrote.
std::string AsUtf8(std::string_view text);

// Copy `text` to a caller's memory, cut by CutText where it is too long, and end it with a
// NUL. Returns the number of bytes before the NUL. `capacity` is at least 1.
size_t CopyText(std::string_view text, char* out, size_t capacity);

}  // namespace alloy::core

#endif  // ALLOY_SRC_BASE_UTF8_H_
