// SPDX-License-Identifier: MIT
//
// Makes bytes from elsewhere safe to show: names and formats in error texts, strings in
// logs.
//
// Threads  shared.
#ifndef ALLOY_SRC_BASE_TEXT_H_
#define ALLOY_SRC_BASE_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "alloy/detail/harmless.hpp"

namespace alloy::core {

using alloy::detail::Harmless;
using alloy::detail::HarmlessLines;
using alloy::detail::IsHarmful;
using alloy::detail::kMostHarmless;

// Append `bytes`, and escape what cannot be shown, as Harmless does. Backslashes are
// escaped too, and `quote` unless it is NUL, so that the bytes can be read back.
void AppendEscaped(std::string_view bytes, char quote, std::string* out);

// `bytes` in double quotes, escaped, and cut after 64 bytes: a format, a name or a line
// of a file in an error text.
std::string Quoted(std::string_view bytes);

// Append one step of the path to a column: its name, `#2` for a third child without a
// name, or `dictionary` for ordinal -1.
void AppendPathPart(std::string_view name, int64_t ordinal, std::string* path);

}  // namespace alloy::core

#endif  // ALLOY_SRC_BASE_TEXT_H_
