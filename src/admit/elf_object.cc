// SPDX-License-Identifier: MIT
#include "admit/elf_object.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "admit/elf_reader.h"

namespace alloy::core {
namespace {

constexpr uint64_t kHeaderSize = 64, kSectionSize = 64;
constexpr uint16_t kRelocatable = 1, kIndexElsewhere = 0xffff;
// Of a section. A linker fills memory and file up to it.
constexpr uint64_t kMaxAlignment = uint64_t{2} << 20U;

Status NoObject(std::string text) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_ARCHIVE_MALFORMED, std::move(text));
}

Status IntermediateCode(const char* whose) {
  return NoObject(std::string("holds the intermediate code of ") + whose +
                  " and not only machine code; compile without link-time "
                  "optimisation (-fno-lto)");
}

class ObjectFile {
 public:
  explicit ObjectFile(std::string_view image) : image_(image) {}

  Status CheckHeader() const {
    if (image_.starts_with("BC\xc0\xde") || image_.starts_with("\xde\xc0\x17\x0b")) {
      return IntermediateCode("LLVM");
    }
    if (image_.size() < kHeaderSize || !image_.starts_with("\x7f"
                                                           "ELF")) {
      return NoObject("is not an ELF object");
    }
    if (At<uint8_t>(4) != 2 || At<uint8_t>(5) != 1 || At<uint16_t>(18) != kElfMachine) {
      return NoObject(std::string("was made for another machine; expected ") +
                      kElfMachineName);
    }
    if (At<uint16_t>(16) != kRelocatable) {
      return NoObject("is not a relocatable object (ELF type " +
                      std::to_string(At<uint16_t>(16)) + ", expected 1)");
    }
    return Status();
  }

  // GCC keeps its intermediate code in sections of its own.
  Status CheckSections() const {
    const auto table = At<uint64_t>(40);
    if (table == 0) return NoObject("has no sections");
    if (At<uint16_t>(58) != kSectionSize || !LiesWithin(table, kSectionSize)) {
      return NoObject("has its section headers outside of itself");
    }
    // Numbers that do not fit in 16 bits are in the first section header.
    uint64_t count = At<uint16_t>(60), names = At<uint16_t>(62);
    if (count == 0) count = At<uint64_t>(table + 32);
    if (names == kIndexElsewhere) names = At<uint32_t>(table + 40);
    if (count > image_.size() / kSectionSize ||
        !LiesWithin(table, count * kSectionSize) || names >= count) {
      return NoObject("has its section headers outside of itself");
    }
    const uint64_t strings = table + names * kSectionSize;
    const auto begin = At<uint64_t>(strings + 24), size = At<uint64_t>(strings + 32);
    if (!LiesWithin(begin, size)) {
      return NoObject("has the names of its sections outside of itself");
    }
    const std::string_view text = image_.substr(begin, size);
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t header = table + i * kSectionSize;
      if (At<uint64_t>(header + 48) > kMaxAlignment) {
        return NoObject("has a section that is aligned to " +
                        std::to_string(At<uint64_t>(header + 48)) +
                        " bytes; expected at most 2 MiB");
      }
      const auto name = At<uint32_t>(header);
      if (name < size && text.substr(name).starts_with(".gnu.lto_")) {
        return IntermediateCode("GCC");
      }
    }
    return Status();
  }

 private:
  bool LiesWithin(uint64_t offset, uint64_t size) const {
    return offset <= image_.size() && size <= image_.size() - offset;
  }
  template <typename T>
  T At(uint64_t offset) const {
    T value;
    std::memcpy(&value, image_.data() + offset, sizeof(T));
    return value;
  }

  const std::string_view image_;
};

}  // namespace

Status CheckObject(std::span<const std::byte> image) {
  const ObjectFile object(
      std::string_view(reinterpret_cast<const char*>(image.data()), image.size()));
  ALLOY_TRY(object.CheckHeader());
  return object.CheckSections();
}

}  // namespace alloy::core
