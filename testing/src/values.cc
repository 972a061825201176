// SPDX-License-Identifier: MIT
#include "values.h"

#include <algorithm>
#include <cstring>

namespace alloy::testing {
namespace {

// A small number with a sign, in `width` bytes of little-endian two's complement.
void PutSigned(int64_t value, int64_t width, uint8_t* out) {
  std::memset(out, value < 0 ? 0xff : 0, static_cast<size_t>(width));
  std::memcpy(out, &value, std::min<size_t>(sizeof(value), static_cast<size_t>(width)));
}

template <typename T>
void Put(T value, uint8_t* out) {
  std::memcpy(out, &value, sizeof(value));
}

int64_t UnitsPerSecond(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 1000;
    case 'u':
      return 1000 * 1000;
    default:
      return 1000 * 1000 * 1000;
  }
}

void PutTemporal(std::string_view format, const Form& form, uint64_t key, uint8_t* out) {
  constexpr int64_t kDay = 24 * 60 * 60;
  const auto number = static_cast<int64_t>(key % 1'000'000'000);
  switch (format[1]) {
    case 'd':
      return PutSigned((number % 20'000) * (form.width == 4 ? 1 : kDay * 1000),
                       form.width, out);
    case 't':
      return PutSigned((number % kDay) * UnitsPerSecond(format[2]), form.width, out);
    case 'i':  // months; days and milliseconds; months, days and nanoseconds
      if (format == "tiD") {
        Put(static_cast<int32_t>(number % 100), out);
        return Put(static_cast<int32_t>(number % 86'400'000), out + 4);
      }
      Put(static_cast<int32_t>(number % 100), out);
      if (format == "tiM") return;
      Put(static_cast<int32_t>(number % 31), out + 4);
      return Put(number, out + 8);
    default:
      return PutSigned(number * UnitsPerSecond(format[2]), form.width, out);
  }
}

// As many digits as the precision, nine at the most.
int64_t DecimalOf(std::string_view parameters, uint64_t key) {
  int64_t limit = 1;
  int precision = parameters[0] - '0';
  if (parameters[1] != ',') precision = 10 * precision + parameters[1] - '0';
  for (int i = 0; i < std::min(precision, 9); ++i) limit *= 10;
  const auto number = static_cast<int64_t>(key % static_cast<uint64_t>(limit));
  return (key >> 40) % 2 == 0 ? number : -number;
}

}  // namespace

void PutFixed(std::string_view format, const Form& form, uint64_t key, uint8_t* out) {
  const auto small = static_cast<int64_t>(key % 20'001) - 10'000;
  switch (format[0]) {
    case 'c':
    case 'C':
      return Put(static_cast<uint8_t>(key), out);
    case 's':
    case 'i':
    case 'l':
      return PutSigned(small, form.width, out);
    case 'S':
    case 'I':
    case 'L':
      return PutSigned(small + 10'000, form.width, out);
    case 'e':  // sign, an exponent around 0, fraction: a number of 0.25 to 8
      return Put(static_cast<uint16_t>((key & 0x83ff) | (13 + (key >> 16) % 5) << 10),
                 out);
    case 'f':
      return Put(static_cast<float>(small) / 8, out);
    case 'g':
      return Put(static_cast<double>(small) / 8, out);
    case 'd':
      return PutSigned(DecimalOf(format.substr(2), key), form.width, out);
    case 't':
      return PutTemporal(format, form, key, out);
    default:
      for (int64_t i = 0; i < form.width; ++i) {
        out[i] = static_cast<uint8_t>(Mix(key, static_cast<uint64_t>(i)));
      }
  }
}

std::string BytesOf(bool text, uint64_t key) {
  // One to four bytes each.
  constexpr std::string_view kCharacters[] = {"a", "b", "c", "x", "y",  "z",
                                              "0", "9", " ", "é", "漢", "😀"};
  constexpr size_t kCount = std::size(kCharacters);
  std::string bytes;
  for (uint64_t i = 0, n = Mix(key, 0) % 21; i < n; ++i) {
    const uint64_t random = Mix(key, i + 1);
    if (text) {
      bytes += kCharacters[random % kCount];
    } else {
      bytes += static_cast<char>(random);
    }
  }
  return bytes;
}

}  // namespace alloy::testing
