// SPDX-License-Identifier: MIT
//
// The value that a key stands for: numbers inside of what their type allows, text that is
// UTF-8, times within a day.
#ifndef ALLOY_TESTING_SRC_VALUES_H_
#define ALLOY_TESTING_SRC_VALUES_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "form.h"

namespace alloy::testing {

// One well-mixed number from two (splitmix64's finaliser).
inline uint64_t Mix(uint64_t a, uint64_t b) {
  uint64_t x = a + 0x9e3779b97f4a7c15u * (b + 1);
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// Write a value of `form.width` bytes.
void PutFixed(std::string_view format, const Form& form, uint64_t key, uint8_t* out);

// 0 to 20 characters, or bytes.
std::string BytesOf(bool text, uint64_t key);

}  // namespace alloy::testing

#endif  // ALLOY_TESTING_SRC_VALUES_H_
