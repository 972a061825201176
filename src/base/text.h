// SPDX-License-Identifier: MIT
//
// Foreign bytes made fit to be read: names and formats in error texts, strings in logs.
//
// Threads  shared.
#ifndef ALLOY_SRC_BASE_TEXT_H_
#define ALLOY_SRC_BASE_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace alloy::core {

// Append `bytes` with what is no printable UTF-8 escaped: \n, \t, \r, \xNN, backslashes,
// and `quote` unless it is NUL.
void AppendEscaped(std::string_view bytes, char quote, std::string* out);

// The bytes, 1 to 4, of the UTF-8 character that `bytes` begins with; 0 when it is none.
size_t Utf8Length(std::string_view bytes);

// A backend's words, with a question mark for each byte that is no UTF-8: what a host
// reads is text.
std::string AsUtf8(std::string_view text);

// `bytes` in double quotes, escaped, and cut where it is long: a format or a name in an
// error text.
std::string Quoted(std::string_view bytes);

// Append one step of a path: the name, `#2` for a child without one, `dictionary` for
// ordinal -1.
void AppendPathPart(std::string_view name, int64_t ordinal, std::string* path);

}  // namespace alloy::core

#endif  // ALLOY_SRC_BASE_TEXT_H_
