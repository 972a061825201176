// SPDX-License-Identifier: MIT
#include "admit/go_runtime.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace alloy::core {
namespace {

// The note that cmd/link writes: owner "Go", type 4, and the build ID.
constexpr std::string_view kOwner("Go\0\0", 4);
constexpr uint32_t kBuildId = 4;
// The start of runtime/debug's build information, which cmd/link aligns to 16 bytes.
// The next byte is the size of a pointer, or 0 in a file of Go 1.18 and newer.
constexpr std::string_view kBuildInfo = "\xff Go buildinf:";
constexpr uint64_t kBuildInfoAlignment = 16;

std::string_view InFile(std::span<const std::byte> image, const ElfSegment& segment) {
  if (segment.offset > image.size()) return {};
  const auto bytes = image.subspan(
      segment.offset, std::min(segment.file_size, image.size() - segment.offset));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

uint32_t NumberAt(std::string_view bytes, uint64_t at) {
  uint32_t number = 0;
  std::memcpy(&number, bytes.data() + at, sizeof(number));
  return number;
}

bool HasGoNote(std::string_view notes) {
  constexpr uint64_t kHeader = 12;
  const auto padded = [](uint64_t size) { return (size + 3) / 4 * 4; };
  while (notes.size() >= kHeader) {
    const uint64_t name = padded(NumberAt(notes, 0));
    const uint64_t whole = kHeader + name + padded(NumberAt(notes, 4));
    if (name == kOwner.size() && notes.size() >= kHeader + name &&
        NumberAt(notes, 8) == kBuildId && notes.substr(kHeader, name) == kOwner) {
      return true;
    }
    notes.remove_prefix(std::min<uint64_t>(whole, notes.size()));
  }
  return false;
}

bool HasBuildInfo(std::string_view data, uint64_t address) {
  for (size_t at = data.find(kBuildInfo); at != std::string_view::npos;
       at = data.find(kBuildInfo, at + 1)) {
    if ((address + at) % kBuildInfoAlignment == 0) return true;
  }
  return false;
}

}  // namespace

bool HasGoRuntime(const ElfReader& elf, std::span<const std::byte> image) {
  // Segments may overlap in the file, but the time has to stay in proportion to its size.
  uint64_t left = 2 * image.size();
  return std::ranges::any_of(elf.segments(), [&](const ElfSegment& segment) {
    const bool is_note = segment.type == kElfNote;
    const bool is_data = segment.type == kElfLoad && (segment.flags & kElfWrite) != 0;
    if (!is_note && !is_data) return false;
    const std::string_view bytes = InFile(image, segment).substr(0, left);
    left -= bytes.size();
    return is_note ? HasGoNote(bytes) : HasBuildInfo(bytes, segment.address);
  });
}

Status GoRuntimeRefused() {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_GO_RUNTIME,
              "brings a Go runtime with it, and a process has room for one Go runtime; "
              "run it isolated, in a process of its own: `Isolated: true` in Go, "
              "`isolated = 1` in C and C++, --isolated on the command line");
}

}  // namespace alloy::core
