// SPDX-License-Identifier: MIT
#include "trust/quote.h"

namespace alloy::core {

std::string Quote(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  constexpr size_t kMost = 80;
  std::string quoted = "\"";
  for (const char c : text.substr(0, kMost)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte <= 0x7e) {
      quoted += c;
    } else {
      quoted += {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
  }
  return quoted + (text.size() > kMost ? "…\"" : "\"");
}

}  // namespace alloy::core
