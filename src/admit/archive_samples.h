// SPDX-License-Identifier: MIT
//
// Archives written by hand, member by member, right and wrong.
#ifndef ALLOY_SRC_ADMIT_ARCHIVE_SAMPLES_H_
#define ALLOY_SRC_ADMIT_ARCHIVE_SAMPLES_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "admit/elf_samples.h"

namespace alloy::core {

inline std::string Field(std::string text, size_t width) {
  text.resize(width, ' ');
  return text;
}

// `name` as it is in the header: "a.o/", "/0"; `size` is what the header says.
inline std::string Member(const std::string& name, std::string_view body,
                          const std::string& size) {
  std::string member = Field(name, 16) + Field("0", 12) + Field("0", 6) + Field("0", 6) +
                       Field("644", 8) + Field(size, 10) + "`\n";
  member += body;
  if (body.size() % 2 != 0) member += '\n';
  return member;
}
inline std::string Member(const std::string& name, std::string_view body) {
  return Member(name, body, std::to_string(body.size()));
}

inline std::string SampleText(const std::string& name) {
  const auto bytes = ReadSample(name);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The first object of an archive that ar made.
inline std::string FirstObject(const std::string& archive) {
  const std::string text = SampleText(archive);
  size_t at = 8;
  for (;;) {
    const size_t size = std::stoul(text.substr(at + 48, 10));
    if (text[at] != '/') return text.substr(at + 60, size);
    at += 60 + size + size % 2;
  }
}

inline std::span<const std::byte> AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_ARCHIVE_SAMPLES_H_
