// SPDX-License-Identifier: MIT
#include "base/utf8.h"

#include <cstring>

namespace alloy::core {

std::string AsUtf8(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    clean.append(length == 0 ? std::string_view("?") : text.substr(0, length));
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return clean;
}

size_t CopyText(std::string_view text, char* out, size_t capacity) {
  const std::string_view cut = CutText(text, capacity - 1);
  std::memcpy(out, cut.data(), cut.size());
  out[cut.size()] = '\0';
  return cut.size();
}

}  // namespace alloy::core
