// SPDX-License-Identifier: MIT
#ifndef ALLOY_TESTS_SUPPORT_CALL_TEXT_H_
#define ALLOY_TESTS_SUPPORT_CALL_TEXT_H_

#include <sstream>
#include <string>

#include "alloy/alloy.hpp"

namespace support {

// The result of a call as text: the batch, or the error.
inline std::string CallText(alloy::Bridge& bridge, const char* function,
                            const alloy::Batch& batch,
                            const alloy::OptionMap& options = {}) {
  const auto result = bridge.Call(function, batch, options);
  std::ostringstream text;
  if (result.ok()) {
    text << *result;
  } else {
    text << result.status();
  }
  return text.str();
}

}  // namespace support

#endif  // ALLOY_TESTS_SUPPORT_CALL_TEXT_H_
