// SPDX-License-Identifier: MIT
//
// Takes numbers and choices from a fuzzer's bytes. After the last byte all are 0.
//
// Threads  serial.
#ifndef ALLOY_SRC_ARROW_FUZZ_BYTES_H_
#define ALLOY_SRC_ARROW_FUZZ_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

namespace alloy::core::fuzz {

class Bytes {
 public:
  explicit Bytes(std::span<const uint8_t> bytes) : left_(bytes) {}

  bool empty() const { return left_.empty(); }
  uint8_t Byte() {
    if (left_.empty()) return 0;
    const uint8_t byte = left_.front();
    left_ = left_.subspan(1);
    return byte;
  }
  // A number below `limit`, which is at most 256.
  size_t Below(size_t limit) { return Byte() % limit; }
  template <typename T>
  T Number() {
    T value{};
    uint8_t bytes[sizeof(T)];
    for (uint8_t& byte : bytes) byte = Byte();
    std::memcpy(&value, bytes, sizeof(T));
    return value;
  }
  std::string Text(size_t length) {
    std::string text;
    while (length-- > 0 && !left_.empty()) text += static_cast<char>(Byte());
    return text;
  }
  std::span<const uint8_t> rest() const { return left_; }

 private:
  std::span<const uint8_t> left_;
};

}  // namespace alloy::core::fuzz

#endif  // ALLOY_SRC_ARROW_FUZZ_BYTES_H_
