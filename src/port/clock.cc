// SPDX-License-Identifier: MIT
#include "port/clock.h"

#include <time.h>

namespace alloy::core {

std::string LocalTimeText() {
  const time_t now = ::time(nullptr);
  struct tm parts{};
  ::localtime_r(&now, &parts);
  char text[32];
  const size_t length = ::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
  return std::string(text, length);
}

int64_t UnixSeconds() { return ::time(nullptr); }

}  // namespace alloy::core
