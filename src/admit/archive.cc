// SPDX-License-Identifier: MIT
#include "admit/archive.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

#include "admit/elf_object.h"
#include "base/text.h"

namespace alloy::core {
namespace {

constexpr std::string_view kMagic = "!<arch>\n", kThinMagic = "!<thin>\n";
// The header of a member: name 16, date 12, owner 6, group 6, mode 8, size 10, mark 2.
constexpr size_t kHeaderSize = 60, kNameSize = 16, kSizeAt = 48, kSizeSize = 10,
                 kMarkAt = 58;
constexpr std::string_view kMark = "`\n";
constexpr size_t kLongestShown = 80;

Status Malformed(std::string text) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_ARCHIVE_MALFORMED, std::move(text));
}

std::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string_view WithoutBlanks(std::string_view text) {
  const size_t last = text.find_last_not_of(' ');
  return text.substr(0, last == text.npos ? 0 : last + 1);
}

// A decimal number that fills its field, except for blanks at the end.
std::optional<uint64_t> Number(std::string_view field) {
  field = WithoutBlanks(field);
  uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(field.data(), field.data() + field.size(), value);
  if (field.empty() || error != std::errc() || end != field.data() + field.size()) {
    return std::nullopt;
  }
  return value;
}

class ArchiveWalk {
 public:
  explicit ArchiveWalk(std::string_view image) : image_(image) {}

  Result<ArchiveFacts> Run() {
    size_t at = kMagic.size();
    while (at < image_.size()) {
      ++count_;
      ALLOY_ASSIGN_OR_RETURN(const size_t size, MemberSize(at));
      const std::string_view field = image_.substr(at, kNameSize);
      const std::string_view body = image_.substr(at + kHeaderSize, size);
      ALLOY_TRY(Visit(WithoutBlanks(field), body));
      at += kHeaderSize + size;
      at += at % 2;  // members begin at even places
    }
    if (facts_.objects == 0) {
      return Malformed("the archive has no object file; add the objects of the backend");
    }
    return facts_;
  }

 private:
  std::string Which() const { return "member " + std::to_string(count_); }

  Result<size_t> MemberSize(size_t at) const {
    if (image_.size() - at < kHeaderSize) {
      return Malformed("the archive ends inside the header of " + Which() +
                       "; is it complete?");
    }
    if (image_.substr(at + kMarkAt, kMark.size()) != kMark) {
      return Malformed("the header of " + Which() + " is malformed");
    }
    const auto size = Number(image_.substr(at + kSizeAt, kSizeSize));
    if (!size) return Malformed("the size of " + Which() + " is not a number");
    const size_t rest = image_.size() - at - kHeaderSize;
    if (*size > rest) {
      return Malformed(Which() + " claims " + std::to_string(*size) +
                       " bytes, but the archive has only " + std::to_string(rest) +
                       " more; is it complete?");
    }
    return static_cast<size_t>(*size);
  }

  Status Visit(std::string_view name, std::string_view body) {
    if (name == "/" || name == "/SYM64/") return Status();  // the table of symbols
    if (name == "//") {
      if (long_names_) return Malformed("the archive has two tables of long names");
      long_names_ = body;
      return Status();
    }
    ALLOY_ASSIGN_OR_RETURN(const std::string shown, NameOf(name));
    ++facts_.objects;
    return CheckObject(std::as_bytes(std::span(body)))
        .WithPrefix(Which() + " (" + shown + "): ");
  }

  Result<std::string> NameOf(std::string_view name) const {
    if (name.starts_with("#1/") || name.starts_with("__.SYMDEF")) {
      return Malformed(
          "this is a BSD archive; make it with GNU ar or llvm-ar "
          "--format=gnu");
    }
    if (!name.starts_with('/'))
      return Harmless(name.substr(0, name.rfind('/')), kLongestShown);
    const auto offset = Number(name.substr(1));
    if (!offset || !long_names_ || *offset >= long_names_->size()) {
      return Malformed("the name of " + Which() + " is not in the table of long names");
    }
    // Only what is shown: each of many members may point into one long table.
    const std::string_view rest = long_names_->substr(*offset, kLongestShown + 2);
    return Harmless(rest.substr(0, rest.find("/\n")), kLongestShown);
  }

  const std::string_view image_;
  ArchiveFacts facts_;
  size_t count_ = 0;
  std::optional<std::string_view> long_names_;
};

}  // namespace

bool IsArchive(std::span<const std::byte> image) {
  const std::string_view text = AsText(image);
  return text.starts_with(kMagic) || text.starts_with(kThinMagic);
}

bool IsForTheLinker(std::span<const std::byte> image, std::string_view path) {
  constexpr std::string_view kElf =
      "\x7f"
      "ELF";
  return IsArchive(image) || (path.ends_with(".a") && !AsText(image).starts_with(kElf));
}

Result<ArchiveFacts> WalkArchive(std::span<const std::byte> image) {
  const std::string_view text = AsText(image);
  if (text.starts_with(kThinMagic)) {
    return Malformed(
        "this is a thin archive, which names its objects and does not contain them; "
        "make it without ar's option T");
  }
  if (!text.starts_with(kMagic)) {
    return Malformed(
        "this is not an archive: it does not begin with !<arch>, so a linker would read "
        "it as a script; give an archive made by ar, or a shared library");
  }
  return ArchiveWalk(text).Run();
}

}  // namespace alloy::core
