// SPDX-License-Identifier: MIT
// Written by tools/amalgamate from src/ and include/; edit those instead.

//go:build linux && (amd64 || arm64) && !alloy_system

#include "alloy_engine.h"

// src/base/arena.cc ---------------------------------------------------------------------
//
// Gives out pieces of memory that somebody else owns, such as segments of shared memory.
#ifndef ALLOY_SRC_BASE_ARENA_H_
#define ALLOY_SRC_BASE_ARENA_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

//
// Memory that takes no room before it is used, such as a segment of shared memory. Without
// memory behind it, the first access to a page would end the process with SIGBUS. So whoever
// gives out a piece of it asks here first, and gets an error.
#ifndef ALLOY_SRC_BASE_BACKING_H_
#define ALLOY_SRC_BASE_BACKING_H_

#include <cstddef>

//
// The outcome of an operation: ok, or a fault whose code tells the caller what to do next.
//
// Copies share one fault, so the sticky error of a bridge reaches every call unchanged.
// Use Result<T> where there is a value as well.
//
// Threads  values: one thread each; copies may go to others.
#ifndef ALLOY_SRC_BASE_STATUS_H_
#define ALLOY_SRC_BASE_STATUS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>


namespace alloy::core_v0_1 {

struct Fault {
  alloy_code code = ALLOY_INTERNAL;
  int32_t reason = ALLOY_REASON_NONE;
  int32_t input = -1;
  int32_t column = -1;
  uint16_t side = ALLOY_SIDE_ENGINE;
  std::string text;
};

class [[nodiscard]] Status {
 public:
  Status() = default;  // ok
  // The text becomes harmless (base/text.h): UTF-8 that controls no terminal, in which
  // each line after the first begins with two blanks.
  explicit Status(Fault fault);

  bool ok() const { return fault_ == nullptr; }
  alloy_code code() const { return ok() ? ALLOY_OK : fault_->code; }
  int32_t reason() const { return ok() ? ALLOY_REASON_NONE : fault_->reason; }
  const Fault& fault() const { return *fault_; }  // only when not ok()

  // The same fault with more context: what only a caller further out knows.
  Status WithInput(int32_t input) const;
  Status WithSide(uint16_t side) const;
  // What is added becomes one harmless line.
  Status WithPrefix(std::string_view prefix) const;
  Status WithSuffix(std::string_view suffix) const;

  // Fill the caller's error and return the code. err may be NULL, and stays unchanged
  // when this is ok.
  alloy_code CopyTo(alloy_error* err) const;

 private:
  std::shared_ptr<const Fault> fault_;  // NULL: ok
};

// A fault of no particular input or column. Its side follows from the code: the caller for
// INVALID, NOT_FOUND and NO_MATCH, which only the caller can correct; else the engine.
// The text becomes one line, whatever names it quotes.
Status Fail(alloy_code code, int32_t reason, std::string text);
Status Fail(alloy_code code, std::string text);

}  // namespace alloy::core_v0_1

// Return early with the status when it is not ok.
#define ALLOY_TRY(expression)                           \
  do {                                                  \
    ::alloy::core_v0_1::Status alloy_status_ = (expression); \
    if (!alloy_status_.ok()) [[unlikely]]               \
      return alloy_status_;                             \
  } while (false)

#endif  // ALLOY_SRC_BASE_STATUS_H_

namespace alloy::core_v0_1 {

// Threads  shared.
class Backing {
 public:
  virtual ~Backing() = default;

  // Put memory behind these bytes. What has some keeps its values.
  //   Fails  EXHAUSTED: there is none.
  virtual Status Back(const std::byte* begin, size_t size) noexcept = 0;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_BASE_BACKING_H_

namespace alloy::core_v0_1 {

// Its books are outside of the memory: who can write there cannot lead it astray.
//
// Threads  shared.
class Arena {
 public:
  // More memory, aligned to 64 bytes. It is never taken back. No piece reaches from one
  // memory into another one, even if they are neighbours: a record names one segment.
  // With a backing, each piece has memory behind it before it is given out.
  //
  //   Borrows  backing, as long as this lives.
  void Add(std::byte* begin, size_t size, Backing* backing = nullptr);

  // The smallest free piece that fits, aligned to 64 bytes; NULL: none is large enough, or
  // there is no memory behind it. Freed pieces are used again first, since their pages are
  // warm.
  void* Allocate(size_t size) noexcept;
  // Whether Allocate would find a piece now, with or without memory behind it.
  bool HasRoomFor(size_t size) noexcept;
  // The size of what Allocate gave, rounded up to 64; 0: this is not from here.
  size_t SizeOf(const void* memory) noexcept;
  // Returns false if the memory is not from here.
  bool Free(void* memory) noexcept;

  // Allocate, resize or free as alloy_services.resize: here while there is room, and in the
  // heap then.
  void* Resize(void* memory, int64_t old_size, int64_t new_size) noexcept;

  // In bytes.
  uint64_t used() const { return used_bytes_.load(std::memory_order_relaxed); }

 private:
  using Piece = std::pair<size_t, std::byte*>;

  struct Memory {
    std::byte* begin;
    std::byte* end;
    Backing* backing;
  };

  std::byte* Take(size_t rounded, Backing** backing);
  void AddFree(std::byte* begin, size_t size);

  std::mutex mutex_;
  std::map<std::byte*, size_t> free_;  // by address, to join neighbours
  std::vector<Memory> memories_;
  std::set<std::byte*> borders_;  // where each memory begins
  std::set<Piece> by_size_;       // the same pieces, to find the best one
  std::unordered_map<const void*, size_t> used_;
  std::atomic<uint64_t> used_bytes_{0};
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_BASE_ARENA_H_

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

//
// Memory for the buffers of columns: what alloy_services.resize promises, for the engine
// and for hosts.
//
// Threads  shared.
#ifndef ALLOY_DETAIL_RESIZE_HPP_
#define ALLOY_DETAIL_RESIZE_HPP_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace alloy::detail {

// Allocate (old_size 0), resize, or free (new_size 0) memory that is aligned to 64 bytes.
//
//   Takes  memory. If NULL is returned for a new_size above 0, the caller keeps it.
//   Gives  the memory; NULL if there is not enough.
inline void* AlignedResize(void* memory, int64_t old_size, int64_t new_size) noexcept {
  constexpr size_t kAlignment = 64;
  if (new_size <= 0) {
    std::free(memory);
    return nullptr;
  }
  // No object is larger than PTRDIFF_MAX, and the sum below must not pass it.
  if (new_size > PTRDIFF_MAX - static_cast<int64_t>(kAlignment)) return nullptr;
  // aligned_alloc needs a multiple of the alignment; there is no aligned realloc.
  const size_t rounded =
      (static_cast<size_t>(new_size) + kAlignment - 1) & ~(kAlignment - 1);
  void* grown = std::aligned_alloc(kAlignment, rounded);
  if (grown == nullptr || memory == nullptr) return grown;
  std::memcpy(grown, memory, static_cast<size_t>(std::min(old_size, new_size)));
  std::free(memory);
  return grown;
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_RESIZE_HPP_

namespace alloy::core_v0_1 {
namespace {

constexpr size_t kAlignment = 64;

size_t RoundUp_arena(size_t size) { return (size + kAlignment - 1) & ~(kAlignment - 1); }

}  // namespace

void Arena::Add(std::byte* begin, size_t size, Backing* backing) {
  const std::scoped_lock lock(mutex_);
  memories_.push_back({begin, begin + size, backing});
  borders_.insert(begin);
  AddFree(begin, size);
}

void Arena::AddFree(std::byte* begin, size_t size) {
  auto next = free_.lower_bound(begin);
  if (next != free_.end() && begin + size == next->first &&
      !borders_.contains(next->first)) {
    size += next->second;
    by_size_.erase({next->second, next->first});
    next = free_.erase(next);
  }
  if (next != free_.begin() && !borders_.contains(begin)) {
    const auto before = std::prev(next);
    if (before->first + before->second == begin) {
      by_size_.erase({before->second, before->first});
      before->second += size;
      by_size_.emplace(before->second, before->first);
      return;
    }
  }
  free_.emplace_hint(next, begin, size);
  by_size_.emplace(size, begin);
}

void* Arena::Allocate(size_t size) noexcept {
  if (size == 0 || size > std::numeric_limits<size_t>::max() / 2) return nullptr;
  const size_t rounded = RoundUp_arena(size);
  Backing* backing = nullptr;
  std::byte* const begin = Take(rounded, &backing);
  // Outside of the lock: new pages take time.
  if (begin == nullptr || backing == nullptr || backing->Back(begin, rounded).ok()) {
    return begin;
  }
  Free(begin);
  return nullptr;
}

std::byte* Arena::Take(size_t rounded, Backing** backing) {
  try {
    const std::scoped_lock lock(mutex_);
    const auto found = by_size_.lower_bound({rounded, nullptr});
    if (found == by_size_.end()) return nullptr;
    const auto [piece, begin] = *found;
    used_.emplace(begin, rounded);
    by_size_.erase(found);
    free_.erase(begin);
    used_bytes_.fetch_add(rounded, std::memory_order_relaxed);
    if (piece > rounded) AddFree(begin + rounded, piece - rounded);
    for (const Memory& memory : memories_) {
      if (begin >= memory.begin && begin < memory.end) *backing = memory.backing;
    }
    return begin;
  } catch (const std::bad_alloc&) {
    // At worst the rest of a piece is lost to this process.
    return nullptr;
  }
}

bool Arena::HasRoomFor(size_t size) noexcept {
  const std::scoped_lock lock(mutex_);
  return by_size_.lower_bound({RoundUp_arena(size), nullptr}) != by_size_.end();
}

size_t Arena::SizeOf(const void* memory) noexcept {
  const std::scoped_lock lock(mutex_);
  const auto found = used_.find(memory);
  return found != used_.end() ? found->second : 0;
}

bool Arena::Free(void* memory) noexcept {
  try {
    const std::scoped_lock lock(mutex_);
    const auto found = used_.find(memory);
    if (found == used_.end()) return false;
    const size_t size = found->second;
    used_.erase(found);
    used_bytes_.fetch_sub(size, std::memory_order_relaxed);
    AddFree(static_cast<std::byte*>(memory), size);
  } catch (const std::bad_alloc&) {
    // The piece is lost to this process.
  }
  return true;
}

void* Arena::Resize(void* memory, int64_t old_size, int64_t new_size) noexcept {
  const size_t room = memory != nullptr ? SizeOf(memory) : 0;
  if (new_size <= 0) {
    if (room > 0) {
      Free(memory);
      return nullptr;
    }
    return alloy::detail::AlignedResize(memory, old_size, 0);
  }
  const auto wanted = static_cast<size_t>(new_size);
  if (room >= wanted && wanted > room / 2) return memory;
  void* grown = Allocate(wanted);
  if (grown == nullptr) {
    if (room == 0) return alloy::detail::AlignedResize(memory, old_size, new_size);
    grown = alloy::detail::AlignedResize(nullptr, 0, new_size);
    if (grown == nullptr) return nullptr;
  }
  if (memory == nullptr) return grown;
  std::memcpy(grown, memory, static_cast<size_t>(std::min(old_size, new_size)));
  if (room > 0) {
    Free(memory);
  } else {
    alloy::detail::AlignedResize(memory, old_size, 0);
  }
  return grown;
}

}  // namespace alloy::core_v0_1

// src/base/names.cc ---------------------------------------------------------------------
//
// The names of codes and reasons, for texts and for bindings.
#ifndef ALLOY_SRC_BASE_NAMES_H_
#define ALLOY_SRC_BASE_NAMES_H_

#include <cstdint>

namespace alloy::core_v0_1 {

// "BAD_DATA", "OFFSETS"; "UNKNOWN" for numbers that are not listed.
const char* CodeName(int32_t code);
const char* ReasonName(int32_t reason);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_BASE_NAMES_H_

#include <array>
#include <cstddef>


namespace alloy::core_v0_1 {
namespace {

constexpr std::array kCodeNames = {"OK",        "INVALID", "BAD_DATA",    "NO_MATCH",
                                   "NOT_FOUND", "REFUSED", "FAILED",      "RETRY",
                                   "CANCELLED", "TIMEOUT", "LOST",        "EXHAUSTED",
                                   "BUSY",      "CLOSED",  "UNSUPPORTED", "INTERNAL"};

}  // namespace

const char* CodeName(int32_t code) {
  if (code < 0 || static_cast<size_t>(code) >= kCodeNames.size()) return "UNKNOWN";
  return kCodeNames[static_cast<size_t>(code)];
}

const char* ReasonName(int32_t reason) {
  switch (reason) {
#define ALLOY_REASON_CASE_(name, number, text) \
  case number:                                 \
    return #name;
    ALLOY_REASONS(ALLOY_REASON_CASE_)
#undef ALLOY_REASON_CASE_
    default:
      return "UNKNOWN";
  }
}

}  // namespace alloy::core_v0_1
#undef ALLOY_REASON_CASE_

// src/base/status.cc --------------------------------------------------------------------

//
// Makes bytes from elsewhere safe to show: names and formats in error texts, strings in
// logs.
//
// Threads  shared.
#ifndef ALLOY_SRC_BASE_TEXT_H_
#define ALLOY_SRC_BASE_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>

//
// Makes text from elsewhere harmless: what a file, a certificate or a backend chose to
// contain can neither control a terminal nor look like a line of a log. The engine uses
// it for every error text and log line, the command line for everything that it prints.
//
// Threads  shared.
#ifndef ALLOY_DETAIL_HARMLESS_HPP_
#define ALLOY_DETAIL_HARMLESS_HPP_

#include <cstddef>
#include <string>
#include <string_view>

//
// The characters of UTF-8 text: how long they are, and where text may be cut.
//
// Threads  shared.
#ifndef ALLOY_DETAIL_UTF8_HPP_
#define ALLOY_DETAIL_UTF8_HPP_

#include <cstddef>
#include <string_view>

namespace alloy::detail {

// True for the second and later bytes of a character, which are 10xxxxxx.
constexpr bool IsContinuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// The longest prefix of at most `limit` bytes that does not cut a character.
inline std::string_view CutText(std::string_view text, size_t limit) {
  if (text.size() <= limit) return text;
  // A character has at most three continuation bytes. If there are more, the text is not
  // UTF-8 and may be cut anywhere.
  size_t end = limit;
  for (int i = 0; i < 3 && end > 0 && IsContinuation(text[end]); ++i) --end;
  return text.substr(0, IsContinuation(text[end]) ? limit : end);
}

// The length in bytes, 1 to 4, of the character at the start of `bytes`; 0 if these
// bytes are not UTF-8.
//
// Source: The Unicode Standard, table 3-7, "Well-Formed UTF-8 Byte Sequences".
constexpr size_t Utf8Length(std::string_view bytes) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.empty()) return 0;
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || bytes.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if (!IsContinuation(bytes[i])) return 0;
  }
  // Longer than the character needs, or a surrogate, or above U+10FFFF.
  if ((first == 0xE0 && at(1) < 0xA0) || (first == 0xED && at(1) > 0x9F)) return 0;
  if ((first == 0xF0 && at(1) < 0x90) || (first == 0xF4 && at(1) > 0x8F)) return 0;
  return length;
}

// The number of one whole character.
constexpr char32_t Utf8Character(std::string_view character) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return at(0);
  char32_t number = at(0) & (0x7FU >> character.size());
  for (size_t i = 1; i < character.size(); ++i) number = number << 6U | (at(i) & 0x3FU);
  return number;
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_UTF8_HPP_

namespace alloy::detail {

// True for characters that are obeyed instead of shown: control characters (C0, DEL, C1),
// separators of lines and paragraphs, and the format characters that reverse or hide
// text. The joiners U+200C and U+200D are not: scripts and emoji are written with them,
// and they only change the shapes of their neighbours.
//
// Source: the Unicode Character Database, general categories Cc, Cf, Zl and Zp.
constexpr bool IsHarmful(char32_t c) {
  if (c < 0x20 || (c >= 0x7F && c < 0xA0)) return true;
  if (c < 0x2000) return c == 0xAD || c == 0x61C || c == 0x180E;
  if (c < 0x2070) {
    return c == 0x200B || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) ||
           c >= 0x2060;
  }
  if (c < 0x10000) return c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB);
  return (c >= 0x13430 && c <= 0x1343F) || (c >= 0x1BCA0 && c <= 0x1BCA3) ||
         (c >= 0x1D173 && c <= 0x1D17A) || (c >= 0xE0000 && c <= 0xE0FFF);
}

// Append the character at the start of `text`, escaped when it is harmful or not UTF-8,
// and return its length in bytes. Line ends and tabs become \n, \r and \t; other bytes
// become \xNN. `text` is not empty.
inline size_t AppendHarmlessCharacter(std::string_view text, std::string* out) {
  constexpr char kDigits[] = "0123456789abcdef";
  const size_t length = Utf8Length(text);
  const std::string_view character = text.substr(0, length == 0 ? 1 : length);
  if (length != 0 && !IsHarmful(Utf8Character(character))) {
    out->append(character);
  } else if (character == "\n") {
    out->append("\\n");
  } else if (character == "\r") {
    out->append("\\r");
  } else if (character == "\t") {
    out->append("\\t");
  } else {
    for (const char byte : character) {
      const auto value = static_cast<unsigned char>(byte);
      out->append({'\\', 'x', kDigits[value >> 4U], kDigits[value & 15U]});
    }
  }
  return character.size();
}

inline constexpr size_t kMostHarmless = size_t{16} << 10U;

// `text` as one line of UTF-8 without harmful characters, cut with `…` after `limit`
// bytes. Text that is harmless already stays the same.
inline std::string Harmless(std::string_view text, size_t limit = kMostHarmless) {
  std::string out;
  const std::string_view kept = CutText(text, limit);
  out.reserve(kept.size());
  for (size_t at = 0; at < kept.size();) {
    at += AppendHarmlessCharacter(kept.substr(at), &out);
  }
  if (kept.size() < text.size()) out += "…";
  return out;
}

// The same for text that may have several lines: every line after the first begins with
// two blanks, so that none looks like a line of its own. Line feeds at the end are left
// out.
inline std::string HarmlessLines(std::string_view text, size_t limit = kMostHarmless) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  std::string out;
  const std::string_view kept = CutText(text, limit);
  out.reserve(kept.size());
  for (size_t at = 0; at < kept.size();) {
    const std::string_view rest = kept.substr(at);
    if (rest.starts_with('\n') || rest.starts_with("\r\n")) {
      at += rest[0] == '\n' ? 1 : 2;
      out += kept.substr(at).starts_with("  ") ? "\n" : "\n  ";
    } else {
      at += AppendHarmlessCharacter(rest, &out);
    }
  }
  if (kept.size() < text.size()) out += "…";
  return out;
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_HARMLESS_HPP_

namespace alloy::core_v0_1 {

using alloy::detail::Harmless;
using alloy::detail::HarmlessLines;
using alloy::detail::IsHarmful;
using alloy::detail::kMostHarmless;

// Append `bytes`, and escape what cannot be shown, as Harmless does. Backslashes are
// escaped too, and `quote` unless it is NUL, so that the bytes can be read back.
void AppendEscaped(std::string_view bytes, char quote, std::string* out);

// `bytes` in double quotes, escaped, and cut after 64 bytes: a format, a name or a line
// of a file in an error text.
std::string Quoted(std::string_view bytes);

// Append one step of the path to a column: its name, `#2` for a third child without a
// name, or `dictionary` for ordinal -1.
void AppendPathPart(std::string_view name, int64_t ordinal, std::string* path);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_BASE_TEXT_H_
//
// Finds the characters of UTF-8 text, for checks of columns and for texts that must be
// cut or repaired.
//
// Threads  shared.
#ifndef ALLOY_SRC_BASE_UTF8_H_
#define ALLOY_SRC_BASE_UTF8_H_

#include <cstddef>
#include <string>
#include <string_view>


namespace alloy::core_v0_1 {

using alloy::detail::CutText;
using alloy::detail::IsContinuation;
using alloy::detail::Utf8Character;
using alloy::detail::Utf8Length;

// `text` with a question mark in place of each byte that is not UTF-8. What a host reads
// is always text, whatever a backend wrote.
std::string AsUtf8(std::string_view text);

// Copy `text` to a caller's memory, cut by CutText where it is too long, and end it with a
// NUL. Returns the number of bytes before the NUL. `capacity` is at least 1.
size_t CopyText(std::string_view text, char* out, size_t capacity);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_BASE_UTF8_H_

namespace alloy::core_v0_1 {

// Every text of a fault passes here, whoever wrote it.
Status::Status(Fault fault) {
  fault.text = HarmlessLines(fault.text);
  fault_ = std::make_shared<const Fault>(std::move(fault));
}

Status Status::WithInput(int32_t input) const {
  if (ok()) return *this;
  Fault fault = *fault_;
  fault.input = input;
  return Status(std::move(fault));
}

Status Status::WithSide(uint16_t side) const {
  if (ok()) return *this;
  Fault fault = *fault_;
  fault.side = side;
  return Status(std::move(fault));
}

Status Status::WithPrefix(std::string_view prefix) const {
  if (ok()) return *this;
  Fault fault = *fault_;
  fault.text.insert(0, Harmless(prefix));
  return Status(std::move(fault));
}

Status Status::WithSuffix(std::string_view suffix) const {
  if (ok()) return *this;
  Fault fault = *fault_;
  fault.text.append(Harmless(suffix));
  return Status(std::move(fault));
}

alloy_code Status::CopyTo(alloy_error* err) const {
  if (ok()) return ALLOY_OK;
  if (err != nullptr) {
    err->code = fault_->code;
    err->reason = fault_->reason;
    err->input = fault_->input;
    err->column = fault_->column;
    err->side = fault_->side;
    err->length =
        static_cast<uint16_t>(CopyText(fault_->text, err->text, sizeof(err->text)));
  }
  return fault_->code;
}

Status Fail(alloy_code code, int32_t reason, std::string text) {
  text = Harmless(text);
  const bool callers =
      code == ALLOY_INVALID || code == ALLOY_NOT_FOUND || code == ALLOY_NO_MATCH;
  return Status(
      Fault{.code = code,
            .reason = reason,
            .side = callers ? uint16_t{ALLOY_SIDE_CALLER} : uint16_t{ALLOY_SIDE_ENGINE},
            .text = std::move(text)});
}

Status Fail(alloy_code code, std::string text) {
  return Fail(code, ALLOY_REASON_NONE, std::move(text));
}

}  // namespace alloy::core_v0_1

// src/base/text.cc ----------------------------------------------------------------------


namespace alloy::core_v0_1 {
namespace {

constexpr size_t kLongestQuoted = 64;

}  // namespace

void AppendEscaped(std::string_view bytes, char quote, std::string* out) {
  while (!bytes.empty()) {
    const char c = bytes[0];
    if (c == '\\' || (c == quote && quote != '\0')) {
      *out += '\\';
      *out += c;
      bytes.remove_prefix(1);
    } else {
      bytes.remove_prefix(alloy::detail::AppendHarmlessCharacter(bytes, out));
    }
  }
}

std::string Quoted(std::string_view bytes) {
  const std::string_view shown = CutText(bytes, kLongestQuoted);
  std::string text = "\"";
  AppendEscaped(shown, '"', &text);
  if (shown.size() < bytes.size()) text += "…";
  text += '"';
  return text;
}

void AppendPathPart(std::string_view name, int64_t ordinal, std::string* path) {
  if (!path->empty()) *path += '.';
  if (ordinal < 0) {
    *path += "dictionary";
  } else if (name.empty()) {
    *path += '#' + std::to_string(ordinal);
  } else {
    AppendEscaped(CutText(name, kLongestQuoted), '\0', path);
    if (name.size() > kLongestQuoted) *path += "…";
  }
}

}  // namespace alloy::core_v0_1

// src/base/utf8.cc ----------------------------------------------------------------------

#include <cstring>

namespace alloy::core_v0_1 {

std::string AsUtf8(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    clean.append(length == 0 ? std::string_view("?") : text.substr(0, length));
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return clean;
}

size_t CopyText(std::string_view text, char* out, size_t capacity) {
  const std::string_view cut = CutText(text, capacity - 1);
  std::memcpy(out, cut.data(), cut.size());
  out[cut.size()] = '\0';
  return cut.size();
}

}  // namespace alloy::core_v0_1

// src/base/utf8_scan.cc -----------------------------------------------------------------
//
// Checks at once whether a long text is UTF-8, with vector instructions where the machine
// has them. For single characters use utf8.h.
//
// Source: J. Keiser and D. Lemire, "Validating UTF-8 In Less Than One Instruction Per
// Byte", Software: Practice and Experience 51 (5), 2021.
//
// Threads  shared.
#ifndef ALLOY_SRC_BASE_UTF8_SCAN_H_
#define ALLOY_SRC_BASE_UTF8_SCAN_H_

#include <cstdint>
#include <string_view>

namespace alloy::core_v0_1 {

enum class TextKind : uint8_t {
  kInvalid,  // not UTF-8
  kAscii,    // every byte is a character, so a text can be cut anywhere
  kUtf8,     // UTF-8, with at least one longer character
};

TextKind ScanText(std::string_view bytes);

// The same without vector instructions: for machines without them, and for tests.
TextKind ScanTextPlainly(std::string_view bytes);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_BASE_UTF8_SCAN_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>


#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace alloy::core_v0_1 {
namespace {

constexpr size_t kWord_utf8_scan = sizeof(uint64_t);
constexpr uint64_t kHighBits = 0x8080808080808080U;

uint64_t LoadWord(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

// Short texts are frequent, and not worth a vector.
bool IsShortAscii(std::string_view bytes) {
  const char* at = bytes.data();
  size_t left = bytes.size();
  uint64_t any = 0;
  if (left >= kWord_utf8_scan) {
    for (; left > kWord_utf8_scan; left -= kWord_utf8_scan, at += kWord_utf8_scan) any |= LoadWord(at);
    any |= LoadWord(at + left - kWord_utf8_scan);  // the last word overlaps the one before
    return (any & kHighBits) == 0;
  }
  for (; left > 0; --left, ++at) any |= static_cast<unsigned char>(*at);
  return (any & 0x80U) == 0;
}

#if defined(__x86_64__) || defined(__aarch64__)

// ---- The tables of the paper
//
// A pair of bytes is wrong if its three half bytes (both of the first byte, the upper one
// of the second) are all in the sets of one of these faults. There are 8 faults, so the
// faults of a half byte are the bits of one byte, and a table has 16 entries. Whether a
// third and a fourth byte follow is checked without tables.

// A set of half bytes: bit i is half byte i.
constexpr uint16_t Halves(int first, int last) {
  return static_cast<uint16_t>((2U << last) - (1U << first));
}
constexpr uint16_t kAny = Halves(0, 15);
constexpr uint16_t kAsciiHalves = Halves(0, 7);
constexpr uint16_t kContinuations = Halves(8, 11);

struct PairFault {
  uint16_t first_upper, first_lower, second_upper;
};
constexpr std::array<PairFault, 8> kPairFaults = {{
    // A character ends too early, or a continuation byte has no character before it.
    {Halves(12, 15), kAny, kAsciiHalves | Halves(12, 15)},
    {kAsciiHalves, kAny, kContinuations},
    // Longer than the character needs: C0, C1, E0 80 to E0 9F.
    {Halves(12, 12), Halves(0, 1), kContinuations},
    {Halves(14, 14), Halves(0, 0), Halves(8, 9)},
    // A surrogate: ED A0 to ED BF.
    {Halves(14, 14), Halves(13, 13), Halves(10, 11)},
    // Above U+10FFFF: F4 90 and more.
    {Halves(15, 15), Halves(4, 15), Halves(9, 11)},
    // Longer than needed (F0 80 to F0 8F), or above U+10FFFF (F5 80 and more).
    {Halves(15, 15), Halves(0, 0) | Halves(5, 15), Halves(8, 8)},
    // Two continuation bytes: right only after E0 and more, two bytes back. It has the
    // highest bit, where the check of the third and fourth byte puts its result.
    {kContinuations, kAny, kContinuations},
}};

using Table_utf8_scan = std::array<uint8_t, 16>;
constexpr Table_utf8_scan TableOf(uint16_t PairFault::* halves) {
  Table_utf8_scan table{};
  for (size_t half = 0; half < table.size(); ++half) {
    unsigned faults = 0;
    for (size_t fault = 0; fault < kPairFaults.size(); ++fault) {
      const unsigned set = kPairFaults[fault].*halves;
      faults |= (set >> half & 1U) << fault;
    }
    table[half] = static_cast<uint8_t>(faults);
  }
  return table;
}
alignas(16) constexpr Table_utf8_scan kFirstUpper = TableOf(&PairFault::first_upper);
alignas(16) constexpr Table_utf8_scan kFirstLower = TableOf(&PairFault::first_lower);
alignas(16) constexpr Table_utf8_scan kSecondUpper = TableOf(&PairFault::second_upper);

#endif

// ---- The vectors of each machine

#if defined(__x86_64__)

// Only this code may use AVX2: HasVectors asks the machine first.
#define ALLOY_VECTOR_CODE [[gnu::target("avx2")]]
#define ALLOY_HAS_VECTORS 1

bool HasVectors() { return __builtin_cpu_supports("avx2") != 0; }

using Vector = __m256i;
constexpr size_t kLanes = 32;

ALLOY_VECTOR_CODE inline Vector Load(const char* at) {
  return _mm256_loadu_si256(reinterpret_cast<const Vector*>(at));
}
ALLOY_VECTOR_CODE inline Vector Fill(uint8_t byte) {
  return _mm256_set1_epi8(static_cast<char>(byte));
}
ALLOY_VECTOR_CODE inline Vector LoadTable(const Table_utf8_scan& table) {
  return _mm256_broadcastsi128_si256(
      _mm_load_si128(reinterpret_cast<const __m128i*>(table.data())));
}
ALLOY_VECTOR_CODE inline Vector LookUp(Vector table, Vector halves) {
  return _mm256_shuffle_epi8(table, halves);
}
ALLOY_VECTOR_CODE inline Vector Upper(Vector bytes) {
  return _mm256_and_si256(_mm256_srli_epi16(bytes, 4), Fill(15));
}
ALLOY_VECTOR_CODE inline Vector And(Vector a, Vector b) { return _mm256_and_si256(a, b); }
ALLOY_VECTOR_CODE inline Vector Or(Vector a, Vector b) { return _mm256_or_si256(a, b); }
ALLOY_VECTOR_CODE inline Vector Xor(Vector a, Vector b) { return _mm256_xor_si256(a, b); }
// a - b in each lane, but never below 0.
ALLOY_VECTOR_CODE inline Vector Less(Vector a, Vector b) {
  return _mm256_subs_epu8(a, b);
}
ALLOY_VECTOR_CODE inline bool AnyHighBit(Vector bytes) {
  return _mm256_movemask_epi8(bytes) != 0;
}
ALLOY_VECTOR_CODE inline bool AnyBit(Vector bytes) {
  return _mm256_testz_si256(bytes, bytes) == 0;
}
// The bytes of `now`, each `n` places later, after the last `n` of `before`.
template <int n>
ALLOY_VECTOR_CODE inline Vector Earlier(Vector before, Vector now) {
  const Vector middle = _mm256_permute2x128_si256(before, now, 0x21);
  return _mm256_alignr_epi8(now, middle, 16 - n);
}

#elif defined(__aarch64__)

#define ALLOY_VECTOR_CODE
#define ALLOY_HAS_VECTORS 1

constexpr bool HasVectors() { return true; }

using Vector = uint8x16_t;
constexpr size_t kLanes = 16;

inline Vector Load(const char* at) {
  return vld1q_u8(reinterpret_cast<const uint8_t*>(at));
}
inline Vector Fill(uint8_t byte) { return vdupq_n_u8(byte); }
inline Vector LoadTable(const Table_utf8_scan& table) { return vld1q_u8(table.data()); }
inline Vector LookUp(Vector table, Vector halves) { return vqtbl1q_u8(table, halves); }
inline Vector Upper(Vector bytes) { return vshrq_n_u8(bytes, 4); }
inline Vector And(Vector a, Vector b) { return vandq_u8(a, b); }
inline Vector Or(Vector a, Vector b) { return vorrq_u8(a, b); }
inline Vector Xor(Vector a, Vector b) { return veorq_u8(a, b); }
inline Vector Less(Vector a, Vector b) { return vqsubq_u8(a, b); }
inline bool AnyHighBit(Vector bytes) { return vmaxvq_u8(bytes) >= 0x80; }
inline bool AnyBit(Vector bytes) { return vmaxvq_u8(bytes) != 0; }
template <int n>
inline Vector Earlier(Vector before, Vector now) {
  return vextq_u8(before, now, 16 - n);
}

#endif

#ifdef ALLOY_HAS_VECTORS

// ---- The scan

// Bit i of a lane is fault i of kPairFaults for the byte of the lane and the one before.
ALLOY_VECTOR_CODE inline Vector FaultsOfPairs(Vector first, Vector second) {
  return And(And(LookUp(LoadTable(kFirstUpper), Upper(first)),
                 LookUp(LoadTable(kFirstLower), And(first, Fill(15)))),
             LookUp(LoadTable(kSecondUpper), Upper(second)));
}

// Not zero where a byte is wrong after the bytes before it.
ALLOY_VECTOR_CODE inline Vector FaultsOf(Vector before, Vector now) {
  // The highest bit of a lane: it must be the third or the fourth byte of a character.
  const Vector third = Less(Earlier<2>(before, now), Fill(0xE0 - 0x80));
  const Vector fourth = Less(Earlier<3>(before, now), Fill(0xF0 - 0x80));
  const Vector continues = And(Or(third, fourth), Fill(0x80));
  return Xor(continues, FaultsOfPairs(Earlier<1>(before, now), now));
}

// The state between two steps of a scan.
struct Scan {
  Vector before;  // the last vector
  Vector faults;
  bool ascii = true;
  bool open = false;  // a character may reach beyond `before`
};

ALLOY_VECTOR_CODE inline void Step_utf8_scan(Vector now, Scan* scan) {
  scan->faults = Or(scan->faults, FaultsOf(scan->before, now));
  scan->before = now;
}

// Four vectors. Most texts are ASCII, and need only one test for all four.
ALLOY_VECTOR_CODE inline void StepFour(const char* at, Scan* scan) {
  const Vector a = Load(at), b = Load(at + kLanes), c = Load(at + 2 * kLanes),
               d = Load(at + 3 * kLanes);
  const bool ascii = !AnyHighBit(Or(Or(a, b), Or(c, d)));
  if (ascii && !scan->open) {
    scan->before = d;
    return;
  }
  Step_utf8_scan(a, scan);
  Step_utf8_scan(b, scan);
  Step_utf8_scan(c, scan);
  Step_utf8_scan(d, scan);
  scan->ascii = scan->ascii && ascii;
  scan->open = AnyHighBit(d);
}

ALLOY_VECTOR_CODE TextKind ScanByVectors(std::string_view bytes) {
  Scan scan{.before = Fill(0), .faults = Fill(0)};
  const char* at = bytes.data();
  size_t left = bytes.size();
  // A text that is wrong early need not be read to its end.
  constexpr size_t kFour = 4 * kLanes;
  constexpr size_t kStretch = 256 * kFour;
  while (left >= kFour) {
    const size_t stretch = std::min(left, kStretch) / kFour * kFour;
    for (size_t done = 0; done < stretch; done += kFour) StepFour(at + done, &scan);
    if (AnyBit(scan.faults)) return TextKind::kInvalid;
    at += stretch;
    left -= stretch;
  }
  // The rest, with at least one zero after it: this also finds a character that is cut.
  alignas(64) char rest[5 * kLanes] = {};
  if (left > 0) std::memcpy(rest, at, left);
  for (size_t done = 0; done <= left; done += kLanes) {
    const Vector now = Load(rest + done);
    scan.ascii = scan.ascii && !AnyHighBit(now);
    Step_utf8_scan(now, &scan);
  }
  if (AnyBit(scan.faults)) return TextKind::kInvalid;
  return scan.ascii ? TextKind::kAscii : TextKind::kUtf8;
}

#endif  // ALLOY_HAS_VECTORS

}  // namespace

TextKind ScanTextPlainly(std::string_view bytes) {
  constexpr size_t kStretch = 64;
  bool ascii = true;
  while (!bytes.empty()) {
    const size_t stretch = std::min(bytes.size(), kStretch);
    if (IsShortAscii(bytes.substr(0, stretch))) {
      bytes.remove_prefix(stretch);
      continue;
    }
    ascii = false;
    const size_t target = bytes.size() - stretch;
    while (bytes.size() > target) {
      const size_t length = Utf8Length(bytes);
      if (length == 0) return TextKind::kInvalid;
      bytes.remove_prefix(length);
    }
  }
  return ascii ? TextKind::kAscii : TextKind::kUtf8;
}

TextKind ScanText(std::string_view bytes) {
  constexpr size_t kShort = 64;
  if (bytes.size() <= kShort && IsShortAscii(bytes)) return TextKind::kAscii;
#ifdef ALLOY_HAS_VECTORS
  constexpr size_t kWorthAVector = 16;
  if (bytes.size() >= kWorthAVector && HasVectors()) [[likely]]
    return ScanByVectors(bytes);
#endif
  return ScanTextPlainly(bytes);
}

}  // namespace alloy::core_v0_1
#undef ALLOY_VECTOR_CODE
#undef ALLOY_HAS_VECTORS
#undef ALLOY_VECTOR_CODE
#undef ALLOY_HAS_VECTORS

// src/port/child.cc ---------------------------------------------------------------------
//
// A child process that lives as long as its owner wants: a worker.
//
// For a program that is only run to its end, see RunProgram in port/spawn.h.
#ifndef ALLOY_SRC_PORT_CHILD_H_
#define ALLOY_SRC_PORT_CHILD_H_

#include <optional>
#include <utility>

//
// A value, or the Status that explains why there is none.
#ifndef ALLOY_SRC_BASE_RESULT_H_
#define ALLOY_SRC_BASE_RESULT_H_

#include <utility>
#include <variant>


namespace alloy::core_v0_1 {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}         // NOLINT
  Result(Status status) : state_(std::in_place_index<1>, std::move(status)) {}  // NOLINT

  bool ok() const { return state_.index() == 0; }
  Status status() const { return ok() ? Status() : std::get<1>(state_); }

  // Only when ok().
  T& operator*() & { return *std::get_if<0>(&state_); }
  const T& operator*() const& { return *std::get_if<0>(&state_); }
  T&& operator*() && { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() { return std::get_if<0>(&state_); }
  const T* operator->() const { return std::get_if<0>(&state_); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace alloy::core_v0_1

#define ALLOY_CONCAT_(a, b) a##b
#define ALLOY_CONCAT(a, b) ALLOY_CONCAT_(a, b)
#define ALLOY_ASSIGN_OR_RETURN_(result, target, expression) \
  auto result = (expression);                               \
  if (!result.ok()) [[unlikely]]                            \
    return result.status();                                 \
  target = *std::move(result)

// Assign the value to `target` (a declaration or a place), or return early with the
// status.
#define ALLOY_ASSIGN_OR_RETURN(target, expression) \
  ALLOY_ASSIGN_OR_RETURN_(ALLOY_CONCAT(alloy_result_, __LINE__), target, expression)

#endif  // ALLOY_SRC_BASE_RESULT_H_
//
// File descriptors, files and sealed memory. Errors are numbers of <cerrno>; 0 is success.
// The caller turns them into a text for users.
#ifndef ALLOY_SRC_PORT_FD_H_
#define ALLOY_SRC_PORT_FD_H_

#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigset_t

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

//
// The owner of a handle of the operating system, which it closes.
//
// Traits has the type of the handle, the value that means no handle, and the function that
// closes one: `struct T { using type = int; static constexpr int kNone = -1; static void
// Close(int); };`
#ifndef ALLOY_SRC_BASE_HANDLE_H_
#define ALLOY_SRC_BASE_HANDLE_H_

#include <utility>

namespace alloy::core_v0_1 {

template <typename Traits>
class Handle {
 public:
  using type = typename Traits::type;

  Handle() = default;
  explicit Handle(type value) : value_(value) {}
  Handle(Handle&& other) noexcept : value_(other.Detach()) {}
  Handle& operator=(Handle&& other) noexcept {
    // Detach first: then moving a handle onto itself keeps it.
    type value = other.Detach();
    Close();
    value_ = value;
    return *this;
  }
  ~Handle() { Close(); }

  type get() const { return value_; }
  explicit operator bool() const { return value_ != Traits::kNone; }

  // Give the handle up without closing it.
  type Detach() { return std::exchange(value_, Traits::kNone); }

  void Close() {
    if (value_ != Traits::kNone) Traits::Close(Detach());
  }

 private:
  type value_ = Traits::kNone;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_BASE_HANDLE_H_

namespace alloy::core_v0_1 {

struct FdTraits {
  using type = int;
  static constexpr int kNone = -1;
  static void Close(int fd);
};
using Fd = Handle<FdTraits>;

// Own a descriptor that the kernel has just made, under a number above 2. Where standard error
// is closed its number is free: what workers say would be written to the descriptor that got it.
//
//   Takes  fd; -1: there is none, and errno says why.
//   Gives  the descriptor; without one, errno says why.
Fd AboveStandard(int fd);

std::string ErrorText(int error);

enum class FileKind { kRegular, kFolder, kDevice, kPipe, kSocket, kOther };
const char* FileKindName(FileKind kind);

struct FileFacts {
  FileKind kind = FileKind::kOther;
  int64_t size = 0;
  uint64_t device = 0;
  uint64_t inode = 0;
};

// Opens without waiting for a peer, without taking over a terminal, closed on exec.
int OpenForReading(const std::string& path, Fd* out);
int GetFileFacts(const Fd& fd, FileFacts* out);

// Read until `bytes` is full or the file ends; `done` is the number of bytes read.
int ReadFully(const Fd& fd, std::span<std::byte> bytes, size_t* done);

// How many bytes of a file of this size are holes, which take no room on the disk and
// read as zeros. Stops at a number above `most`. The position is 0 afterwards.
int CountHoles(const Fd& fd, int64_t size, int64_t most, int64_t* holes);

// An unnamed file in memory that can be sealed and executed from. EFBIG when the limit on
// the size of files (which would answer a write with a signal) is below `size`.
int CreateSealable(const char* name, int64_t size, Fd* out);
int WriteFully(const Fd& fd, std::span<const std::byte> bytes);
// No more writing, growing, shrinking or unsealing, by anyone. EBUSY: someone has it
// mapped for writing.
int Seal(const Fd& fd);

// A read-only view of a whole file; the file may be closed.
struct MappedBytes {
  const std::byte* data = nullptr;
  size_t size = 0;
  bool operator==(const MappedBytes&) const = default;
};
struct MappingTraits {
  using type = MappedBytes;
  static constexpr MappedBytes kNone{};
  static void Close(MappedBytes mapping);
};
using Mapping = Handle<MappingTraits>;
int MapForReading(const Fd& fd, int64_t size, Mapping* out);

inline std::span<const std::byte> Bytes(const Mapping& mapping) {
  return {mapping.get().data, mapping.get().size};
}

// One write of the whole line, so that lines of several processes do not mix.
void WriteLine(int fd, const std::string& line);

// Holds back from this thread the signals of a write that fails, and drops those that come:
// SIGPIPE, and SIGXFSZ where a file has its largest size (ulimit -f). Each would end the host
// for the words of a backend.
class NoWriteSignals {
 public:
  NoWriteSignals();
  ~NoWriteSignals();
  NoWriteSignals(const NoWriteSignals&) = delete;
  NoWriteSignals& operator=(const NoWriteSignals&) = delete;

 private:
  sigset_t signals_, before_;
};

// Write as much of the text as goes without waiting for whoever reads at the other end: a
// pipe, a socket or a terminal may be full. A reader that is gone raises no SIGPIPE. Returns
// the bytes that were written. A file on a disk takes all of them.
size_t WriteWithoutWaiting(int fd, std::string_view text);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_FD_H_
//
// Starts another program, without a fork: in the root folder, with default signal handling,
// in a process group of its own, with only the descriptors that are handed to it. Its
// standard input is empty; its standard output and error are one pipe.
#ifndef ALLOY_SRC_PORT_PROGRAM_START_H_
#define ALLOY_SRC_PORT_PROGRAM_START_H_

#include <string>
#include <vector>


namespace alloy::core_v0_1 {

struct ProgramStart {
  std::string program;                   // an absolute path
  const Fd* image = nullptr;             // borrowed; if set, this open file is executed
  std::vector<std::string> arguments;    // from argv[0], which is the program's name
  std::vector<std::string> environment;  // NAME=value; empty by default
  std::vector<const Fd*> hand_over;      // borrowed; they arrive as 3, 4, 5, …
};

// The process id and the reading end of the pipe, which does not block. Returns 0, or the
// errno of what could not be done; then no process was started.
//
// Threads  shared.
int StartProgram(const ProgramStart& start, int* pid, Fd* output);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_PROGRAM_START_H_

namespace alloy::core_v0_1 {

// How a process ended. Nobody knows if the host reaped the child itself, or ignores
// SIGCHLD, and Linux is older than 6.15.
struct ChildEnd {
  int exit_code = -1;  // -1: not by exit
  int signal = 0;      // 0: not by a signal
  bool is_known() const { return exit_code >= 0 || signal != 0; }
};

// Threads  serial, but Kill: any thread, as long as the object is not moved. Move-only.
class Child {
 public:
  // Start a program, as port/program_start.h says.
  //   Fails  EXHAUSTED    descriptors, processes or memory ran out.
  //          UNSUPPORTED  the program cannot be executed, or the kernel has no pidfd.
  static Result<Child> Start(const ProgramStart& start);

  // Whether this machine has what Start needs.
  //   Fails  UNSUPPORTED, if the kernel has no pidfd or a container refuses it.
  static Status CheckMachine();

  Child() = default;
  Child(Child&& other) noexcept { *this = std::move(other); }
  Child& operator=(Child&& other) noexcept;
  // Kills the child and waits until it has ended. In a forked child of the process that
  // started it, only descriptors are closed.
  ~Child() { EndAndReap(); }

  int pid() const { return pid_; }
  // Becomes readable when the child has ended.
  const Fd& handle() const { return handle_; }
  // What the child writes to standard output and error. It does not block; close it as
  // you like.
  Fd& output() { return output_; }

  // By the handle, so that no other process can be hit. Returns whether the child was
  // there to get the signal. Does nothing in a forked child of the process.
  bool Kill(int signal) const;

  // Returns how the child ended, once it has; then what it started in its process group is
  // killed too. nullopt: it still runs.
  std::optional<ChildEnd> TryReap() { return Reap(false); }

 private:
  std::optional<ChildEnd> Reap(bool wait);
  void EndAndReap();

  int pid_ = 0;
  int owner_ = 0;  // the process that started it
  Fd handle_;
  Fd output_;
  std::optional<ChildEnd> end_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_CHILD_H_

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#ifndef ALLOY_SRC_PORT_OS_FAILURE_H_
#define ALLOY_SRC_PORT_OS_FAILURE_H_

#include <string_view>


namespace alloy::core_v0_1 {

// The system refused something. `what` was to be done, such as "cannot start a worker";
// `error` is the errno.
//   Fails  EXHAUSTED, if memory, descriptors or processes ran out; else UNSUPPORTED,
//          because this machine does not allow it.
Status OsFailure(std::string_view what, int error);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_OS_FAILURE_H_

namespace alloy::core_v0_1 {
namespace {

// Of <linux/pidfd.h>, younger than the headers of the oldest machines that Alloy is built
// on. Linux 6.15 keeps the end of a process as long as somebody has its pidfd.
struct PidfdInfo {
  uint64_t mask;
  uint64_t cgroup;
  uint32_t ids[11];
  int32_t end;  // as waitpid gives it
};
static_assert(sizeof(PidfdInfo) == 64);
constexpr uint64_t kInfoOfEnd = 1 << 3;
constexpr unsigned long kGetInfo = _IOWR(0xFF, 11, PidfdInfo);

constexpr unsigned kSignalGroup = 1 << 2;  // PIDFD_SIGNAL_PROCESS_GROUP, from Linux 6.9
constexpr auto kByHandle = static_cast<idtype_t>(3);  // P_PIDFD, from Linux 5.4

bool SendSignal(const Fd& handle, int signal, unsigned flags) {
  return ::syscall(SYS_pidfd_send_signal, handle.get(), signal, nullptr, flags) == 0;
}

// waitid, without an end by signals. Returns an errno.
int WaitFor(const Fd& handle, int options, siginfo_t* info) {
  info->si_pid = 0;
  while (::waitid(kByHandle, static_cast<id_t>(handle.get()), info, WEXITED | options) !=
         0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

bool HasEnded(const Fd& handle) {
  struct pollfd watched{.fd = handle.get(), .events = POLLIN, .revents = 0};
  return ::poll(&watched, 1, 0) == 1;
}

ChildEnd EndOf(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) return {.exit_code = info.si_status};
  return {.signal = info.si_status};
}

// The end of a process that somebody else has reaped.
ChildEnd EndOfReaped(const Fd& handle) {
  PidfdInfo info{.mask = kInfoOfEnd, .cgroup = 0, .ids = {}, .end = 0};
  if (::ioctl(handle.get(), kGetInfo, &info) != 0 || (info.mask & kInfoOfEnd) == 0) {
    return {};
  }
  if (WIFSIGNALED(info.end)) return {.signal = WTERMSIG(info.end)};
  return {.exit_code = WEXITSTATUS(info.end)};
}

// Opens the handle of a child that was just started.
//
// If the host ignores SIGCHLD or reaps every child, the child may be gone before, and its
// number may belong to another process. It gets the number only after the kernel has given
// all others, so that is nearly impossible; but a handle that is not of a living child, nor
// of an ended process, is given up.
int OpenHandle(int pid, Fd* out) {
  Fd handle = AboveStandard(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!handle) return errno;
  siginfo_t info;
  const int error = WaitFor(handle, WNOHANG | WNOWAIT, &info);
  if (error == ECHILD && !HasEnded(handle)) return ESRCH;
  if (error != 0 && error != ECHILD) return error;
  *out = std::move(handle);
  return 0;
}

}  // namespace

Result<Child> Child::Start(const ProgramStart& start) {
  const std::string what =
      "cannot start " +
      (start.image != nullptr ? "a program from a descriptor" : start.program);
  Child child;
  if (const int error = StartProgram(start, &child.pid_, &child.output_); error != 0) {
    return OsFailure(what, error);
  }
  child.owner_ = ::getpid();
  if (const int error = OpenHandle(child.pid_, &child.handle_); error != 0) {
    if (error == ESRCH) {
      return Fail(
          ALLOY_UNSUPPORTED,
          what + ": it ended at once, and this process reaps its children itself");
    }
    // Not reaped yet, or reaped by the wait here: the number is still its own.
    ::kill(-child.pid_, SIGKILL);
    while (::waitpid(child.pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    return OsFailure(what + ": cannot watch it", error);
  }
  return child;
}

Status Child::CheckMachine() {
  const Fd self(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (!self) return OsFailure("pidfd_open", errno);
  if (!SendSignal(self, 0, 0)) return OsFailure("pidfd_send_signal", errno);
  // No process is its own child.
  siginfo_t info;
  const int error = WaitFor(self, WNOHANG | WNOWAIT, &info);
  return error == ECHILD ? Status() : OsFailure("waitid of a pidfd", error);
}

Child& Child::operator=(Child&& other) noexcept {
  if (this == &other) return *this;
  EndAndReap();
  pid_ = std::exchange(other.pid_, 0);
  owner_ = std::exchange(other.owner_, 0);
  handle_ = std::move(other.handle_);
  output_ = std::move(other.output_);
  end_ = std::exchange(other.end_, std::nullopt);
  return *this;
}

bool Child::Kill(int signal) const {
  // The handle of a child that was reaped leads to no process.
  if (!handle_ || ::getpid() != owner_) return false;
  return SendSignal(handle_, signal, 0);
}

std::optional<ChildEnd> Child::Reap(bool wait) {
  if (!handle_ || end_.has_value()) return end_;
  siginfo_t info;
  const int error = WaitFor(handle_, WNOWAIT | (wait ? 0 : WNOHANG), &info);
  if (error == 0 && info.si_pid == 0) return std::nullopt;
  // ECHILD also in a forked child of the process that started it.
  if (error != 0 && !HasEnded(handle_)) return std::nullopt;
  // What the child has started and left behind. By number only while the number is still
  // its own.
  if (!SendSignal(handle_, SIGKILL, kSignalGroup) && errno == EINVAL && error == 0) {
    ::kill(-pid_, SIGKILL);
  }
  end_ = error == 0 ? EndOf(info) : EndOfReaped(handle_);
  if (error == 0) WaitFor(handle_, WNOHANG, &info);
  return end_;
}

void Child::EndAndReap() {
  if (!handle_ || end_.has_value() || ::getpid() != owner_) return;
  Kill(SIGKILL);
  Reap(true);
}

}  // namespace alloy::core_v0_1

// src/port/clock.cc ---------------------------------------------------------------------
#ifndef ALLOY_SRC_PORT_CLOCK_H_
#define ALLOY_SRC_PORT_CLOCK_H_

#include <atomic>
#include <cstdint>
#include <string>

//
// Tells a process from the process that forked it, at the cost of one load.
//
// A fork copies the memory of all threads and only the calling thread. So what belongs to
// other threads must not be used in the child: a lock that one of them held, a thread
// object, the waiters of a condition variable. Objects that have such parts keep a number
// from here next to them, and compare.
//
// Threads  shared.
#ifndef ALLOY_SRC_PORT_PROCESS_MARK_H_
#define ALLOY_SRC_PORT_PROCESS_MARK_H_

#include <atomic>
#include <cstdint>

namespace alloy::core_v0_1 {

class ProcessMark {
 public:
  ProcessMark();
  ~ProcessMark();
  ProcessMark(const ProcessMark&) = delete;
  ProcessMark& operator=(const ProcessMark&) = delete;

  // From 1 to 2^30 - 1. A child of fork gets another number than its parent, and keeps it.
  uint32_t Number() {
    if (page_ == nullptr) [[unlikely]]
      return ProcessId();
    const uint32_t number = page_->load(std::memory_order_acquire);
    return number != 0 ? number : NextNumber();
  }

 private:
  static uint32_t ProcessId();
  uint32_t NextNumber();

  // In a page that the kernel fills with zeros in a child. NULL: this kernel cannot, and
  // each look costs a system call.
  std::atomic<uint32_t>* page_ = nullptr;
  std::atomic<uint32_t> last_{1};  // the last number that was given; a child inherits it
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_PROCESS_MARK_H_

namespace alloy::core_v0_1 {

// The wall clock in the local time zone.
//
// glibc converts a time under a lock that it does not reset in a child of fork. So a thread
// asks for the offset of the zone at most once in a quarter of an hour, and a child whose
// parent was just asking does not ask: it keeps the offset that was known.
//
// Threads  shared.
class LocalClock {
 public:
  // Borrows mark, as long as this lives.
  explicit LocalClock(ProcessMark& mark) : mark_(mark) {}

  // As 2022-10-17 18:09:34.
  std::string Text();

 private:
  int64_t OffsetAt(int64_t now);

  // Offsets change at quarters of an hour, in every time zone.
  struct Known {
    int32_t quarter = 0;  // since 1970; 0: nothing is known
    int32_t offset = 0;   // in seconds
  };

  ProcessMark& mark_;
  std::atomic<Known> known_{Known()};
  std::atomic<uint32_t> asking_{0};  // the process of the thread that asks; 0: none
};

// Seconds since 1970-01-01T00:00:00Z.
int64_t UnixSeconds();

constexpr int64_t kNanosPerSecond = 1'000'000'000;

// A clock that nobody sets: for deadlines and durations. All processes see the same time.
int64_t MonotonicNanos();

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_CLOCK_H_

#include <time.h>

#include <chrono>
#include <cstdio>
#include <thread>

namespace alloy::core_v0_1 {

int64_t LocalClock::OffsetAt(int64_t now) {
  constexpr int64_t kQuarter = int64_t{15} * 60;
  const auto quarter = static_cast<int32_t>(now / kQuarter);
  const uint32_t process = mark_.Number();
  for (;;) {
    const Known known = known_.load(std::memory_order_acquire);
    if (known.quarter == quarter) return known.offset;
    uint32_t asking = 0;
    if (asking_.compare_exchange_strong(asking, process, std::memory_order_acq_rel)) {
      break;
    }
    // Another thread asks, of this process or of its parent. Only the first answer is
    // worth waiting for.
    if (known.quarter != 0 || asking != process) return known.offset;
    std::this_thread::yield();
  }
  const time_t seconds = now;
  struct tm parts{};
  ::localtime_r(&seconds, &parts);
  const auto offset = static_cast<int32_t>(parts.tm_gmtoff);
  known_.store({quarter, offset}, std::memory_order_release);
  asking_.store(0, std::memory_order_release);
  return offset;
}

// Without gmtime_r, which takes the same lock as localtime_r.
std::string LocalClock::Text() {
  using std::chrono::seconds;
  const int64_t now = ::time(nullptr);
  const std::chrono::sys_seconds local{seconds(now + OffsetAt(now))};
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(local - day);
  char text[64];
  const int length = std::snprintf(
      text, sizeof(text), "%04d-%02u-%02u %02d:%02d:%02d", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
      static_cast<int>(time.seconds().count()));
  return std::string(text, static_cast<size_t>(length));
}

int64_t UnixSeconds() { return ::time(nullptr); }

int64_t MonotonicNanos() {
  struct timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * kNanosPerSecond + now.tv_nsec;
}

}  // namespace alloy::core_v0_1

// src/port/cpu.cc -----------------------------------------------------------------------
//
// The processors: how many this process may use, and how to wait on one for a moment.
#ifndef ALLOY_SRC_PORT_CPU_H_
#define ALLOY_SRC_PORT_CPU_H_

#include <string>
#include <string_view>

namespace alloy::core_v0_1 {

// In each turn of a loop that waits for another processor.
inline void CpuRelax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  asm volatile("yield");
#endif
}

// How many processors may work for this process at the same time: those that it may run
// on, and no more than the whole ones that the quota of its cgroups pays for. At least 1.
// Reads files; ask once.
int UsableCpus();

// The part of UsableCpus that reads cgroups (v1 and v2). `groups` is the text of
// /proc/self/cgroup, and `root` is where cgroups are mounted. Returns INT_MAX if there is
// no quota.
int CpusOfQuota(std::string_view groups, const std::string& root);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_CPU_H_

#include <sched.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdio>
#include <memory>


namespace alloy::core_v0_1 {
namespace {

// Of a small file, the first 4 KiB; empty if it cannot be read.
std::string TextOf(const std::string& path) {
  Fd file;
  std::array<char, 4096> text;
  size_t length = 0;
  if (OpenForReading(path, &file) != 0) return {};
  if (ReadFully(file, std::as_writable_bytes(std::span(text)), &length) != 0) return {};
  return {text.data(), length};
}

// A quota below one processor is one: the process runs, but not all the time.
int WholeCpus(long long quota, long long period) {
  if (quota <= 0 || period <= 0) return INT_MAX;
  return static_cast<int>(
      std::clamp(quota / period, 1LL, static_cast<long long>(INT_MAX)));
}

// "max 100000" or "200000 100000".
int QuotaOfV2(const std::string& folder) {
  long long quota = 0, period = 0;
  const std::string text = TextOf(folder + "/cpu.max");
  // NOLINTNEXTLINE(cert-err34-c): the count is checked
  if (std::sscanf(text.c_str(), "%18lld %18lld", &quota, &period) != 2) return INT_MAX;
  return WholeCpus(quota, period);
}

int QuotaOfV1(const std::string& folder) {
  long long quota = 0, period = 0;
  const std::string quota_text = TextOf(folder + "/cpu.cfs_quota_us");
  // NOLINTNEXTLINE(cert-err34-c): the count is checked
  if (std::sscanf(quota_text.c_str(), "%18lld", &quota) != 1 || quota <= 0) {
    return INT_MAX;
  }
  const std::string period_text = TextOf(folder + "/cpu.cfs_period_us");
  // NOLINTNEXTLINE(cert-err34-c): the count is checked
  if (std::sscanf(period_text.c_str(), "%18lld", &period) != 1) return INT_MAX;
  return WholeCpus(quota, period);
}

// The smallest quota of a group and of all groups above it. A container often sees the path
// of its group on the host, but has the files of that group at the root.
int SmallestQuota(const std::string& root, std::string path,
                  int (*quota)(const std::string&)) {
  int smallest = quota(root);
  while (path.size() > 1) {
    smallest = std::min(smallest, quota(root + path));
    path.resize(path.rfind('/'));
  }
  return smallest;
}

bool Lists(std::string_view controllers, std::string_view wanted) {
  while (!controllers.empty()) {
    const size_t end = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, end) == wanted) return true;
    controllers.remove_prefix(std::min(end + 1, controllers.size()));
  }
  return false;
}

int CpusOfAffinity() {
  // For 65,536 processors; the kernel refuses a set that is too small for the machine.
  constexpr size_t kSets = 64;
  const auto sets = std::make_unique<std::array<cpu_set_t, kSets>>();
  constexpr size_t kSize = kSets * sizeof(cpu_set_t);
  if (::sched_getaffinity(0, kSize, sets->data()) != 0) return 1;
  return std::max(1, CPU_COUNT_S(kSize, sets->data()));
}

}  // namespace

int CpusOfQuota(std::string_view groups, const std::string& root) {
  int smallest = INT_MAX;
  // Each line is "number:controllers:path"; the line of v2 has no controllers.
  while (!groups.empty()) {
    const size_t end = std::min(groups.find('\n'), groups.size());
    const std::string_view line = groups.substr(0, end);
    groups.remove_prefix(std::min(end + 1, groups.size()));
    const size_t first = line.find(':');
    if (first == line.npos) continue;
    const size_t second = line.find(':', first + 1);
    if (second == line.npos || line.substr(second + 1, 1) != "/") continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    std::string path(line.substr(second + 1));
    if (controllers.empty()) {
      smallest = std::min(smallest, SmallestQuota(root, std::move(path), QuotaOfV2));
    } else if (Lists(controllers, "cpu")) {
      // Systems that mount cpu and cpuacct together have a link with this name.
      smallest =
          std::min(smallest, SmallestQuota(root + "/cpu", std::move(path), QuotaOfV1));
    }
  }
  return smallest;
}

int UsableCpus() {
  return std::min(CpusOfAffinity(),
                  CpusOfQuota(TextOf("/proc/self/cgroup"), "/sys/fs/cgroup"));
}

}  // namespace alloy::core_v0_1

// src/port/descriptors.cc ---------------------------------------------------------------
//
// Pass open files to another process, over a pair of sockets. Errors are numbers of
// <cerrno>; 0 is success.
#ifndef ALLOY_SRC_PORT_DESCRIPTORS_H_
#define ALLOY_SRC_PORT_DESCRIPTORS_H_


namespace alloy::core_v0_1 {

// Two ends of a connection, closed on exec.
int MakeSocketPair(Fd* one, Fd* other);

// The process that made the pair of sockets; 0 if this one cannot see it.
int MakerOf(const Fd& socket);

// Never waits: EAGAIN if the other side has not taken what it was sent before.
int SendDescriptor(const Fd& socket, const Fd& file);
// Waits until one comes. ECONNRESET: the other side is gone, or sent something else.
int ReceiveDescriptor(const Fd& socket, Fd* out);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_DESCRIPTORS_H_

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace alloy::core_v0_1 {
namespace {

// A message needs a byte besides the descriptor.
struct DescriptorMessage {
  char byte = 0;
  iovec io{&byte, 1};
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};

  DescriptorMessage() {
    header.msg_iov = &io;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }
};

}  // namespace

int MakeSocketPair(Fd* one, Fd* other) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return errno;
  *one = AboveStandard(ends[0]);
  const int error = errno;
  *other = AboveStandard(ends[1]);
  if (!*one) return error;
  return *other ? 0 : errno;
}

int MakerOf(const Fd& socket) {
  struct ucred maker{};
  socklen_t size = sizeof(maker);
  return ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &maker, &size) == 0
             ? maker.pid
             : 0;
}

int SendDescriptor(const Fd& socket, const Fd& file) {
  DescriptorMessage message;
  cmsghdr* const part = CMSG_FIRSTHDR(&message.header);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof(int));
  const int number = file.get();
  std::memcpy(CMSG_DATA(part), &number, sizeof(int));
  for (;;) {
    if (::sendmsg(socket.get(), &message.header, MSG_NOSIGNAL | MSG_DONTWAIT) == 1) {
      return 0;
    }
    if (errno != EINTR) return errno;
  }
}

int ReceiveDescriptor(const Fd& socket, Fd* out) {
  DescriptorMessage message;
  ssize_t received = 0;
  do {
    received = ::recvmsg(socket.get(), &message.header, MSG_CMSG_CLOEXEC);
  } while (received < 0 && errno == EINTR);
  if (received < 0) return errno;
  cmsghdr* const part = CMSG_FIRSTHDR(&message.header);
  if (received != 1 || part == nullptr || part->cmsg_type != SCM_RIGHTS ||
      part->cmsg_len != CMSG_LEN(sizeof(int))) {
    return ECONNRESET;
  }
  int number = -1;
  std::memcpy(&number, CMSG_DATA(part), sizeof(int));
  *out = Fd(number);
  return 0;
}

}  // namespace alloy::core_v0_1

// src/port/fd.cc ------------------------------------------------------------------------

#include <fcntl.h>
#include <poll.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): pthread_sigmask
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>  // NOLINT(modernize-deprecated-headers): timespec
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <system_error>

// Younger than the headers of the oldest machines that Alloy is built on.
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

namespace alloy::core_v0_1 {

void FdTraits::Close(int fd) { ::close(fd); }

Fd AboveStandard(int fd) {
  constexpr int kFirst = 3;
  if (fd < 0 || fd >= kFirst) return Fd(fd < 0 ? FdTraits::kNone : fd);
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, kFirst);
  const int error = errno;
  ::close(fd);
  errno = error;
  return Fd(copy);
}

std::string ErrorText(int error) { return std::generic_category().message(error); }

const char* FileKindName(FileKind kind) {
  switch (kind) {
    case FileKind::kRegular:
      return "a regular file";
    case FileKind::kFolder:
      return "a folder";
    case FileKind::kDevice:
      return "a device";
    case FileKind::kPipe:
      return "a pipe";
    case FileKind::kSocket:
      return "a socket";
    case FileKind::kOther:
      break;
  }
  return "not a regular file";
}

int OpenForReading(const std::string& path, Fd* out) {
  // O_NONBLOCK: opening a FIFO does not wait for a writer.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  *out = AboveStandard(fd);
  return *out ? 0 : errno;
}

int GetFileFacts(const Fd& fd, FileFacts* out) {
  struct stat facts;
  if (::fstat(fd.get(), &facts) != 0) return errno;
  out->size = facts.st_size;
  out->device = facts.st_dev;
  out->inode = facts.st_ino;
  if (S_ISREG(facts.st_mode)) {
    out->kind = FileKind::kRegular;
  } else if (S_ISDIR(facts.st_mode)) {
    out->kind = FileKind::kFolder;
  } else if (S_ISCHR(facts.st_mode) || S_ISBLK(facts.st_mode)) {
    out->kind = FileKind::kDevice;
  } else if (S_ISFIFO(facts.st_mode)) {
    out->kind = FileKind::kPipe;
  } else if (S_ISSOCK(facts.st_mode)) {
    out->kind = FileKind::kSocket;
  } else {
    out->kind = FileKind::kOther;
  }
  return 0;
}

int ReadFully(const Fd& fd, std::span<std::byte> bytes, size_t* done) {
  *done = 0;
  while (*done < bytes.size()) {
    const ssize_t n = ::read(fd.get(), bytes.data() + *done, bytes.size() - *done);
    if (n == 0) return 0;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    *done += static_cast<size_t>(n);
  }
  return 0;
}

int CountHoles(const Fd& fd, int64_t size, int64_t most, int64_t* holes) {
  *holes = 0;
  for (int64_t at = 0; at < size && *holes <= most;) {
    const off_t hole = ::lseek(fd.get(), at, SEEK_HOLE);
    if (hole < 0 && errno == EINVAL) break;  // a file system that does not know holes
    if (hole < 0 && errno == ENXIO) break;   // the file was cut meanwhile
    if (hole < 0) return errno;
    if (hole >= size) break;
    off_t data = ::lseek(fd.get(), hole, SEEK_DATA);
    if (data < 0 && errno != ENXIO) return errno;
    if (data < 0 || data > size) data = size;  // no data follows
    *holes += data - hole;
    at = data;
  }
  return ::lseek(fd.get(), 0, SEEK_SET) == 0 ? 0 : errno;
}

int CreateSealable(const char* name, int64_t size, Fd* out) {
  struct rlimit limit;
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
      limit.rlim_cur < static_cast<rlim_t>(size)) {
    return EFBIG;
  }
  int fd = ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
  // EINVAL: a kernel before 6.3 does not know MFD_NOEXEC_SEAL.
  if (fd < 0 && errno == EINVAL) {
    fd = ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  }
  *out = AboveStandard(fd);
  return *out ? 0 : errno;
}

int WriteFully(const Fd& fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return 0;
}

int Seal(const Fd& fd) {
  constexpr int kAll = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  // The kernel itself holds pages for a moment when it moves or reclaims memory, and answers
  // EBUSY meanwhile. So it does for good where another process has a writable mapping.
  constexpr int kTries = 20;
  constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 5'000'000};
  for (int tries = 1; ::fcntl(fd.get(), F_ADD_SEALS, kAll) != 0; ++tries) {
    if (errno != EBUSY || tries == kTries) return errno;
    ::nanosleep(&kPause, nullptr);
  }
  const int seals = ::fcntl(fd.get(), F_GET_SEALS);
  if (seals < 0) return errno;
  return (seals & kAll) == kAll ? 0 : EPERM;
}

void MappingTraits::Close(MappedBytes mapping) {
  ::munmap(const_cast<std::byte*>(mapping.data), mapping.size);
}

int MapForReading(const Fd& fd, int64_t size, Mapping* out) {
  const auto bytes = static_cast<size_t>(size);
  void* data = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (data == MAP_FAILED) return errno;
  *out = Mapping({static_cast<const std::byte*>(data), bytes});
  return 0;
}

NoWriteSignals::NoWriteSignals() {
  ::sigemptyset(&signals_);
  ::sigaddset(&signals_, SIGPIPE);
  ::sigaddset(&signals_, SIGXFSZ);
  ::pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  // One that was held back already may wait, and is not of these writes.
  for (const int signal : {SIGPIPE, SIGXFSZ}) {
    if (::sigismember(&before_, signal) == 1) ::sigdelset(&signals_, signal);
  }
}

NoWriteSignals::~NoWriteSignals() {
  sigset_t pending;
  ::sigpending(&pending);
  if (::sigismember(&pending, SIGPIPE) == 1 || ::sigismember(&pending, SIGXFSZ) == 1) {
    constexpr timespec kNow{};
    while (::sigtimedwait(&signals_, nullptr, &kNow) >= 0 || errno == EINTR) {
    }
  }
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void WriteLine(int fd, const std::string& line) {
  size_t done = 0;
  while (done < line.size()) {
    const ssize_t n = ::write(fd, line.data() + done, line.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return;  // a log that cannot be written must not fail the call
    done += static_cast<size_t>(n);
  }
}

namespace {

// A descriptor of the same pipe or terminal that never waits. The flag belongs to the open
// file, which the host shares with other processes, so it is not set on `fd` itself.
// Without /proc there is none.
Fd OpenWithoutWaiting(int fd) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return Fd(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

bool HasRoom(int fd) {
  struct pollfd watched{.fd = fd, .events = POLLOUT, .revents = 0};
  return ::poll(&watched, 1, 0) == 1 && (watched.revents & POLLOUT) != 0;
}

}  // namespace

size_t WriteWithoutWaiting(int fd, std::string_view text) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return 0;
  const bool is_socket = S_ISSOCK(status.st_mode);
  const bool may_wait = S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode);
  const Fd own = may_wait ? OpenWithoutWaiting(fd) : Fd();
  const NoWriteSignals no_signals;
  size_t done = 0;
  while (done < text.size()) {
    // A pipe that is ready has room for that much, and takes it as a whole.
    const size_t size = std::min<size_t>(text.size() - done, PIPE_BUF);
    if (may_wait && !own && !HasRoom(fd)) break;
    const ssize_t n =
        is_socket ? ::send(fd, text.data() + done, size, MSG_DONTWAIT | MSG_NOSIGNAL)
                  : ::write(own ? own.get() : fd, text.data() + done, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<size_t>(n);
  }
  return done;
}

}  // namespace alloy::core_v0_1
#undef MFD_NOEXEC_SEAL

// src/port/futex.cc ---------------------------------------------------------------------
//
// Sleeping on a word that several processes share, until another one changes it.
//
// A waker stores the new value first, and then calls FutexWakeAll. So no wake-up is lost:
// the kernel compares the word with `expected` after the waiter is in its queue.
//
// Threads  shared, of all processes that map the word.
#ifndef ALLOY_SRC_PORT_FUTEX_H_
#define ALLOY_SRC_PORT_FUTEX_H_

#include <atomic>
#include <cstdint>

namespace alloy::core_v0_1 {

constexpr int64_t kNoDeadline = -1;

// Sleep while the word is `expected`. `deadline_ns` is a time of MonotonicNanos
// (port/clock.h); a negative one never passes. Returns false only after the deadline. May
// return true for no reason, so look at the word again. The word may be mapped read-only.
bool FutexWait(const std::atomic<uint32_t>& word, uint32_t expected,
               int64_t deadline_ns) noexcept;

void FutexWakeAll(std::atomic<uint32_t>& word) noexcept;

// Whether the kernel, and the container, allow it; else waits poll. Sets errno if not.
bool HasFutex() noexcept;

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_FUTEX_H_

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <climits>


namespace alloy::core_v0_1 {
namespace {

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t) &&
              std::atomic<uint32_t>::is_always_lock_free);

// Without FUTEX_PRIVATE_FLAG: the kernel finds the word by its page, not by its address.
long Futex(const std::atomic<uint32_t>& word, int operation, uint32_t value,
           const struct timespec* until) {
  return ::syscall(SYS_futex, &word, operation, value, until, nullptr,
                   FUTEX_BITSET_MATCH_ANY);
}

}  // namespace

bool FutexWait(const std::atomic<uint32_t>& word, uint32_t expected,
               int64_t deadline_ns) noexcept {
  const bool ends = deadline_ns >= 0;
  // FUTEX_WAIT_BITSET, because its time is a point of CLOCK_MONOTONIC: a wait that a signal
  // interrupts does not begin again.
  const struct timespec until{.tv_sec = deadline_ns / kNanosPerSecond,
                              .tv_nsec = deadline_ns % kNanosPerSecond};
  if (Futex(word, FUTEX_WAIT_BITSET, expected, ends ? &until : nullptr) == 0) return true;
  if (errno == ETIMEDOUT) return false;
  if (errno == EAGAIN || errno == EINTR) return true;
  // A sandbox that refuses futex: the caller looks at the word again and again.
  ::sched_yield();
  return !ends || MonotonicNanos() < deadline_ns;
}

void FutexWakeAll(std::atomic<uint32_t>& word) noexcept {
  Futex(word, FUTEX_WAKE_BITSET, INT_MAX, nullptr);
}

bool HasFutex() noexcept {
  const std::atomic<uint32_t> word{0};
  return Futex(word, FUTEX_WAKE_BITSET, 1, nullptr) >= 0;
}

}  // namespace alloy::core_v0_1

// src/port/inherited_library.cc ---------------------------------------------------------
//
// How a worker gets a Cleared: from the host that started it, which has admitted the
// library.
#ifndef ALLOY_SRC_PORT_INHERITED_LIBRARY_H_
#define ALLOY_SRC_PORT_INHERITED_LIBRARY_H_

#include <string>

//
// A library that may be executed: the only thing that the loader takes.
//
// Only the last step of admission makes one, so the compiler holds the promise that
// nothing unverified runs. The type is in port because both sides may include port:
// admission (src/admit) makes it, the loader (port/library.h, src/load) takes it, and
// neither includes the other. So a process that only loads does not link src/trust.
#ifndef ALLOY_SRC_PORT_CLEARED_H_
#define ALLOY_SRC_PORT_CLEARED_H_

#include <string>
#include <utility>
#include <vector>


namespace alloy::core_v0_1 {

// Threads  serial. Move-only.
class Cleared {
 public:
  // The file as the host named it, for texts.
  const std::string& path() const { return path_; }
  // Memory under all four seals; what it holds is a shared library.
  const Fd& sealed() const { return sealed_; }
  // The file is a static archive, and `sealed` holds the library that was linked from it.
  bool is_linked() const { return is_linked_; }
  // The SONAMEs that the library needs, in the order of the file.
  const std::vector<std::string>& needed() const { return needed_; }

  // Leave the descriptor open for the life of the process.
  void KeepOpen() && { sealed_.Detach(); }

 private:
  friend class Verified;          // the step before, in src/admit
  friend class InheritedLibrary;  // in a worker, whose host took that step
  friend struct ClearedForTest;   // of tests and benchmarks, in tests/support

  Cleared(Fd sealed, std::string path, bool is_linked, std::vector<std::string> needed)
      : sealed_(std::move(sealed)),
        path_(std::move(path)),
        is_linked_(is_linked),
        needed_(std::move(needed)) {}

  Fd sealed_;
  std::string path_;
  bool is_linked_;
  std::vector<std::string> needed_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_CLEARED_H_

namespace alloy::core_v0_1 {

class InheritedLibrary {
 public:
  //   Takes  sealed: what the host passed on.
  //   Fails  REFUSED with IDENTITY: it is not memory under all four seals.
  static Result<Cleared> Take(Fd sealed, std::string path, bool is_linked);
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_INHERITED_LIBRARY_H_

#include <fcntl.h>

#include <utility>

namespace alloy::core_v0_1 {

Result<Cleared> InheritedLibrary::Take(Fd sealed, std::string path, bool is_linked) {
  constexpr int kAll = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  const int seals = ::fcntl(sealed.get(), F_GET_SEALS);
  if (seals < 0 || (seals & kAll) != kAll) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_IDENTITY,
                "the host passed a library on that is not sealed");
  }
  return Cleared(std::move(sealed), std::move(path), is_linked, {});
}

}  // namespace alloy::core_v0_1

// src/port/isolation_probe.cc -----------------------------------------------------------
//
// Which parts of the isolated mode this machine allows: for arrowalloy doctor and tests.
// Each part is tried, so that what a container refuses is found too.
#ifndef ALLOY_SRC_PORT_ISOLATION_PROBE_H_
#define ALLOY_SRC_PORT_ISOLATION_PROBE_H_

#include <string>
#include <vector>

//
// What a worker gives up before it loads a library, so that already the constructors of the
// library run restricted. None of it can be taken back.
//
// Each restriction is a step of its own: a kernel or a container that does not know one
// still gets the others, and the worker reports which ones it has reached.
#ifndef ALLOY_SRC_PORT_RESTRICT_H_
#define ALLOY_SRC_PORT_RESTRICT_H_

#include <cstdint>
#include <string>
#include <vector>

namespace alloy::core_v0_1 {

// In the order in which they are applied. The numbers are bits of Restrictions.
enum class Restriction : uint8_t {
  kEnvironment = 0,  // no environment variables
  kCommonEnd = 1,    // the kernel kills the worker when the host's thread ends
  kDescriptors = 2,  // only the listed descriptors are open
  kOomKiller = 3,    // the first process that the kernel kills when memory runs out
  kLimits = 4,       // no core dumps, no files, few descriptors, a limited heap
  kStackSize = 5,    // of the main thread and, by default, of each new one
  kPrivileges = 6,   // no capabilities, and no way to get any
  kLandlock = 7,  // only the listed files can be opened, for reading; no TCP, no signals
  kSeccomp = 8,   // no sockets, processes, tracing, or settings of other processes
};
constexpr int kRestrictionCount = 9;

// Such as "Landlock", for texts.
const char* RestrictionName(Restriction restriction);

// A set of restrictions. It crosses to the host as a number.
class Restrictions {
 public:
  constexpr Restrictions() = default;
  constexpr explicit Restrictions(uint32_t bits) : bits_(bits) {}

  constexpr uint32_t bits() const { return bits_; }
  constexpr bool Has(Restriction one) const { return (bits_ & Bit(one)) != 0; }
  constexpr void Add(Restriction one) { bits_ |= Bit(one); }
  constexpr Restrictions Without(Restrictions others) const {
    return Restrictions(bits_ & ~others.bits_);
  }
  constexpr bool operator==(const Restrictions&) const = default;

  static constexpr Restrictions All() {
    return Restrictions((uint32_t{1} << kRestrictionCount) - 1);
  }
  // "Landlock, seccomp"; empty for an empty set. Unknown bits are left out.
  std::string Names() const;

 private:
  static constexpr uint32_t Bit(Restriction one) {
    return uint32_t{1} << static_cast<int>(one);
  }
  uint32_t bits_ = 0;
};

struct RestrictOptions {
  int host = 0;                       // its process id; the parent of this process
  std::vector<int> keep;              // descriptors that stay open, besides 0, 1 and 2
  uint64_t most_heap = 0;             // in bytes, stacks of threads included; 0: no limit
  uint64_t stack_size = 1 << 20;      // in bytes
  uint32_t most_descriptors = 1024;   // what is kept must have smaller numbers
  std::vector<std::string> readable;  // files, and folders with all in them; one that
                                      // does not exist is left out
};

struct RestrictStep {
  Restriction restriction;
  bool reached = false;
  std::string text;  // why not; else what is worth knowing, or nothing
};

// Apply these restrictions to this process. A step that fails does not stop the next ones.
// A worker ends with its host, and closes what it should not have, before it does anything
// else; the rest comes after the libraries that a backend may need are loaded.
//
// Threads  call it while the process has one thread. Else privileges and Landlock, which
//          belong to a thread, are not reached.
std::vector<RestrictStep> Restrict(const RestrictOptions& options,
                                   Restrictions wanted = Restrictions::All());

Restrictions Reached(const std::vector<RestrictStep>& steps);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_RESTRICT_H_

namespace alloy::core_v0_1 {

// One thing that no isolated call works without.
struct NeededPart {
  const char* name;
  bool works = false;
  std::string text;  // why not; else how
};
std::vector<NeededPart> ProbeNeededParts();

// The restrictions are tried in a child process; this process stays as it is.
//
// Threads  call it in a process with one thread, because it forks.
std::vector<RestrictStep> ProbeRestrictions();

inline Restrictions Available() { return Reached(ProbeRestrictions()); }

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_ISOLATION_PROBE_H_

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

//
// A segment of memory that a host shares with a worker: a memfd of a fixed size, under
// seals that say who may write. The kernel keeps them, whatever the worker does with its
// descriptor. Nobody can cut a segment, so nobody can make the other side die of SIGBUS.
//
//              host maps     worker maps   seals
//   input      read-write    read-only     SHRINK GROW FUTURE_WRITE SEAL
//   output     read-only     read-write    SHRINK GROW SEAL
//   control    read-write    read-write    SHRINK GROW SEAL
//
// A page is there when it is first used. Without memory behind it (a machine with strict
// overcommit) that ends the process with SIGBUS, so each side calls Back before it reads or
// writes a page for the first time.
//
// Threads  serial, but Back: any thread. The memory is as shared as its users make it.
#ifndef ALLOY_SRC_PORT_SHARED_MEMORY_H_
#define ALLOY_SRC_PORT_SHARED_MEMORY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>


namespace alloy::core_v0_1 {

// Owns its mapping and its descriptor. Move-only.
class SharedMemory final : public Backing {
 public:
  // Each size is rounded up to whole pages. The memory is zero, and takes no room before it
  // is used.
  //   Fails  INVALID      the size is 0 or too large.
  //          EXHAUSTED    no memory, address space or descriptor is left.
  //          UNSUPPORTED  the kernel has no memfd or no such seal (Linux before 5.1).
  static Result<SharedMemory> MakeForReader(size_t size);  // input
  static Result<SharedMemory> MakeForWriter(size_t size);  // output
  static Result<SharedMemory> MakeShared(size_t size);     // control

  // In the worker: map what the host made. The size is that of the file.
  //   Takes  fd.
  //   Fails  INVALID    not a segment, or one with other seals than the host gives it.
  //          EXHAUSTED  no memory or address space is left.
  static Result<SharedMemory> Attach(Fd fd, bool writable);

  SharedMemory() = default;  // no segment; size() is 0

  // As Backing. What was backed once takes a few nanoseconds.
  //   Fails  EXHAUSTED    no memory is left for the pages.
  //          UNSUPPORTED  the kernel refuses to say so (fallocate).
  Status Back(const std::byte* begin, size_t size) noexcept override;

  std::byte* data() const { return const_cast<std::byte*>(mapping_.get().data); }
  size_t size() const { return mapping_.get().size; }
  bool is_writable() const { return is_writable_; }  // else a write to data() is a crash
  const Fd& fd() const { return fd_; }

 private:
  static Result<SharedMemory> Make(const char* name, size_t size, bool writable,
                                   int more_seals);
  Status Map(size_t size, bool writable);
  bool IsBacked(size_t chunk) const;
  Status BackChunks(size_t first, size_t end);

  Fd fd_;
  Mapping mapping_;
  bool is_writable_ = false;
  // A bit for each chunk that this side has backed.
  size_t chunk_bytes_ = 0;
  std::unique_ptr<std::atomic<uint64_t>[]> backed_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_SHARED_MEMORY_H_

namespace alloy::core_v0_1 {
namespace {

NeededPart Part(const char* name, const Status& status, const char* how) {
  return {name, status.ok(), status.ok() ? how : status.fault().text};
}

NeededPart ProbeSharedMemory() {
  return Part("shared memory", SharedMemory::MakeForReader(1).status(),
              "memfd with seals that keep an input unchanged");
}

NeededPart ProbeProcesses() {
  return Part("processes", Child::CheckMachine(), "handles of processes (pidfd)");
}

NeededPart ProbeFutex() {
  if (HasFutex()) return {"futex", true, "shared by processes"};
  return {"futex", false, ErrorText(errno)};
}

// One line for each step: the restriction, 0 or 1, and the text.
std::string LineOf(const RestrictStep& step) {
  return std::to_string(static_cast<int>(step.restriction)) +
         (step.reached ? " 1 " : " 0 ") + step.text + "\n";
}

bool ParseLine(std::string_view line, RestrictStep* step) {
  if (line.size() < 4 || line[0] < '0' || line[0] >= '0' + kRestrictionCount)
    return false;
  step->restriction = static_cast<Restriction>(line[0] - '0');
  step->reached = line[2] == '1';
  step->text = line.substr(4);
  return true;
}
static_assert(kRestrictionCount <= 10, "one digit for each restriction");

// All are lost, because the probe could not be made, or did not survive it.
std::vector<RestrictStep> NoneReached(const std::string& why) {
  std::vector<RestrictStep> steps;
  steps.reserve(kRestrictionCount);
  for (int i = 0; i < kRestrictionCount; ++i) {
    steps.push_back({static_cast<Restriction>(i), false, why});
  }
  return steps;
}

std::string ReadAll(const Fd& pipe) {
  std::string text;
  std::array<char, 512> chunk;
  for (;;) {
    const ssize_t n = ::read(pipe.get(), chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return text;
    text.append(chunk.data(), static_cast<size_t>(n));
  }
}

}  // namespace

std::vector<NeededPart> ProbeNeededParts() {
  return {ProbeSharedMemory(), ProbeProcesses(), ProbeFutex()};
}

std::vector<RestrictStep> ProbeRestrictions() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return NoneReached(ErrorText(errno));
  Fd reading(ends[0]), writing(ends[1]);
  const int host = ::getpid();
  // Not a program of its own, so that the probe needs no file.
  const int child = ::fork();
  if (child < 0) return NoneReached(ErrorText(errno));
  if (child == 0) {
    std::string lines;
    for (const RestrictStep& step :
         Restrict({.host = host, .keep = {writing.get()}, .readable = {}})) {
      lines += LineOf(step);
    }
    WriteLine(writing.get(), lines);
    ::_exit(0);
  }
  writing.Close();
  const std::string text = ReadAll(reading);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  std::vector<RestrictStep> steps;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    RestrictStep step{};
    if (ParseLine(rest.substr(0, end), &step)) steps.push_back(std::move(step));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (steps.size() == kRestrictionCount) return steps;
  return NoneReached("the process that tried it ended" +
                     (WIFSIGNALED(status)
                          ? " by signal " + std::to_string(WTERMSIG(status))
                          : std::string()));
}

}  // namespace alloy::core_v0_1

// src/port/landlock.cc ------------------------------------------------------------------
#ifndef ALLOY_SRC_PORT_LANDLOCK_H_
#define ALLOY_SRC_PORT_LANDLOCK_H_

#include <string>
#include <vector>

namespace alloy::core_v0_1 {

// Let this thread, and those that it starts, open only these files and what is in these
// folders, and only for reading. Files in memory (memfd) stay open to all who have a
// descriptor or its path in /proc. What the kernel can refuse besides, it refuses: TCP from
// Linux 6.7, abstract sockets and signals to others from 6.12.
//
// Needs no_new_privs, or CAP_SYS_ADMIN. Returns 0 and the version of Landlock, or an errno:
// ENOSYS is a kernel without Landlock, EOPNOTSUPP one that was started without it.
int RestrictFiles(const std::vector<std::string>& readable, int* version);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_LANDLOCK_H_

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>


namespace alloy::core_v0_1 {
namespace {

// <linux/landlock.h> of the oldest machines that Alloy is built on has only the first
// version. These are its numbers and structs, which are the same on every machine.
constexpr long kCreateRuleset = 444, kAddRule = 445, kRestrictSelf = 446;
constexpr unsigned kAskVersion = 1;
constexpr int kPathBeneath = 1;

struct Ruleset {
  uint64_t files;    // what is refused unless a rule allows it
  uint64_t network;  // from version 4
  uint64_t scopes;   // from version 6
};
struct [[gnu::packed]] PathRule {
  uint64_t allowed;
  int32_t file;
};

constexpr uint64_t kReadFile = 1 << 2, kReadFolder = 1 << 3;

// The rights on files that each version brought, as the number of all bits so far.
int FileBits(int version) {
  if (version >= 5) return 16;  // ioctl on devices
  if (version >= 3) return 15;  // truncate
  if (version >= 2) return 14;  // move to another folder
  return 13;
}

int AllowReading(const Fd& ruleset, const std::string& path) {
  const Fd file(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!file) return 0;  // nothing to read
  struct stat facts;
  if (::fstat(file.get(), &facts) != 0) return errno;
  const PathRule rule{
      .allowed = S_ISDIR(facts.st_mode) ? kReadFile | kReadFolder : kReadFile,
      .file = file.get()};
  return ::syscall(kAddRule, ruleset.get(), kPathBeneath, &rule, 0) == 0 ? 0 : errno;
}

}  // namespace

int RestrictFiles(const std::vector<std::string>& readable, int* version) {
  *version = static_cast<int>(::syscall(kCreateRuleset, nullptr, 0, kAskVersion));
  if (*version < 0) return errno;
  const Ruleset wanted{.files = (uint64_t{1} << FileBits(*version)) - 1,
                       .network = 3,  // bind and connect
                       .scopes = 3};  // abstract sockets and signals
  const size_t size = *version >= 6   ? sizeof(Ruleset)
                      : *version >= 4 ? offsetof(Ruleset, scopes)
                                      : offsetof(Ruleset, network);
  const Fd ruleset(static_cast<int>(::syscall(kCreateRuleset, &wanted, size, 0)));
  if (!ruleset) return errno;
  for (const std::string& path : readable) {
    if (const int error = AllowReading(ruleset, path); error != 0) return error;
  }
  return ::syscall(kRestrictSelf, ruleset.get(), 0) == 0 ? 0 : errno;
}

}  // namespace alloy::core_v0_1

// src/port/library.cc -------------------------------------------------------------------
//
// The system's loader. It takes only a Cleared, so what was verified is what runs.
//
// A constructor of a library that throws ends the process: there is no way back out of
// the loader.
//
// Threads  shared. Constructors of the library run on the calling thread.
#ifndef ALLOY_SRC_PORT_LIBRARY_H_
#define ALLOY_SRC_PORT_LIBRARY_H_

#include <string>


namespace alloy::core_v0_1 {

enum class LoadFault {
  kNone,
  kNoProc,        // no path in /proc leads to the sealed memory
  kLoader,        // the loader's own refusal
  kIdentity,      // the loader has another library of this name; nothing was loaded
  kWrongMapping,  // the loader mapped another file, and its constructors may have run
};

struct SymbolLookup {
  LoadFault fault = LoadFault::kNone;
  std::string text;        // of the fault
  void* symbol = nullptr;  // only when kNone
};

// Load a library from its sealed copy, for the life of the process, and find one symbol.
// The path that the loader gets leads to the sealed copy, whatever is mounted on /proc.
//
//   Takes  library. Its descriptor stays open as long as the loader knows its name, which
//          is the name of the descriptor. A load that the loader refuses keeps nothing.
SymbolLookup LoadSealed(Cleared library, const char* symbol);

// Load a library from its path instead, past the sealed copy: for debuggers and
// profilers, which can find the file then. Anyone who can write the file decides what
// runs. A path that the loader already holds gives that library, even if the file has
// changed.
SymbolLookup LoadFromPath(const Cleared& library, const char* symbol);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_LIBRARY_H_

#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>

namespace alloy::core_v0_1 {
namespace {

std::string TextOfLoader() {
  const char* text = ::dlerror();
  return text != nullptr ? text : "the loader gave no reason";
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using OwnedFile = std::unique_ptr<std::FILE, CloseFile>;

// The mappings of this process. qemu-user replaces /proc/self/maps by a copy of the time of
// opening, and leaves this name alone.
constexpr char kMaps[] = "/proc/thread-self/maps";

// Whether `address` lies in a mapping of the file with these facts. `maps` is
// kMaps, which gives the mappings at the time of reading.
bool IsMappedFrom(std::FILE* maps, const void* address, const FileFacts& facts) {
  const auto wanted = reinterpret_cast<uintptr_t>(address);
  char line[512];
  bool at_start = true;  // of a line: a long path continues the previous chunk
  while (std::fgets(line, sizeof(line), maps) != nullptr) {
    uintptr_t begin = 0, end = 0;
    unsigned device_major = 0, device_minor = 0;
    uint64_t inode = 0;
    const bool parsed =
        at_start && std::sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %*x %x:%x %" SCNu64,
                                &begin, &end, &device_major, &device_minor, &inode) == 5;
    at_start = std::string_view(line).ends_with('\n');
    if (!parsed || wanted < begin || wanted >= end) continue;
    return inode == facts.inode && device_major == major(facts.device) &&
           device_minor == minor(facts.device);
  }
  return false;
}

// 0 if `path` leads to the file with these facts; ESTALE if it leads to another one.
int LeadsTo(const std::string& path, const FileFacts& facts) {
  struct stat found;
  if (::stat(path.c_str(), &found) != 0) return errno;
  return found.st_dev == facts.device && found.st_ino == facts.inode ? 0 : ESTALE;
}

// Why neither path leads to the sealed memory; `error` is that of the one in /proc/self.
std::string NoPathText(const std::string& path, int error) {
  constexpr auto kProcMagic = 0x9fa0;  // PROC_SUPER_MAGIC of <linux/magic.h>
  const std::string what = "cannot load from sealed memory: ";
  struct statfs mounted;
  if (::statfs("/proc", &mounted) != 0 || mounted.f_type != kProcMagic) {
    return what +
           "the proc file system is not mounted on /proc; mount it: mount -t proc "
           "proc /proc";
  }
  char self[32];
  if (::readlink("/proc/self", self, sizeof(self)) < 0 && errno == ENOENT) {
    return what +
           "/proc belongs to another PID namespace, which does not know this "
           "process; mount the one of this namespace: mount -t proc proc /proc";
  }
  if (error == ESTALE) {
    return what + path +
           " is another file; something is mounted over it, or /proc belongs to another "
           "PID namespace; mount /proc again";
  }
  return what + path + ": " + ErrorText(error) +
         (error == EACCES || error == EPERM
              ? "; let this process read its own /proc/self/fd"
              : "");
}

// The path by which the loader can open a descriptor of this process. Empty: there is
// none, and `text` is why.
std::string PathOf(const Fd& sealed, const FileFacts& facts, std::string* text) {
  const std::string number = std::to_string(sealed.get());
  // Not /proc/self at first: a debugger that opens this name would find its own
  // descriptors. But where /proc belongs to another PID namespace, this process has
  // another number there, and the path may be a file of any other process.
  std::string path = "/proc/" + std::to_string(::getpid()) + "/fd/" + number;
  if (LeadsTo(path, facts) == 0) return path;
  path = "/proc/self/fd/" + number;
  const int error = LeadsTo(path, facts);
  if (error == 0) return path;
  *text = NoPathText(path, error);
  return {};
}

// A constructor that throws cannot be survived: the unwinding leaves the loader's lock
// held, and every later load hangs. So the process ends here, by std::terminate. The volatile pointer makes the compiler believe that dlopen may throw.
void* OpenOrEnd(const char* path, int flags) noexcept {
  void* (*volatile open)(const char*, int) = ::dlopen;
  return open(path, flags);
}

SymbolLookup Refusal(LoadFault fault, std::string text) {
  return {.fault = fault, .text = std::move(text), .symbol = nullptr};
}

SymbolLookup Find_library(void* handle, const char* symbol) {
  void* address = handle != nullptr ? ::dlsym(handle, symbol) : nullptr;
  if (address == nullptr) return Refusal(LoadFault::kLoader, TextOfLoader());
  return {.fault = LoadFault::kNone, .text = {}, .symbol = address};
}

// Whether the loader has a library of this name, by which it would answer.
bool IsKnown(const std::string& path) {
  void* known = ::dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD);
  if (known == nullptr) return false;
  ::dlclose(known);  // only lowers its count
  return true;
}

}  // namespace

SymbolLookup LoadSealed(Cleared library, const char* symbol) {
  FileFacts facts;
  if (const int error = GetFileFacts(library.sealed(), &facts); error != 0) {
    return Refusal(LoadFault::kLoader, ErrorText(error));
  }
  std::string text;
  const std::string path = PathOf(library.sealed(), facts, &text);
  if (path.empty()) return Refusal(LoadFault::kNoProc, std::move(text));
  // Opened before the library runs: what was loaded must be compared afterwards.
  const OwnedFile maps(std::fopen(kMaps, "re"));
  if (maps == nullptr) {
    return Refusal(LoadFault::kNoProc, std::string(kMaps) + ": " + ErrorText(errno) +
                                           "; without it, what the loader has mapped "
                                           "cannot be checked");
  }
  // glibc finds libraries by name first. If a library was loaded under this descriptor's
  // number and the descriptor was closed since, dlopen would return that old library. The
  // number stays in use, so that the next load gets another one.
  if (IsKnown(path)) {
    std::move(library).KeepOpen();
    return Refusal(LoadFault::kIdentity,
                   "the loader already has another library with the name " + path);
  }
  void* handle = OpenOrEnd(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  SymbolLookup found = Find_library(handle, symbol);
  if (handle != nullptr || IsKnown(path)) std::move(library).KeepOpen();
  if (found.symbol != nullptr && !IsMappedFrom(maps.get(), found.symbol, facts)) {
    return Refusal(LoadFault::kWrongMapping,
                   std::string(symbol) + " of " + path + " is not in the sealed copy");
  }
  return found;
}

SymbolLookup LoadFromPath(const Cleared& library, const char* symbol) {
  const std::string& path = library.path();
  // Without a slash the loader would search its own list of folders.
  const std::string name = path.find('/') == path.npos ? "./" + path : path;
  return Find_library(OpenOrEnd(name.c_str(), RTLD_NOW | RTLD_LOCAL), symbol);
}

}  // namespace alloy::core_v0_1

// src/port/os_failure.cc ----------------------------------------------------------------

#include <cerrno>
#include <string>


namespace alloy::core_v0_1 {
namespace {

struct Shortage {
  int error;
  const char* remedy;
};

constexpr Shortage kShortages[] = {
    {ENOMEM, "free memory, or raise the memory limit of this process or container"},
    {ENOSPC, "free memory, or raise the memory limit of this process or container"},
    {EMFILE, "raise the limit on open files (ulimit -n)"},
    {ENFILE, "raise the limit on open files of the machine (sysctl fs.file-max)"},
    {EAGAIN, "raise the limit on processes (ulimit -u, or pids.max of the cgroup)"},
    {EFBIG, "raise the limit on the size of files (ulimit -f)"},
};

}  // namespace

Status OsFailure(std::string_view what, int error) {
  std::string text = std::string(what) + ": " + ErrorText(error);
  for (const Shortage& shortage : kShortages) {
    if (error != shortage.error) continue;
    return Fail(ALLOY_EXHAUSTED, std::move(text) + "; " + shortage.remedy);
  }
  return Fail(ALLOY_UNSUPPORTED, std::move(text));
}

}  // namespace alloy::core_v0_1

// src/port/own_program.cc ---------------------------------------------------------------
//
// Where this program and the engine lie on the disk.
#ifndef ALLOY_SRC_PORT_OWN_PROGRAM_H_
#define ALLOY_SRC_PORT_OWN_PROGRAM_H_

#include <string>

namespace alloy::core_v0_1 {

// A path that always leads to the program of the process that uses it.
inline constexpr const char* kOwnProgram = "/proc/self/exe";

// The file that holds the engine: a shared library, or a program. Empty if the loader does
// not know it.
std::string FileOfEngine();

// The worker program that is installed with the engine in this folder, which ends in '/'.
// Empty if it is not there.
std::string WorkerIn(const std::string& folder);

// Whether an open descriptor is memory that can be sealed.
bool IsSealable(int fd);

// Without the destructors of libraries, which may wait for anything.
[[noreturn]] void EndProcess(int status);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_OWN_PROGRAM_H_

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>

//
// Runs another program to its end: by absolute path, with an empty environment, in the
// root folder, with only the descriptors that are handed to it.
#ifndef ALLOY_SRC_PORT_SPAWN_H_
#define ALLOY_SRC_PORT_SPAWN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>


namespace alloy::core_v0_1 {

struct ProgramRun {
  std::string program;                 // an absolute path
  std::vector<std::string> arguments;  // without the program's own name
  std::vector<const Fd*> hand_over;    // borrowed; they arrive as 3, 4, 5, …
  int64_t limit_ns = 0;                // then it is killed, with all that it started
  size_t most_output = 0;  // bytes that are kept; the rest is read and dropped
  // Of each process that is started, in bytes; 0: no limit. Memory is the writable memory
  // of its own (RLIMIT_DATA).
  uint64_t most_memory = 0, most_file = 0;
};

struct ProgramEnd {
  bool timed_out = false;
  int exit_code = -1;  // -1: ended by a signal
  int signal = 0;
  std::string output;  // what it wrote to standard output and error
};

// Run a program and wait until it ends. Its standard input is empty.
// Returns 0, or an errno if it could not be started or waited for: ECHILD in a process
// that ignores SIGCHLD, or that reaps all children.
//
// Threads  shared. It blocks.
int RunProgram(const ProgramRun& run, ProgramEnd* out);

// Whether a file is there and this process may execute it.
bool IsExecutable(const std::string& path);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_SPAWN_H_

namespace alloy::core_v0_1 {

std::string FileOfEngine() {
  Dl_info info;
  if (::dladdr(reinterpret_cast<const void*>(&FileOfEngine), &info) == 0 ||
      info.dli_fname == nullptr) {
    return {};
  }
  // The loader keeps the name of a program as it was called, so it may be relative.
  std::array<char, PATH_MAX> path;
  const bool found = ::realpath(info.dli_fname, path.data()) != nullptr;
  return found ? std::string(path.data()) : std::string(info.dli_fname);
}

std::string WorkerIn(const std::string& folder) {
  for (const char* const place : {"alloy-worker", "alloy/alloy-worker"}) {
    if (IsExecutable(folder + place)) return folder + place;
  }
  return {};
}

bool IsSealable(int fd) { return ::fcntl(fd, F_GET_SEALS) >= 0; }

void EndProcess(int status) { ::_exit(status); }

}  // namespace alloy::core_v0_1

// src/port/process_mark.cc --------------------------------------------------------------

#include <sys/mman.h>
#include <unistd.h>

#include <new>

namespace alloy::core_v0_1 {
namespace {

constexpr uint32_t kNumbers = (uint32_t{1} << 30) - 1;

size_t PageSize() { return static_cast<size_t>(::sysconf(_SC_PAGESIZE)); }

}  // namespace

ProcessMark::ProcessMark() {
  void* page = ::mmap(nullptr, PageSize(), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return;
  if (::madvise(page, PageSize(), MADV_WIPEONFORK) != 0) {
    ::munmap(page, PageSize());
    return;
  }
  page_ = ::new (page) std::atomic<uint32_t>(1);
}

ProcessMark::~ProcessMark() {
  if (page_ != nullptr) ::munmap(page_, PageSize());
}

// The parent is alive when the child begins, so their process ids differ.
uint32_t ProcessMark::ProcessId() { return static_cast<uint32_t>(::getpid()); }

// The first look in this process. Several threads may come here at once.
uint32_t ProcessMark::NextNumber() {
  const uint32_t mine = last_.fetch_add(1, std::memory_order_relaxed) % kNumbers + 1;
  uint32_t seen = 0;
  return page_->compare_exchange_strong(seen, mine, std::memory_order_acq_rel) ? mine
                                                                               : seen;
}

}  // namespace alloy::core_v0_1

// src/port/program_start.cc -------------------------------------------------------------

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace alloy::core_v0_1 {
namespace {

constexpr int kFirstHandedOver = 3;

std::string PathOfDescriptor(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

// posix_spawn wants char*, and does not write.
std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts)
    pointers.push_back(const_cast<char*>(text.data()));
  pointers.push_back(nullptr);
  return pointers;
}

int DuplicateAbove(const Fd& fd, int least, Fd* out) {
  const int copy = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, least);
  if (copy < 0) return errno;
  *out = Fd(copy);
  return 0;
}

// What ends at once when it is read: a pipe that nobody writes to. A host in an empty
// folder has no /dev/null.
int OpenNothing(Fd* out) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno;
  *out = AboveStandard(ends[0]);
  ::close(ends[1]);
  return *out ? 0 : EMFILE;
}

// How the child starts. Every step may run out of memory; the first error is kept.
class Plan {
 public:
  Plan() {
    Keep(::posix_spawn_file_actions_init(&actions_));
    Keep(::posix_spawnattr_init(&attributes_));
  }
  ~Plan() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&actions_);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  // All of them lie above every number that is given to the child.
  int Make(const Fd& input, const Fd& output, const std::vector<Fd>& handed_over,
           const Fd& image) {
    int next = kFirstHandedOver;
    Keep(::posix_spawn_file_actions_addchdir_np(&actions_, "/"));
    Keep(::posix_spawn_file_actions_adddup2(&actions_, input.get(), 0));
    Keep(::posix_spawn_file_actions_adddup2(&actions_, output.get(), 1));
    Keep(::posix_spawn_file_actions_adddup2(&actions_, output.get(), 2));
    for (const Fd& fd : handed_over) {
      Keep(::posix_spawn_file_actions_adddup2(&actions_, fd.get(), next++));
    }
    if (image) {
      // dup2 would leave it open in the program. All numbers below are in use, so this
      // gets exactly `next`, and no dup2 follows that would clear O_CLOEXEC.
      image_path_ = PathOfDescriptor(next);
      Keep(::posix_spawn_file_actions_addopen(&actions_, next,
                                              PathOfDescriptor(image.get()).c_str(),
                                              O_RDONLY | O_CLOEXEC, 0));
      ++next;
    }
    Keep(::posix_spawn_file_actions_addclosefrom_np(&actions_, next));
    // The child gets default signal handling, whatever the host ignores or blocks. It
    // gets its own group, so that everything it starts can be killed with it.
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    Keep(::posix_spawnattr_setsigmask(&attributes_, &none));
    Keep(::posix_spawnattr_setsigdefault(&attributes_, &all));
    Keep(::posix_spawnattr_setpgroup(&attributes_, 0));
    Keep(::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK |
                                                      POSIX_SPAWN_SETSIGDEF |
                                                      POSIX_SPAWN_SETPGROUP));
    return error_;
  }

  int Start(const ProgramStart& start, pid_t* pid) {
    const std::string& path = image_path_.empty() ? start.program : image_path_;
    return ::posix_spawn(pid, path.c_str(), &actions_, &attributes_,
                         Pointers(start.arguments).data(),
                         Pointers(start.environment).data());
  }

 private:
  void Keep(int error) {
    if (error_ == 0) error_ = error;
  }

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
  std::string image_path_;
  int error_ = 0;
};

}  // namespace

int StartProgram(const ProgramStart& start, int* pid, Fd* output) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return errno;
  Fd reading = AboveStandard(ends[0]), writing = AboveStandard(ends[1]);
  if (!reading || !writing) return EMFILE;
  // The child's end blocks, as programs expect.
  if (::fcntl(writing.get(), F_SETFL, 0) != 0) return errno;

  // Above every number that the child gets, so that no copy overwrites what comes next.
  const int least = kFirstHandedOver + static_cast<int>(start.hand_over.size()) + 1;
  Fd nothing, input_copy, output_copy, image_copy;
  std::vector<Fd> handed_over(start.hand_over.size());
  int error = OpenNothing(&nothing);
  if (error == 0) error = DuplicateAbove(nothing, least, &input_copy);
  if (error == 0) error = DuplicateAbove(writing, least, &output_copy);
  if (error == 0 && start.image != nullptr) {
    error = DuplicateAbove(*start.image, least, &image_copy);
  }
  for (size_t i = 0; error == 0 && i < handed_over.size(); ++i) {
    error = DuplicateAbove(*start.hand_over[i], least, &handed_over[i]);
  }
  if (error != 0) return error;

  Plan plan;
  error = plan.Make(input_copy, output_copy, handed_over, image_copy);
  if (error == 0) error = plan.Start(start, pid);
  if (error == 0) *output = std::move(reading);
  return error;
}

}  // namespace alloy::core_v0_1

// src/port/replace_file.cc --------------------------------------------------------------
#ifndef ALLOY_SRC_PORT_REPLACE_FILE_H_
#define ALLOY_SRC_PORT_REPLACE_FILE_H_

#include <cstddef>
#include <span>
#include <string>

namespace alloy::core_v0_1 {

// Create or replace the file at `path`. The bytes are written under a temporary name next
// to it and then moved, so nobody sees half a file. `executable`: with execute permission,
// as far as the process's umask allows. Returns an error number; the old file is unchanged
// then.
int ReplaceFile(const std::string& path, std::span<const std::byte> bytes,
                bool executable);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_REPLACE_FILE_H_

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>


namespace alloy::core_v0_1 {
namespace {

// A new file next to `path`. Its name has the process's number, and a count in case two
// threads of one process use the same path.
int CreateNextTo(const std::string& path, int mode, Fd* out, std::string* name) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    *name =
        path + "." + std::to_string(::getpid()) + "." + std::to_string(attempt) + ".part";
    const int fd =
        ::open(name->c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd >= 0) {
      *out = Fd(fd);
      return 0;
    }
    if (errno != EEXIST) return errno;
  }
  return EEXIST;
}

}  // namespace

int ReplaceFile(const std::string& path, std::span<const std::byte> bytes,
                bool executable) {
  Fd file;
  std::string name;
  int error = CreateNextTo(path, executable ? 0777 : 0666, &file, &name);
  if (error != 0) return error;
  error = WriteFully(file, bytes);
  if (error == 0 && ::fsync(file.get()) != 0) error = errno;
  if (error == 0 && ::rename(name.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) ::unlink(name.c_str());
  return error;
}

}  // namespace alloy::core_v0_1

// src/port/restrict.cc ------------------------------------------------------------------

#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <span>
#include <string_view>
#include <utility>

#ifndef ALLOY_SRC_PORT_SYSTEM_CALL_FILTER_H_
#define ALLOY_SRC_PORT_SYSTEM_CALL_FILTER_H_

namespace alloy::core_v0_1 {

// Refuse, for all threads of this process, the system calls by which a library could reach
// other processes, the network or the settings of the machine, or get memory that no limit
// counts. The list is in the source. A refused call returns EPERM.
//
// Threads and what a program needs for itself still work. New processes are refused: they
// would outlive the worker and the host, each would have limits of its own, and one could
// write into segments after the worker has ended.
//
// Needs no_new_privs, or CAP_SYS_ADMIN. Returns 0 or an errno.
int RestrictSystemCalls();

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_SYSTEM_CALL_FILTER_H_

namespace alloy::core_v0_1 {
namespace {

// An errno, and what it was about; a text without an error is worth knowing.
struct Outcome {
  int error = 0;
  std::string text = {};
};

Outcome ClearEnvironment(const RestrictOptions&) { return {::clearenv()}; }

Outcome EndWithHost(const RestrictOptions& options) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return {errno};
  // The host may have ended before.
  if (::getppid() != options.host) return {ESRCH, "the host has ended"};
  return {};
}

int CloseRange(unsigned first, unsigned last) {
  constexpr long kCloseRange = 436;  // from Linux 5.9
  if (::syscall(kCloseRange, first, last, 0) == 0) return 0;
  if (errno != ENOSYS) return errno;
  const long most = ::sysconf(_SC_OPEN_MAX);
  for (unsigned fd = first; fd <= last && static_cast<long>(fd) < most; ++fd) {
    ::close(static_cast<int>(fd));
  }
  return 0;
}

Outcome CloseDescriptors(const RestrictOptions& options) {
  std::vector<int> keep = options.keep;
  std::sort(keep.begin(), keep.end());
  unsigned first = 3;
  for (const int fd : keep) {
    const auto number = static_cast<unsigned>(fd);
    if (fd < 0 || number < first) continue;
    if (number > first) {
      if (const int error = CloseRange(first, number - 1); error != 0) return {error};
    }
    first = number + 1;
  }
  return {CloseRange(first, UINT_MAX)};
}

// The host can go on without this worker, but not the other way round.
Outcome BeKilledFirst(const RestrictOptions&) {
  const Fd file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (!file) return {errno, "/proc/self/oom_score_adj"};
  constexpr std::string_view kMost = "1000";
  return {WriteFully(file, std::as_bytes(std::span(kMost)))};
}

// Lower a limit for good. One that is lower already stays.
int LimitTo(decltype(RLIMIT_CORE) resource, uint64_t most) {
  struct rlimit limit;
  if (::getrlimit(resource, &limit) != 0) return errno;
  limit.rlim_max = std::min<rlim_t>(limit.rlim_max, most);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_cur, limit.rlim_max);
  return ::setrlimit(resource, &limit) == 0 ? 0 : errno;
}

// The shadow memory of a sanitizer is above every limit.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kHasShadow = true;
#else
constexpr bool kHasShadow = false;
#endif

Outcome SetLimits(const RestrictOptions& options) {
  // Not 0, which still feeds a program that the machine has for core dumps. 1 stops that,
  // and is too small for a file.
  if (const int error = LimitTo(RLIMIT_CORE, 1); error != 0)
    return {error, "RLIMIT_CORE"};
  // A write then returns EFBIG, without the signal that would end the worker.
  ::signal(SIGXFSZ, SIG_IGN);
  if (const int error = LimitTo(RLIMIT_FSIZE, 0); error != 0) {
    return {error, "RLIMIT_FSIZE"};
  }
  if (const int error = LimitTo(RLIMIT_NOFILE, options.most_descriptors); error != 0) {
    return {error, "RLIMIT_NOFILE"};
  }
  if (options.most_heap == 0 || kHasShadow) return {};
  const int error = LimitTo(RLIMIT_DATA, options.most_heap);
  return error == 0 ? Outcome() : Outcome{error, "RLIMIT_DATA"};
}

Outcome LimitStacks(const RestrictOptions& options) {
  if (const int error = LimitTo(RLIMIT_STACK, options.stack_size); error != 0) {
    return {error, "RLIMIT_STACK"};
  }
  // glibc has read the limit at the start of the program.
  pthread_attr_t attributes;
  if (const int error = ::pthread_attr_init(&attributes); error != 0) return {error};
  int error = ::pthread_attr_setstacksize(&attributes, options.stack_size);
  if (error == 0) error = ::pthread_setattr_default_np(&attributes);
  ::pthread_attr_destroy(&attributes);
  return {error};
}

// Privileges and Landlock belong to a thread. A library that is already loaded may have
// started others.
bool HasOtherThreads() {
  struct stat tasks;
  constexpr nlink_t kOfOneThread = 3;  // a folder has two links, and one for each in it
  return ::stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > kOfOneThread;
}

Outcome TooLate() { return {EBUSY, "other threads run already, and would stay free"}; }

// Without capabilities, a worker of root can neither raise its limits again nor trace a
// host that has some.
Outcome DropPrivileges(const RestrictOptions&) {
  if (HasOtherThreads()) return TooLate();
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return {errno, "no_new_privs"};
  struct __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3,
                                         .pid = 0};
  const struct __user_cap_data_struct none[2]{};
  if (::syscall(SYS_capset, &header, none) != 0) return {errno, "capset"};
  return {};
}

// What a version does not handle stays open if there is no seccomp.
std::string VersionText(int version) {
  const char* open = version >= 6   ? ""
                     : version >= 4 ? ", files and TCP only"
                                    : ", files only";
  return "version " + std::to_string(version) + open;
}

Outcome RestrictToFiles(const RestrictOptions& options) {
  if (HasOtherThreads()) return TooLate();
  int version = 0;
  const int error = RestrictFiles(options.readable, &version);
  switch (error) {
    case 0:
      return {0, VersionText(version)};
    case ENOSYS:
      return {error, "the kernel has no Landlock (CONFIG_SECURITY_LANDLOCK)"};
    case EOPNOTSUPP:
      return {error, "Landlock is off; add landlock to lsm= of the kernel command line"};
    case EPERM:
      return {error, "no_new_privs is not set, or a seccomp profile refuses Landlock"};
    default:
      return {error};
  }
}

Outcome FilterSystemCalls(const RestrictOptions&) {
  const int error = RestrictSystemCalls();
  switch (error) {
    case 0:
      return {};
    case ENOSYS:
    case EINVAL:
      return {error, "the kernel has no seccomp filters (CONFIG_SECCOMP_FILTER)"};
    case EACCES:
    case EPERM:
      return {error, "no_new_privs is not set, or a seccomp profile refuses filters"};
    default:
      return {error};
  }
}

struct Step_restrict {
  Restriction restriction;
  const char* name;
  Outcome (*apply)(const RestrictOptions&);
};

// In this order: files of /proc are opened before Landlock, and seccomp refuses most of
// what the other steps do.
constexpr Step_restrict kSteps[kRestrictionCount] = {
    {Restriction::kEnvironment, "environment", ClearEnvironment},
    {Restriction::kCommonEnd, "common end", EndWithHost},
    {Restriction::kDescriptors, "descriptors", CloseDescriptors},
    {Restriction::kOomKiller, "OOM killer", BeKilledFirst},
    {Restriction::kLimits, "rlimits", SetLimits},
    {Restriction::kStackSize, "stack size", LimitStacks},
    {Restriction::kPrivileges, "privileges", DropPrivileges},
    {Restriction::kLandlock, "Landlock", RestrictToFiles},
    {Restriction::kSeccomp, "seccomp", FilterSystemCalls},
};

}  // namespace

const char* RestrictionName(Restriction restriction) {
  for (const Step_restrict& step : kSteps) {
    if (step.restriction == restriction) return step.name;
  }
  return "unknown";
}

std::string Restrictions::Names() const {
  std::string names;
  for (const Step_restrict& step : kSteps) {
    if (!Has(step.restriction)) continue;
    if (!names.empty()) names += ", ";
    names += step.name;
  }
  return names;
}

std::vector<RestrictStep> Restrict(const RestrictOptions& options, Restrictions wanted) {
  std::vector<RestrictStep> steps;
  steps.reserve(kRestrictionCount);
  for (const Step_restrict& step : kSteps) {
    if (!wanted.Has(step.restriction)) continue;
    Outcome outcome = step.apply(options);
    if (outcome.error != 0) {
      if (!outcome.text.empty()) outcome.text += ": ";
      outcome.text += ErrorText(outcome.error);
    }
    steps.push_back({.restriction = step.restriction,
                     .reached = outcome.error == 0,
                     .text = std::move(outcome.text)});
  }
  return steps;
}

Restrictions Reached(const std::vector<RestrictStep>& steps) {
  Restrictions reached;
  for (const RestrictStep& step : steps) {
    if (step.reached) reached.Add(step.restriction);
  }
  return reached;
}

}  // namespace alloy::core_v0_1

// src/port/shared_memory.cc -------------------------------------------------------------

#include <fcntl.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): pthread_sigmask
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <new>
#include <string>
#include <utility>


// Younger than the headers of the oldest machines that Alloy is built on.
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

namespace alloy::core_v0_1 {
namespace {

// F_SEAL_SEAL: the worker cannot add seals that would stop the host.
constexpr int kFixedSize = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
// Pages are backed in chunks, so that few calls are needed and little memory is taken that
// nobody uses. Large segments have larger chunks.
constexpr size_t kLeastChunk = size_t{64} << 10;
constexpr size_t kMostChunks = 8192;

constexpr int kSealsThatMatter = kFixedSize | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;

// Holds all signals back from this thread. One of them would end fallocate, which then starts
// at its beginning again: the timers of Go and of profilers come faster than large memory.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~NoSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_;
};

size_t PageBytes() { return static_cast<size_t>(::sysconf(_SC_PAGESIZE)); }

std::string SizeText(size_t size) { return std::to_string(size) + " bytes"; }

}  // namespace

Status SharedMemory::Map(size_t size, bool writable) {
  const int protection = PROT_READ | (writable ? PROT_WRITE : 0);
  void* data = ::mmap(nullptr, size, protection, MAP_SHARED, fd_.get(), 0);
  if (data == MAP_FAILED) {
    return OsFailure("cannot map a segment of " + SizeText(size), errno);
  }
  mapping_ = Mapping({static_cast<const std::byte*>(data), size});
  is_writable_ = writable;
  chunk_bytes_ = kLeastChunk;
  while (size / chunk_bytes_ >= kMostChunks) chunk_bytes_ *= 2;
  const size_t chunks = size / chunk_bytes_ + 1;
  backed_.reset(new (std::nothrow) std::atomic<uint64_t>[chunks / 64 + 1]());
  if (backed_ == nullptr) {
    return Fail(ALLOY_EXHAUSTED, "out of memory for the books of shared memory");
  }
  return {};
}

bool SharedMemory::IsBacked(size_t chunk) const {
  const uint64_t word = backed_[chunk / 64].load(std::memory_order_relaxed);
  return (word >> (chunk % 64) & 1) != 0;
}

Status SharedMemory::Back(const std::byte* begin, size_t bytes) noexcept {
  if (bytes == 0) return {};
  const auto from = static_cast<size_t>(begin - data());
  size_t chunk = from / chunk_bytes_;
  const size_t end = (from + bytes - 1) / chunk_bytes_ + 1;
  while (chunk < end) {
    if (IsBacked(chunk)) {
      ++chunk;
      continue;
    }
    const size_t first = chunk;
    while (chunk < end && !IsBacked(chunk)) ++chunk;
    ALLOY_TRY(BackChunks(first, chunk));
  }
  return {};
}

Status SharedMemory::BackChunks(size_t first, size_t end) {
  const size_t begin = first * chunk_bytes_;
  const size_t bytes = std::min(end * chunk_bytes_, size()) - begin;
  // In one call, so that the kernel takes all of it back if a part is not there.
  int error = 0;
  {
    const NoSignals no_signals;
    if (::fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(begin),
                    static_cast<off_t>(bytes)) != 0) {
      error = errno;
    }
  }
  if (error != 0) {
    return OsFailure("there is no memory for " + SizeText(bytes) + " of a segment of " +
                         SizeText(size()),
                     error);
  }
  for (size_t chunk = first; chunk < end; ++chunk) {
    backed_[chunk / 64].fetch_or(uint64_t{1} << (chunk % 64), std::memory_order_relaxed);
  }
  return {};
}

Result<SharedMemory> SharedMemory::Make(const char* name, size_t size, bool writable,
                                        int more_seals) {
  const size_t page = PageBytes();
  constexpr auto kMost = static_cast<size_t>(std::numeric_limits<int64_t>::max());
  if (size == 0 || size > kMost - page) {
    return Fail(ALLOY_INVALID, ALLOY_REASON_ARGUMENT_RANGE,
                "a segment cannot have " + SizeText(size));
  }
  size = (size + page - 1) / page * page;

  SharedMemory made;
  const std::string what =
      "cannot make the segment " + std::string(name) + " of " + SizeText(size);
  const int error = CreateSealable(name, static_cast<int64_t>(size), &made.fd_);
  if (error != 0) return OsFailure(what, error);
  if (::ftruncate(made.fd_.get(), static_cast<off_t>(size)) != 0) {
    return OsFailure(what, errno);
  }
  // Mapped before it is sealed: FUTURE_WRITE refuses every writable mapping after this one.
  ALLOY_TRY(made.Map(size, writable));
  const int seals = kFixedSize | more_seals;
  if (::fcntl(made.fd_.get(), F_ADD_SEALS, seals) != 0) {
    return OsFailure(what + ": cannot seal it", errno);
  }
  const int reached = ::fcntl(made.fd_.get(), F_GET_SEALS);
  if (reached < 0 || (reached & kSealsThatMatter) != seals) {
    return OsFailure(what + ": cannot seal it", reached < 0 ? errno : EPERM);
  }
  return made;
}

Result<SharedMemory> SharedMemory::MakeForReader(size_t size) {
  return Make("alloy-input", size, true, F_SEAL_FUTURE_WRITE);
}

Result<SharedMemory> SharedMemory::MakeForWriter(size_t size) {
  return Make("alloy-output", size, false, 0);
}

Result<SharedMemory> SharedMemory::MakeShared(size_t size) {
  return Make("alloy-control", size, true, 0);
}

Result<SharedMemory> SharedMemory::Attach(Fd fd, bool writable) {
  FileFacts facts;
  if (const int error = GetFileFacts(fd, &facts); error != 0) {
    return Fail(ALLOY_INVALID, "a segment cannot be inspected: " + ErrorText(error));
  }
  // Only files in memory have seals.
  const int seals = ::fcntl(fd.get(), F_GET_SEALS);
  if (seals < 0) return Fail(ALLOY_INVALID, "a descriptor does not belong to a segment");
  const int wanted = kFixedSize | (writable ? 0 : F_SEAL_FUTURE_WRITE);
  if ((seals & kSealsThatMatter) != wanted || facts.size <= 0) {
    return Fail(ALLOY_INVALID, "a segment has the seals " + std::to_string(seals) +
                                   " and " + std::to_string(facts.size) +
                                   " bytes, but needs the seals " +
                                   std::to_string(wanted));
  }
  SharedMemory attached;
  attached.fd_ = std::move(fd);
  ALLOY_TRY(attached.Map(static_cast<size_t>(facts.size), writable));
  return attached;
}

}  // namespace alloy::core_v0_1
#undef F_SEAL_FUTURE_WRITE

// src/port/spawn.cc ---------------------------------------------------------------------

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>


namespace alloy::core_v0_1 {
namespace {

constexpr int64_t kNanosPerMilli = 1'000'000;

// posix_spawn sets no limits, and limits that are set from outside come too late for what
// the program starts first. So a shell sets them, and becomes the program. Where the
// process has lower limits already, those stay.
std::vector<std::string> CommandOf(const ProgramRun& run) {
  std::vector<std::string> words;
  if (run.most_memory != 0 || run.most_file != 0) {
    const auto limit = [](uint64_t bytes, uint64_t unit) {
      return bytes == 0 ? std::string("unlimited") : std::to_string(bytes / unit);
    };
    constexpr const char* kScript =
        "{ ulimit -c 0; ulimit -d \"$1\"; ulimit -f \"$2\"; } 2>/dev/null; shift 2; "
        "exec \"$@\"";
    words = {"/bin/sh",
             "-c",
             kScript,
             "sh",
             limit(run.most_memory, 1024),
             limit(run.most_file, 512)};
  }
  words.push_back(run.program);
  words.insert(words.end(), run.arguments.begin(), run.arguments.end());
  return words;
}

// Read what is there; false at the end.
bool Drain(const Fd& pipe, size_t most, std::string* output) {
  std::array<char, 4096> chunk;
  for (;;) {
    const ssize_t n = ::read(pipe.get(), chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    if (n == 0) return false;
    output->append(chunk.data(), std::min(static_cast<size_t>(n), most - output->size()));
  }
}

// Gather the output until the child ends or its time is up; true: it ended.
bool Watch(const Fd& child, Fd pipe, const ProgramRun& run, ProgramEnd* out) {
  const int64_t end = MonotonicNanos() + run.limit_ns;
  for (;;) {
    const int64_t left = end - MonotonicNanos();
    if (left <= 0) return false;
    // poll ignores a negative descriptor: the pipe, after it was closed.
    std::array<struct pollfd, 2> watched{
        {{.fd = child.get(), .events = POLLIN, .revents = 0},
         {.fd = pipe.get(), .events = POLLIN, .revents = 0}}};
    const int64_t millis = std::min<int64_t>(left / kNanosPerMilli + 1, 1'000'000);
    if (::poll(watched.data(), watched.size(), static_cast<int>(millis)) < 0) continue;
    if (watched[1].revents != 0 && !Drain(pipe, run.most_output, &out->output)) {
      pipe.Close();
    }
    if (watched[0].revents != 0) {
      if (pipe) Drain(pipe, run.most_output, &out->output);
      return true;
    }
  }
}

// Kill the whole group before waiting for the child. Its number stays in use until then,
// so no other group can be hit.
int EndAndReap(pid_t pid, ProgramEnd* out) {
  ::kill(-pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return errno;
  }
  if (WIFEXITED(status)) out->exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) out->signal = WTERMSIG(status);
  return 0;
}

}  // namespace

int RunProgram(const ProgramRun& run, ProgramEnd* out) {
  const ProgramStart start{.program = CommandOf(run).front(),
                           .arguments = CommandOf(run),
                           .environment = {},
                           .hand_over = run.hand_over};
  // Nothing may throw between the start of the child and its end.
  out->output.reserve(run.most_output);
  int pid = 0;
  Fd reading;
  if (const int error = StartProgram(start, &pid, &reading); error != 0) return error;

  const Fd child(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const int no_watch = child ? 0 : errno;
  out->timed_out = no_watch == 0 && !Watch(child, std::move(reading), run, out);
  const int error = EndAndReap(pid, out);
  // ESRCH: the child has ended and was reaped by somebody else.
  return no_watch != 0 && no_watch != ESRCH ? no_watch : error;
}

bool IsExecutable(const std::string& path) { return ::access(path.c_str(), X_OK) == 0; }

}  // namespace alloy::core_v0_1

// src/port/system_call_filter.cc --------------------------------------------------------

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace alloy::core_v0_1 {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#else
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

// Calls that are refused whatever their arguments are. Numbers without a name are younger
// than the headers of the oldest machines that Alloy is built on; above 423 they are the
// same on every machine.
constexpr uint16_t kRefused[] = {
    // Other programs and processes.
    SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev,
    SYS_process_madvise, SYS_process_mrelease, SYS_kcmp, SYS_pidfd_open, SYS_pidfd_getfd,
    SYS_pidfd_send_signal, SYS_move_pages, SYS_migrate_pages, SYS_setpriority,
    SYS_ioprio_set, SYS_setpgid, SYS_setsid, SYS_unshare, SYS_setns,
    // Sockets of every kind. recvmsg stays: the host sends segments to the worker.
    SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen, SYS_accept,
    SYS_accept4, SYS_sendto, SYS_sendmsg, SYS_sendmmsg, SYS_recvfrom, SYS_recvmmsg,
    // Large parts of the kernel that no function needs.
    SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_io_uring_enter,
    SYS_io_uring_register, SYS_keyctl, SYS_add_key, SYS_request_key, SYS_fanotify_init,
    SYS_name_to_handle_at, SYS_open_by_handle_at,
    // Memory that RLIMIT_DATA does not count, and that may outlive the process.
    SYS_memfd_create, SYS_memfd_secret, SYS_shmget, SYS_shmat, SYS_shmctl, SYS_msgget,
    SYS_msgsnd, SYS_msgrcv, SYS_msgctl, SYS_semget, SYS_semop, SYS_semtimedop, SYS_semctl,
    SYS_mq_open, SYS_mq_unlink,
    // Limits and identity.
    SYS_setrlimit, SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid,
    SYS_setresgid, SYS_setfsuid, SYS_setfsgid, SYS_setgroups, SYS_capset, SYS_personality,
    // Files: what Landlock does not handle, and what it handles, for kernels without it.
    SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat, SYS_utimensat, SYS_setxattr,
    SYS_lsetxattr, SYS_fsetxattr, SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr,
    SYS_truncate, SYS_unlinkat, SYS_renameat2, SYS_mkdirat, SYS_mknodat, SYS_linkat,
    SYS_symlinkat,
    452,  // fchmodat2
    463,  // setxattrat
    466,  // removexattrat
    469,  // file_setattr
#if defined(__x86_64__)
    // Older forms of the above.
    SYS_fork, SYS_vfork, SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes,
    SYS_futimesat, SYS_unlink, SYS_rename, SYS_renameat, SYS_mkdir, SYS_rmdir, SYS_mknod,
    SYS_link, SYS_symlink, SYS_creat, SYS_uselib, SYS_iopl, SYS_ioperm, SYS_modify_ldt,
#else
    SYS_renameat,
#endif
    // Mounts.
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_move_mount, SYS_open_tree,
    SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_mount_setattr,
    467,  // open_tree_attr
    // The machine.
    SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load,
    SYS_kexec_file_load, SYS_reboot, SYS_swapon, SYS_swapoff, SYS_syslog, SYS_acct,
    SYS_quotactl, SYS_quotactl_fd, SYS_sethostname, SYS_setdomainname, SYS_settimeofday,
    SYS_clock_settime, SYS_clock_adjtime, SYS_adjtimex, SYS_vhangup};

// The options of prctl that are not refused: names, and what only reads or only changes the
// calling thread for itself. The others could undo a restriction or let others trace.
constexpr uint32_t kPrctlOptions[] = {
    PR_GET_PDEATHSIG,   PR_GET_DUMPABLE,    PR_SET_NAME,
    PR_GET_NAME,        PR_GET_SECCOMP,     PR_CAPBSET_READ,
    PR_SET_TIMERSLACK,  PR_GET_TIMERSLACK,  PR_GET_NO_NEW_PRIVS,
    PR_SET_THP_DISABLE, PR_GET_THP_DISABLE, PR_SVE_SET_VL,
    PR_SVE_GET_VL,      PR_PAC_RESET_KEYS,  PR_GET_TAGGED_ADDR_CTRL,
    0x53564d41,  // PR_SET_VMA: names of mappings
};

// With these, the kernel would send a signal to any process when data comes.
constexpr uint32_t kFcntlCommands[] = {F_SETOWN, F_SETOWN_EX, F_SETSIG};

// Typing into the terminal of the host.
constexpr uint32_t kIoctlRequests[] = {TIOCSTI, TIOCLINUX};

constexpr uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;
constexpr uint32_t kUnknown_system_call_filter = SECCOMP_RET_ERRNO | ENOSYS;

constexpr uint32_t kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                 CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                 CLONE_NEWNET;

// Builds the program. Between its parts, the accumulator holds the number of the call.
class Filter_system_call_filter {
 public:
  Filter_system_call_filter() {
    // A call of another machine (32 bits) has other numbers.
    Load(offsetof(struct seccomp_data, arch));
    JumpIf(BPF_JEQ, kArchitecture, 1, 0);
    Return(kRefuse);
    Load(offsetof(struct seccomp_data, nr));
#if defined(__x86_64__)
    constexpr uint32_t kX32 = 0x40000000;
    JumpIf(BPF_JGE, kX32, 0, 1);
    Return(kRefuse);
#endif
  }

  void Answer(uint32_t call, uint32_t answer) {
    JumpIf(BPF_JEQ, call, 0, 1);
    Return(answer);
  }

  // Look at the lower half of an argument, which is all of an int.
  void AnswerBy(uint32_t call, int argument, std::span<const uint32_t> values,
                uint32_t if_listed, uint32_t otherwise) {
    const auto count = static_cast<int>(values.size());
    JumpIf(BPF_JEQ, call, 0, count + 3);
    LoadArgument(argument);
    for (int i = 0; i < count; ++i) {
      JumpIf(BPF_JEQ, values[static_cast<size_t>(i)], count - i, 0);
    }
    Return(otherwise);
    Return(if_listed);
  }

  // Refuse the call if an argument has one of these bits.
  void RefuseBits(uint32_t call, int argument, uint32_t bits) {
    JumpIf(BPF_JEQ, call, 0, 4);
    LoadArgument(argument);
    JumpIf(BPF_JSET, bits, 0, 1);
    Return(kRefuse);
    Return(kAllow);
  }

  // Threads are allowed; processes and namespaces are not.
  void AllowOnlyThreads() {
    JumpIf(BPF_JEQ, SYS_clone, 0, 5);
    LoadArgument(0);
    JumpIf(BPF_JSET, kNamespaces, 1, 0);
    JumpIf(BPF_JSET, CLONE_THREAD, 1, 0);
    Return(kRefuse);
    Return(kAllow);
    // Its flags are in memory, where a filter cannot look. glibc then uses clone.
    Answer(SYS_clone3, kUnknown_system_call_filter);
  }

  // Memory that RLIMIT_DATA does not count: shared without a file, and growing stacks.
  void RefuseUncountedMemory() {
    JumpIf(BPF_JEQ, SYS_mmap, 0, 6);
    LoadArgument(3);
    JumpIf(BPF_JSET, MAP_GROWSDOWN, 2, 0);
    JumpIf(BPF_JSET, MAP_ANONYMOUS, 0, 2);
    JumpIf(BPF_JSET, MAP_SHARED, 0, 1);
    Return(kRefuse);
    Return(kAllow);
  }

  // Limits can be read, not set.
  void AllowOnlyReadingLimits(uint32_t process) {
    JumpIf(BPF_JEQ, SYS_prlimit64, 0, 9);
    LoadArgument(0);
    JumpIf(BPF_JEQ, 0, 1, 0);
    JumpIf(BPF_JEQ, process, 0, 4);
    LoadArgument(2);
    JumpIf(BPF_JEQ, 0, 0, 2);
    Load(ArgumentOffset(2) + 4);
    JumpIf(BPF_JEQ, 0, 1, 0);
    Return(kRefuse);
    Return(kAllow);
  }

  void End() { Return(kAllow); }

  std::vector<struct sock_filter> program;

 private:
  static uint32_t ArgumentOffset(int argument) {
    return static_cast<uint32_t>(offsetof(struct seccomp_data, args) +
                                 sizeof(uint64_t) * static_cast<size_t>(argument));
  }
  // Both machines store the lower half first.
  void LoadArgument(int argument) { Load(ArgumentOffset(argument)); }
  void Load(size_t offset) {
    program.push_back({BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<uint32_t>(offset)});
  }
  // How many instructions to leave out.
  void JumpIf(uint16_t test, uint32_t value, int if_true, int if_false) {
    program.push_back({static_cast<uint16_t>(BPF_JMP | BPF_K | test),
                       static_cast<uint8_t>(if_true), static_cast<uint8_t>(if_false),
                       value});
  }
  void Return(uint32_t answer) { program.push_back({BPF_RET | BPF_K, 0, 0, answer}); }
};

}  // namespace

int RestrictSystemCalls() {
  const auto self = static_cast<uint32_t>(::getpid());
  const uint32_t own[] = {0, self};
  Filter_system_call_filter filter;
  for (const uint16_t call : kRefused) filter.Answer(call, kRefuse);
  filter.AllowOnlyThreads();
  filter.RefuseUncountedMemory();
  filter.AllowOnlyReadingLimits(self);
  // Landlock does the same, where it is there. Flags of openat2 are in memory.
  constexpr uint32_t kWrites = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;
  filter.RefuseBits(SYS_openat, 2, kWrites);
  filter.Answer(SYS_openat2, kUnknown_system_call_filter);
#if defined(__x86_64__)
  filter.RefuseBits(SYS_open, 1, kWrites);
#endif
  filter.AnswerBy(SYS_prctl, 0, kPrctlOptions, kAllow, kRefuse);
  filter.AnswerBy(SYS_fcntl, 1, kFcntlCommands, kRefuse, kAllow);
  filter.AnswerBy(SYS_ioctl, 1, kIoctlRequests, kRefuse, kAllow);
  // A hole in a segment would take away the memory that the host has put behind it, and the
  // next access of the host would need new one.
  constexpr uint32_t kHole[] = {MADV_REMOVE};
  filter.AnswerBy(SYS_madvise, 2, kHole, kRefuse, kAllow);
  filter.RefuseBits(SYS_fallocate, 1, ~uint32_t{FALLOC_FL_KEEP_SIZE});
  // Signals: only to this process itself, by its number.
  for (const uint32_t call :
       {SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo}) {
    filter.AnswerBy(call, 0, std::span(own).subspan(1), kAllow, kRefuse);
  }
  // How the host's threads are scheduled is not for a worker to choose.
  for (const uint32_t call : {SYS_sched_setaffinity, SYS_sched_setscheduler,
                              SYS_sched_setparam, SYS_sched_setattr}) {
    filter.AnswerBy(call, 0, own, kAllow, kRefuse);
  }
  filter.End();
  const struct sock_fprog program{
      .len = static_cast<unsigned short>(filter.program.size()),
      .filter = filter.program.data()};
  // SPEC_ALLOW: kernels before 5.16 would slow down the whole worker otherwise, for an
  // attack from which a process of its own already protects.
  const long result =
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program);
  if (result > 0) return EBUSY;  // a thread with filters of its own
  return result == 0 ? 0 : errno;
}

}  // namespace alloy::core_v0_1

// src/port/system_library.cc ------------------------------------------------------------
//
// Libraries of the system that are used if they are installed. They are found at run time
// by their SONAME, so the build does not need them. They stay for the life of the process.
//
// Threads  shared.
#ifndef ALLOY_SRC_PORT_SYSTEM_LIBRARY_H_
#define ALLOY_SRC_PORT_SYSTEM_LIBRARY_H_

#include <string>


namespace alloy::core_v0_1 {

// Ask this before any library is loaded: dlopen of a statically linked program crashes.
//   Fails  UNSUPPORTED, if the program is linked statically.
Status CheckHasLoader();

// By SONAME, or by absolute path. NULL if it cannot be loaded; `text` is then the loader's
// own error.
void* OpenSystemLibrary(const char* name, std::string* text);

// Whether the loader would use this library for `soname`.
bool AnswersAs(void* library, const char* soname);

// NULL when the library has no such symbol.
void* FindInSystemLibrary(void* library, const char* symbol);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_SYSTEM_LIBRARY_H_

#include <dlfcn.h>
#include <link.h>

namespace alloy::core_v0_1 {
namespace {

// The first object is the program. It names its loader, or has none.
int FindLoader(dl_phdr_info* program, size_t, void* found) {
  for (int i = 0; i < program->dlpi_phnum; ++i) {
    if (program->dlpi_phdr[i].p_type == PT_INTERP) *static_cast<bool*>(found) = true;
  }
  return 1;  // look at no other object
}

}  // namespace

Status CheckHasLoader() {
  bool found = false;
  ::dl_iterate_phdr(FindLoader, &found);
  if (found) return Status();
  return Fail(ALLOY_UNSUPPORTED,
              "this program is linked statically, so it cannot load libraries; link it "
              "dynamically: without -static");
}

void* OpenSystemLibrary(const char* name, std::string* text) {
  void* library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* said = ::dlerror();
    *text = said != nullptr ? said : "the loader gave no reason";
  }
  return library;
}

bool AnswersAs(void* library, const char* soname) {
  void* answer = ::dlopen(soname, RTLD_LAZY | RTLD_NOLOAD);
  if (answer == nullptr) return false;
  ::dlclose(answer);  // only lowers its count: `library` still holds it
  return answer == library;
}

void* FindInSystemLibrary(void* library, const char* symbol) {
  return ::dlsym(library, symbol);
}

}  // namespace alloy::core_v0_1

// src/port/watcher.cc -------------------------------------------------------------------
//
// Waits for many descriptors at once: for the ends of children and for what they write.
//
// The set belongs to the process that made it. A forked child shares it, so it may only
// destroy its copy, which closes descriptors and leaves the set unchanged.
#ifndef ALLOY_SRC_PORT_WATCHER_H_
#define ALLOY_SRC_PORT_WATCHER_H_

#include <cstddef>
#include <cstdint>
#include <span>


namespace alloy::core_v0_1 {

// Threads  shared for Add, Remove and Wake; one thread at a time waits. Move-only.
class Watcher {
 public:
  //   Fails  EXHAUSTED, if descriptors or memory ran out.
  static Result<Watcher> Make();

  // Report `tag` from each Wait, as long as the descriptor is readable or its other side is
  // closed. kWoken is not a tag.
  //   Borrows  fd, until Remove. Remove it before it is closed: the set keeps what a forked
  //            child of the host still has open.
  //   Fails    EXHAUSTED, if memory or the user's limit on watches ran out.
  Status Add(const Fd& fd, uint64_t tag);
  // A wait that is going on may still report it.
  void Remove(const Fd& fd);

  // The next Wait returns at once, or the one that is going on. Async-signal-safe.
  void Wake() const;

  // Wait until something is ready or MonotonicNanos (port/clock.h) is `deadline_ns`; a
  // negative one never comes, and one that has passed only looks. Returns the tags at the
  // front of `tags`, of which there are none after the deadline or after Wake.
  std::span<const uint64_t> Wait(std::span<uint64_t> tags, int64_t deadline_ns);

 private:
  static constexpr uint64_t kWoken = ~uint64_t{0};

  Fd set_;
  Fd wake_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_WATCHER_H_

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>


namespace alloy::core_v0_1 {
namespace {

// Rounded up, so that a wait does not end before its time. -1: for ever.
int MillisUntil(int64_t deadline_ns) {
  if (deadline_ns < 0) return -1;
  constexpr int64_t kNanosPerMilli = 1'000'000;
  const int64_t left = std::max<int64_t>(deadline_ns - MonotonicNanos(), 0);
  return static_cast<int>(
      std::min<int64_t>(left / kNanosPerMilli + (left % kNanosPerMilli != 0), 1 << 30));
}

}  // namespace

Result<Watcher> Watcher::Make() {
  Watcher made;
  made.set_ = AboveStandard(::epoll_create1(EPOLL_CLOEXEC));
  if (!made.set_) return OsFailure("cannot watch processes", errno);
  made.wake_ = AboveStandard(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!made.wake_) return OsFailure("cannot watch processes", errno);
  ALLOY_TRY(made.Add(made.wake_, kWoken));
  return made;
}

Status Watcher::Add(const Fd& fd, uint64_t tag) {
  struct epoll_event event{.events = EPOLLIN | EPOLLRDHUP, .data = {.u64 = tag}};
  if (::epoll_ctl(set_.get(), EPOLL_CTL_ADD, fd.get(), &event) == 0) return {};
  return OsFailure("cannot watch a descriptor", errno);
}

void Watcher::Remove(const Fd& fd) {
  ::epoll_ctl(set_.get(), EPOLL_CTL_DEL, fd.get(), nullptr);
}

void Watcher::Wake() const {
  const uint64_t one = 1;
  // It fails only where the count is full; then the wait returns anyway.
  [[maybe_unused]] const ssize_t n = ::write(wake_.get(), &one, sizeof(one));
}

std::span<const uint64_t> Watcher::Wait(std::span<uint64_t> tags, int64_t deadline_ns) {
  std::array<struct epoll_event, 64> events;
  // One more than the tags, for the wake-up.
  const auto room = static_cast<int>(std::min(tags.size() + 1, events.size()));
  int ready = 0;
  do {
    ready = ::epoll_wait(set_.get(), events.data(), room, MillisUntil(deadline_ns));
  } while (ready < 0 && errno == EINTR);
  size_t count = 0;
  for (const auto& event :
       std::span(events).first(static_cast<size_t>(std::max(ready, 0)))) {
    if (event.data.u64 != kWoken) {
      // What has no room is still ready, and comes with the next wait.
      if (count < tags.size()) tags[count++] = event.data.u64;
      continue;
    }
    uint64_t wakes = 0;
    [[maybe_unused]] const ssize_t n = ::read(wake_.get(), &wakes, sizeof(wakes));
  }
  return tags.first(count);
}

}  // namespace alloy::core_v0_1

// src/arrow/describe.cc -----------------------------------------------------------------
//
// Shows Arrow arrays as text in logs and error texts, the same in every language.
//
// Threads  shared.
#ifndef ALLOY_SRC_ARROW_DESCRIBE_H_
#define ALLOY_SRC_ARROW_DESCRIBE_H_

#include <string>

//
// A layout is a parsed schema: what the gate must know to check arrays of that schema.
//
// The engine makes it at bind, and it keeps no pointer to the schema. The gate walks
// arrays along the layout. So no call parses a schema, and the gate never relies on what
// an array claims about its own nesting.
//
// Threads  immutable: shared.
#ifndef ALLOY_SRC_ARROW_LAYOUT_H_
#define ALLOY_SRC_ARROW_LAYOUT_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

//
// Parses the format strings of the Arrow C data interface ("Data type description --
// format strings"), one string at a time. layout.h checks children and dictionaries.
//
// Threads  values.
#ifndef ALLOY_SRC_ARROW_FORMAT_H_
#define ALLOY_SRC_ARROW_FORMAT_H_

#include <array>
#include <cstdint>
#include <string_view>

namespace alloy::core_v0_1 {

enum class Type : uint8_t {
  kNull,
  kBoolean,
  kInt8,
  kUInt8,
  kInt16,
  kUInt16,
  kInt32,
  kUInt32,
  kInt64,
  kUInt64,
  kFloat16,
  kFloat32,
  kFloat64,
  kBinary,
  kLargeBinary,
  kBinaryView,
  kUtf8,
  kLargeUtf8,
  kUtf8View,
  kFixedSizeBinary,
  kDecimal32,
  kDecimal64,
  kDecimal128,
  kDecimal256,
  kDate32,
  kDate64,
  kTime32,
  kTime64,
  kTimestamp,
  kDuration,
  kIntervalYearMonth,
  kIntervalDayTime,
  kIntervalMonthDayNano,
  kList,
  kLargeList,
  kListView,
  kLargeListView,
  kFixedSizeList,
  kStruct,
  kMap,
  kSparseUnion,
  kDenseUnion,
  kRunEndEncoded,
};

inline constexpr Type kLastType = Type::kRunEndEncoded;

// How the arrays of a type lie in memory: the buffers, then the children.
// layout_rules.h has the rules of each form.
enum class Form : uint8_t {
  kFixed,          // validity, values of `bits` each
  kOffsets,        // validity, offsets, bytes
  kViews,          // validity, views, any number of variadic buffers, their sizes
  kList,           // validity, offsets; one child
  kListView,       // validity, offsets, sizes; one child
  kFixedSizeList,  // validity; one child
  kStruct,         // validity; any children, row by row
  kSparseUnion,    // type ids; one child for each type id, row by row
  kDenseUnion,     // type ids, offsets; one child for each type id
  kRunEnd,         // no buffers; run ends and values
  kNull,           // no buffers
};

inline constexpr Form kLastForm = Form::kNull;

constexpr bool IsInteger(Type type) {
  return type >= Type::kInt8 && type <= Type::kUInt64;
}

constexpr bool IsUnsigned(Type type) {
  return type == Type::kUInt8 || type == Type::kUInt16 || type == Type::kUInt32 ||
         type == Type::kUInt64;
}

struct Format {
  Type type = Type::kNull;
  Form form = Form::kNull;
  uint8_t offset_bytes = 0;  // of one offset; 0: the form has no offsets
  char unit = 0;             // of time: s, m, u or n; 0: not a type of time
  int64_t bits = 0;          // of one fixed-size value
  int64_t size = 0;          // of a fixed-size list
  int32_t precision = 0;     // of a decimal
  int32_t scale = 0;
  int32_t n_type_ids = 0;       // of a union
  std::string_view parameters;  // the time zone, or the type ids, as written
};

// Why a format string is refused; reason 0 if it is accepted.
struct FormatFault {
  int32_t reason = 0;
  const char* expected = "";  // the parameter that would be accepted
};

// Parse `text`. `format` keeps a view of it.
FormatFault ParseFormat(std::string_view text, Format* format);

// The child of each type id of a union; -1: the union does not have this type id.
std::array<int8_t, 128> ChildrenByTypeId(const Format& format);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_FORMAT_H_

namespace alloy::core_v0_1 {

class Layout {
 public:
  struct Node {
    int64_t max_end = 0;     // the largest offset + length whose bytes fit in 63 bits
    int64_t size = 0;        // fixed-size list: rows of the child for each row;
                             // union: the index into the TypeIds
    int64_t bits = 0;        // of one value of a fixed width
    int32_t n_children = 0;  // without the dictionary, which comes first
    int32_t subtree = 1;     // nodes from here that belong to this one, itself included
    Type type = Type::kNull;
    Form form = Form::kNull;
    uint8_t n_buffers = 0;      // of views: the least
    uint8_t integer_bytes = 0;  // of one offset, size, run end or dictionary index
    bool has_bytes = false;     // values have at least one bit
    bool dictionary = false;
    bool points_elsewhere = false;  // rows here or below have a check in gate/rows.h
    bool nullable : 1 = false;
    // Here or below is a column that is declared not nullable, or a map.
    bool has_required : 1 = false;
    bool has_map : 1 = false;
  };

  // The type ids of a union.
  struct TypeIds {
    std::array<int8_t, 128> children;  // by type id; -1: the union does not have this one
  };

  // Parse the schema of an array of any type.
  //   Fails  ALLOY_BAD_DATA  with reason and column. Columns count from -1 for the root
  //                          in preorder; a dictionary comes right after its index.
  static Result<Layout> Of(const ArrowSchema& schema);

  // Parse the schema of a batch. Also fails with ALLOY_REASON_NOT_A_BATCH.
  static Result<Layout> OfBatch(const ArrowSchema& schema);

  // In preorder: node i is column i - 1.
  std::span<const Node> nodes() const { return nodes_; }
  int64_t n_columns() const { return nodes_[0].n_children; }  // of a batch

  const TypeIds& type_ids(const Node& node) const {
    return type_ids_[static_cast<size_t>(node.size)];
  }

  std::string_view name(int32_t column) const;

  // The path to a column for error texts: `a.b.item`; empty for the root.
  std::string Path(int32_t column) const;

 private:
  struct Name {
    size_t begin = 0;  // in names_
    size_t length = 0;
    int32_t parent = -1;   // a node
    int32_t ordinal = -1;  // among the children of the parent; -1: the dictionary
  };

  Layout() = default;
  friend class LayoutReader;

  std::vector<Node> nodes_;
  std::vector<TypeIds> type_ids_;
  std::vector<Name> node_names_;
  std::string names_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_LAYOUT_H_

namespace alloy::core_v0_1 {

// `Int32[1, null, -4]` for numbers, booleans and strings: at most 16 values, then
// `… n more`. Strings are in double quotes and escaped as AppendEscaped does. Every other
// type gives `Type[n rows]`.
// The array must have passed level shape with this layout. gate/describe.h also does that
// check; use it for arrays from elsewhere.
//   Fails  ALLOY_BAD_DATA  a string points outside its buffer.
Result<std::string> DescribeRows(const ArrowSchema& schema, const Layout& layout,
                                 const ArrowArray& array);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_DESCRIBE_H_

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

//
// The errors of malformed Arrow structs. Checks call this only after they have found a
// fault, so that the checks themselves stay small.
//
// Every text has the form "place: what happened", in one of two forms:
//   expected 2 buffers, found 1                    for numbers and names
//   row 1: the view points outside its 2 buffers   for the rest: a sentence
//
// Threads  shared.
#ifndef ALLOY_SRC_ARROW_FAULT_H_
#define ALLOY_SRC_ARROW_FAULT_H_

#include <cstdint>
#include <string>
#include <string_view>


namespace alloy::core_v0_1 {

// Where the fault is.
struct FaultPlace {
  int32_t column = -1;    // -1: the array or schema itself
  std::string path = {};  // of the column
  int64_t row = -1;       // -1: not in one row
};

// BAD_DATA with the text `column 3 (a.b.item), row 1: ` and `what`.
Status DataFault(int32_t reason, const FaultPlace& place, std::string_view what);

// The meaning of a reason, from reason.h.
std::string_view ReasonText(int32_t reason);

// `1 buffer`, `2 buffers`. `child` is the one irregular noun.
std::string CountText(int64_t count, std::string_view noun);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_FAULT_H_
#ifndef ALLOY_SRC_ARROW_LOAD_VALUE_H_
#define ALLOY_SRC_ARROW_LOAD_VALUE_H_

#include <cstdint>
#include <cstring>

namespace alloy::core_v0_1 {

// Value `index` of a buffer of any alignment. Arrow only recommends an alignment, so the
// engine never relies on it.
template <typename T>
T LoadValue(const void* base, int64_t index) {
  T value;
  std::memcpy(&value, static_cast<const char*>(base) + index * int64_t{sizeof(T)},
              sizeof(T));
  return value;
}

// Load an offset, a run end or an index of 1, 2, 4 or 8 bytes as a signed number.
inline int64_t LoadSigned(const void* values, int64_t index, uint8_t bytes) {
  switch (bytes) {
    case 1:
      return LoadValue<int8_t>(values, index);
    case 2:
      return LoadValue<int16_t>(values, index);
    case 4:
      return LoadValue<int32_t>(values, index);
    default:
      return LoadValue<int64_t>(values, index);
  }
}

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_LOAD_VALUE_H_
//
// The decimal digits of a floating-point number: the fewest that parse to the same number.
//
// std::to_chars finds them too, but brings 130 KB of code and tables into every program that
// contains the engine. This is slower, and only texts for people need it.
//
// Threads  shared.
#ifndef ALLOY_ARROW_SHORTEST_H_
#define ALLOY_ARROW_SHORTEST_H_

#include <string>

namespace alloy::core_v0_1 {

// The number 0.d1d2d3… times 10 to the power of `point`.
struct ShortestDigits {
  std::string digits;  // no zero at either end; "0" for 0
  int point;
};

// The digits of a finite number that is not negative. Of several shortest ones it takes those
// that are nearest to the number.
ShortestDigits Shortest(double value);
ShortestDigits Shortest(float value);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_ARROW_SHORTEST_H_
//
// The names of Arrow types in logs and error texts, the same in every language.
//
// Types are named as arrow-rs and arrow-go name them: Null, Boolean, Int8 to UInt64,
// Float16 to Float64, Utf8, LargeUtf8, Utf8View, Binary, LargeBinary, BinaryView,
// FixedSizeBinary(16), Decimal128(10, 2), Date32, Time64(us), Timestamp(ms),
// Timestamp(ms, UTC), Duration(s), Interval(YearMonth | DayTime | MonthDayNano),
// List(Int32), LargeList, ListView, LargeListView, FixedSizeList(3, Int32),
// Struct(a: Int32, b: Utf8), Map(Utf8, Int32), Union(sparse; a: Int32, b: Utf8),
// Union(dense; ...), Dictionary(Int32, Utf8), RunEndEncoded(Int32, Utf8).
//
// Threads  shared.
#ifndef ALLOY_SRC_ARROW_TYPE_NAME_H_
#define ALLOY_SRC_ARROW_TYPE_NAME_H_

#include <string>
#include <string_view>


namespace alloy::core_v0_1 {

// The name of a type; `Unknown(format)` for a format that is not in the specification.
// Never fails: malformed children are `Unknown` too, and a long name is cut with `…`. The
// schema need not be checked before.
std::string TypeName(const ArrowSchema& schema);

// The name of one format of an alloy_column's `accepts`, without its children:
// `Timestamp(us, UTC)`, `List`, `Timestamp(us, *)` for `tsu:*`, `Dictionary(*, Utf8)` for
// `?:u`. A pattern without a name is returned in quotes.
std::string AcceptedName(std::string_view pattern);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_TYPE_NAME_H_
//
// Reads one bit of an Arrow bitmap, by the helper of the public headers.
//
// Threads  shared.
#ifndef ALLOY_SRC_BASE_BITS_H_
#define ALLOY_SRC_BASE_BITS_H_

//
// The bits of an Arrow bitmap: bit i is bit i % 8 of byte i / 8, from the lowest.
//
// Threads  shared.
#ifndef ALLOY_DETAIL_BITS_HPP_
#define ALLOY_DETAIL_BITS_HPP_

#include <bit>
#include <cstdint>
#include <cstring>

namespace alloy::detail {

// Bit `i` of a bitmap that has more than `i` bits.
inline bool BitAt(const void* bits, int64_t i) {
  return (static_cast<const uint8_t*>(bits)[i >> 3] >> (i & 7) & 1) != 0;
}

// At most 64 bits of a bitmap from bit `first` on, the lowest first. It reads no byte that
// has none of the `count` bits.
inline uint64_t BitsAt(const void* bits, int64_t first, int64_t count) {
  static_assert(std::endian::native == std::endian::little);
  const auto* bytes = static_cast<const uint8_t*>(bits) + (first >> 3);
  const int64_t shift = first & 7;
  const int64_t size = (shift + count + 7) / 8;
  uint64_t word = 0;
  if (size >= 8) [[likely]] {
    std::memcpy(&word, bytes, sizeof(word));
  } else {
    std::memcpy(&word, bytes, static_cast<size_t>(size));
  }
  word >>= shift;
  if (size > 8) word |= uint64_t{bytes[8]} << (64 - shift);
  return count < 64 ? word & ((uint64_t{1} << count) - 1) : word;
}

// Count the set bits among `count` bits from `first` on.
inline int64_t CountBits(const void* bits, int64_t first, int64_t count) {
  int64_t set = 0;
  int64_t i = first;
  const int64_t end = first + count;
  for (; i < end && i % 8 != 0; ++i) set += BitAt(bits, i) ? 1 : 0;
  for (; i + 64 <= end; i += 64) {
    uint64_t word = 0;
    std::memcpy(&word, static_cast<const uint8_t*>(bits) + i / 8, sizeof(word));
    set += std::popcount(word);
  }
  for (; i < end; ++i) set += BitAt(bits, i) ? 1 : 0;
  return set;
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_BITS_HPP_

namespace alloy::core_v0_1 {

using alloy::detail::BitAt;

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_BASE_BITS_H_

namespace alloy::core_v0_1 {
namespace {

constexpr int64_t kMostValues = 16;

template <typename T>
void AppendInteger(T value, std::string* out) {
  *out += std::to_string(value);
}

// The shortest text that parses to the same number: 1.0, 0.1, 1e16, 1e-7. Very large and
// very small numbers have an exponent, all others do not.
template <typename T>
void AppendFloat(T value, std::string* out) {
  if (std::isnan(value)) {
    *out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    *out += value < 0 ? "-inf" : "inf";
    return;
  }
  if (std::signbit(value)) *out += '-';
  const T size = std::fabs(value);
  const bool plain = size == 0 || (size >= T(1e-5) && size < T(1e16));
  if (plain && size == std::floor(size)) {  // each digit is known, not only the shortest
    *out += std::to_string(static_cast<int64_t>(size)) + ".0";
    return;
  }
  auto [digits, point] = Shortest(size);
  if (plain) {
    if (point <= 0) digits.insert(0, static_cast<size_t>(1 - point), '0');
    const auto whole = static_cast<size_t>(std::max(point, 1));
    *out += digits.insert(whole, 1, '.');
    return;
  }
  *out += digits[0];
  if (digits.size() > 1) *out += '.' + digits.substr(1);
  *out += 'e' + std::to_string(point - 1);
}

// IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of fraction.
float HalfToFloat(uint16_t half) {
  const int exponent = half >> 10 & 31;
  const auto fraction = static_cast<float>(half & 1023);
  const float sign = (half & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 31) {
    return fraction != 0 ? std::numeric_limits<float>::quiet_NaN()
                         : sign * std::numeric_limits<float>::infinity();
  }
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024.0F + fraction, exponent - 25);
}

// The bytes of one string, or nothing if it points outside its buffer. Level shape has
// checked only the first and the last offset.
template <typename Offset>
std::optional<std::string_view> StringAt(const ArrowArray& array, int64_t i) {
  const void* offsets = array.buffers[1];
  const auto begin = LoadValue<Offset>(offsets, i);
  const auto end = LoadValue<Offset>(offsets, i + 1);
  const auto last = LoadValue<Offset>(offsets, array.offset + array.length);
  if (begin < 0 || end < begin || last < end) return std::nullopt;
  if (begin == end) return std::string_view();
  return std::string_view(static_cast<const char*>(array.buffers[2]) + begin,
                          static_cast<size_t>(end - begin));
}

// The same for a view. It holds the length, then either the text itself, up to 12 bytes,
// or 4 bytes of the text, the number of a buffer, and the offset in that buffer.
std::optional<std::string_view> ViewAt(const ArrowArray& array, int64_t i) {
  const char* view = static_cast<const char*>(array.buffers[1]) + i * 16;
  const auto length = LoadValue<int32_t>(view, 0);
  if (length < 0) return std::nullopt;
  if (length <= 12) return std::string_view(view + 4, static_cast<size_t>(length));
  const auto buffer = LoadValue<int32_t>(view, 2);
  const auto begin = LoadValue<int32_t>(view, 3);
  if (buffer < 0 || buffer >= array.n_buffers - 3 || begin < 0) return std::nullopt;
  const auto size = LoadValue<int64_t>(array.buffers[array.n_buffers - 1], buffer);
  if (int64_t{begin} + length > size) return std::nullopt;
  return std::string_view(static_cast<const char*>(array.buffers[2 + buffer]) + begin,
                          static_cast<size_t>(length));
}

bool AppendString(std::optional<std::string_view> text, std::string* out) {
  if (!text) return false;
  *out += '"';
  AppendEscaped(*text, '"', out);
  *out += '"';
  return true;
}

bool ShowsValues(const Layout::Node& node) {
  if (node.dictionary) return false;
  return (node.type >= Type::kBoolean && node.type <= Type::kFloat64) ||
         node.type == Type::kUtf8 || node.type == Type::kLargeUtf8 ||
         node.type == Type::kUtf8View;
}

// Row i, counted from the start of the buffers; false if it points outside its buffer.
bool AppendValue(Type type, const ArrowArray& array, int64_t i, std::string* out) {
  const void* values = array.buffers[1];
  switch (type) {
    case Type::kBoolean:
      *out += BitAt(values, i) ? "true" : "false";
      return true;
    case Type::kInt8:
      return AppendInteger(int{LoadValue<int8_t>(values, i)}, out), true;
    case Type::kUInt8:
      return AppendInteger(int{LoadValue<uint8_t>(values, i)}, out), true;
    case Type::kInt16:
      return AppendInteger(LoadValue<int16_t>(values, i), out), true;
    case Type::kUInt16:
      return AppendInteger(LoadValue<uint16_t>(values, i), out), true;
    case Type::kInt32:
      return AppendInteger(LoadValue<int32_t>(values, i), out), true;
    case Type::kUInt32:
      return AppendInteger(LoadValue<uint32_t>(values, i), out), true;
    case Type::kInt64:
      return AppendInteger(LoadValue<int64_t>(values, i), out), true;
    case Type::kUInt64:
      return AppendInteger(LoadValue<uint64_t>(values, i), out), true;
    case Type::kFloat16:
      return AppendFloat(HalfToFloat(LoadValue<uint16_t>(values, i)), out), true;
    case Type::kFloat32:
      return AppendFloat(LoadValue<float>(values, i), out), true;
    case Type::kFloat64:
      return AppendFloat(LoadValue<double>(values, i), out), true;
    case Type::kUtf8:
      return AppendString(StringAt<int32_t>(array, i), out);
    case Type::kLargeUtf8:
      return AppendString(StringAt<int64_t>(array, i), out);
    case Type::kUtf8View:
      return AppendString(ViewAt(array, i), out);
    default:
      return false;
  }
}

}  // namespace

Result<std::string> DescribeRows(const ArrowSchema& schema, const Layout& layout,
                                 const ArrowArray& array) {
  const Layout::Node& node = layout.nodes()[0];
  std::string text = TypeName(schema) + "[";
  if (!ShowsValues(node)) return text + std::to_string(array.length) + " rows]";
  const int64_t shown = std::min(array.length, kMostValues);
  // With a null count of -1 only the bitmap shows whether a row is null.
  const void* bitmap = array.null_count == 0 ? nullptr : array.buffers[0];
  for (int64_t row = 0; row < shown; ++row) {
    const int64_t i = array.offset + row;
    if (row > 0) text += ", ";
    if (bitmap != nullptr && !BitAt(bitmap, i)) {
      text += "null";
    } else if (!AppendValue(node.type, array, i, &text)) {
      const bool is_view = node.type == Type::kUtf8View;
      return DataFault(is_view ? ALLOY_REASON_VIEW : ALLOY_REASON_OFFSETS, {.row = row},
                       "the string points outside its buffer");
    }
  }
  if (shown < array.length) {
    text += ", … " + std::to_string(array.length - shown) + " more";
  }
  return text + "]";
}

}  // namespace alloy::core_v0_1

// src/arrow/fault.cc --------------------------------------------------------------------

#include <utility>


namespace alloy::core_v0_1 {

std::string_view ReasonText(int32_t reason) {
  switch (reason) {
#define ALLOY_REASON_TEXT_(name, number, text) \
  case number:                                 \
    return text;
    ALLOY_REASONS(ALLOY_REASON_TEXT_)
#undef ALLOY_REASON_TEXT_
    default:
      return "unknown reason";
  }
}

std::string CountText(int64_t count, std::string_view noun) {
  std::string text = std::to_string(count) + ' ';
  text += noun;
  if (count != 1) text += noun == "child" ? "ren" : "s";
  return text;
}

Status DataFault(int32_t reason, const FaultPlace& place, std::string_view what) {
  std::string text = "top level";
  if (place.column >= 0) {
    text = "column " + std::to_string(place.column);
    text.append(" (").append(place.path).append(")");
  }
  if (place.row >= 0) text += ", row " + std::to_string(place.row);
  text.append(": ").append(what);
  return Status(Fault{.code = ALLOY_BAD_DATA,
                      .reason = reason,
                      .column = place.column,
                      .text = std::move(text)});
}

}  // namespace alloy::core_v0_1
#undef ALLOY_REASON_TEXT_

// src/arrow/format.cc -------------------------------------------------------------------

#include <algorithm>
#include <array>
#include <bitset>
#include <charconv>
#include <optional>


namespace alloy::core_v0_1 {
namespace {

// The formats without parameters, by their whole text.
struct Simple {
  std::string_view text;
  Type type;
  Form form;
  int64_t bits;
  uint8_t offset_bytes;
  char unit;
};

constexpr auto kSimple = std::to_array<Simple>({
    {"n", Type::kNull, Form::kNull, 0, 0, 0},
    {"b", Type::kBoolean, Form::kFixed, 1, 0, 0},
    {"c", Type::kInt8, Form::kFixed, 8, 0, 0},
    {"C", Type::kUInt8, Form::kFixed, 8, 0, 0},
    {"s", Type::kInt16, Form::kFixed, 16, 0, 0},
    {"S", Type::kUInt16, Form::kFixed, 16, 0, 0},
    {"i", Type::kInt32, Form::kFixed, 32, 0, 0},
    {"I", Type::kUInt32, Form::kFixed, 32, 0, 0},
    {"l", Type::kInt64, Form::kFixed, 64, 0, 0},
    {"L", Type::kUInt64, Form::kFixed, 64, 0, 0},
    {"e", Type::kFloat16, Form::kFixed, 16, 0, 0},
    {"f", Type::kFloat32, Form::kFixed, 32, 0, 0},
    {"g", Type::kFloat64, Form::kFixed, 64, 0, 0},
    {"z", Type::kBinary, Form::kOffsets, 0, 4, 0},
    {"Z", Type::kLargeBinary, Form::kOffsets, 0, 8, 0},
    {"vz", Type::kBinaryView, Form::kViews, 128, 0, 0},
    {"u", Type::kUtf8, Form::kOffsets, 0, 4, 0},
    {"U", Type::kLargeUtf8, Form::kOffsets, 0, 8, 0},
    {"vu", Type::kUtf8View, Form::kViews, 128, 0, 0},
    {"tdD", Type::kDate32, Form::kFixed, 32, 0, 0},
    {"tdm", Type::kDate64, Form::kFixed, 64, 0, 'm'},
    {"tts", Type::kTime32, Form::kFixed, 32, 0, 's'},
    {"ttm", Type::kTime32, Form::kFixed, 32, 0, 'm'},
    {"ttu", Type::kTime64, Form::kFixed, 64, 0, 'u'},
    {"ttn", Type::kTime64, Form::kFixed, 64, 0, 'n'},
    {"tDs", Type::kDuration, Form::kFixed, 64, 0, 's'},
    {"tDm", Type::kDuration, Form::kFixed, 64, 0, 'm'},
    {"tDu", Type::kDuration, Form::kFixed, 64, 0, 'u'},
    {"tDn", Type::kDuration, Form::kFixed, 64, 0, 'n'},
    {"tiM", Type::kIntervalYearMonth, Form::kFixed, 32, 0, 0},
    {"tiD", Type::kIntervalDayTime, Form::kFixed, 64, 0, 0},
    {"tin", Type::kIntervalMonthDayNano, Form::kFixed, 128, 0, 0},
    {"+l", Type::kList, Form::kList, 0, 4, 0},
    {"+L", Type::kLargeList, Form::kList, 0, 8, 0},
    {"+vl", Type::kListView, Form::kListView, 0, 4, 0},
    {"+vL", Type::kLargeListView, Form::kListView, 0, 8, 0},
    {"+s", Type::kStruct, Form::kStruct, 0, 0, 0},
    {"+m", Type::kMap, Form::kList, 0, 4, 0},
    {"+r", Type::kRunEndEncoded, Form::kRunEnd, 0, 0, 0},
});

constexpr FormatFault kUnknown_format = {ALLOY_REASON_FORMAT_UNKNOWN};

FormatFault BadParameter(const char* expected) {
  return {ALLOY_REASON_FORMAT_PARAMETER, expected};
}

// `text` as a decimal number; nothing if any other character is in it.
std::optional<int32_t> Number_format(std::string_view text) {
  int32_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Remove the part before the first comma, and the comma, from `text`.
std::string_view NextPart(std::string_view* text) {
  const size_t comma = text->find(',');
  const std::string_view part = text->substr(0, comma);
  text->remove_prefix(comma == std::string_view::npos ? text->size() : comma + 1);
  return part;
}

// `10,2` or `10,2,256`: precision, scale, and bits if they are not 128.
FormatFault ParseDecimal(std::string_view text, Format* format) {
  const char* const expected =
      "d:precision,scale or d:precision,scale,bits (32, 64, 128, 256)";
  // Count the commas: `d:1,2,` has a third part, which is empty and thus not a number.
  const bool three = std::count(text.begin(), text.end(), ',') == 2;
  const auto precision = Number_format(NextPart(&text));
  const auto scale = Number_format(NextPart(&text));
  const auto bits = three ? Number_format(text) : std::optional<int32_t>(128);
  if (!precision || !scale || !bits || (!three && !text.empty())) {
    return BadParameter(expected);
  }
  int32_t most = 0;
  switch (*bits) {
    case 32:
      format->type = Type::kDecimal32;
      most = 9;
      break;
    case 64:
      format->type = Type::kDecimal64;
      most = 18;
      break;
    case 128:
      format->type = Type::kDecimal128;
      most = 38;
      break;
    case 256:
      format->type = Type::kDecimal256;
      most = 76;
      break;
    default:
      return BadParameter(expected);
  }
  if (*precision < 1 || *precision > most) {
    return BadParameter(
        "a precision from 1 to 9, 18, 38 or 76 for 32, 64, 128 or 256 bits");
  }
  format->form = Form::kFixed;
  format->bits = *bits;
  format->precision = *precision;
  format->scale = *scale;
  return {};
}

// `3,5,0`, or nothing: a union without children has no type ids.
FormatFault ParseTypeIds(std::string_view text, Format* format) {
  format->parameters = text;
  std::bitset<128> seen;
  while (!text.empty()) {
    const bool comma_last = text.back() == ',';
    const auto id = Number_format(NextPart(&text));
    if (!id || *id < 0 || *id > 127 || seen[static_cast<size_t>(*id)] ||
        (comma_last && text.empty())) {
      return BadParameter("different type ids from 0 to 127");
    }
    seen.set(static_cast<size_t>(*id));
    ++format->n_type_ids;
  }
  return {};
}

FormatFault ParseSize(std::string_view text, int64_t* size) {
  const auto number = Number_format(text);
  if (!number || *number < 0) return BadParameter("a size of at least 0");
  *size = *number;
  return {};
}

// `tsu:UTC`: the unit, then a time zone, which may be empty.
FormatFault ParseTimestamp(std::string_view text, Format* format) {
  if (text.size() < 4 || text[3] != ':') return BadParameter("tss:, tsm:, tsu: or tsn:");
  if (std::string_view("smun").find(text[2]) == std::string_view::npos) return kUnknown_format;
  format->type = Type::kTimestamp;
  format->form = Form::kFixed;
  format->bits = 64;
  format->unit = text[2];
  format->parameters = text.substr(4);  // the time zone, which may contain colons
  return {};
}

// `+ud:3,5` (dense) or `+us:3,5` (sparse).
FormatFault ParseUnion(std::string_view text, Format* format) {
  if (text.size() < 4 || text[3] != ':') return BadParameter("+ud: or +us:");
  if (text[2] != 'd' && text[2] != 's') return kUnknown_format;
  const bool dense = text[2] == 'd';
  format->type = dense ? Type::kDenseUnion : Type::kSparseUnion;
  format->form = dense ? Form::kDenseUnion : Form::kSparseUnion;
  format->offset_bytes = dense ? 4 : 0;
  return ParseTypeIds(text.substr(4), format);
}

}  // namespace

FormatFault ParseFormat(std::string_view text, Format* format) {
  *format = Format();
  for (const Simple& simple : kSimple) {
    if (simple.text != text) continue;
    format->type = simple.type;
    format->form = simple.form;
    format->bits = simple.bits;
    format->offset_bytes = simple.offset_bytes;
    format->unit = simple.unit;
    return {};
  }
  if (text.starts_with("ts")) return ParseTimestamp(text, format);
  if (text.starts_with("+u")) return ParseUnion(text, format);
  if (text.starts_with("d:")) return ParseDecimal(text.substr(2), format);
  if (text.starts_with("w:")) {
    format->type = Type::kFixedSizeBinary;
    format->form = Form::kFixed;
    int64_t bytes = 0;
    const FormatFault fault = ParseSize(text.substr(2), &bytes);
    format->bits = bytes * 8;
    return fault;
  }
  if (text.starts_with("+w:")) {
    format->type = Type::kFixedSizeList;
    format->form = Form::kFixedSizeList;
    return ParseSize(text.substr(3), &format->size);
  }
  return kUnknown_format;
}

std::array<int8_t, 128> ChildrenByTypeId(const Format& format) {
  std::array<int8_t, 128> children;
  children.fill(-1);
  std::string_view ids = format.parameters;
  for (int32_t child = 0; child < format.n_type_ids; ++child) {
    // ParseTypeIds has accepted each of them.
    const auto id = static_cast<size_t>(*Number_format(NextPart(&ids)));
    children[id] = static_cast<int8_t>(child);
  }
  return children;
}

}  // namespace alloy::core_v0_1

// src/arrow/layout.cc -------------------------------------------------------------------

#include <algorithm>
#include <limits>
#include <optional>

//
// The table of layouts: how the arrays of each Form lie in memory. One row describes one
// layout of the "Arrow columnar format"; layout.h and the gate read their rules here.
//
// A new layout is a new Form and a new row. If it has offsets, views or other values that
// point elsewhere, it also needs a check of its rows (gate/rows.cc).
//
// Threads  constants: shared.
#ifndef ALLOY_SRC_ARROW_LAYOUT_RULES_H_
#define ALLOY_SRC_ARROW_LAYOUT_RULES_H_

#include <array>
#include <cstddef>
#include <cstdint>


namespace alloy::core_v0_1 {

// Where an array's nulls are recorded.
enum class NullsIn : uint8_t {
  kBitmap,    // buffer 0 is a validity bitmap, and may be NULL
  kChildren,  // the children have nulls, the array itself has none
  kEveryRow,  // every row is null
};

enum class ChildCount : uint8_t { kZero, kOne, kTwo, kOnePerTypeId, kAny };

// How many rows each child must have. `end` is the array's offset + length.
enum class ChildRows : uint8_t {
  kAny,         // no rule: the row checks compare the values with the child's length
  kEnd,         // end
  kEndTimes,    // end times the size of a fixed-size list
  kLastOffset,  // the offset after the last row
};

// The size of a row in the widest buffer, which limits the largest `end`.
enum class RowBytes : uint8_t {
  kNone,      // no buffer has bytes for each row, or only a bit
  kValue,     // the value: `bits` of the format
  kInteger,   // one offset or size
  kOffset,    // one offset, and the buffer has one more offset than rows
  kView,      // a view, 16 bytes
  kListSize,  // no bytes, but `size` rows of the child
};

// A set of buffers by index: Buffers(1, 2) are the second and the third.
template <typename... Index>
constexpr uint8_t Buffers(Index... index) {
  return static_cast<uint8_t>((0U | ... | (1U << static_cast<unsigned>(index))));
}

struct LayoutRule {
  Form form;
  uint8_t n_buffers;  // of views: the least, without the variadic buffers
  NullsIn nulls;
  uint8_t needed;  // buffers that must not be NULL if there are rows
  ChildCount children;
  ChildRows child_rows;
  RowBytes row_bytes;
  bool points_elsewhere;  // values are offsets, views, indices, type ids or run ends
};

inline constexpr auto kLayoutRules = [] {
  using F = Form;
  using N = NullsIn;
  using C = ChildCount;
  using R = ChildRows;
  using B = RowBytes;
  return std::to_array<LayoutRule>({
      // form, buffers, nulls, needed buffers, children, their rows, bytes, points elsewhere
      {F::kFixed, 2, N::kBitmap, Buffers(1), C::kZero, R::kAny, B::kValue, false},
      {F::kOffsets, 3, N::kBitmap, Buffers(1), C::kZero, R::kAny, B::kOffset, true},
      {F::kViews, 3, N::kBitmap, Buffers(1), C::kZero, R::kAny, B::kView, true},
      {F::kList, 2, N::kBitmap, Buffers(1), C::kOne, R::kLastOffset, B::kOffset, true},
      {F::kListView, 3, N::kBitmap, Buffers(1, 2), C::kOne, R::kAny, B::kInteger, true},
      {F::kFixedSizeList, 1, N::kBitmap, Buffers(), C::kOne, R::kEndTimes, B::kListSize,
       false},
      {F::kStruct, 1, N::kBitmap, Buffers(), C::kAny, R::kEnd, B::kNone, false},
      {F::kSparseUnion, 1, N::kChildren, Buffers(0), C::kOnePerTypeId, R::kEnd, B::kNone,
       true},
      {F::kDenseUnion, 2, N::kChildren, Buffers(0, 1), C::kOnePerTypeId, R::kAny,
       B::kInteger, true},
      {F::kRunEnd, 0, N::kChildren, Buffers(), C::kTwo, R::kAny, B::kNone, true},
      {F::kNull, 0, N::kEveryRow, Buffers(), C::kZero, R::kAny, B::kNone, false},
  });
}();

constexpr const LayoutRule& RuleOf(Form form) {
  return kLayoutRules[static_cast<size_t>(form)];
}

// True if a table has one row for each form, at the place of the form.
template <typename Row, size_t n>
constexpr bool HasEachForm(const std::array<Row, n>& table) {
  for (size_t form = 0; form < n; ++form) {
    if (table[form].form != static_cast<Form>(form)) return false;
  }
  return n == static_cast<size_t>(kLastForm) + 1;
}
static_assert(HasEachForm(kLayoutRules));

// True if arrays of this form begin with a validity bitmap.
constexpr bool HasBitmap(Form form) { return RuleOf(form).nulls == NullsIn::kBitmap; }

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_LAYOUT_RULES_H_
//
// Walks a schema that nobody has checked yet. All code that reads a whole schema uses this
// walk, so that one place checks the pointers and counts.
//
// Threads  shared.
#ifndef ALLOY_SRC_ARROW_SCHEMA_WALK_H_
#define ALLOY_SRC_ARROW_SCHEMA_WALK_H_

#include <cstdint>
#include <string>
#include <string_view>


namespace alloy::core_v0_1 {

inline constexpr int32_t kMostLevels = 64;             // below the root
inline constexpr int32_t kMostColumns = 1 << 20;       // nested ones included
inline constexpr int64_t kMostSchemaBytes = 64 << 20;  // names, formats and metadata
inline constexpr int64_t kMostMetadata = kMostSchemaBytes;

// What the walks of schemas that belong together may still visit and read. The nodes of a
// schema may be one and the same struct, so limits for one node would not limit the work.
struct SchemaBudget {
  int64_t columns = kMostColumns;
  int64_t bytes = kMostSchemaBytes;
};

// A node of a schema and its place in the tree. Lives only during the visit.
struct SchemaPlace {
  const ArrowSchema* schema = nullptr;
  const SchemaPlace* parent = nullptr;
  int64_t ordinal = 0;  // among the children of the parent; -1: its dictionary
  int32_t column = -1;
  int32_t depth = 0;
  int64_t metadata_bytes = 0;  // 0: no metadata
};

std::string PathOf(const SchemaPlace& place);

// DataFault (fault.h) at this place.
Status SchemaFault(const SchemaPlace& place, int32_t reason, std::string_view what);

// Check a node without its children, and measure its metadata. Takes the node from the
// budget.
Status CheckSchemaNode(SchemaPlace* place, SchemaBudget* budget);

// Check the pointer to the children and their number.
Status CheckSchemaChildren(const SchemaPlace& place, const SchemaBudget& budget);

// The size of a metadata block ("The Arrow C data interface", ArrowSchema.metadata).
// Nothing is read that cannot belong to a block of at most `limit` bytes.
//   Fails  -1  it is malformed.
//          -2  it is larger than the limit.
int64_t MetadataBytes(const char* metadata, int64_t limit = kMostMetadata);

// Calls Status visit(const SchemaPlace&) for each node in preorder. A dictionary comes
// before the children. Ends at the first fault.
template <typename Visit>
class SchemaWalk {
 public:
  SchemaWalk(Visit& visit, SchemaBudget* budget) : visit_(visit), budget_(*budget) {}

  Status Go(SchemaPlace place) {
    place.column = count_ - 1;
    ++count_;
    ALLOY_TRY(CheckSchemaNode(&place, &budget_));
    ALLOY_TRY(visit_(std::as_const(place)));
    ALLOY_TRY(CheckSchemaChildren(place, budget_));
    const ArrowSchema& schema = *place.schema;
    if (schema.dictionary != nullptr) ALLOY_TRY(Below(place, schema.dictionary, -1));
    for (int64_t i = 0; i < schema.n_children; ++i) {
      ALLOY_TRY(Below(place, schema.children[i], i));
    }
    return Status();
  }

 private:
  Status Below(const SchemaPlace& parent, const ArrowSchema* schema, int64_t ordinal) {
    return Go({.schema = schema,
               .parent = &parent,
               .ordinal = ordinal,
               .depth = parent.depth + 1});
  }

  Visit& visit_;
  SchemaBudget& budget_;
  int32_t count_ = 0;
};

template <typename Visit>
Status WalkSchema(const ArrowSchema& schema, Visit&& visit, SchemaBudget* budget) {
  return SchemaWalk<std::remove_reference_t<Visit>>(visit, budget)
      .Go({.schema = &schema});
}
template <typename Visit>
Status WalkSchema(const ArrowSchema& schema, Visit&& visit) {
  SchemaBudget budget;
  return WalkSchema(schema, visit, &budget);
}

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_SCHEMA_WALK_H_

namespace alloy::core_v0_1 {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

// The largest offset + length for which no buffer has more than 2^63 - 1 bytes, and no
// child more rows than that.
int64_t MaxEndOfBytes(const Format& format) {
  switch (RuleOf(format.form).row_bytes) {
    case RowBytes::kNone:
      break;
    case RowBytes::kValue:
      return format.bits < 8 ? kMax : kMax / (format.bits / 8);
    case RowBytes::kInteger:
      return kMax / format.offset_bytes;
    case RowBytes::kOffset:
      return kMax / format.offset_bytes - 1;
    case RowBytes::kView:
      return kMax / 16;
    case RowBytes::kListSize:
      return format.size == 0 ? kMax : kMax / format.size;
  }
  return kMax;
}

// Readers round the end of a bitmap up to whole bytes and words; that must not overflow.
int64_t MaxEnd(const Format& format) {
  const int64_t end = MaxEndOfBytes(format);
  return HasBitmap(format.form) ? std::min(end, kMax - 63) : end;
}

// The number of children that the schema must have; nothing if any number is right.
std::optional<int64_t> ExpectedChildren(const Format& format) {
  switch (RuleOf(format.form).children) {
    case ChildCount::kZero:
      return 0;
    case ChildCount::kOne:
      return 1;
    case ChildCount::kTwo:
      return 2;
    case ChildCount::kOnePerTypeId:
      return format.n_type_ids;
    case ChildCount::kAny:
      break;
  }
  return std::nullopt;
}

std::string FoundFormat(const ArrowSchema& schema) {
  return schema.dictionary == nullptr ? Quoted(schema.format) : "a dictionary";
}

}  // namespace

class LayoutReader {
 public:
  // WalkSchema has checked the pointers of the node.
  Status Visit(const SchemaPlace& place) {
    const ArrowSchema& schema = *place.schema;
    Format format;
    const FormatFault fault = ParseFormat(schema.format, &format);
    if (fault.reason != 0) return RefuseFormat(place, fault);
    const auto children = ExpectedChildren(format);
    if (children && schema.n_children != *children) {
      return SchemaFault(place, ALLOY_REASON_CHILD_COUNT,
                         "expected " + CountText(*children, "child") + ", found " +
                             std::to_string(schema.n_children));
    }
    if (schema.dictionary != nullptr && !IsInteger(format.type)) {
      return SchemaFault(place, ALLOY_REASON_DICTIONARY_INDEX,
                         "expected an integer type for the indices of a dictionary, "
                         "found " +
                             Quoted(schema.format));
    }
    ALLOY_TRY(CheckUnderParent(place, format));
    Add(place, format);
    return Status();
  }

  Layout Finish() {
    // In preorder all nodes below a node come after it. So, from the last node to the
    // first, each node is complete before it is added to its parent.
    for (size_t i = layout_.nodes_.size() - 1; i > 0; --i) {
      Layout::Node& parent =
          layout_.nodes_[static_cast<size_t>(layout_.node_names_[i].parent)];
      parent.subtree += layout_.nodes_[i].subtree;
      const Layout::Node& node = layout_.nodes_[i];
      parent.points_elsewhere |= node.points_elsewhere;
      parent.has_required = parent.has_required || node.has_required;
      parent.has_map = parent.has_map || node.has_map;
    }
    return std::move(layout_);
  }

 private:
  static Status RefuseFormat(const SchemaPlace& place, const FormatFault& fault) {
    const std::string found = Quoted(place.schema->format);
    if (fault.reason == ALLOY_REASON_FORMAT_PARAMETER) {
      return SchemaFault(place, fault.reason,
                         std::string("expected ") + fault.expected + ", found " + found);
    }
    return SchemaFault(place, fault.reason,
                       "the format " + found + " is not in the Arrow C data interface");
  }

  // The types that the parent allows for this child.
  Status CheckUnderParent(const SchemaPlace& place, const Format& format) {
    if (place.parent == nullptr) return Status();
    const Type parent =
        layout_.nodes_[static_cast<size_t>(place.parent->column + 1)].type;
    const ArrowSchema& schema = *place.schema;
    if (parent == Type::kRunEndEncoded && place.ordinal == 0) {
      const bool fits = format.type == Type::kInt16 || format.type == Type::kInt32 ||
                        format.type == Type::kInt64;
      if (!fits || schema.dictionary != nullptr) {
        return SchemaFault(place, ALLOY_REASON_RUN_ENDS_TYPE,
                           "expected run ends of the format \"s\", \"i\" or \"l\", "
                           "found " +
                               FoundFormat(schema));
      }
    }
    if (parent == Type::kMap &&
        (format.type != Type::kStruct || schema.n_children != 2)) {
      return SchemaFault(place, ALLOY_REASON_MAP_ENTRIES,
                         "expected map entries of the format \"+s\" with 2 children, "
                         "found " +
                             Quoted(schema.format) + " with " +
                             CountText(schema.n_children, "child"));
    }
    return Status();
  }

  void Add(const SchemaPlace& place, const Format& format) {
    const ArrowSchema& schema = *place.schema;
    const LayoutRule& rule = RuleOf(format.form);
    const bool dictionary = schema.dictionary != nullptr;
    Layout::Node node{.max_end = MaxEnd(format),
                      .size = format.size,
                      .bits = format.bits,
                      .n_children = static_cast<int32_t>(schema.n_children),
                      .type = format.type,
                      .form = format.form,
                      .n_buffers = rule.n_buffers,
                      .integer_bytes = format.offset_bytes,
                      .has_bytes = format.bits > 0,
                      .dictionary = dictionary,
                      .points_elsewhere = dictionary || rule.points_elsewhere,
                      .nullable = (schema.flags & ARROW_FLAG_NULLABLE) != 0,
                      .has_required = place.parent != nullptr && HasBitmap(format.form) &&
                                      (schema.flags & ARROW_FLAG_NULLABLE) == 0,
                      .has_map = format.type == Type::kMap};
    if (rule.children == ChildCount::kOnePerTypeId) {
      node.size = static_cast<int64_t>(layout_.type_ids_.size());
      layout_.type_ids_.push_back({ChildrenByTypeId(format)});
    }
    // The checks of indices and run ends need the width of the integers.
    if (IsInteger(format.type))
      node.integer_bytes = static_cast<uint8_t>(format.bits / 8);
    const std::string_view name = schema.name == nullptr ? "" : schema.name;
    layout_.nodes_.push_back(node);
    layout_.node_names_.push_back(
        {.begin = layout_.names_.size(),
         .length = name.size(),
         .parent = place.parent == nullptr ? -1 : place.parent->column + 1,
         .ordinal = static_cast<int32_t>(place.ordinal)});
    layout_.names_ += name;
  }

  Layout layout_;
};

Result<Layout> Layout::Of(const ArrowSchema& schema) {
  LayoutReader reader;
  ALLOY_TRY(
      WalkSchema(schema, [&](const SchemaPlace& place) { return reader.Visit(place); }));
  return reader.Finish();
}

Result<Layout> Layout::OfBatch(const ArrowSchema& schema) {
  ALLOY_ASSIGN_OR_RETURN(Layout layout, Of(schema));
  if (layout.nodes_[0].type != Type::kStruct) {
    return SchemaFault(
        {.schema = &schema}, ALLOY_REASON_NOT_A_BATCH,
        "expected a batch, whose format is \"+s\"; found " + FoundFormat(schema));
  }
  return layout;
}

std::string_view Layout::name(int32_t column) const {
  const Name& name = node_names_[static_cast<size_t>(column + 1)];
  return std::string_view(names_).substr(name.begin, name.length);
}

std::string Layout::Path(int32_t column) const {
  std::vector<int32_t> steps;
  for (int32_t node = column + 1; node > 0;) {
    steps.push_back(node);
    node = node_names_[static_cast<size_t>(node)].parent;
  }
  std::string path;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    AppendPathPart(name(*step - 1), node_names_[static_cast<size_t>(*step)].ordinal,
                   &path);
  }
  return path;
}

}  // namespace alloy::core_v0_1

// src/arrow/match_columns.cc ------------------------------------------------------------
//
// Finds the columns that a function declares in a batch, by name.
//
// Threads  shared.
#ifndef ALLOY_SRC_ARROW_MATCH_COLUMNS_H_
#define ALLOY_SRC_ARROW_MATCH_COLUMNS_H_

//
// Gives a function only the columns that it reads, in the order that it declares.
//
// Threads  shared; a batch belongs to one thread at a time.
#ifndef ALLOY_SRC_ARROW_PROJECT_H_
#define ALLOY_SRC_ARROW_PROJECT_H_

#include <cstdint>
#include <vector>

//
// The owner of an Arrow C struct, which the engine shares with the public headers, and
// the releaser of structs that a call did not take.
//
// Threads  serial.
#ifndef ALLOY_SRC_ARROW_OWNED_H_
#define ALLOY_SRC_ARROW_OWNED_H_

#include <cstddef>
#include <string>

//
// The owner of an Arrow C struct: its destructor releases the struct, once.
//
// Use it wherever code holds an ArrowSchema, an ArrowArray or an ArrowArrayStream for
// longer than one line. The pointer constructor moves a struct in from C, and MoveTo
// moves it out again. The engine uses the same owner.
//
// Threads  serial.
#ifndef ALLOY_OWNED_HPP_
#define ALLOY_OWNED_HPP_


namespace alloy {

template <typename T>
class [[nodiscard]] Owned {
 public:
  Owned() = default;
  // Move the struct out of `source`, which is left released. NULL gives an empty owner.
  explicit Owned(T* source) noexcept {
    if (source != nullptr) value_ = Take(source);
  }
  Owned(Owned&& other) noexcept : value_(Take(&other.value_)) {}
  Owned& operator=(Owned&& other) noexcept {
    // Take first: then moving an owner onto itself keeps what it has.
    T value = Take(&other.value_);
    ReleaseQuietly();
    value_ = value;
    return *this;
  }
  // A release callback must not throw. An exception of one ends here, since a destructor
  // cannot pass it on.
  ~Owned() { ReleaseQuietly(); }

  T* get() { return &value_; }
  const T* get() const { return &value_; }
  T* operator->() { return &value_; }
  const T* operator->() const { return &value_; }
  T& operator*() { return value_; }
  const T& operator*() const { return value_; }

  // Whether there is anything to release.
  explicit operator bool() const { return value_.release != nullptr; }

  // Give up the struct without releasing it.
  T Detach() { return Take(&value_); }
  // The same, into `target`. The old content of `target` is overwritten, not released.
  void MoveTo(T* target) { *target = Take(&value_); }

  void Release() {
    if (value_.release != nullptr) {
      // The callback gets a copy. A callback that reaches back into this owner, or that
      // forgets to clear `release`, then finds nothing to release twice.
      T value = Take(&value_);
      value.release(&value);
    }
  }

 private:
  void ReleaseQuietly() noexcept {
#ifdef __cpp_exceptions
    try {
      Release();
    } catch (...) {
    }
#else
    Release();
#endif
  }

  static T Take(T* source) noexcept {
    T value = *source;
    source->release = nullptr;
    return value;
  }

  T value_{};
};

using OwnedSchema = Owned<ArrowSchema>;
using OwnedArray = Owned<ArrowArray>;
using OwnedArrayStream = Owned<ArrowArrayStream>;

}  // namespace alloy

#endif  // ALLOY_OWNED_HPP_
//
// Where exceptions end. Every function that C can call runs inside Guard, and every entry
// into foreign code inside EnterForeign.
//
// A forced unwind, of pthread_cancel and pthread_exit, is not an exception: a thread that
// is ended cannot go on. It passes through, and the objects on its way are destroyed. So
// neither function is noexcept.
#ifndef ALLOY_SRC_BASE_GUARD_H_
#define ALLOY_SRC_BASE_GUARD_H_

#include <cxxabi.h>

#include <exception>
#include <new>
#include <string>
#include <system_error>


namespace alloy::core_v0_1 {

// While an exception is handled: EXHAUSTED if the system has no thread left; else ok.
inline Status ExhaustedByThrown() {
  try {
    throw;
  } catch (const std::system_error& e) {
    if (e.code() != std::errc::resource_unavailable_try_again) return Status();
    return Fail(ALLOY_EXHAUSTED,
                std::string("a thread cannot be started: ") + e.code().message() +
                    "; raise the limit of threads (ulimit -u, or pids.max of the "
                    "container)");
  } catch (...) {
    return Status();
  }
}

// Run `body`, which returns a Status, and copy that to err. An exception becomes EXHAUSTED,
// if it is about memory or threads, or INTERNAL.
template <typename Body>
alloy_code Guard(alloy_error* err, Body&& body) {
  try {
    return body().CopyTo(err);
  } catch (abi::__forced_unwind&) {
    throw;
  } catch (const std::bad_alloc&) {
    if (err != nullptr) {
      *err = alloy_error{.code = ALLOY_EXHAUSTED,
                         .reason = 0,
                         .input = -1,
                         .column = -1,
                         .side = ALLOY_SIDE_ENGINE,
                         .length = 13,
                         .text = "out of memory"};
    }
    return ALLOY_EXHAUSTED;
  } catch (...) {
    // Making the text may throw as well; then there is only the code.
    try {
      if (const Status exhausted = ExhaustedByThrown(); !exhausted.ok()) {
        return exhausted.CopyTo(err);
      }
      std::string text = "an exception inside the engine; please report it";
      try {
        throw;
      } catch (const std::exception& e) {
        text += std::string(": ") + e.what();
      } catch (...) {
      }
      return Fail(ALLOY_INTERNAL, std::move(text)).CopyTo(err);
    } catch (...) {
      return ALLOY_INTERNAL;
    }
  }
}

// Run `body`, which enters foreign code. If that throws, which backend.h forbids, return
// false and describe the exception in `text`.
template <typename Body>
bool EnterForeign(std::string* text, Body&& body) {
  try {
    body();
    return true;
  } catch (abi::__forced_unwind&) {
    throw;
  } catch (const std::exception& e) {
    *text = std::string("an exception came out of it: ") + e.what();
  } catch (...) {
    *text = "an exception of an unknown type came out of it";
  }
  return false;
}

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_BASE_GUARD_H_

namespace alloy::core_v0_1 {

using alloy::Owned;
using alloy::OwnedArray;
using alloy::OwnedArrayStream;
using alloy::OwnedSchema;

// Release what foreign code made. Returns what its callback threw, for people; empty:
// nothing.
template <typename T>
std::string ReleaseForeign(Owned<T>* owned) {
  std::string thrown;
  EnterForeign(&thrown, [owned] { owned->Release(); });
  return thrown;
}

// Releases, when it goes, those of `n` structs in a row that a foreign function did not
// take. So every way out of a call releases them, an early return too.
template <typename T>
class ReleaseRest {
 public:
  ReleaseRest(T* structs, size_t n) : structs_(structs), n_(n) {}
  ~ReleaseRest() {
    for (size_t i = 0; i < n_; ++i) {
      if (structs_[i].release != nullptr) ReleaseOne(i);
    }
  }
  ReleaseRest(const ReleaseRest&) = delete;
  ReleaseRest& operator=(const ReleaseRest&) = delete;

  // The same now. Returns what the last callback that threw has thrown; empty: nothing.
  std::string Release() const {
    std::string last;
    for (size_t i = 0; i < n_; ++i) {
      if (structs_[i].release == nullptr) continue;
      if (std::string thrown = ReleaseOne(i); !thrown.empty()) [[unlikely]]
        last = std::move(thrown);
    }
    return last;
  }

 private:
  std::string ReleaseOne(size_t i) const {
    Owned<T> owned(&structs_[i]);
    return ReleaseForeign(&owned);
  }

  T* const structs_;
  const size_t n_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_OWNED_H_

namespace alloy::core_v0_1 {

struct Projection {
  std::vector<int32_t> columns;  // children of the batch, each at most once
  bool identity = true;          // all columns in their order: batches stay unchanged
};

// A copy of the schema with only the projected columns.
//   Fails  ALLOY_BAD_DATA, ALLOY_EXHAUSTED
//          ALLOY_INVALID  the batch has no such column.
Result<OwnedSchema> ProjectSchema(const ArrowSchema& batch_schema,
                                  const Projection& projection);

// Replace *batch, which AdmitBatch has passed, by the projected batch. The new batch owns
// the old one, and its children are structs of the old one.
//   Takes  *batch; on failure it is unchanged.
//   Fails  ALLOY_EXHAUSTED
//          ALLOY_INVALID  the batch has no such column.
Status ProjectBatch(const Projection& projection, ArrowArray* batch);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_PROJECT_H_

namespace alloy::core_v0_1 {

// Find each column of `wanted`, a list that ends with a NULL name. If `wanted` is NULL,
// the function takes every batch unchanged. backend.h describes `accepts`; a format
// without `?:` does not accept dictionaries.
//   Fails  ALLOY_NO_MATCH  a column is missing, has a type that is not accepted, or
//                          occurs more than once; the text is a table of the columns.
//          ALLOY_BAD_DATA  the schema is malformed, or not that of a batch.
//          ALLOY_INVALID   the function declares a name twice.
Result<Projection> MatchColumns(const alloy_column* wanted,
                                const ArrowSchema& batch_schema);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_MATCH_COLUMNS_H_

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>


namespace alloy::core_v0_1 {
namespace {

// A column that the function declares, and what the batch has of that name.
struct Search {
  const alloy_column* wanted = nullptr;
  int32_t found = -1;  // the first child of this name; -1: there is none
  int32_t times = 0;
  bool accepted = false;

  bool ok() const { return times == 1 && accepted; }
};

std::string_view NameOf_match_columns(const ArrowSchema& schema) {
  return schema.name == nullptr ? std::string_view() : std::string_view(schema.name);
}

// Calls each(pattern) for the formats of the list until one call returns true.
template <typename Each>
bool AnyPattern(std::string_view accepts, Each&& each) {
  while (true) {
    accepts.remove_prefix(std::min(accepts.find_first_not_of(' '), accepts.size()));
    if (accepts.empty()) return false;
    const std::string_view pattern = accepts.substr(0, accepts.find(' '));
    accepts.remove_prefix(pattern.size());
    if (each(pattern)) return true;
  }
}

// One format of `accepts`: `u`, `tsu:*` for every format that begins so, or `?:u` for a
// dictionary of `u`.
bool Accepts(std::string_view pattern, const ArrowSchema& schema) {
  const ArrowSchema* type = &schema;
  if (pattern.starts_with("?:")) {
    pattern.remove_prefix(2);
    type = schema.dictionary;
  }
  if (type == nullptr || type->dictionary != nullptr) return false;
  const std::string_view format = type->format;
  if (pattern.ends_with('*')) {
    return format.starts_with(pattern.substr(0, pattern.size() - 1));
  }
  return format == pattern;
}

bool AcceptsAny(const char* accepts, const ArrowSchema& schema) {
  return accepts == nullptr || AnyPattern(accepts, [&](std::string_view pattern) {
           return Accepts(pattern, schema);
         });
}

constexpr size_t kWidestCell = 72;
constexpr size_t kMostRows = 12;  // more would not fit into the text of an error

std::string Cell(std::string_view text) {
  std::string cell(CutText(text, kWidestCell));
  if (cell.size() < text.size()) cell += "…";
  return cell;
}

std::string WantedCell(const char* accepts) {
  if (accepts == nullptr) return "any type";
  std::string text;
  AnyPattern(accepts, [&text](std::string_view pattern) {
    if (!text.empty()) text += " | ";
    text += AcceptedName(pattern);
    return false;
  });
  return Cell(text);
}

std::string_view Mark_match_columns(const Search& search) {
  if (search.times == 0) return "<- missing";
  if (search.times > 1) return "<- more than once";
  return search.accepted ? "" : "<- wrong type";
}

struct Row {
  std::string name, wanted, got;
  std::string_view mark;
};

// In characters, not bytes: names need not be ASCII.
size_t Width(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char byte) { return !IsContinuation(byte); }));
}

void AppendPadded(std::string_view text, size_t width, std::string* out) {
  *out += text;
  out->append(width - Width(text), ' ');
}

std::string Table_match_columns(const std::vector<Row>& rows) {
  size_t name = 0, wanted = 0, got = 0;
  for (const Row& row : rows) {
    name = std::max(name, Width(row.name));
    wanted = std::max(wanted, Width(row.wanted));
    got = std::max(got, Width(row.got));
  }
  std::string text;
  for (const Row& row : rows) {
    text += "\n  ";
    AppendPadded(row.name, name + 2, &text);
    AppendPadded(row.wanted, wanted + 2, &text);
    AppendPadded(row.got, got + 2, &text);
    text += row.mark;
    text.erase(text.find_last_not_of(' ') + 1);
  }
  return text;
}

// A row for each column that the function declares. If there are too many, the faulty
// ones come first.
Status NoMatch(std::vector<Search> searches, const ArrowSchema& schema, int32_t column) {
  const size_t all = searches.size();
  if (all > kMostRows) {
    std::stable_partition(searches.begin(), searches.end(),
                          [](const Search& search) { return !search.ok(); });
    searches.resize(kMostRows);
  }
  std::vector<Row> rows = {{"column", "wanted", "got", ""}};
  for (const Search& search : searches) {
    Row row{
        .name = {},
        .wanted = WantedCell(search.wanted->accepts),
        .got = search.times == 0 ? "-" : Cell(TypeName(*schema.children[search.found])),
        .mark = Mark_match_columns(search)};
    std::string name;
    AppendEscaped(search.wanted->name, '\0', &name);
    row.name = Cell(name);
    rows.push_back(std::move(row));
  }
  std::string text = "the batch does not have the columns that the function reads:";
  text += Table_match_columns(rows);
  if (all > kMostRows) text += "\n  … " + std::to_string(all - kMostRows) + " more";
  return Status(Fault{.code = ALLOY_NO_MATCH, .column = column, .text = std::move(text)});
}

// The preorder number of a child of the batch.
int32_t ColumnOf(const Layout& layout, int32_t child) {
  size_t node = 1;
  for (int32_t i = 0; i < child; ++i) {
    node += static_cast<size_t>(layout.nodes()[node].subtree);
  }
  return static_cast<int32_t>(node) - 1;
}

}  // namespace

Result<Projection> MatchColumns(const alloy_column* wanted,
                                const ArrowSchema& batch_schema) {
  ALLOY_ASSIGN_OR_RETURN(const Layout layout, Layout::OfBatch(batch_schema));
  if (wanted == nullptr) return Projection();
  std::vector<Search> searches;
  std::unordered_map<std::string_view, size_t> by_name;
  for (; wanted->name != nullptr; ++wanted) {
    if (!by_name.emplace(wanted->name, searches.size()).second) {
      return Fail(ALLOY_INVALID,
                  "the function declares the column " + Quoted(wanted->name) + " twice");
    }
    searches.push_back({.wanted = wanted});
  }
  // One pass over the batch. A second column of the same name only raises `times`.
  for (int32_t i = 0; i < layout.n_columns(); ++i) {
    const ArrowSchema& child = *batch_schema.children[i];
    const auto entry = by_name.find(NameOf_match_columns(child));
    if (entry == by_name.end()) continue;
    Search& search = searches[entry->second];
    if (search.times++ > 0) continue;
    search.found = i;
    search.accepted = AcceptsAny(search.wanted->accepts, child);
  }
  // An identity passes batches on unchanged: all columns are read, in the batch's order.
  Projection projection;
  projection.identity = static_cast<int64_t>(searches.size()) == layout.n_columns();
  for (const Search& search : searches) {
    if (!search.ok()) {
      const int32_t column = search.times > 0 ? ColumnOf(layout, search.found) : -1;
      return NoMatch(searches, batch_schema, column);
    }
    projection.identity &=
        search.found == static_cast<int32_t>(projection.columns.size());
    projection.columns.push_back(search.found);
  }
  return projection;
}

}  // namespace alloy::core_v0_1

// src/arrow/project.cc ------------------------------------------------------------------

#include <string>
#include <utility>

//
// A tree of ArrowArrays in one allocation: how Alloy exports.
//
// Use it to give out memory that something else owns. A block holds every struct, child
// pointer and buffer pointer of an array, and one owner that keeps the buffers alive.
// Children and dictionaries may be moved out and released on their own, in any order
// and on any thread ("The Arrow C data interface", "Moving an array" and "Moving child
// arrays"). The owner is destroyed when the last of them is released. From
// src/arrow/block_test.cc:
//
//   auto block = Block<Owner>::Make(4, 7, std::move(owner));
//   ArrowArray root;
//   block.Init(&root, {.length = 3, .n_buffers = 1, .n_children = 2});
//   block.Init(root.children[0], {.length = 3, .n_buffers = 2});
//   block.Init(root.children[1], {.length = 3, .n_buffers = 2, .dictionary = true});
//   block.Init(root.children[1]->dictionary, {.length = 1, .n_buffers = 2});
//
// Then set the buffers of each node, and call Finish. A block without memory is false.
//
// Threads  building: serial. The finished tree: as the Arrow specification has it.
#ifndef ALLOY_BLOCK_HPP_
#define ALLOY_BLOCK_HPP_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>


namespace alloy {
namespace detail {

struct BlockHeader {
  std::atomic<int64_t> live;      // nodes of this block that are not released
  void (*destroy)(BlockHeader*);  // destroys the owner and frees the block
  // Compares the types of the owner with a declared schema, for people; empty if they are
  // the same. NULL: the owner does not know its types.
  std::string (*check)(const BlockHeader*, const ArrowSchema& declared);
  const ArrowArray* slots;  // the structs of the descendants
  const ArrowArray* slots_end;
};

inline void ReleaseBlockNode(ArrowArray* array);

inline int64_t ReleaseBlockTree(ArrowArray* array, BlockHeader* header);

inline int64_t ReleaseBlockSlot(ArrowArray* slot, BlockHeader* header) {
  if (slot == nullptr || slot->release == nullptr) return 0;  // moved out, or released
  if (slot->release == &ReleaseBlockNode && slot->private_data == header) {
    return ReleaseBlockTree(slot, header);
  }
  // A foreign struct. If it was moved into a slot, it is released here. If the owner
  // holds it, the owner releases it.
  if (slot >= header->slots && slot < header->slots_end) slot->release(slot);
  return 0;
}

// Mark a node and everything that is still below it as released. Returns how many nodes
// of this block these were.
inline int64_t ReleaseBlockTree(ArrowArray* array, BlockHeader* header) {
  int64_t released = 1;
  for (int64_t i = 0; i < array->n_children; ++i) {
    released += ReleaseBlockSlot(array->children[i], header);
  }
  released += ReleaseBlockSlot(array->dictionary, header);
  array->release = nullptr;
  return released;
}

inline void ReleaseBlockNode(ArrowArray* array) {
  auto* header = static_cast<BlockHeader*>(array->private_data);
  const int64_t released = ReleaseBlockTree(array, header);
  // A thread that holds all remaining nodes needs no atomic subtraction.
  if (header->live.load(std::memory_order_acquire) == released ||
      header->live.fetch_sub(released, std::memory_order_acq_rel) == released) {
    header->destroy(header);
  }
}

}  // namespace detail

struct BlockNode {
  int64_t length = 0;
  int64_t null_count = 0;
  int64_t offset = 0;
  int64_t n_buffers = 0;
  int64_t n_children = 0;
  bool dictionary = false;
};

// Owner is destroyed on the thread that releases the last node. Its move constructor does
// not throw.
template <typename Owner>
class Block {
  static_assert(std::is_nothrow_move_constructible_v<Owner>);
  static_assert(alignof(Owner) <= alignof(std::max_align_t));

 public:
  // Make room for `nodes` nodes, the root among them, with `buffers` buffers together.
  // Without memory the block is false, and `owner` is unchanged.
  static Block Make(int64_t nodes, int64_t buffers, Owner&& owner) {
    const auto descendants = static_cast<size_t>(nodes - 1);
    const size_t bytes = sizeof(Layout) +
                         descendants * (sizeof(ArrowArray) + sizeof(ArrowArray*)) +
                         static_cast<size_t>(buffers) * sizeof(const void*);
    void* memory = std::malloc(bytes);
    if (memory == nullptr) return Block();
    auto* layout = ::new (memory) Layout(std::move(owner));
    Block block;
    block.layout_ = layout;
    block.slot_ = reinterpret_cast<ArrowArray*>(layout + 1);
    block.child_ = reinterpret_cast<ArrowArray**>(block.slot_ + descendants);
    block.buffer_ =
        const_cast<const void**>(reinterpret_cast<void**>(block.child_ + descendants));
    layout->header.destroy = &Destroy;
    layout->header.slots = block.slot_;
    layout->header.slots_end = block.slot_ + descendants;
    return block;
  }

  Block(Block&& other) noexcept { *this = std::move(other); }
  Block& operator=(Block&& other) noexcept {
    std::swap(layout_, other.layout_);
    std::swap(slot_, other.slot_);
    std::swap(child_, other.child_);
    std::swap(buffer_, other.buffer_);
    std::swap(live_, other.live_);
    return *this;
  }
  // Frees a block that was not finished, and its owner. Nodes made in it are invalid
  // then.
  ~Block() {
    if (layout_ != nullptr) Destroy(&layout_->header);
  }

  explicit operator bool() const { return layout_ != nullptr; }
  Owner& owner() { return layout_->owner; }

  // Let the owner compare its types with a schema: a lambda of owner and schema that
  // captures nothing.
  template <typename Check>
  void Describe(Check) {
    layout_->header.check = [](const detail::BlockHeader* header,
                               const ArrowSchema& declared) {
      return Check()(reinterpret_cast<const Layout*>(header)->owner, declared);
    };
  }

  // Fill `array`: the root, which may be anywhere, or a slot of this block. Its children
  // and its dictionary get the next free slots; fill these too. Its buffers are NULL.
  void Init(ArrowArray* array, const BlockNode& node) {
    array->length = node.length;
    array->null_count = node.null_count;
    array->offset = node.offset;
    array->n_buffers = node.n_buffers;
    array->n_children = node.n_children;
    array->buffers = node.n_buffers > 0 ? buffer_ : nullptr;
    for (int64_t i = 0; i < node.n_buffers; ++i) *buffer_++ = nullptr;
    array->children = node.n_children > 0 ? child_ : nullptr;
    for (int64_t i = 0; i < node.n_children; ++i) *child_++ = slot_++;
    array->dictionary = node.dictionary ? slot_++ : nullptr;
    array->release = &detail::ReleaseBlockNode;
    array->private_data = &layout_->header;
    ++live_;
  }

  // Move a foreign struct into a slot of this block.
  static void Adopt(ArrowArray* slot, ArrowArray* source) {
    *slot = *source;
    source->release = nullptr;
  }

  // The tree is complete. From now on it lives until it is released.
  void Finish() {
    layout_->header.live.store(live_, std::memory_order_release);
    layout_ = nullptr;
  }

 private:
  struct Layout {
    explicit Layout(Owner&& value) : owner(std::move(value)) {}
    detail::BlockHeader header{};
    Owner owner;
  };
  static_assert(sizeof(Layout) % alignof(ArrowArray) == 0);

  Block() = default;

  static void Destroy(detail::BlockHeader* header) {
    auto* layout = reinterpret_cast<Layout*>(header);
    std::destroy_at(layout);
    std::free(layout);
  }

  Layout* layout_ = nullptr;
  ArrowArray* slot_ = nullptr;
  ArrowArray** child_ = nullptr;
  const void** buffer_ = nullptr;
  int64_t live_ = 0;
};

}  // namespace alloy

#endif  // ALLOY_BLOCK_HPP_
//
// Copies schemas, and makes keys of them for caches.
//
// Threads  shared.
#ifndef ALLOY_SRC_ARROW_SCHEMA_H_
#define ALLOY_SRC_ARROW_SCHEMA_H_

#include <string>


namespace alloy::core_v0_1 {

// Copy a schema with everything below it, in one allocation. Children and dictionaries
// may be moved out of the copy and released separately, in any order, on any thread.
// Only the structs are checked; format strings are copied without being parsed.
//   Fails  ALLOY_BAD_DATA, ALLOY_EXHAUSTED.
Result<OwnedSchema> CopySchema(const ArrowSchema& schema);

// Append all that makes schemas different: formats, names, flags, metadata, nesting. Two
// schemas are equal if and only if their keys are equal. Formats are not parsed, so this
// is cheap enough for the lookup of a bound call. On failure *key may hold a part.
//   Fails  ALLOY_BAD_DATA.
// The schemas of one key share a budget.
Status AppendFingerprint(const ArrowSchema& schema, SchemaBudget* budget,
                         std::string* key);
inline Status AppendFingerprint(const ArrowSchema& schema, std::string* key) {
  SchemaBudget budget;
  return AppendFingerprint(schema, &budget, key);
}

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_SCHEMA_H_

namespace alloy::core_v0_1 {
namespace {

Status CheckColumns(const Projection& projection, int64_t n_columns) {
  for (const int32_t column : projection.columns) {
    if (column < 0 || column >= n_columns) {
      return Fail(ALLOY_INVALID, "there is no column " + std::to_string(column) +
                                     " in a batch of " + CountText(n_columns, "column"));
    }
  }
  return Status();
}

}  // namespace

Result<OwnedSchema> ProjectSchema(const ArrowSchema& batch_schema,
                                  const Projection& projection) {
  if (projection.identity) return CopySchema(batch_schema);
  ALLOY_TRY(WalkSchema(batch_schema, [](const SchemaPlace&) { return Status(); }));
  ALLOY_TRY(CheckColumns(projection, batch_schema.n_children));
  std::vector<ArrowSchema*> children;
  children.reserve(projection.columns.size());
  for (const int32_t column : projection.columns) {
    children.push_back(batch_schema.children[column]);
  }
  ArrowSchema projected = batch_schema;  // a view to copy from; never released
  projected.n_children = static_cast<int64_t>(children.size());
  projected.children = children.data();
  return CopySchema(projected);
}

Status ProjectBatch(const Projection& projection, ArrowArray* batch) {
  if (projection.identity) return Status();
  ALLOY_TRY(CheckColumns(projection, batch->n_children));
  const auto n = static_cast<int64_t>(projection.columns.size());
  OwnedArray original(batch);
  auto block = Block<OwnedArray>::Make(1 + n, 1, std::move(original));
  if (!block) {
    // Make did not move the batch, because there was no memory.
    original.MoveTo(batch);  // NOLINT(bugprone-use-after-move)
    return Fail(ALLOY_EXHAUSTED,
                "out of memory while selecting the columns that the function reads");
  }
  ArrowArray** columns = block.owner()->children;
  block.Init(batch, {.length = block.owner()->length, .n_buffers = 1, .n_children = n});
  // The columns are not copied: the old batch still owns them, and the block owns the old
  // batch.
  for (int64_t i = 0; i < n; ++i) {
    batch->children[i] = columns[projection.columns[static_cast<size_t>(i)]];
  }
  block.Finish();
  return Status();
}

}  // namespace alloy::core_v0_1

// src/arrow/same_schema.cc --------------------------------------------------------------
//
// Compares the schema of a stream with the schema that was bound.
//
// Threads  shared.
#ifndef ALLOY_SRC_ARROW_SAME_SCHEMA_H_
#define ALLOY_SRC_ARROW_SAME_SCHEMA_H_


namespace alloy::core_v0_1 {

// Check that `found`, which nobody has checked yet, describes the same batches as `bound`.
// Name, flags and metadata of the root are not compared: producers fill them differently,
// and they change nothing about the columns.
//   Fails  ALLOY_BAD_DATA  at the first place that differs (STREAM_SCHEMA) or is
//                          malformed.
Status CheckSameSchema(const ArrowSchema& bound, const ArrowSchema& found);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_SAME_SCHEMA_H_

#include <string>
#include <string_view>
#include <vector>


namespace alloy::core_v0_1 {
namespace {

std::string_view NameOf_same_schema(const ArrowSchema& schema) {
  return schema.name == nullptr ? std::string_view() : schema.name;
}

// `"x": Int64 not null`
std::string FieldText(const SchemaPlace& place) {
  const ArrowSchema& schema = *place.schema;
  std::string text = place.parent == nullptr ? "" : Quoted(NameOf_same_schema(schema)) + ": ";
  text += TypeName(schema);
  if (place.parent != nullptr && (schema.flags & ARROW_FLAG_NULLABLE) == 0) {
    text += " not null";
  }
  return text;
}

std::string_view MetadataOf(const SchemaPlace& place) {
  if (place.metadata_bytes == 0) return {};
  return {place.schema->metadata, static_cast<size_t>(place.metadata_bytes)};
}

// Compares two nodes without their children: the walk visits those next.
bool SameNode(const SchemaPlace& bound, const SchemaPlace& found) {
  const ArrowSchema& a = *bound.schema;
  const ArrowSchema& b = *found.schema;
  if (std::string_view(a.format) != b.format || a.n_children != b.n_children ||
      (a.dictionary == nullptr) != (b.dictionary == nullptr)) {
    return false;
  }
  return bound.parent == nullptr || (NameOf_same_schema(a) == NameOf_same_schema(b) && a.flags == b.flags &&
                                     MetadataOf(bound) == MetadataOf(found));
}

Status Differs(const SchemaPlace& bound, const SchemaPlace& found) {
  const std::string expected = FieldText(bound);
  std::string text = "the stream has another schema than was bound: expected ";
  text += expected + ", found " + FieldText(found);
  if (FieldText(found) == expected) text += " with other flags or metadata";
  return SchemaFault(found, ALLOY_REASON_STREAM_SCHEMA, text);
}

}  // namespace

Status CheckSameSchema(const ArrowSchema& bound, const ArrowSchema& found) {
  std::vector<SchemaPlace> places;
  ALLOY_TRY(WalkSchema(bound, [&places](const SchemaPlace& place) {
    // After the visit `parent` dangles. SameNode only compares it with NULL.
    places.push_back(place);
    return Status();
  }));
  size_t i = 0;
  // Both walks visit the same places: the second one ends at the first node that has
  // another number of children than its counterpart.
  return WalkSchema(found, [&](const SchemaPlace& place) {
    const SchemaPlace& expected = places[i++];
    return SameNode(expected, place) ? Status() : Differs(expected, place);
  });
}

}  // namespace alloy::core_v0_1

// src/arrow/schema.cc -------------------------------------------------------------------

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>


namespace alloy::core_v0_1 {
namespace {

// The memory of a copied tree begins with this. The nodes below the root follow, then the
// pointers to them, then metadata and strings. The root is in the caller's struct.
struct SchemaBlock {
  std::atomic<int64_t> live;  // nodes that are not yet released
  const ArrowSchema* slots;
  const ArrowSchema* slots_end;
};
static_assert(sizeof(SchemaBlock) % alignof(ArrowSchema) == 0);

// The release of every node of a copy, of the root as well as of a node that was moved
// out. The block is freed with the last of its nodes.
void ReleaseCopy(ArrowSchema* schema);

int64_t ReleaseTree(ArrowSchema* schema, SchemaBlock* block);

int64_t ReleaseBelow(ArrowSchema* schema, SchemaBlock* block) {
  if (schema == nullptr || schema->release == nullptr) return 0;  // moved out
  if (schema->release == &ReleaseCopy && schema->private_data == block) {
    return ReleaseTree(schema, block);
  }
  // The caller has moved a foreign schema into a node of this block.
  if (schema >= block->slots && schema < block->slots_end) schema->release(schema);
  return 0;
}

// Mark a node, and those below it that were not moved out, as released. Returns how many
// nodes of the block these were.
int64_t ReleaseTree(ArrowSchema* schema, SchemaBlock* block) {
  int64_t released = 1;
  for (int64_t i = 0; i < schema->n_children; ++i) {
    released += ReleaseBelow(schema->children[i], block);
  }
  released += ReleaseBelow(schema->dictionary, block);
  schema->release = nullptr;
  return released;
}

void ReleaseCopy(ArrowSchema* schema) {
  auto* block = static_cast<SchemaBlock*>(schema->private_data);
  const int64_t released = ReleaseTree(schema, block);
  if (block->live.fetch_sub(released, std::memory_order_acq_rel) == released) {
    std::free(block);
  }
}

constexpr size_t kMetadataAlignment = 8;

size_t Aligned(size_t bytes) {
  return (bytes + kMetadataAlignment - 1) / kMetadataAlignment * kMetadataAlignment;
}

// What the block must have room for.
struct Room {
  size_t nodes = 0;
  size_t metadata = 0;
  size_t strings = 0;
};

// Fills the block. Metadata comes before the strings, so that each block of it is aligned
// to 8 bytes, although the format does not require it.
class SchemaCopier {
 public:
  SchemaCopier(SchemaBlock* block, const Room& room) : block_(block) {
    const size_t descendants = room.nodes - 1;
    slot_ = reinterpret_cast<ArrowSchema*>(block + 1);
    child_ = reinterpret_cast<ArrowSchema**>(slot_ + descendants);
    metadata_ = reinterpret_cast<char*>(child_ + descendants);
    string_ = metadata_ + room.metadata;
    block->slots = slot_;
    block->slots_end = slot_ + descendants;
  }

  void Copy(const ArrowSchema& from, ArrowSchema* to) {
    to->format = CopyString(from.format);
    to->name = CopyString(from.name);
    to->metadata = CopyMetadata(from.metadata);
    to->flags = from.flags;
    to->n_children = from.n_children;
    to->children = from.n_children > 0 ? child_ : nullptr;
    to->dictionary = from.dictionary != nullptr ? slot_++ : nullptr;
    to->release = &ReleaseCopy;
    to->private_data = block_;
    for (int64_t i = 0; i < from.n_children; ++i) *child_++ = slot_++;
    if (from.dictionary != nullptr) Copy(*from.dictionary, to->dictionary);
    for (int64_t i = 0; i < from.n_children; ++i) {
      Copy(*from.children[i], to->children[i]);
    }
  }

 private:
  const char* CopyString(const char* from) {
    return from == nullptr ? nullptr : CopyBytes(&string_, from, std::strlen(from) + 1);
  }

  const char* CopyMetadata(const char* from) {
    if (from == nullptr) return nullptr;
    const auto bytes = static_cast<size_t>(MetadataBytes(from));
    const char* copy = CopyBytes(&metadata_, from, bytes);
    metadata_ += Aligned(bytes) - bytes;
    return copy;
  }

  static const char* CopyBytes(char** at, const char* from, size_t bytes) {
    char* copy = *at;
    std::memcpy(copy, from, bytes);
    *at += bytes;
    return copy;
  }

  SchemaBlock* block_;
  ArrowSchema* slot_;
  ArrowSchema** child_;
  char* metadata_;
  char* string_;
};

}  // namespace

Result<OwnedSchema> CopySchema(const ArrowSchema& schema) {
  Room room;
  ALLOY_TRY(WalkSchema(schema, [&room](const SchemaPlace& place) {
    const ArrowSchema& node = *place.schema;
    ++room.nodes;
    room.metadata += Aligned(static_cast<size_t>(place.metadata_bytes));
    room.strings += std::strlen(node.format) + 1;
    room.strings += node.name == nullptr ? 0 : std::strlen(node.name) + 1;
    return Status();
  }));
  const size_t bytes = sizeof(SchemaBlock) +
                       (room.nodes - 1) * (sizeof(ArrowSchema) + sizeof(ArrowSchema*)) +
                       room.metadata + room.strings;
  void* memory = std::malloc(bytes);
  if (memory == nullptr) return Fail(ALLOY_EXHAUSTED, "out of memory to copy a schema");
  auto* block = ::new (memory) SchemaBlock{};
  block->live.store(static_cast<int64_t>(room.nodes), std::memory_order_relaxed);
  ArrowSchema copy{};
  SchemaCopier(block, room).Copy(schema, &copy);
  return OwnedSchema(&copy);
}

Status AppendFingerprint(const ArrowSchema& schema, SchemaBudget* budget,
                         std::string* key) {
  const auto visit = [key](const SchemaPlace& place) {
    const ArrowSchema& node = *place.schema;
    // No two schemas have the same key: a NUL ends each string, and every other part has
    // a fixed length or a length in front.
    const int64_t numbers[] = {
        node.flags, node.n_children, place.metadata_bytes,
        (node.name != nullptr ? 1 : 0) | (node.dictionary != nullptr ? 2 : 0)};
    key->append(reinterpret_cast<const char*>(numbers), sizeof(numbers));
    key->append(node.format, std::strlen(node.format) + 1);
    if (node.name != nullptr) key->append(node.name, std::strlen(node.name) + 1);
    if (place.metadata_bytes > 0) {
      key->append(node.metadata, static_cast<size_t>(place.metadata_bytes));
    }
    return Status();
  };
  return WalkSchema(schema, visit, budget);
}

}  // namespace alloy::core_v0_1

// src/arrow/schema_walk.cc --------------------------------------------------------------

#include <cstring>


namespace alloy::core_v0_1 {
namespace {

constexpr int64_t kLength = sizeof(int32_t);
// Of MetadataBytes.
constexpr int64_t kMalformed = -1;
constexpr int64_t kTooMuch = -2;

// The block has no alignment.
int32_t LoadLength(const char* at) {
  int32_t length;
  std::memcpy(&length, at, sizeof(length));
  return length;
}

bool TakeBytes(int64_t bytes, SchemaBudget* budget) {
  if (bytes > budget->bytes) return false;
  budget->bytes -= bytes;
  return true;
}

// Reads no further than the budget reaches.
bool TakeText(const char* text, SchemaBudget* budget) {
  if (text == nullptr) return true;
  const auto limit = static_cast<size_t>(budget->bytes);
  const size_t length = ::strnlen(text, limit);
  return length < limit && TakeBytes(static_cast<int64_t>(length) + 1, budget);
}

void AppendPath(const SchemaPlace& place, std::string* path) {
  if (place.parent == nullptr) return;
  AppendPath(*place.parent, path);
  const char* name = place.schema == nullptr || place.schema->release == nullptr
                         ? nullptr
                         : place.schema->name;
  AppendPathPart(name == nullptr ? "" : name, place.ordinal, path);
}

}  // namespace

std::string PathOf(const SchemaPlace& place) {
  std::string path;
  AppendPath(place, &path);
  return path;
}

Status SchemaFault(const SchemaPlace& place, int32_t reason, std::string_view what) {
  return DataFault(reason, {.column = place.column, .path = PathOf(place)}, what);
}

// The block has no size of its own, so only the limits stop false numbers. A string takes
// at least the bytes of its length.
int64_t MetadataBytes(const char* metadata, int64_t limit) {
  if (metadata == nullptr) return 0;
  if (limit < kLength) return kTooMuch;
  const int32_t pairs = LoadLength(metadata);
  int64_t strings = 2 * static_cast<int64_t>(pairs);
  int64_t bytes = kLength;
  if (pairs < 0 || bytes + strings * kLength > kMostMetadata) return kMalformed;
  for (; strings > 0; --strings) {
    if (bytes + strings * kLength > limit) return kTooMuch;
    const int32_t length = LoadLength(metadata + bytes);
    bytes += kLength + length;
    if (length < 0 || bytes + (strings - 1) * kLength > kMostMetadata) return kMalformed;
  }
  return bytes > limit ? kTooMuch : bytes;
}

Status CheckSchemaNode(SchemaPlace* place, SchemaBudget* budget) {
  const ArrowSchema* schema = place->schema;
  // These limits also end the walk of a schema that contains itself.
  if (place->depth > kMostLevels) {
    return SchemaFault(
        *place, ALLOY_REASON_TOO_DEEP,
        "the schema has more than " + std::to_string(kMostLevels) + " levels");
  }
  if (place->parent != nullptr && budget->columns-- == 0) {
    return SchemaFault(*place, ALLOY_REASON_TOO_MANY_COLUMNS,
                       "the schema has more than " + std::to_string(kMostColumns) +
                           " columns, nested ones included");
  }
  if (schema == nullptr) {
    return SchemaFault(*place, ALLOY_REASON_CHILD_NULL,
                       "the pointer to this schema is NULL");
  }
  if (schema->release == nullptr) {
    return SchemaFault(*place, ALLOY_REASON_SCHEMA_RELEASED,
                       "the schema is released, or was never filled");
  }
  if (schema->format == nullptr) {
    return SchemaFault(*place, ALLOY_REASON_FORMAT_NULL, "the format string is NULL");
  }
  place->metadata_bytes = MetadataBytes(schema->metadata, budget->bytes);
  if (place->metadata_bytes == kMalformed) {
    return SchemaFault(*place, ALLOY_REASON_METADATA,
                       "the metadata is malformed: expected lengths from 0 to 64 MiB");
  }
  if (place->metadata_bytes == kTooMuch || !TakeBytes(place->metadata_bytes, budget) ||
      !TakeText(schema->format, budget) || !TakeText(schema->name, budget)) {
    return SchemaFault(*place, ALLOY_REASON_SCHEMA_SIZE,
                       "the names, formats and metadata up to here have more than 64 "
                       "MiB together");
  }
  return Status();
}

Status CheckSchemaChildren(const SchemaPlace& place, const SchemaBudget& budget) {
  const ArrowSchema& schema = *place.schema;
  if (schema.n_children < 0) {
    return SchemaFault(
        place, ALLOY_REASON_CHILD_COUNT,
        "expected at least 0 children, found " + std::to_string(schema.n_children));
  }
  if (schema.n_children > budget.columns) {
    return SchemaFault(place, ALLOY_REASON_TOO_MANY_COLUMNS,
                       "expected at most " + std::to_string(kMostColumns) +
                           " columns, nested ones included; found " +
                           CountText(schema.n_children, "child") + " here");
  }
  if (schema.n_children > 0 && schema.children == nullptr) {
    return SchemaFault(place, ALLOY_REASON_CHILDREN_NULL,
                       "expected " + CountText(schema.n_children, "child") +
                           ", but the pointer to them is NULL");
  }
  return Status();
}

}  // namespace alloy::core_v0_1

// src/arrow/shortest.cc -----------------------------------------------------------------

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <utility>

namespace alloy::core_v0_1 {
namespace {

double Parse(const char* text, double) { return std::strtod(text, nullptr); }
float Parse(const char* text, float) { return std::strtof(text, nullptr); }

// `digits` times 10 to the power of `exponent`, as the locale of the process needs no point.
template <typename T>
bool IsTextOf(const std::string& digits, int exponent, T value) {
  return Parse((digits + 'e' + std::to_string(exponent)).c_str(), value) == value;
}

// The nearest number with so many digits.
template <typename T>
ShortestDigits Rounded(T value, int count) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*e", count - 1, static_cast<double>(value));
  ShortestDigits found{};
  const char* at = text;
  for (; *at != 'e'; ++at) {
    if (*at >= '0' && *at <= '9') found.digits += *at;  // the point depends on the locale
  }
  found.point = std::atoi(at + 1) + 1;
  return found;
}

// The next larger number with as many digits.
ShortestDigits Above(ShortestDigits number) {
  size_t i = number.digits.size();
  while (i > 0 && number.digits[i - 1] == '9') number.digits[--i] = '0';
  if (i > 0) {
    ++number.digits[i - 1];
  } else {
    number.digits.insert(0, 1, '1').pop_back();
    ++number.point;
  }
  return number;
}

template <typename T>
ShortestDigits Find_shortest(T value) {
  if (value == 0) return {.digits = "0", .point = 1};
  constexpr int kSafe = std::numeric_limits<T>::digits10;
  int exponent = 0;
  const bool is_power_of_2 = std::frexp(value, &exponent) == T(0.5);
  // If kSafe digits are enough, the shortest are those without zeros at their end. Numbers
  // below the smallest normal one have fewer bits, so this does not hold for them.
  int count = value < std::numeric_limits<T>::min() ? 1 : kSafe;
  for (;; ++count) {
    ShortestDigits found = Rounded(value, count);
    // Numbers just below a power of 2 are closer together than those above it. So a text
    // above may be right although a nearer one below is not.
    for (int side = 0; side < (is_power_of_2 ? 2 : 1); ++side) {
      if (side == 1) found = Above(std::move(found));
      if (!IsTextOf(found.digits, found.point - count, value)) continue;
      found.digits.erase(found.digits.find_last_not_of('0') + 1);
      return found;
    }
  }
}

}  // namespace

ShortestDigits Shortest(double value) { return Find_shortest(value); }
ShortestDigits Shortest(float value) { return Find_shortest(value); }

}  // namespace alloy::core_v0_1

// src/arrow/type_name.cc ----------------------------------------------------------------

#include <array>
#include <utility>


namespace alloy::core_v0_1 {
namespace {

constexpr size_t kLongestName_type_name = 512;

struct NamedType {
  Type type;
  std::string_view name;
};

constexpr auto kNames = std::to_array<NamedType>({
    {Type::kNull, "Null"},
    {Type::kBoolean, "Boolean"},
    {Type::kInt8, "Int8"},
    {Type::kUInt8, "UInt8"},
    {Type::kInt16, "Int16"},
    {Type::kUInt16, "UInt16"},
    {Type::kInt32, "Int32"},
    {Type::kUInt32, "UInt32"},
    {Type::kInt64, "Int64"},
    {Type::kUInt64, "UInt64"},
    {Type::kFloat16, "Float16"},
    {Type::kFloat32, "Float32"},
    {Type::kFloat64, "Float64"},
    {Type::kBinary, "Binary"},
    {Type::kLargeBinary, "LargeBinary"},
    {Type::kBinaryView, "BinaryView"},
    {Type::kUtf8, "Utf8"},
    {Type::kLargeUtf8, "LargeUtf8"},
    {Type::kUtf8View, "Utf8View"},
    {Type::kFixedSizeBinary, "FixedSizeBinary"},
    {Type::kDecimal32, "Decimal32"},
    {Type::kDecimal64, "Decimal64"},
    {Type::kDecimal128, "Decimal128"},
    {Type::kDecimal256, "Decimal256"},
    {Type::kDate32, "Date32"},
    {Type::kDate64, "Date64"},
    {Type::kTime32, "Time32"},
    {Type::kTime64, "Time64"},
    {Type::kTimestamp, "Timestamp"},
    {Type::kDuration, "Duration"},
    {Type::kIntervalYearMonth, "Interval"},
    {Type::kIntervalDayTime, "Interval"},
    {Type::kIntervalMonthDayNano, "Interval"},
    {Type::kList, "List"},
    {Type::kLargeList, "LargeList"},
    {Type::kListView, "ListView"},
    {Type::kLargeListView, "LargeListView"},
    {Type::kFixedSizeList, "FixedSizeList"},
    {Type::kStruct, "Struct"},
    {Type::kMap, "Map"},
    {Type::kSparseUnion, "Union"},
    {Type::kDenseUnion, "Union"},
    {Type::kRunEndEncoded, "RunEndEncoded"},
});

// Each name stands at the place of its type, and no type lacks its name.
static_assert([] {
  size_t type = 0;
  for (const NamedType& named : kNames) {
    if (named.type != static_cast<Type>(type++)) return false;
  }
  return type == static_cast<size_t>(kLastType) + 1;
}());

std::string_view BaseName(Type type) { return kNames[static_cast<size_t>(type)].name; }

std::string_view UnitName(char unit) {
  switch (unit) {
    case 'm':
      return "ms";
    case 'u':
      return "us";
    case 'n':
      return "ns";
    default:
      return "s";
  }
}

// The text in parentheses, before any children.
std::string Parameters(const Format& format) {
  std::string text;
  switch (format.type) {
    case Type::kFixedSizeBinary:
      return std::to_string(format.bits / 8);
    case Type::kFixedSizeList:
      return std::to_string(format.size);
    case Type::kDecimal32:
    case Type::kDecimal64:
    case Type::kDecimal128:
    case Type::kDecimal256:
      return std::to_string(format.precision) + ", " + std::to_string(format.scale);
    case Type::kTime32:
    case Type::kTime64:
    case Type::kDuration:
      return std::string(UnitName(format.unit));
    case Type::kTimestamp:
      text = UnitName(format.unit);
      if (!format.parameters.empty()) text += ", ";
      AppendEscaped(CutText(format.parameters, 64), '\0', &text);
      return text;
    case Type::kIntervalYearMonth:
      return "YearMonth";
    case Type::kIntervalDayTime:
      return "DayTime";
    case Type::kIntervalMonthDayNano:
      return "MonthDayNano";
    case Type::kSparseUnion:
      return "sparse";
    case Type::kDenseUnion:
      return "dense";
    default:
      return "";
  }
}

bool NamesItsChildren(Type type) {
  return type == Type::kStruct || type == Type::kSparseUnion || type == Type::kDenseUnion;
}

// Builds one name. It stops early when the name is long enough to be cut.
class TypeNamer {
 public:
  std::string Finish() {
    if (out_.size() > kLongestName_type_name) {
      out_ = std::string(CutText(out_, kLongestName_type_name)) + "…";
    }
    return std::move(out_);
  }

  // The schema is not checked, so each pointer is checked here before it is used. The
  // limits on depth and on the length of the name end the walk.
  void Add(const ArrowSchema* schema, int depth) {
    if (out_.size() > kLongestName_type_name) return;
    Format format;
    if (schema == nullptr || schema->release == nullptr || schema->format == nullptr ||
        depth > kMostLevels) {
      out_ += "Unknown";
    } else if (ParseFormat(schema->format, &format).reason != 0) {
      out_ += "Unknown(";
      AppendEscaped(CutText(schema->format, 64), '\0', &out_);
      out_ += ')';
    } else if (schema->dictionary != nullptr) {
      out_.append("Dictionary(").append(BaseName(format.type)).append(", ");
      Add(schema->dictionary, depth + 1);
      out_ += ')';
    } else {
      AddPlain(*schema, format, depth);
    }
  }

 private:
  void AddPlain(const ArrowSchema& schema, const Format& format, int depth) {
    const std::string parameters = Parameters(format);
    const bool nested = RuleOf(format.form).children != ChildCount::kZero;
    out_ += BaseName(format.type);
    if (parameters.empty() && !nested) return;
    out_.append("(").append(parameters);
    if (nested) AddChildren(schema, format, parameters, depth);
    out_ += ')';
  }

  void AddChildren(const ArrowSchema& schema, const Format& format,
                   const std::string& parameters, int depth) {
    // A map shows its key and its value, not the struct between them.
    const ArrowSchema* from = &schema;
    if (format.type == Type::kMap && schema.n_children == 1 &&
        schema.children != nullptr && schema.children[0] != nullptr &&
        schema.children[0]->release != nullptr) {
      from = schema.children[0];
    }
    // A count above the limit is false: the children cannot all be there.
    if (from->n_children > kMostColumns ||
        (from->n_children > 0 && from->children == nullptr)) {
      out_ += "Unknown";
      return;
    }
    const bool named = NamesItsChildren(format.type);
    std::string_view separator = named ? "; " : ", ";
    if (parameters.empty()) separator = "";
    for (int64_t i = 0; i < from->n_children && out_.size() <= kLongestName_type_name; ++i) {
      out_ += separator;
      separator = ", ";
      const ArrowSchema* child = from->children[i];
      if (named && child != nullptr && child->release != nullptr) {
        AppendEscaped(CutText(child->name == nullptr ? "" : child->name, 64), '\0',
                      &out_);
        out_ += ": ";
      }
      Add(child, depth + 1);
    }
  }

  std::string out_;
};

// The name of all formats that begin with a prefix.
std::string PrefixName(std::string_view prefix) {
  constexpr auto kPrefixes = std::to_array<std::pair<std::string_view, std::string_view>>(
      {{"", "any type"},
       {"ts", "Timestamp"},
       {"tss:", "Timestamp(s, *)"},
       {"tsm:", "Timestamp(ms, *)"},
       {"tsu:", "Timestamp(us, *)"},
       {"tsn:", "Timestamp(ns, *)"},
       {"td", "Date"},
       {"tt", "Time"},
       {"tD", "Duration"},
       {"ti", "Interval"},
       {"d:", "Decimal"},
       {"w:", "FixedSizeBinary"},
       {"+w:", "FixedSizeList"},
       {"+u", "Union"},
       {"+us:", "Union(sparse)"},
       {"+ud:", "Union(dense)"}});
  for (const auto& [text, name] : kPrefixes) {
    if (text == prefix) return std::string(name);
  }
  return Quoted(std::string(prefix) + "*");
}

}  // namespace

std::string TypeName(const ArrowSchema& schema) {
  TypeNamer namer;
  namer.Add(&schema, 0);
  return namer.Finish();
}

std::string AcceptedName(std::string_view pattern) {
  if (pattern.starts_with("?:")) {
    return "Dictionary(*, " + AcceptedName(pattern.substr(2)) + ")";
  }
  if (pattern.ends_with('*')) return PrefixName(pattern.substr(0, pattern.size() - 1));
  Format format;
  if (ParseFormat(pattern, &format).reason != 0) return Quoted(pattern);
  const std::string parameters = Parameters(format);
  std::string name(BaseName(format.type));
  return parameters.empty() ? name : name + "(" + parameters + ")";
}

}  // namespace alloy::core_v0_1

// src/gate/batch.cc ---------------------------------------------------------------------
//
// The gate for batches: every batch that crosses between host and backend passes here.
//
// Threads  shared; a batch belongs to one thread at a time.
#ifndef ALLOY_SRC_GATE_BATCH_H_
#define ALLOY_SRC_GATE_BATCH_H_

#ifndef ALLOY_SRC_GATE_LEVEL_H_
#define ALLOY_SRC_GATE_LEVEL_H_

#include <cstdint>

namespace alloy::core_v0_1 {

// How much the gate checks. Each level includes the level before it. The numbers are
// those of alloy_bridge_options.
enum class Level : uint8_t {
  kShape = 1,  // structs, pointers and lengths: O(columns)
  kSafe = 2,   // also all values that point elsewhere, in the rows that a reader reaches,
               // and the nulls of columns that are declared not nullable
  kFull = 3,   // also the rows that no reader reaches, UTF-8, null counts, and the nulls
               // of map entries and keys
};

// What the gate does with one batch.
struct Checks {
  Level level = Level::kShape;
  // The reader trusts all values (ALLOY_TRUSTS_VALUES). Whatever the level is, the values
  // are checked as at level full. What such a reader needs although Arrow leaves it open
  // is repaired (mend.h).
  bool trusted = false;

  // NOLINTNEXTLINE(google-explicit-constructor,misc-explicit-constructor): a level is the usual case.
  constexpr Checks(Level of, bool is_trusted = false) : level(of), trusted(is_trusted) {}

  constexpr bool full() const { return trusted || level == Level::kFull; }
  constexpr bool rows() const { return trusted || level != Level::kShape; }
  friend bool operator==(const Checks&, const Checks&) = default;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_LEVEL_H_

namespace alloy::core_v0_1 {

// Check a batch. Then repair what can be repaired without a change of data (repair.h): on
// success *batch follows the rules of backend.h, and only validity bitmaps may be NULL. A
// batch that needs no repair is not changed.
//   Takes  nothing: on failure *batch is unchanged, and still the caller's.
//   Fails  ALLOY_BAD_DATA   with reason and column.
//          ALLOY_EXHAUSTED  not enough memory for the repair.
Status AdmitBatch(const Layout& layout, Checks checks, ArrowArray* batch);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_BATCH_H_

#include <string>
#include <utility>
#include <vector>

//
// Nulls in columns that the schema declares not nullable.
//
// A null counts only if a reader can see it: a field of a null struct, or an item of a
// null list, may be null although it is declared not nullable. Nulls of dictionaries, of
// unions, of run ends and of list views are those of their values, and are not checked
// against the column.
//
// Threads  shared.
#ifndef ALLOY_SRC_GATE_NULLABILITY_H_
#define ALLOY_SRC_GATE_NULLABILITY_H_


namespace alloy::core_v0_1 {

// Check a batch whose rows have passed rows.h. From level safe on, a column that is
// declared not nullable has no nulls. From level full on, or if the values are trusted,
// map entries and keys have none, whatever the schema says. An array with a null count of
// 0 costs nothing; one without a null count costs a pass over its bitmap.
//   Fails  ALLOY_BAD_DATA  with reason NOT_NULLABLE or MAP_NULLS, column and row.
Status CheckNullability(const Layout& layout, Checks checks, const ArrowArray& batch);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_NULLABILITY_H_
//
// Reads the validity bitmap of an array that has passed level shape.
//
// Threads  shared.
#ifndef ALLOY_SRC_GATE_NULLS_H_
#define ALLOY_SRC_GATE_NULLS_H_

#include <cstdint>


namespace alloy::core_v0_1 {

// Rows `begin` to `begin + count`, counted from the start of the buffers.
struct RowRange {
  int64_t begin = 0;
  int64_t count = 0;
};

// The null rows of an array. Level safe does not check the values of null rows.
struct Nulls {
  const void* bitmap = nullptr;  // NULL: no row is null

  explicit Nulls(const ArrowArray& array)
      : bitmap(array.null_count == 0 ? nullptr : array.buffers[0]) {}
  bool At(int64_t row) const { return bitmap != nullptr && !BitAt(bitmap, row); }
};

// True if any of the rows is null. The bitmap may be NULL: then none is.
bool AnyNull(const void* bitmap, RowRange rows);

// The number of null rows.
int64_t CountNulls(const void* bitmap, RowRange rows);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_NULLS_H_
//
// Repairs a batch that is valid Arrow but does not follow the stricter rules of
// backend.h. The data is not copied: the new structs point to the old buffers, except
// for the few that mend.h copies.
//
// Threads  shared; a batch belongs to one thread at a time.
#ifndef ALLOY_SRC_GATE_REPAIR_H_
#define ALLOY_SRC_GATE_REPAIR_H_

//
// Copies of buffers whose values are valid Arrow, but more than Arrow libraries can read.
//
// Arrow says nothing about the values of null rows, and only recommends an alignment.
// arrow-rs, arrow2 and Arrow C++ read both without a check:
//   the views of null rows     compare, sort and interleave of arrow-rs follow them
//   the indices of null rows   a dictionary is looked up before the validity is
//   the text of null rows      arrow-rs takes it for UTF-8
//   misaligned numbers         arrow2 refuses them, Arrow C++ reads them as if aligned
// The copies have empty views, indices and texts in null rows, and are aligned to 64
// bytes. Most batches need none of this.
//
// Threads  serial.
#ifndef ALLOY_SRC_GATE_MEND_H_
#define ALLOY_SRC_GATE_MEND_H_

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>


namespace alloy::core_v0_1 {

// An array whose buffers are to be copied. `rows`, from the start of the buffers, are all
// rows that the repaired array has.
struct Mend {
  enum class Kind : uint8_t { kAlignment, kNullViews, kNullIndices, kNullTexts };

  const Layout::Node* node = nullptr;
  const ArrowArray* array = nullptr;
  RowRange rows;
  Kind kind = Kind::kAlignment;
};

// True if a buffer of numbers is not aligned as the numbers are.
bool IsMisaligned(const Layout::Node& node, const ArrowArray& array);

// An array with copied buffers. Its rows begin at `offset` now; so the first buffer,
// which is not copied, begins later.
struct MendedArray {
  struct Free {
    void operator()(void* block) const { std::free(block); }
  };
  using Memory = std::unique_ptr<void, Free>;

  const Layout::Node* node = nullptr;
  int64_t offset = 0;
  std::array<const void*, 3> buffers{};  // NULL: the buffer of the old array
  std::array<Memory, 3> memory;          // of those that are not NULL
};

// Make the copies, in the order of the nodes. The arrays have passed the row checks.
//   Fails  ALLOY_EXHAUSTED.
Result<std::vector<MendedArray>> MendArrays(std::vector<Mend> mends);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_MEND_H_

namespace alloy::core_v0_1 {

// Replace *batch, which has passed level shape, by a block that owns the old batch:
//   the batch's own offset becomes an offset of its columns
//   columns that are longer than the batch are cut
//   buffers that are NULL, because they have no bytes, become pointers
//   arrays of the null type have no buffers, and count all their rows as null
//   null counts that no longer hold become -1
//   the arrays of `mends` get copies of their buffers
//   Takes  *batch; on failure it is unchanged.
//   Fails  ALLOY_EXHAUSTED.
Status RepairBatch(const Layout& layout, std::vector<Mend> mends, ArrowArray* batch);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_REPAIR_H_
//
// The gate at the levels safe and full: do the values of an array point only where they
// may? shape.h comes first.
//
// Level safe checks the rows that can be reached from the rows of the array:
//   struct, fixed-size list, sparse union   the children's rows at the same places
//   list                                    from the first to the last offset
//   list view, dense union                  from the lowest to the highest offset
//   run ends                                all run ends, and the values of the runs that
//                                           contain the rows
//   dictionary                              all values
// So the check of a slice costs in proportion to the slice. Level full checks all rows of
// each array below the columns, whether or not they can be reached.
//
// C data has no buffer sizes. The gate must trust that each buffer is as long as the
// struct implies.
//
// Threads  shared.
#ifndef ALLOY_SRC_GATE_ROWS_H_
#define ALLOY_SRC_GATE_ROWS_H_

#include <vector>


namespace alloy::core_v0_1 {

// Check the rows of an array that has passed level shape. At level shape there is nothing
// left to check. In the columns of a batch only the batch's own rows are checked: longer
// columns are cut to them.
//
// mends: NULL, or gets what a reader could not read although it is valid Arrow. At level safe these
// are the views and the indices of null rows. If the values are trusted, they are also the
// texts of null rows, and misaligned buffers.
//   Fails  ALLOY_BAD_DATA  with reason and column; the text names the row.
Status CheckRows(const Layout& layout, Checks checks, const ArrowArray& array,
                 std::vector<Mend>* mends = nullptr);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_ROWS_H_
//
// The gate at level shape: does an array fit its layout?
//
// It costs O(columns). Every pointer and count is checked before it is used. Of the
// values it reads only the first and the last offset, the last run end, and the sizes of
// variadic buffers. rows.h checks the other values, at the levels safe and full.
//
// Threads  shared; a ShapeWalk belongs to one thread.
#ifndef ALLOY_SRC_GATE_SHAPE_H_
#define ALLOY_SRC_GATE_SHAPE_H_

#include <cstdint>

//
// The faults that level shape finds, and their error texts.
//
// The walk (shape.h) only stores a ShapeFault. The text is made after the walk has
// failed, so that a walk that passes pays nothing for it.
//
// Threads  values.
#ifndef ALLOY_SRC_GATE_SHAPE_FAULT_H_
#define ALLOY_SRC_GATE_SHAPE_FAULT_H_

#include <cstdint>


namespace alloy::core_v0_1 {

struct ShapeFault {
  enum Kind : uint8_t {
    kReleased,
    kNegativeLength,
    kNegativeOffset,
    kOverflow,  // expected: the length; found: the offset
    kLowNullCount,
    kHighNullCount,
    kChildCount,
    kChildrenNull,
    kChildNull,
    kChildTooShort,
    kDictionaryMissing,
    kDictionaryUnexpected,
    kBufferCount,
    kBuffersNull,
    kBufferNull,  // found: the index of the buffer
    kNullsWithoutBitmap,
    kUnexpectedNulls,
    kNegativeFirstOffset,
    kLowLastOffset,
    kTooFewViewBuffers,
    kTooManyViewBuffers,
    kViewSizesNull,
    kNegativeViewSize,
    kRunEndsOffset,
    kRunEndsNulls,
    kRunEndsTooShort,
  };

  Kind kind = kReleased;
  int32_t node = 0;
  int64_t expected = 0;  // the exact number, or the limit
  int64_t found = 0;
};

// The fault as an error.
Status ShapeStatus(const Layout& layout, const ShapeFault& fault);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_SHAPE_FAULT_H_

namespace alloy::core_v0_1 {

// Check an array of any type.
//   Fails  ALLOY_BAD_DATA  with reason and column, as Layout::Of counts them.
Status CheckShape(const Layout& layout, const ArrowArray& array);

// The same check for callers that must know more than whether it passed (batch.h).
class ShapeWalk {
 public:
  explicit ShapeWalk(const Layout& layout) : nodes_(layout.nodes().data()) {}

  // True if the array fits the layout.
  bool Check(const ArrowArray& array) { return CheckTree(nodes_, &array); }

  // After a Check that passed: true if a buffer without bytes is NULL, or if an array of
  // the null type has the validity bitmap that Arrow gave it before version 1.0.
  bool needs_repair() const { return needs_repair_; }
  // After a Check that passed: true if each child of the root ends with the root's rows.
  bool equal_lengths() const { return equal_lengths_; }
  // After a Check that failed.
  const ShapeFault& fault() const { return fault_; }

 private:
  using Node = Layout::Node;

  bool CheckTree(const Node* node, const ArrowArray* array);
  bool CheckHead(const Node* node, const ArrowArray* array);
  bool CheckFixed(const Node* node, const ArrowArray* array);
  bool CheckBody(const Node* node, const ArrowArray* array);
  bool CheckBufferCount(const Node* node, const ArrowArray* array);
  bool CheckBitmap(const Node* node, const ArrowArray* array);
  bool CheckNoNulls(const Node* node, const ArrowArray* array);
  bool CheckNeeded(const Node* node, const ArrowArray* array, int64_t buffer);
  bool CheckNeededBuffers(const Node* node, const ArrowArray* array, unsigned buffers);
  bool CheckOffsets(const Node* node, const ArrowArray* array, int64_t* last);
  bool CheckBytes(const Node* node, const ArrowArray* array);
  bool CheckViews(const Node* node, const ArrowArray* array);
  bool CheckRunEnds(const Node* node, const ArrowArray* array);
  bool CheckChildren(const Node* node, const ArrowArray* array, int64_t rows);
  bool FailShorter(const Node* node, const ArrowArray* array, int64_t rows);

  bool Fail(const Node* node, ShapeFault::Kind kind, int64_t expected = 0,
            int64_t found = 0);

  const Node* nodes_;
  bool needs_repair_ = false;
  // Of the node whose children were checked last. The root's come last.
  bool equal_lengths_ = true;
  ShapeFault fault_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_SHAPE_H_

namespace alloy::core_v0_1 {
namespace {

// The root of a batch has rows, but none of them is null. A bitmap without nulls is
// removed by the repair.
Status CheckNoNullRows(const ArrowArray& batch) {
  const FaultPlace root;
  if (batch.null_count > 0) {
    return DataFault(ALLOY_REASON_BATCH_NULLS, root,
                     "the null count of a batch must be 0, but is " +
                         std::to_string(batch.null_count));
  }
  if (AnyNull(batch.buffers[0], {batch.offset, batch.length})) {
    return DataFault(
        ALLOY_REASON_BATCH_NULLS, root,
        "the validity bitmap of a batch must have no nulls; put them in the columns");
  }
  return Status();
}

// The repair cuts columns to the rows of the batch. The last offset of a cut column is then
// another one, which level shape has not seen: it must not be beyond the last offset of the
// whole column, because readers take it for the size of the data.
Status CheckCutOffsets(const Layout& layout, const ArrowArray& batch) {
  if (batch.length == 0) return Status();
  const Layout::Node* const root = layout.nodes().data();
  const Layout::Node* node = root + 1;
  for (int64_t i = 0; i < batch.n_children; ++i, node += node->subtree) {
    if (node->form != Form::kOffsets && node->form != Form::kList) continue;
    const ArrowArray& column = *batch.children[i];
    const auto at = [&](int64_t row) {
      return LoadSigned(column.buffers[1], column.offset + row, node->integer_bytes);
    };
    const int64_t first = at(batch.offset);
    const int64_t last = at(batch.offset + batch.length);
    const int64_t limit = at(column.length);
    if (first >= 0 && first <= last && last <= limit) [[likely]]
      continue;
    const auto number = static_cast<int32_t>(node - root) - 1;
    return DataFault(
        ALLOY_REASON_OFFSETS, {.column = number, .path = layout.Path(number)},
        "the rows of the batch have the offsets " + std::to_string(first) + " to " +
            std::to_string(last) + ", but the last offset of the column is " +
            std::to_string(limit));
  }
  return Status();
}

}  // namespace

Status AdmitBatch(const Layout& layout, Checks checks, ArrowArray* batch) {
  ShapeWalk walk(layout);
  if (!walk.Check(*batch)) [[unlikely]]
    return ShapeStatus(layout, walk.fault());
  bool repair = walk.needs_repair() || !walk.equal_lengths() || batch->offset != 0;
  if (batch->null_count != 0) [[unlikely]] {
    ALLOY_TRY(CheckNoNullRows(*batch));
    repair = true;
  }
  std::vector<Mend> mends;
  if (checks.rows()) {
    ALLOY_TRY(CheckRows(layout, checks, *batch, &mends));
    ALLOY_TRY(CheckNullability(layout, checks, *batch));
  } else if (repair) {
    ALLOY_TRY(CheckCutOffsets(layout, *batch));
  }
  if (!repair && mends.empty()) [[likely]]
    return Status();
  return RepairBatch(layout, std::move(mends), batch);
}

}  // namespace alloy::core_v0_1

// src/gate/copied.cc --------------------------------------------------------------------
//
// Finds structs that a backend copied out of an input instead of moving them. Both the
// copy and the original would be released, which frees the data twice. The side that enters
// the backend looks for them: the engine, or the worker.
//
// A copy has the release callback and the private data of a struct that is still in its
// place in an input. That is not enough: the structs of one producer may share both. So a
// copy also has the buffers, the children or the dictionary of that struct. Length, offset
// and null count do not matter. docs/boundary.md lists what this cannot see.
//
// Threads  serial.
#ifndef ALLOY_SRC_GATE_COPIED_H_
#define ALLOY_SRC_GATE_COPIED_H_

#include <cstdint>
#include <span>
#include <string>


namespace alloy::core_v0_1 {

// What the backend got, and what it left of that in the same places.
struct RunInputs {
  std::span<const ArrowArray> given;  // the roots before the run
  std::span<ArrowArray> left;
};

// Whether one struct is the other, or a copy of it. `release` may be NULL in one of them:
// it was moved out.
bool IsSameStruct(const ArrowArray& a, const ArrowArray& b);

// The input from which a struct of *output was copied; -1: none was. The copies are marked
// as moved out, so that *output can be released. If that is not enough, *output is emptied,
// and what it owned besides is lost.
//   layout  of the output. *output need not fit it: it may not be checked yet.
int32_t DisarmCopies(const Layout& layout, const RunInputs& inputs, ArrowArray* output);

// The input that the backend overwrote with a copy of another one; -1: it overwrote none. The
// copy is emptied.
int32_t DisarmOverwritten(const RunInputs& inputs);

// Both for one run.
struct Copied {
  int32_t returned = -1;     // as of DisarmCopies
  int32_t overwritten = -1;  // as of DisarmOverwritten

  bool any() const { return returned >= 0 || overwritten >= 0; }
  // BAD_DATA, of the backend. `run_error` is what the run reported besides; empty: nothing.
  Status Describe(const std::string& function, const std::string& run_error) const;
};
Copied Disarm(const Layout& layout, const RunInputs& inputs, ArrowArray* output);

// The same for the streams of an open, and for the schemas of a bind. What is a copy is
// emptied.
//   Fails  BAD_DATA, of the backend.
Status DisarmStreams(const std::string& function, std::span<ArrowArrayStream> inputs,
                     ArrowArrayStream* output);
Status DisarmSchema(const std::string& function, std::span<const ArrowSchema> inputs,
                    ArrowSchema* output);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_COPIED_H_

#include <array>
#include <cstddef>
#include <utility>


namespace alloy::core_v0_1 {
namespace {

using Node = Layout::Node;

Status CopyFault(std::string text) {
  return Fail(ALLOY_BAD_DATA, ALLOY_REASON_COPIED, std::move(text))
      .WithSide(ALLOY_SIDE_BACKEND);
}

bool SameParts(const ArrowArray& a, const ArrowArray& b) {
  return (a.n_buffers > 0 && a.buffers != nullptr && a.buffers == b.buffers) ||
         (a.n_children > 0 && a.children != nullptr && a.children == b.children) ||
         (a.dictionary != nullptr && a.dictionary == b.dictionary);
}

bool SameOwner(const ArrowArray& a, const ArrowArray& b) {
  return a.release == b.release && a.private_data == b.private_data;
}

// What a visit wants next: what is below, what comes after, or nothing more.
enum class WalkOn { kBelow, kAfter, kEnd };

// Call visit(struct) for an output and all below it that the layout knows. Returns false if
// a visit has ended it. Nothing about the output has been checked.
template <typename Visit>
bool VisitOutput(const Node* node, ArrowArray* array, Visit& visit) {
  const WalkOn wanted = visit(*array);
  if (wanted != WalkOn::kBelow) return wanted == WalkOn::kAfter;
  const Node* next = node + 1;
  if (node->dictionary) {
    if (array->dictionary != nullptr && !VisitOutput(next, array->dictionary, visit)) {
      return false;
    }
    next += next->subtree;
  }
  if (array->n_children != node->n_children || array->children == nullptr) return true;
  for (int64_t i = 0; i < array->n_children; ++i) {
    ArrowArray* child = array->children[i];
    if (child != nullptr && !VisitOutput(next, child, visit)) return false;
    next += next->subtree;
  }
  return true;
}

// Call visit(struct) for what is left of an input, until it returns false. Below a struct
// that was moved out, nothing belongs to the input.
template <typename Visit>
bool VisitLeft(ArrowArray* array, Visit& visit) {
  if (!visit(*array)) return false;
  if (array->release == nullptr) return true;
  if (array->dictionary != nullptr && !VisitLeft(array->dictionary, visit)) return false;
  for (int64_t i = 0; i < array->n_children; ++i) {
    if (!VisitLeft(array->children[i], visit)) return false;
  }
  return true;
}

template <typename Visit>
bool VisitLeft(std::span<ArrowArray> inputs, Visit visit) {
  for (ArrowArray& input : inputs) {
    if (input.release != nullptr && !VisitLeft(&input, visit)) return false;
  }
  return true;
}

// A set of addresses without memory of its own: it may say yes for one that is not in it.
class Filter_copied {
 public:
  void Add(const void* address) { Word(address) |= Bit(address); }
  bool MayHave(const void* address) { return (Word(address) & Bit(address)) != 0; }

 private:
  static uint64_t Hash(const void* address) {
    return reinterpret_cast<uintptr_t>(address) * 0x9e3779b97f4a7c15U;
  }
  uint64_t& Word(const void* address) { return words_[Hash(address) >> 58]; }
  static uint64_t Bit(const void* address) {
    return uint64_t{1} << (Hash(address) >> 52 & 63);
  }

  std::array<uint64_t, 64> words_{};
};

// Where nearly every run ends: no struct of the output has the release callback of a struct
// that is left.
bool MayHaveCopies(const Layout& layout, std::span<ArrowArray> left, ArrowArray* output) {
  bool any = false;
  for (const ArrowArray& input : left) any = any || input.release != nullptr;
  if (!any) return false;
  const auto release = output->release;
  const auto same = [release](const ArrowArray& array) {
    return array.release == release ? WalkOn::kBelow : WalkOn::kEnd;
  };
  if (!VisitOutput(layout.nodes().data(), output, same)) return true;
  return !VisitLeft(
      left, [release](const ArrowArray& array) { return array.release != release; });
}

class Finder {
 public:
  explicit Finder(const RunInputs& inputs) : inputs_(inputs) {
    for (const ArrowArray& left : inputs_.left) {
      moved_ = moved_ || left.release == nullptr;
    }
    VisitLeft(inputs_.left, [this](const ArrowArray& left) {
      if (left.release == nullptr) {
        moved_ = true;
      } else {
        owners_.Add(left.private_data);
        AddParts(left);
      }
      return true;
    });
  }

  // Whether an input was moved to here as a whole, with all that is below.
  bool IsMovedRoot(const ArrowArray& array) const {
    for (size_t i = 0; i < inputs_.left.size(); ++i) {
      if (inputs_.left[i].release == nullptr && SameOwner(inputs_.given[i], array) &&
          SameParts(inputs_.given[i], array)) {
        return true;
      }
    }
    return false;
  }

  // The struct that is left and of which `array` is a copy; NULL: it is not a copy.
  const ArrowArray* Original(const ArrowArray& array) {
    if (array.release == nullptr || !owners_.MayHave(array.private_data)) return nullptr;
    // All parts replaced, or none there: a copy only if nothing was moved at all.
    const bool by_owner = !moved_ && array.private_data != nullptr;
    if (!by_owner && !MayHaveParts(array)) return nullptr;
    const ArrowArray* original = nullptr;
    VisitLeft(inputs_.left, [&](const ArrowArray& left) {
      if (left.release == nullptr || !SameOwner(left, array)) return true;
      const bool is_same = &left == &array || SameParts(left, array);
      if (is_same || (by_owner && original == nullptr)) original = &left;
      return !is_same;
    });
    return original != nullptr && WasMoved(array) ? nullptr : original;
  }

  int32_t InputOf(const ArrowArray* original) {
    for (size_t i = 0; i < inputs_.left.size(); ++i) {
      const bool goes_on =
          VisitLeft(inputs_.left.subspan(i, 1),
                    [original](const ArrowArray& left) { return &left != original; });
      if (!goes_on) return static_cast<int32_t>(i);
    }
    return 0;
  }

 private:
  // Whether a struct with the same parts has left its place: then `array` is that one. Two
  // exports of one object have the same parts.
  bool WasMoved(const ArrowArray& array) const {
    return moved_ && !VisitLeft(inputs_.left, [&array](const ArrowArray& left) {
             return left.release != nullptr || left.private_data != array.private_data ||
                    !SameParts(left, array);
           });
  }

  void AddParts(const ArrowArray& array) {
    if (array.buffers != nullptr) parts_.Add(array.buffers);
    if (array.children != nullptr) parts_.Add(array.children);
    if (array.dictionary != nullptr) parts_.Add(array.dictionary);
  }
  bool MayHaveParts(const ArrowArray& array) {
    return (array.buffers != nullptr && parts_.MayHave(array.buffers)) ||
           (array.children != nullptr && parts_.MayHave(array.children)) ||
           (array.dictionary != nullptr && parts_.MayHave(array.dictionary));
  }

  const RunInputs& inputs_;
  bool moved_ = false;  // anything is not in its place any more
  Filter_copied owners_;
  Filter_copied parts_;
};

}  // namespace

bool IsSameStruct(const ArrowArray& a, const ArrowArray& b) {
  return a.private_data == b.private_data && SameParts(a, b) &&
         (a.release == b.release || a.release == nullptr || b.release == nullptr);
}

int32_t DisarmCopies(const Layout& layout, const RunInputs& inputs, ArrowArray* output) {
  if (output->release == nullptr || !MayHaveCopies(layout, inputs.left, output))
      [[likely]] {
    return -1;
  }
  Finder finder(inputs);
  int32_t input = -1;
  bool is_shared = false;
  const auto disarm = [&](ArrowArray& array) {
    // What is below a struct belongs to whom the struct belongs to.
    if (finder.IsMovedRoot(array)) return WalkOn::kAfter;
    const ArrowArray* original = finder.Original(array);
    if (original == nullptr) return WalkOn::kBelow;
    input = finder.InputOf(original);
    // A struct of the input itself, which the output points to: to mark it would lose it.
    is_shared = is_shared || original == &array;
    if (original != &array) array.release = nullptr;
    return WalkOn::kAfter;
  };
  VisitOutput(layout.nodes().data(), output, disarm);
  if (is_shared) *output = ArrowArray{};
  return input;
}

int32_t DisarmOverwritten(const RunInputs& inputs) {
  for (size_t i = 1; i < inputs.left.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      ArrowArray& a = inputs.left[k];
      ArrowArray& b = inputs.left[i];
      if (a.release == nullptr || !SameOwner(a, b) || !SameParts(a, b)) continue;
      // Two that were the same before are two exports of one object.
      const bool was_same = SameOwner(inputs.given[k], inputs.given[i]) &&
                            SameParts(inputs.given[k], inputs.given[i]);
      if (was_same) continue;
      const bool is_second = !IsSameStruct(b, inputs.given[i]);
      (is_second ? b : a) = ArrowArray{};
      return static_cast<int32_t>(is_second ? i : k);
    }
  }
  return -1;
}

Copied Disarm(const Layout& layout, const RunInputs& inputs, ArrowArray* output) {
  return {.returned = DisarmCopies(layout, inputs, output),
          .overwritten = inputs.left.size() < 2 ? -1 : DisarmOverwritten(inputs)};
}

Status Copied::Describe(const std::string& function, const std::string& run_error) const {
  std::string text = function;
  text += returned >= 0
              ? " returned a copy of a struct of input " + std::to_string(returned) +
                    " and left the input in place; move it out instead"
              : " overwrote input " + std::to_string(overwritten) +
                    " with a copy of another input; move inputs out instead";
  if (!run_error.empty()) text += "; it also failed: " + run_error;
  return CopyFault(std::move(text));
}

Status DisarmStreams(const std::string& function, std::span<ArrowArrayStream> inputs,
                     ArrowArrayStream* output) {
  for (size_t i = 1; i < inputs.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      if (inputs[k].release == nullptr ||
          inputs[k].private_data != inputs[i].private_data) {
        continue;
      }
      inputs[i] = ArrowArrayStream{};
      return CopyFault(function + " overwrote an input stream with a copy of input " +
                       std::to_string(k) + "; move inputs out instead");
    }
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].release == nullptr || inputs[i].release != output->release ||
        inputs[i].private_data != output->private_data) {
      continue;
    }
    *output = ArrowArrayStream{};
    return CopyFault(function + " returned a copy of the struct of input stream " +
                     std::to_string(i) +
                     " and left the input in place; move it out instead");
  }
  return Status();
}

// The engine releases its copies of the inputs' schemas. So a schema that has their owner
// would be released twice: a bind must copy what they own.
Status DisarmSchema(const std::string& function, std::span<const ArrowSchema> inputs,
                    ArrowSchema* output) {
  if (output->release == nullptr) return Status();
  int32_t input = -1;
  bool is_shared = false;
  const auto find = [&](const ArrowSchema& schema) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (schema.release == inputs[i].release &&
          schema.private_data == inputs[i].private_data) {
        input = static_cast<int32_t>(i);
        return true;
      }
    }
    return false;
  };
  if (find(*output)) {
    *output = ArrowSchema{};
  } else {
    // What is not a schema ends the walk; the layout names the fault later.
    (void)WalkSchema(*output, [&](const SchemaPlace& place) {
      if (find(*place.schema)) is_shared = true;
      return Status();
    });
    // A part of the output belongs to an input. To release the rest could reach it.
    if (is_shared) *output = ArrowSchema{};
  }
  if (input < 0) return Status();
  return CopyFault(function + " returned a copy of the struct of the schema of input " +
                   std::to_string(input) +
                   ", which the engine owns; copy what the schema owns instead");
}

}  // namespace alloy::core_v0_1

// src/gate/describe.cc ------------------------------------------------------------------
//
// Shows an array that nobody has checked yet as text: checks it first, then describes it.
//
// Threads  shared.
#ifndef ALLOY_SRC_GATE_DESCRIBE_H_
#define ALLOY_SRC_GATE_DESCRIBE_H_

#include <cstdint>
#include <string>


namespace alloy::core_v0_1 {

// The text of DescribeRows (arrow/describe.h).
//   Fails  ALLOY_BAD_DATA  schema or array is malformed, or a string to show points
//                          outside its buffer.
Result<std::string> Describe(const ArrowSchema& schema, const ArrowArray& array);

// Write that text to `text`, as alloy_describe does: cut between two characters and ended
// by a NUL, unless capacity is 0. Returns the length of the whole text.
Result<int64_t> DescribeInto(const ArrowSchema& schema, const ArrowArray& array,
                             char* text, int64_t capacity);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_DESCRIBE_H_


namespace alloy::core_v0_1 {

Result<std::string> Describe(const ArrowSchema& schema, const ArrowArray& array) {
  ALLOY_ASSIGN_OR_RETURN(const Layout layout, Layout::Of(schema));
  ALLOY_TRY(CheckShape(layout, array));
  return DescribeRows(schema, layout, array);
}

Result<int64_t> DescribeInto(const ArrowSchema& schema, const ArrowArray& array,
                             char* text, int64_t capacity) {
  ALLOY_ASSIGN_OR_RETURN(const std::string described, Describe(schema, array));
  if (capacity > 0) CopyText(described, text, static_cast<size_t>(capacity));
  return static_cast<int64_t>(described.size());
}

}  // namespace alloy::core_v0_1

// src/gate/mend.cc ----------------------------------------------------------------------

#include <algorithm>
#include <cstring>
#include <utility>

#ifndef ALLOY_SRC_ARROW_VIEW_H_
#define ALLOY_SRC_ARROW_VIEW_H_

#include <cstdint>


namespace alloy::core_v0_1 {

inline constexpr int64_t kViewBytes = 16;
inline constexpr int32_t kMostInline =
    12;  // the bytes of a text that a view itself holds

// A view as it lies in memory. The last three fields are the bytes of a short text.
struct View {
  int32_t length;
  int32_t prefix;
  int32_t buffer;  // which of the variadic buffers
  int32_t offset;

  bool IsLong() const { return length > kMostInline; }
  // Whether a long one lies in its buffer.
  bool IsIn(const ArrowArray& array) const {
    return buffer >= 0 && buffer < array.n_buffers - 3 && offset >= 0 &&
           int64_t{offset} + length <=
               LoadValue<int64_t>(array.buffers[array.n_buffers - 1], buffer);
  }
};
static_assert(sizeof(View) == kViewBytes);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_VIEW_H_
//
// The checks of one array's values at the levels safe and full: does each value point
// into the buffer, child or dictionary that it belongs to? There is one function for each
// kind of value. rows.h applies them to a tree of arrays; text_checks.h checks text.
//
// The ranges count from the start of the buffers. Each function returns the first wrong
// row, counted from the begin of its range, or -1. The array has passed level shape.
//
// Threads  shared.
#ifndef ALLOY_SRC_GATE_ROW_CHECKS_H_
#define ALLOY_SRC_GATE_ROW_CHECKS_H_

#include <cstdint>
#include <span>


namespace alloy::core_v0_1 {

// Offsets must not be negative, and must not decrease. A row is wrong if its own offset
// or the one after it is.
int64_t FirstDecreasingOffset(const void* offsets, uint8_t bytes, RowRange rows);

// Run ends must increase, and the first must be above 0.
int64_t FirstNotIncreasingRunEnd(const void* ends, uint8_t bytes, int64_t count);

// Indices of a dictionary must be from 0 to n_values - 1. Null rows may have any index;
// *below_nulls becomes true if one of them has a wrong one.
int64_t FirstInvalidIndex(const void* indices, Type type, RowRange rows, int64_t n_values,
                          Nulls nulls, bool* below_nulls);

// Views hold their text themselves, or point into one of the array's variadic buffers.
// Null rows may have any view; *below_nulls becomes true if one of them has a wrong one.
int64_t FirstInvalidView(const ArrowArray& array, RowRange rows, bool* below_nulls);

// The same for one view of 16 bytes.
bool IsValidView(const ArrowArray& array, const void* view);

// Each list view must be a range of the child's n_values rows. Null rows are checked too:
// "Every list-view value, including null values, has to guarantee" it ("Arrow columnar
// format", ListView Layout).
int64_t FirstInvalidListView(const void* offsets, const void* sizes, uint8_t bytes,
                             RowRange rows, int64_t n_values);

// Type ids of a union must have a child. `children` is by type id, with -1 for those
// that have none.
int64_t FirstInvalidTypeId(const void* ids, RowRange rows,
                           std::span<const int8_t, 128> children);

// Offsets of a dense union must be rows of the child that the type id selects. The type
// ids have been checked. `lengths` is by type id.
int64_t FirstInvalidUnionOffset(const void* ids, const void* offsets, RowRange rows,
                                std::span<const int64_t, 128> lengths);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_ROW_CHECKS_H_

namespace alloy::core_v0_1 {
namespace {

// The size and the alignment of the numbers of one buffer, as the strictest library has
// them: Rust aligns integers of 128 bits to 16 bytes.
struct Numbers {
  int64_t bytes = 1;
  uint8_t alignment = 1;
};

Numbers NumbersOfType(Type type) {
  switch (type) {
    case Type::kInt16:
    case Type::kUInt16:
    case Type::kFloat16:
      return {.bytes = 2, .alignment = 2};
    case Type::kInt32:
    case Type::kUInt32:
    case Type::kFloat32:
    case Type::kDecimal32:
    case Type::kDate32:
    case Type::kTime32:
    case Type::kIntervalYearMonth:
      return {.bytes = 4, .alignment = 4};
    case Type::kIntervalDayTime:  // two of 32 bits
      return {.bytes = 8, .alignment = 4};
    case Type::kInt64:
    case Type::kUInt64:
    case Type::kFloat64:
    case Type::kDecimal64:
    case Type::kDate64:
    case Type::kTime64:
    case Type::kTimestamp:
    case Type::kDuration:
      return {.bytes = 8, .alignment = 8};
    case Type::kIntervalMonthDayNano:  // the widest part has 64 bits
      return {.bytes = 16, .alignment = 8};
    case Type::kDecimal128:
      return {.bytes = 16, .alignment = 16};
    case Type::kDecimal256:
      return {.bytes = 32, .alignment = 16};
    default:  // bits and bytes
      return {};
  }
}

Numbers NumbersOf(const Layout::Node& node) {
  switch (node.form) {
    case Form::kFixed:
      return NumbersOfType(node.type);
    case Form::kViews:
      return {.bytes = kViewBytes, .alignment = 16};
    case Form::kOffsets:
    case Form::kList:
    case Form::kListView:
      return {.bytes = node.integer_bytes, .alignment = node.integer_bytes};
    case Form::kDenseUnion:
      return {.bytes = 4, .alignment = 4};
    default:
      return {};
  }
}

// Makes the copies of one array.
class Mender {
 public:
  explicit Mender(const Mend& mend)
      : node_(*mend.node), array_(*mend.array), rows_(mend.rows), kind_(mend.kind) {
    mended_.node = mend.node;
    // A bitmap cannot begin inside a byte, so up to 7 rows stay before the first one.
    mended_.offset = HasBitmap(node_.form) ? rows_.begin % 8 : 0;
    if (array_.buffers[0] != nullptr) {
      mended_.buffers[0] = static_cast<const char*>(array_.buffers[0]) +
                           (HasBitmap(node_.form) ? rows_.begin / 8 : rows_.begin);
    }
  }

  // False without enough memory.
  bool Run() {
    if (kind_ == Mend::Kind::kNullTexts) return MendTexts();
    const Numbers numbers = NumbersOf(node_);
    const bool has_end = node_.form == Form::kOffsets || node_.form == Form::kList;
    if (!Copy(1, numbers.bytes, has_end ? 1 : 0)) return false;
    if (node_.form == Form::kListView && !Copy(2, numbers.bytes, 0)) return false;
    if (kind_ != Mend::Kind::kAlignment) ClearNulls(numbers.bytes);
    return true;
  }
  MendedArray Take() { return std::move(mended_); }

 private:
  char* Allocate(size_t buffer, int64_t bytes) {
    void* memory = detail::AlignedResize(nullptr, 0, std::max<int64_t>(bytes, 1));
    mended_.memory[buffer].reset(memory);
    mended_.buffers[buffer] = memory;
    return static_cast<char*>(memory);
  }

  // Copy the values of the rows, and `more` values after them.
  bool Copy(size_t buffer, int64_t width, int64_t more) {
    const int64_t before = mended_.offset * width;
    const int64_t bytes = (rows_.count + more) * width;
    char* to = Allocate(buffer, before + bytes);
    if (to == nullptr) return false;
    std::memset(to, 0, static_cast<size_t>(before));
    std::memcpy(to + before,
                static_cast<const char*>(array_.buffers[buffer]) + rows_.begin * width,
                static_cast<size_t>(bytes));
    return true;
  }

  // Values of zero bits are an empty view, and the first index.
  void ClearNulls(int64_t width) {
    const Nulls nulls(array_);
    char* values = static_cast<char*>(mended_.memory[1].get()) + mended_.offset * width;
    for (int64_t i = 0; i < rows_.count; ++i) {
      if (nulls.At(rows_.begin + i)) {
        std::memset(values + i * width, 0, static_cast<size_t>(width));
      }
    }
  }

  // The texts of the rows that are not null, one after another.
  bool MendTexts() {
    const uint8_t width = node_.integer_bytes;
    const Nulls nulls(array_);
    const auto offset = [&](int64_t i) {
      return LoadSigned(array_.buffers[1], rows_.begin + i, width);
    };
    const auto size = [&](int64_t i) {
      return nulls.At(rows_.begin + i) ? 0 : offset(i + 1) - offset(i);
    };
    int64_t bytes = 0;
    for (int64_t i = 0; i < rows_.count; ++i) bytes += size(i);
    char* offsets = Allocate(1, (mended_.offset + rows_.count + 1) * width);
    char* text = Allocate(2, bytes);
    if (offsets == nullptr || text == nullptr) return false;
    std::memset(offsets, 0, static_cast<size_t>((mended_.offset + 1) * width));
    offsets += mended_.offset * width;
    int64_t end = 0;
    for (int64_t i = 0; i < rows_.count; ++i) {
      const int64_t length = size(i);
      if (length > 0) {
        std::memcpy(text + end, static_cast<const char*>(array_.buffers[2]) + offset(i),
                    static_cast<size_t>(length));
      }
      end += length;
      // No offset becomes larger than it was, so it fits. The machine is little-endian.
      std::memcpy(offsets + (i + 1) * width, &end, width);
    }
    return true;
  }

  const Layout::Node& node_;
  const ArrowArray& array_;
  const RowRange rows_;
  const Mend::Kind kind_;
  MendedArray mended_;
};

}  // namespace

bool IsMisaligned(const Layout::Node& node, const ArrowArray& array) {
  const Numbers numbers = NumbersOf(node);
  if (numbers.alignment == 1) return false;
  const auto address = [&](int64_t buffer) {
    return reinterpret_cast<uintptr_t>(array.buffers[buffer]);
  };
  const uintptr_t all =
      address(1) | (node.form == Form::kListView ? address(2) : uintptr_t{0});
  return all % numbers.alignment != 0;
}

Result<std::vector<MendedArray>> MendArrays(std::vector<Mend> mends) {
  std::ranges::sort(mends, {}, &Mend::node);
  std::vector<MendedArray> mended;
  mended.reserve(mends.size());
  for (const Mend& mend : mends) {
    Mender mender(mend);
    if (!mender.Run()) {
      return Fail(ALLOY_EXHAUSTED, "out of memory while repairing the values of a batch");
    }
    mended.push_back(mender.Take());
  }
  return mended;
}

}  // namespace alloy::core_v0_1

// src/gate/nullability.cc ---------------------------------------------------------------

#include <string>
#include <utility>


namespace alloy::core_v0_1 {
namespace {

class NullabilityWalk {
 public:
  NullabilityWalk(const Layout& layout, Checks checks)
      : layout_(layout), declared_(checks.level != Level::kShape), maps_(checks.full()) {}

  bool Check(const ArrowArray& batch) {
    const Node* root = layout_.nodes().data();
    return !Needs(root) || CheckChildren({nullptr, root, &batch}, {0, batch.length});
  }
  Status TakeFault() { return std::move(fault_); }

 private:
  using Node = Layout::Node;

  // An array and what it is in. Rows are counted as a reader counts them.
  struct Place {
    const Place* parent;
    const Node* node;
    const ArrowArray* array;
  };

  bool Needs(const Node* node) const {
    return (declared_ && node->has_required) || (maps_ && node->has_map);
  }

  bool CheckNode(const Place& place, RowRange rows, bool of_map) {
    const Node* node = place.node;
    const bool required = (declared_ && !node->nullable) || (maps_ && of_map);
    if (required && HasBitmap(node->form) && !CheckNoNulls(place, rows)) {
      return false;
    }
    // The keys are below the entries, which need not have a map below them.
    const bool descends = Needs(node) || (maps_ && of_map);
    return !descends || rows.count == 0 || CheckChildren(place, rows);
  }

  // The rows of the children that the rows reach.
  bool CheckChildren(const Place& place, RowRange rows) {
    const ArrowArray& array = *place.array;
    const int64_t begin = array.offset + rows.begin;
    switch (place.node->form) {
      case Form::kStruct:
        return CheckEach(place, {.begin = begin, .count = rows.count});
      case Form::kFixedSizeList:
        return CheckEach(place, {.begin = begin * place.node->size,
                                 .count = rows.count * place.node->size});
      case Form::kList: {
        const uint8_t bytes = place.node->integer_bytes;
        const int64_t first = LoadSigned(array.buffers[1], begin, bytes);
        const int64_t last = LoadSigned(array.buffers[1], begin + rows.count, bytes);
        return CheckEach(place, {.begin = first, .count = last - first});
      }
      default:
        return true;
    }
  }

  bool CheckEach(const Place& place, RowRange rows) {
    const bool is_map = place.node->type == Type::kMap;
    const bool is_entries =
        place.parent != nullptr && place.parent->node->type == Type::kMap;
    const Node* child = place.node + 1;
    for (int32_t i = 0; i < place.node->n_children; ++i, child += child->subtree) {
      const Place below{&place, child, place.array->children[i]};
      if (!CheckNode(below, rows, is_map || (is_entries && i == 0))) return false;
    }
    return true;
  }

  bool CheckNoNulls(const Place& place, RowRange rows) {
    const ArrowArray& array = *place.array;
    const Nulls nulls(array);
    if (!AnyNull(nulls.bitmap, {array.offset + rows.begin, rows.count})) return true;
    for (int64_t row = rows.begin; row < rows.begin + rows.count; ++row) {
      if (nulls.At(array.offset + row) && IsSeen(place, row)) {
        return Fail(place, row);
      }
    }
    return true;
  }

  // Whether everything around this row is valid.
  static bool IsSeen(const Place& place, int64_t row) {
    for (const Place* at = &place; at->parent != nullptr; at = at->parent) {
      row = RowOf(*at->parent, row);
      // The batch itself has no null rows.
      const ArrowArray& parent = *at->parent->array;
      if (Nulls(parent).At(parent.offset + row)) return false;
    }
    return true;
  }

  // The row of `parent` that holds row `row` of its children.
  static int64_t RowOf(const Place& parent, int64_t row) {
    const ArrowArray& array = *parent.array;
    if (parent.node->form == Form::kStruct) return row - array.offset;
    if (parent.node->form == Form::kFixedSizeList) {
      return row / parent.node->size - array.offset;
    }
    // A list: the last row that begins at or before the item, and so is not empty.
    int64_t low = 0, high = array.length;
    while (high - low > 1) {
      const int64_t middle = low + (high - low) / 2;
      const bool before = LoadSigned(array.buffers[1], array.offset + middle,
                                     parent.node->integer_bytes) <= row;
      (before ? low : high) = middle;
    }
    return low;
  }

  bool Fail(const Place& place, int64_t row) {
    const auto column = static_cast<int32_t>(place.node - layout_.nodes().data()) - 1;
    fault_ = DataFault(
        place.node->nullable ? ALLOY_REASON_MAP_NULLS : ALLOY_REASON_NOT_NULLABLE,
        {.column = column, .path = layout_.Path(column), .row = row},
        place.node->nullable
            ? "the entries and the keys of a map must not be null"
            : "the row is null, but the column is declared not nullable");
    return false;
  }

  const Layout& layout_;
  const bool declared_;
  const bool maps_;
  Status fault_;
};

}  // namespace

Status CheckNullability(const Layout& layout, Checks checks, const ArrowArray& batch) {
  NullabilityWalk walk(layout, checks);
  return walk.Check(batch) ? Status() : walk.TakeFault();
}

}  // namespace alloy::core_v0_1

// src/gate/nulls.cc ---------------------------------------------------------------------

#include <algorithm>
#include <bit>


namespace alloy::core_v0_1 {

// Both functions read single bits up to the first whole byte and after the last one.
// Between, AnyNull compares bytes, and CountNulls counts the bits of 8 bytes at once.

bool AnyNull(const void* bitmap, RowRange rows) {
  if (bitmap == nullptr) return false;
  const auto* bytes = static_cast<const unsigned char*>(bitmap);
  const int64_t end = rows.begin + rows.count;
  int64_t i = rows.begin;
  for (; i < end && i % 8 != 0; ++i) {
    if (!BitAt(bitmap, i)) return true;
  }
  const auto all_valid = [](unsigned char byte) { return byte == 0xFF; };
  if (!std::all_of(bytes + i / 8, bytes + std::max(i, end) / 8, all_valid)) return true;
  for (i = std::max(i, end / 8 * 8); i < end; ++i) {
    if (!BitAt(bitmap, i)) return true;
  }
  return false;
}

int64_t CountNulls(const void* bitmap, RowRange rows) {
  const auto* bytes = static_cast<const unsigned char*>(bitmap);
  const int64_t end = rows.begin + rows.count;
  int64_t valid = 0, i = rows.begin;
  for (; i < end && i % 8 != 0; ++i) valid += BitAt(bitmap, i) ? 1 : 0;
  for (; end - i >= 64; i += 64) {
    valid += std::popcount(LoadValue<uint64_t>(bytes + i / 8, 0));
  }
  for (; i < end; ++i) valid += BitAt(bitmap, i) ? 1 : 0;
  return rows.count - valid;
}

}  // namespace alloy::core_v0_1

// src/gate/reach.cc ---------------------------------------------------------------------
//
// Which rows of its children an array points to. Level safe checks only these, so that
// the check of a slice costs in proportion to the slice.
//
// A reader may reach any row between the first and the last one, so each reach is one
// range. Its rows count from the begin of the child, without the child's offset. The
// values have passed row_checks.h.
//
// Threads  shared.
#ifndef ALLOY_SRC_GATE_REACH_H_
#define ALLOY_SRC_GATE_REACH_H_

#include <array>
#include <cstdint>
#include <span>


namespace alloy::core_v0_1 {

// The rows of the child from the lowest begin to the highest end of the list views.
RowRange ReachOfListViews(const void* offsets, const void* sizes, uint8_t bytes,
                          RowRange rows);

// The same for the offsets of a dense union, by child. `children` is by type id.
std::array<RowRange, 128> ReachOfDenseUnion(const void* ids, const void* offsets,
                                            RowRange rows,
                                            std::span<const int8_t, 128> children);

// The runs that contain the rows. There is at least one row, and the last of the `n_ends`
// run ends is beyond all rows.
RowRange ReachOfRunEnds(const void* ends, uint8_t bytes, int64_t n_ends, RowRange rows);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_REACH_H_

#include <algorithm>
#include <limits>

#ifndef ALLOY_SRC_ARROW_RUN_ENDS_H_
#define ALLOY_SRC_ARROW_RUN_ENDS_H_

#include <cstdint>


namespace alloy::core_v0_1 {

// The first run that ends after the row: the one that contains it. If run ends decrease,
// it is any run; but if the last one is above the row, always one that ends after it.
inline int64_t RunOf(const void* ends, uint8_t bytes, int64_t n_ends, int64_t row) {
  int64_t low = 0, high = n_ends;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (LoadSigned(ends, middle, bytes) > row) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

// Whether each run has rows: the first run end is above 0, and each other above the one
// before it.
inline bool RunEndsIncrease(const void* ends, uint8_t bytes, int64_t n_ends) {
  int64_t before = 0;
  for (int64_t i = 0; i < n_ends; ++i) {
    const int64_t end = LoadSigned(ends, i, bytes);
    if (end <= before) return false;
    before = end;
  }
  return true;
}

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_RUN_ENDS_H_

namespace alloy::core_v0_1 {
namespace {

// The smallest range that contains all that were added.
struct Hull {
  int64_t begin = std::numeric_limits<int64_t>::max();
  int64_t end = 0;

  void Add(int64_t first, int64_t past) {
    begin = std::min(begin, first);
    end = std::max(end, past);
  }
  RowRange rows() const {
    return end == 0 ? RowRange{} : RowRange{.begin = begin, .count = end - begin};
  }
};

}  // namespace

RowRange ReachOfListViews(const void* offsets, const void* sizes, uint8_t bytes,
                          RowRange rows) {
  Hull hull;
  for (int64_t i = rows.begin; i < rows.begin + rows.count; ++i) {
    const int64_t size = LoadSigned(sizes, i, bytes);
    if (size == 0) continue;
    const int64_t offset = LoadSigned(offsets, i, bytes);
    hull.Add(offset, offset + size);
  }
  return hull.rows();
}

std::array<RowRange, 128> ReachOfDenseUnion(const void* ids, const void* offsets,
                                            RowRange rows,
                                            std::span<const int8_t, 128> children) {
  std::array<Hull, 128> hulls;
  const auto* type_ids = static_cast<const uint8_t*>(ids);
  for (int64_t i = rows.begin; i < rows.begin + rows.count; ++i) {
    const int64_t offset = LoadValue<int32_t>(offsets, i);
    hulls[static_cast<uint8_t>(children[type_ids[i]])].Add(offset, offset + 1);
  }
  std::array<RowRange, 128> reach;
  for (size_t i = 0; i < reach.size(); ++i) reach[i] = hulls[i].rows();
  return reach;
}

RowRange ReachOfRunEnds(const void* ends, uint8_t bytes, int64_t n_ends, RowRange rows) {
  const int64_t first = RunOf(ends, bytes, n_ends, rows.begin);
  const int64_t last = RunOf(ends, bytes, n_ends, rows.begin + rows.count - 1);
  return {.begin = first, .count = last + 1 - first};
}

}  // namespace alloy::core_v0_1

// src/gate/repair.cc --------------------------------------------------------------------

#include <utility>
#include <vector>


namespace alloy::core_v0_1 {
namespace {

// Takes the place of buffers without bytes. It is not empty, because a buffer of offsets
// without rows may be read as one offset, a 0.
alignas(64) constexpr unsigned char kNoBytes[64] = {};

int64_t CountBuffers(const ArrowArray& array) {
  int64_t n = array.n_buffers;
  for (int64_t i = 0; i < array.n_children; ++i) n += CountBuffers(*array.children[i]);
  return array.dictionary == nullptr ? n : n + CountBuffers(*array.dictionary);
}

// What the structs of a repaired batch point to.
struct Repaired {
  OwnedArray original;
  std::vector<MendedArray> mended;
};

// Writes all structs of the batch anew, also those that need no change: a tree has one
// owner, and that is the block.
class Rewriter {
 public:
  Rewriter(Block<Repaired>* block, const Layout& layout)
      : block_(block),
        node_(layout.nodes().data()),
        mended_(block->owner().mended.data()),
        mended_end_(mended_ + block->owner().mended.size()) {}

  void RewriteBatch(const ArrowArray& from, ArrowArray* to) {
    const Layout::Node* node = node_++;
    block_->Init(to, {.length = from.length,
                      .n_buffers = node->n_buffers,
                      .n_children = from.n_children});
    for (int64_t i = 0; i < from.n_children; ++i) {
      RewriteRows(*from.children[i], from.offset, from.length, to->children[i]);
    }
  }

 private:
  // `rows` rows of `from`, after the first `skip`. Nodes come in the order of the layout.
  void RewriteRows(const ArrowArray& from, int64_t skip, int64_t rows, ArrowArray* to) {
    const Layout::Node& node = *node_++;
    const bool buffers = node.form != Form::kNull;
    block_->Init(to, {.length = rows,
                      .null_count = NullCount(node, from, rows),
                      .offset = from.offset + skip,
                      .n_buffers = buffers ? from.n_buffers : 0,
                      .n_children = from.n_children,
                      .dictionary = node.dictionary});
    const MendedArray* mended = TakeMended(&node);
    if (mended != nullptr) to->offset = mended->offset;
    const int64_t first = HasBitmap(node.form) ? 1 : 0;
    for (int64_t i = 0; i < to->n_buffers; ++i) {
      to->buffers[i] = from.buffers[i];
      if (mended != nullptr && i < 3 &&
          mended->buffers[static_cast<size_t>(i)] != nullptr) {
        to->buffers[i] = mended->buffers[static_cast<size_t>(i)];
      }
      if (i < first || to->buffers[i] != nullptr) continue;
      to->buffers[i] = kNoBytes;
      // An empty array needs no offset, and with one a reader would leave kNoBytes.
      if (rows == 0) to->offset = 0;
    }
    if (node.dictionary) RewriteWhole(*from.dictionary, to->dictionary);
    for (int64_t i = 0; i < from.n_children; ++i) {
      RewriteWhole(*from.children[i], to->children[i]);
    }
  }

  // The mended arrays are in the order of the nodes.
  const MendedArray* TakeMended(const Layout::Node* node) {
    if (mended_ == mended_end_ || mended_->node != node) return nullptr;
    return mended_++;
  }

  void RewriteWhole(const ArrowArray& from, ArrowArray* to) {
    RewriteRows(from, 0, from.length, to);
  }

  static int64_t NullCount(const Layout::Node& node, const ArrowArray& from,
                           int64_t rows) {
    if (node.form == Form::kNull) return rows;
    if (!HasBitmap(node.form) || from.buffers[0] == nullptr) return 0;
    // A part of the rows may have fewer nulls, but never some where there were none.
    return rows == from.length || from.null_count == 0 ? from.null_count : -1;
  }

  Block<Repaired>* block_;
  const Layout::Node* node_;
  const MendedArray* mended_;
  const MendedArray* const mended_end_;
};

}  // namespace

Status RepairBatch(const Layout& layout, std::vector<Mend> mends, ArrowArray* batch) {
  const auto nodes = static_cast<int64_t>(layout.nodes().size());
  const int64_t buffers = CountBuffers(*batch);
  ALLOY_ASSIGN_OR_RETURN(std::vector<MendedArray> mended, MendArrays(std::move(mends)));
  Repaired repaired{.original = OwnedArray(batch), .mended = std::move(mended)};
  auto block = Block<Repaired>::Make(nodes, buffers, std::move(repaired));
  if (!block) {
    // Make did not move the batch, because there was no memory.
    repaired.original.MoveTo(batch);  // NOLINT(bugprone-use-after-move)
    return Fail(ALLOY_EXHAUSTED, "out of memory while repairing the structs of a batch");
  }
  const ArrowArray from = *block.owner().original;
  Rewriter(&block, layout).RewriteBatch(from, batch);
  block.Finish();
  return Status();
}

}  // namespace alloy::core_v0_1

// src/gate/row_checks.cc ----------------------------------------------------------------

#include <algorithm>
#include <limits>
#include <type_traits>

//
// The loop of every check of rows (gate/row_checks.h): block by block, without branches.
//
// Threads  shared.
#ifndef ALLOY_SRC_BASE_BLOCK_SCAN_H_
#define ALLOY_SRC_BASE_BLOCK_SCAN_H_

#include <algorithm>
#include <cstdint>
#include <type_traits>

namespace alloy::core_v0_1 {

// a - b, which wraps instead of overflowing. Its sign is right if a and b are not
// negative.
template <typename T>
constexpr T Minus(T a, T b) {
  using Bits = std::make_unsigned_t<T>;
  return static_cast<T>(static_cast<Bits>(static_cast<Bits>(a) - static_cast<Bits>(b)));
}

// The first of `rows` rows that is wrong and not excused; -1 if there is none.
//
// `sign(i)` is a signed number, negative if row i is wrong. The numbers of a block are
// combined without a branch, and a block has a fixed size. So compilers use vector
// instructions for it, at -O2 too. Only a block with a wrong row is searched row by row,
// and only there `excused(i)` is asked.
template <typename Sign, typename Excused>
inline int64_t FirstWrong(int64_t rows, Sign sign, Excused excused) {
  using Word = decltype(sign(int64_t{0}));
  static_assert(std::is_signed_v<Word>);
  constexpr int64_t kBlock = 1024;
  for (int64_t begin = 0; begin < rows; begin += kBlock) {
    const int64_t end = std::min(rows, begin + kBlock);
    Word any = 0;
    if (end - begin == kBlock) [[likely]] {
      for (int64_t j = 0; j < kBlock; ++j) {
        any = static_cast<Word>(any | sign(begin + j));
      }
    } else {
      for (int64_t i = begin; i < end; ++i) any = static_cast<Word>(any | sign(i));
    }
    if (any >= 0) [[likely]]
      continue;
    for (int64_t i = begin; i < end; ++i) {
      if (sign(i) < 0 && !excused(i)) return i;
    }
  }
  return -1;
}

template <typename Sign>
inline int64_t FirstWrong(int64_t rows, Sign sign) {
  return FirstWrong(rows, sign, [](int64_t) { return false; });
}

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_BASE_BLOCK_SCAN_H_

namespace alloy::core_v0_1 {
namespace {

// Calls `check` with a zero of the signed type of that many bytes, so that it is compiled
// for each width.
template <typename Check>
int64_t BySize(uint8_t bytes, Check check) {
  switch (bytes) {
    case 1:
      return check(int8_t{});
    case 2:
      return check(int16_t{});
    case 4:
      return check(int32_t{});
    default:
      return check(int64_t{});
  }
}

// The address of row `begin`. An array without rows may have an offset but no buffer.
const void* From(const void* values, int64_t begin, int64_t bytes) {
  if (values == nullptr) return nullptr;
  return static_cast<const char*>(values) + begin * bytes;
}

const int8_t* TypeIdsFrom(const void* ids, int64_t begin) {
  return static_cast<const int8_t*>(From(ids, begin, sizeof(int8_t)));
}

// The limit as a number of type T. A limit above the largest T excludes no T.
template <typename T>
T Limit(int64_t limit) {
  return static_cast<T>(std::min(limit, int64_t{std::numeric_limits<T>::max()}));
}

uint8_t BytesOf(Type index) {
  switch (index) {
    case Type::kInt8:
    case Type::kUInt8:
      return 1;
    case Type::kInt16:
    case Type::kUInt16:
      return 2;
    case Type::kInt32:
    case Type::kUInt32:
      return 4;
    default:
      return 8;
  }
}

}  // namespace

int64_t FirstDecreasingOffset(const void* offsets, uint8_t bytes, RowRange rows) {
  return BySize(bytes, [&](auto zero) {
    using T = decltype(zero);
    const void* from = From(offsets, rows.begin, sizeof(T));
    // If neither number is negative, the difference does not wrap.
    const int64_t row = FirstWrong(rows.count, [from](int64_t i) {
      const T here = LoadValue<T>(from, i);
      return static_cast<T>(here | Minus(LoadValue<T>(from, i + 1), here));
    });
    // The scan tests the sign of each row's own offset. This is the one after the last row.
    const bool last = row < 0 && rows.count > 0 && LoadValue<T>(from, rows.count) < 0;
    return last ? rows.count - 1 : row;
  });
}

int64_t FirstNotIncreasingRunEnd(const void* ends, uint8_t bytes, int64_t count) {
  if (count == 0) return -1;
  if (LoadSigned(ends, 0, bytes) < 1) return 0;
  return BySize(bytes, [&](auto zero) {
    using T = decltype(zero);
    const int64_t before = FirstWrong(count - 1, [ends](int64_t i) {
      const T here = LoadValue<T>(ends, i);
      const T next = LoadValue<T>(ends, i + 1);
      // If neither is negative, next > here if and only if here - next is negative.
      return static_cast<T>(here | next | ~Minus(here, next));
    });
    return before < 0 ? before : before + 1;
  });
}

int64_t FirstInvalidIndex(const void* indices, Type type, RowRange rows, int64_t n_values,
                          Nulls nulls, bool* below_nulls) {
  const auto excused = [&](int64_t i) {
    const bool null = nulls.At(rows.begin + i);
    *below_nulls |= null;
    return null;
  };
  return BySize(BytesOf(type), [&](auto zero) {
    using T = decltype(zero);
    const void* from = From(indices, rows.begin, sizeof(T));
    constexpr int64_t kMost = std::numeric_limits<T>::max();
    if (!IsUnsigned(type) || n_values - 1 <= kMost) {
      // This is right for unsigned indices too: one above the limit is, read as a signed
      // number, either above the limit or negative.
      const T last = Limit<T>(n_values - 1);
      return FirstWrong(
          rows.count,
          [from, last](int64_t i) {
            const T index = LoadValue<T>(from, i);
            return static_cast<T>(index | Minus(last, index));
          },
          excused);
    }
    using U = std::make_unsigned_t<T>;
    const auto last = static_cast<uint64_t>(n_values - 1);
    return FirstWrong(
        rows.count,
        [from, last](int64_t i) {
          return static_cast<int8_t>(-int8_t{LoadValue<U>(from, i) > last});
        },
        excused);
  });
}

int64_t FirstInvalidListView(const void* offsets, const void* sizes, uint8_t bytes,
                             RowRange rows, int64_t n_values) {
  const auto scan = [&](auto zero, auto wide) {
    using T = decltype(zero);
    using Wide = decltype(wide);
    const void* from = From(offsets, rows.begin, sizeof(T));
    const void* lengths = From(sizes, rows.begin, sizeof(T));
    const auto limit = static_cast<Wide>(n_values);
    return FirstWrong(rows.count, [from, lengths, limit](int64_t i) {
      const Wide offset = LoadValue<T>(from, i);
      const Wide size = LoadValue<T>(lengths, i);
      // If one of the first three is negative, the row is wrong anyway. If not, the last
      // difference does not wrap.
      const Wide room = Minus(limit, offset);
      return static_cast<Wide>(offset | size | room | Minus(room, size));
    });
  };
  // The scan is fastest in 32 bits, which is enough if the child's length fits there.
  if (bytes == 8) return scan(int64_t{}, int64_t{});
  if (n_values <= std::numeric_limits<int32_t>::max()) return scan(int32_t{}, int32_t{});
  return scan(int32_t{}, int64_t{});
}

int64_t FirstInvalidTypeId(const void* ids, RowRange rows,
                           std::span<const int8_t, 128> children) {
  const int8_t* from = TypeIdsFrom(ids, rows.begin);
  // Most unions number their children 0, 1, 2, ...: then one comparison is enough.
  const auto gap = std::ranges::find(children, int8_t{-1});
  if (std::all_of(gap, children.end(), [](int8_t child) { return child < 0; })) {
    const auto last = static_cast<int8_t>(gap - children.begin() - 1);
    return FirstWrong(rows.count, [from, last](int64_t i) {
      return static_cast<int8_t>(from[i] | Minus(last, from[i]));
    });
  }
  return FirstWrong(rows.count, [from, children](int64_t i) {
    const int8_t id = from[i];
    return static_cast<int8_t>(id | children[static_cast<size_t>(id & 127)]);
  });
}

int64_t FirstInvalidUnionOffset(const void* ids, const void* offsets, RowRange rows,
                                std::span<const int64_t, 128> lengths) {
  const int8_t* from = TypeIdsFrom(ids, rows.begin);
  const void* places = From(offsets, rows.begin, sizeof(int32_t));
  return FirstWrong(rows.count, [=](int64_t i) {
    const int64_t offset = LoadValue<int32_t>(places, i);
    return offset | (lengths[static_cast<size_t>(from[i])] - 1 - offset);
  });
}

bool IsValidView(const ArrowArray& array, const void* view) {
  const auto found = LoadValue<View>(view, 0);
  return found.IsLong() ? found.IsIn(array) : found.length >= 0;
}

int64_t FirstInvalidView(const ArrowArray& array, RowRange rows, bool* below_nulls) {
  const Nulls nulls(array);
  const void* views = From(array.buffers[1], rows.begin, kViewBytes);
  return FirstWrong(
      rows.count,
      // The fast scan passes only short texts. IsValidView decides about all others.
      [views](int64_t i) {
        const auto length = LoadValue<int32_t>(views, 4 * i);
        return length | Minus(kMostInline, length);
      },
      [&](int64_t i) {
        if (IsValidView(array, From(views, i, kViewBytes))) return true;
        const bool null = nulls.At(rows.begin + i);
        *below_nulls |= null;
        return null;
      });
}

}  // namespace alloy::core_v0_1

// src/gate/row_faults.cc ----------------------------------------------------------------
//
// The error texts of faults that the row checks find. Each function reads the wrong value
// again: the checks only return its row.
//
// Threads  shared.
#ifndef ALLOY_SRC_GATE_ROW_FAULTS_H_
#define ALLOY_SRC_GATE_ROW_FAULTS_H_

#include <cstdint>


namespace alloy::core_v0_1 {

// The wrong row, counted as a reader of the array counts, that is without its offset.
struct WrongRow {
  const Layout& layout;
  const Layout::Node* node;
  const ArrowArray& array;
  int64_t row;

  // The place of the row in the buffers.
  int64_t at() const { return array.offset + row; }
};

Status DecreasingOffset(const WrongRow& wrong);
// The row ends behind the `limit` rows of the child, or bytes of the array.
Status OffsetAboveLimit(const WrongRow& wrong, int64_t limit, const char* noun);
Status InvalidView(const WrongRow& wrong);
Status InvalidViewPrefix(const WrongRow& wrong);
Status InvalidText(const WrongRow& wrong);
Status InvalidListView(const WrongRow& wrong);
Status InvalidTypeId(const WrongRow& wrong);
Status InvalidUnionOffset(const WrongRow& wrong, int64_t n_values);
Status InvalidRunEnd(const WrongRow& wrong);
Status InvalidIndex(const WrongRow& wrong);

// The null count of the array is not the number of nulls in its bitmap.
Status WrongNullCount(const Layout& layout, const Layout::Node* node,
                      const ArrowArray& array, int64_t nulls);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_ROW_FAULTS_H_

#include <string>


namespace alloy::core_v0_1 {
namespace {

Status FaultAt(const WrongRow& wrong, int32_t reason, const std::string& what) {
  const auto column = static_cast<int32_t>(wrong.node - wrong.layout.nodes().data()) - 1;
  return DataFault(
      reason, {.column = column, .path = wrong.layout.Path(column), .row = wrong.row},
      what);
}

std::string Expected(const std::string& expected, const std::string& found) {
  return "expected " + expected + ", found " + found;
}

// LoadSigned has read the bytes as a signed number. Unsigned indices are shown as such.
std::string IndexText(const WrongRow& wrong) {
  const int64_t index =
      LoadSigned(wrong.array.buffers[1], wrong.at(), wrong.node->integer_bytes);
  switch (wrong.node->type) {
    case Type::kUInt8:
      return std::to_string(static_cast<uint8_t>(index));
    case Type::kUInt16:
      return std::to_string(static_cast<uint16_t>(index));
    case Type::kUInt32:
      return std::to_string(static_cast<uint32_t>(index));
    case Type::kUInt64:
      return std::to_string(static_cast<uint64_t>(index));
    default:
      return std::to_string(index);
  }
}

}  // namespace

Status DecreasingOffset(const WrongRow& wrong) {
  const void* offsets = wrong.array.buffers[1];
  const uint8_t bytes = wrong.node->integer_bytes;
  const int64_t here = LoadSigned(offsets, wrong.at(), bytes);
  const int64_t next = LoadSigned(offsets, wrong.at() + 1, bytes);
  // Either the row's own offset is negative, or the next one is below it.
  return FaultAt(wrong, ALLOY_REASON_OFFSETS,
                 here < 0 ? Expected("an offset of at least 0", std::to_string(here))
                          : "the offsets decrease from " + std::to_string(here) + " to " +
                                std::to_string(next));
}

Status OffsetAboveLimit(const WrongRow& wrong, int64_t limit, const char* noun) {
  const int64_t last =
      LoadSigned(wrong.array.buffers[1], wrong.at() + 1, wrong.node->integer_bytes);
  return FaultAt(wrong, ALLOY_REASON_OFFSETS,
                 "the row ends at offset " + std::to_string(last) +
                     ", but there are only " + CountText(limit, noun));
}

Status InvalidView(const WrongRow& wrong) {
  const auto length = LoadValue<int32_t>(wrong.array.buffers[1], 4 * wrong.at());
  return FaultAt(wrong, ALLOY_REASON_VIEW,
                 length < 0
                     ? Expected("a view length of at least 0", std::to_string(length))
                     : "the view points outside its " +
                           CountText(wrong.array.n_buffers - 3, "buffer"));
}

Status InvalidViewPrefix(const WrongRow& wrong) {
  return FaultAt(wrong, ALLOY_REASON_VIEW_PREFIX,
                 "the prefix or the padding of the view does not match its text");
}

Status InvalidText(const WrongRow& wrong) {
  return FaultAt(wrong, ALLOY_REASON_UTF8, "the text is not UTF-8");
}

Status InvalidListView(const WrongRow& wrong) {
  const uint8_t bytes = wrong.node->integer_bytes;
  const int64_t offset = LoadSigned(wrong.array.buffers[1], wrong.at(), bytes);
  const int64_t size = LoadSigned(wrong.array.buffers[2], wrong.at(), bytes);
  return FaultAt(wrong, ALLOY_REASON_LIST_VIEW,
                 "the list view has offset " + std::to_string(offset) + " and size " +
                     std::to_string(size) + ", but the child has " +
                     CountText(wrong.array.children[0]->length, "row"));
}

Status InvalidTypeId(const WrongRow& wrong) {
  return FaultAt(wrong, ALLOY_REASON_TYPE_ID,
                 "the union has no type id " +
                     std::to_string(LoadSigned(wrong.array.buffers[0], wrong.at(), 1)));
}

Status InvalidUnionOffset(const WrongRow& wrong, int64_t n_values) {
  const auto offset = LoadValue<int32_t>(wrong.array.buffers[1], wrong.at());
  return FaultAt(wrong, ALLOY_REASON_UNION_OFFSET,
                 "the offset is " + std::to_string(offset) + ", but the child has " +
                     CountText(n_values, "row"));
}

Status InvalidRunEnd(const WrongRow& wrong) {
  const void* ends = wrong.array.buffers[1];
  const uint8_t bytes = wrong.node->integer_bytes;
  const int64_t before = wrong.row == 0 ? 0 : LoadSigned(ends, wrong.at() - 1, bytes);
  return FaultAt(wrong, ALLOY_REASON_RUN_ENDS,
                 Expected("a run end above " + std::to_string(before),
                          std::to_string(LoadSigned(ends, wrong.at(), bytes))));
}

Status InvalidIndex(const WrongRow& wrong) {
  return FaultAt(wrong, ALLOY_REASON_INDEX,
                 "the index is " + IndexText(wrong) + ", but the dictionary has " +
                     CountText(wrong.array.dictionary->length, "value"));
}

Status WrongNullCount(const Layout& layout, const Layout::Node* node,
                      const ArrowArray& array, int64_t nulls) {
  const auto column = static_cast<int32_t>(node - layout.nodes().data()) - 1;
  return DataFault(ALLOY_REASON_NULL_COUNT,
                   {.column = column, .path = layout.Path(column)},
                   "the null count is " + std::to_string(array.null_count) +
                       ", but the validity bitmap has " + CountText(nulls, "null"));
}

}  // namespace alloy::core_v0_1

// src/gate/rows.cc ----------------------------------------------------------------------

#include <array>
#include <string>
#include <utility>

//
// The checks of text at level full. The offsets or views of the rows have passed
// row_checks.h, so the bytes may be read.
//
// Below null rows there may be any bytes. The checks accept them, and report them: a
// library may read them anyway (mend.h). Bytes before the first offset, after the last
// one and between views belong to no row, and are not read.
//
// The ranges count from the start of the buffers. Wrong rows are counted from the begin
// of the range; -1 if there is none.
//
// Threads  shared.
#ifndef ALLOY_SRC_GATE_TEXT_CHECKS_H_
#define ALLOY_SRC_GATE_TEXT_CHECKS_H_

#include <cstdint>


namespace alloy::core_v0_1 {

struct TextFault {
  int64_t row = -1;
  bool not_utf8 = false;     // else the prefix or the padding of a view is wrong
  bool below_nulls = false;  // no row is wrong, but what a null row hides would be
};

// The first row whose text, behind offsets of 4 or 8 bytes, is not UTF-8.
TextFault FirstInvalidText(const ArrowArray& array, uint8_t offset_bytes, RowRange rows);

// The first row whose view is wrong: the bytes after a short text must be 0, the prefix
// of a long text must be the first bytes of it and, if `utf8`, the text must be UTF-8.
// The views of null rows may also point outside their buffers.
TextFault FirstInvalidViewText(const ArrowArray& array, RowRange rows, bool utf8);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_TEXT_CHECKS_H_

namespace alloy::core_v0_1 {
namespace {

bool AnyChildPointsElsewhere(const Layout::Node* parent) {
  const Layout::Node* child = parent + 1;
  for (int32_t i = 0; i < parent->n_children; ++i, child += child->subtree) {
    if (child->points_elsewhere) return true;
  }
  return false;
}

// Walks a tree of arrays along its layout, and applies the checks of row_checks.h and
// text_checks.h.
//
// There are two ways to count rows. `rows` counts as a reader of the array does. `at`
// counts from the start of the buffers, that is with the array's offset.
class RowWalk {
 public:
  RowWalk(const Layout& layout, Checks checks, std::vector<Mend>* mends)
      : layout_(layout), full_(checks.full()), trusted_(checks.trusted), mends_(mends) {}

  bool Check(const ArrowArray& array) {
    return CheckNode(layout_.nodes().data(), array, {0, array.length});
  }
  Status TakeFault() { return std::move(fault_); }

 private:
  using Node = Layout::Node;
  using FormCheck = bool (RowWalk::*)(const Node*, const ArrowArray&, RowRange at);

  // The check of each form, at the place of the form.
  struct CheckOfForm {
    Form form;
    FormCheck check;
  };
  static constexpr auto Checks() {
    return std::to_array<CheckOfForm>({
        {Form::kFixed, &RowWalk::CheckNothing},
        {Form::kOffsets, &RowWalk::CheckBytes},
        {Form::kViews, &RowWalk::CheckViews},
        {Form::kList, &RowWalk::CheckList},
        {Form::kListView, &RowWalk::CheckListView},
        {Form::kFixedSizeList, &RowWalk::CheckFixedSizeList},
        {Form::kStruct, &RowWalk::CheckStruct},
        {Form::kSparseUnion, &RowWalk::CheckSparseUnion},
        {Form::kDenseUnion, &RowWalk::CheckDenseUnion},
        {Form::kRunEnd, &RowWalk::CheckRunEnd},
        {Form::kNull, &RowWalk::CheckNothing},
    });
  }

  bool CheckNode(const Node* node, const ArrowArray& array, RowRange rows);
  bool CheckBelow(const Node* node, const ArrowArray& array, RowRange rows);
  bool CheckChildren(const Node* node, const ArrowArray& array, RowRange rows);

  bool CheckNothing(const Node*, const ArrowArray&, RowRange) { return true; }
  bool CheckBytes(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckViews(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckList(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckListView(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckFixedSizeList(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckStruct(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckSparseUnion(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckDenseUnion(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckRunEnd(const Node* node, const ArrowArray& array, RowRange at);

  bool CheckNullCount(const Node* node, const ArrowArray& array);
  bool CheckDictionary(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckTypeIds(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckOffsets(const Node* node, const ArrowArray& array, RowRange at, int64_t limit,
                    const char* limit_noun);

  // `row` is what a check has returned for `at`.
  WrongRow Wrong(const Node* node, const ArrowArray& array, RowRange at,
                 int64_t row) const {
    return {layout_, node, array, at.begin - array.offset + row};
  }
  bool Fail(Status fault) {
    fault_ = std::move(fault);
    return false;
  }
  // A repaired column has the rows of the batch. An array below has all its rows.
  void AddMend(const Node* node, const ArrowArray& array, RowRange at, Mend::Kind kind) {
    if (mends_ == nullptr) return;
    const RowRange whole{.begin = array.offset, .count = array.length};
    mends_->push_back(
        {.node = node, .array = &array, .rows = depth_ == 0 ? at : whole, .kind = kind});
  }

  const Layout& layout_;
  const bool full_;
  const bool trusted_;
  int depth_ = 0;  // below the columns
  std::vector<Mend>* const mends_;
  Status fault_;
};

bool RowWalk::CheckNode(const Node* node, const ArrowArray& array, RowRange rows) {
  static_assert(HasEachForm(Checks()));
  static constexpr auto kChecks = Checks();
  if (full_) {
    if (!CheckNullCount(node, array)) return false;
  } else if (!node->points_elsewhere || rows.count == 0) {
    // Without rows the buffers need not be there, and nothing below can be reached.
    return true;
  }
  const RowRange at{.begin = array.offset + rows.begin, .count = rows.count};
  const size_t mends = mends_ == nullptr ? 0 : mends_->size();
  if (node->dictionary && !CheckDictionary(node, array, at)) return false;
  if (!(this->*kChecks[static_cast<size_t>(node->form)].check)(node, array, at)) {
    return false;
  }
  // A copy for another reason is aligned too. (It was added before those below it.)
  if (trusted_ && mends_ != nullptr && rows.count > 0 && IsMisaligned(*node, array)) {
    const bool copied = mends_->size() > mends && (*mends_)[mends].node == node;
    if (!copied) AddMend(node, array, at, Mend::Kind::kAlignment);
  }
  return true;
}

// A node below a column. Level full checks all its rows. (The columns themselves have only
// the rows of the batch, at every level.)
bool RowWalk::CheckBelow(const Node* node, const ArrowArray& array, RowRange rows) {
  ++depth_;
  const bool fits = CheckNode(node, array, full_ ? RowRange{0, array.length} : rows);
  --depth_;
  return fits;
}

bool RowWalk::CheckChildren(const Node* node, const ArrowArray& array, RowRange rows) {
  const bool root = node == layout_.nodes().data();
  const Node* child = node + 1;
  for (int32_t i = 0; i < node->n_children; ++i, child += child->subtree) {
    const ArrowArray& below = *array.children[i];
    if (!(root ? CheckNode(child, below, rows) : CheckBelow(child, below, rows))) {
      return false;
    }
  }
  return true;
}

bool RowWalk::CheckNullCount(const Node* node, const ArrowArray& array) {
  if (!HasBitmap(node->form) || array.null_count < 0) return true;
  if (array.buffers[0] == nullptr) return true;  // level shape: then the count is 0
  const int64_t nulls =
      CountNulls(array.buffers[0], {.begin = array.offset, .count = array.length});
  return nulls == array.null_count || Fail(WrongNullCount(layout_, node, array, nulls));
}

bool RowWalk::CheckDictionary(const Node* node, const ArrowArray& array, RowRange at) {
  const ArrowArray& values = *array.dictionary;
  bool below_nulls = false;
  const int64_t row = FirstInvalidIndex(array.buffers[1], node->type, at, values.length,
                                        Nulls(array), &below_nulls);
  if (row >= 0) return Fail(InvalidIndex(Wrong(node, array, at, row)));
  if (below_nulls) AddMend(node, array, at, Mend::Kind::kNullIndices);
  return CheckBelow(node + 1, values, {0, values.length});
}

// The offsets of the rows never decrease, and none is above the limit.
bool RowWalk::CheckOffsets(const Node* node, const ArrowArray& array, RowRange at,
                           int64_t limit, const char* limit_noun) {
  const void* offsets = array.buffers[1];
  const uint8_t bytes = node->integer_bytes;
  const int64_t row = FirstDecreasingOffset(offsets, bytes, at);
  if (row >= 0) return Fail(DecreasingOffset(Wrong(node, array, at, row)));
  if (LoadSigned(offsets, at.begin + at.count, bytes) <= limit) return true;
  return Fail(OffsetAboveLimit(Wrong(node, array, at, at.count - 1), limit, limit_noun));
}

bool RowWalk::CheckBytes(const Node* node, const ArrowArray& array, RowRange at) {
  if (at.count == 0) return true;
  // The size of the bytes is unknown. They must reach to the end of the array's last row,
  // so that is the limit for the rows of a slice.
  const int64_t limit =
      LoadSigned(array.buffers[1], array.offset + array.length, node->integer_bytes);
  if (!CheckOffsets(node, array, at, limit, "byte")) return false;
  if (!full_ || (node->type != Type::kUtf8 && node->type != Type::kLargeUtf8))
    return true;
  const TextFault fault = FirstInvalidText(array, node->integer_bytes, at);
  if (fault.row >= 0) return Fail(InvalidText(Wrong(node, array, at, fault.row)));
  if (trusted_ && fault.below_nulls) AddMend(node, array, at, Mend::Kind::kNullTexts);
  return true;
}

bool RowWalk::CheckViews(const Node* node, const ArrowArray& array, RowRange at) {
  if (at.count == 0) return true;
  bool below_nulls = false;
  const int64_t row = FirstInvalidView(array, at, &below_nulls);
  if (row >= 0) return Fail(InvalidView(Wrong(node, array, at, row)));
  if (full_) {
    const TextFault fault =
        FirstInvalidViewText(array, at, node->type == Type::kUtf8View);
    if (fault.row >= 0) {
      const WrongRow wrong = Wrong(node, array, at, fault.row);
      return Fail(fault.not_utf8 ? InvalidText(wrong) : InvalidViewPrefix(wrong));
    }
    below_nulls |= trusted_ && fault.below_nulls;
  }
  if (below_nulls) AddMend(node, array, at, Mend::Kind::kNullViews);
  return true;
}

bool RowWalk::CheckList(const Node* node, const ArrowArray& array, RowRange at) {
  const ArrowArray& child = *array.children[0];
  if (at.count == 0) return CheckBelow(node + 1, child, {});
  if (!CheckOffsets(node, array, at, child.length, "row")) return false;
  const void* offsets = array.buffers[1];
  const int64_t first = LoadSigned(offsets, at.begin, node->integer_bytes);
  const int64_t last = LoadSigned(offsets, at.begin + at.count, node->integer_bytes);
  return CheckBelow(node + 1, child, {.begin = first, .count = last - first});
}

bool RowWalk::CheckListView(const Node* node, const ArrowArray& array, RowRange at) {
  const ArrowArray& child = *array.children[0];
  const void* offsets = array.buffers[1];
  const void* sizes = array.buffers[2];
  const uint8_t bytes = node->integer_bytes;
  const int64_t row = FirstInvalidListView(offsets, sizes, bytes, at, child.length);
  if (row >= 0) return Fail(InvalidListView(Wrong(node, array, at, row)));
  // The reach costs a pass over the rows, so it is computed only if it is used.
  RowRange reach;
  if (!full_ && node[1].points_elsewhere) {
    reach = ReachOfListViews(offsets, sizes, bytes, at);
  }
  return CheckBelow(node + 1, child, reach);
}

bool RowWalk::CheckFixedSizeList(const Node* node, const ArrowArray& array, RowRange at) {
  return CheckChildren(node, array,
                       {.begin = at.begin * node->size, .count = at.count * node->size});
}

bool RowWalk::CheckStruct(const Node* node, const ArrowArray& array, RowRange at) {
  return CheckChildren(node, array, at);
}

bool RowWalk::CheckSparseUnion(const Node* node, const ArrowArray& array, RowRange at) {
  return CheckTypeIds(node, array, at) && CheckChildren(node, array, at);
}

bool RowWalk::CheckTypeIds(const Node* node, const ArrowArray& array, RowRange at) {
  const int64_t row =
      FirstInvalidTypeId(array.buffers[0], at, layout_.type_ids(*node).children);
  return row < 0 || Fail(InvalidTypeId(Wrong(node, array, at, row)));
}

bool RowWalk::CheckDenseUnion(const Node* node, const ArrowArray& array, RowRange at) {
  if (!CheckTypeIds(node, array, at)) return false;
  const auto& children = layout_.type_ids(*node).children;
  std::array<int64_t, 128> lengths{};
  for (size_t id = 0; id < children.size(); ++id) {
    if (children[id] >= 0) lengths[id] = array.children[children[id]]->length;
  }
  const auto* ids = static_cast<const uint8_t*>(array.buffers[0]);  // checked: 0 to 127
  const void* offsets = array.buffers[1];
  const int64_t row = FirstInvalidUnionOffset(ids, offsets, at, lengths);
  if (row >= 0) {
    const int64_t length = lengths[ids[at.begin + row]];
    return Fail(InvalidUnionOffset(Wrong(node, array, at, row), length));
  }
  std::array<RowRange, 128> reach{};
  if (!full_ && AnyChildPointsElsewhere(node)) {
    reach = ReachOfDenseUnion(ids, offsets, at, children);
  }
  const Node* child = node + 1;
  for (size_t i = 0; i < static_cast<size_t>(node->n_children);
       ++i, child += child->subtree) {
    if (!CheckBelow(child, *array.children[i], reach[i])) return false;
  }
  return true;
}

// All run ends, because readers search all of them; of the values only the runs that
// contain the rows.
bool RowWalk::CheckRunEnd(const Node* node, const ArrowArray& array, RowRange at) {
  const Node* ends_node = node + 1;
  const Node* values_node = ends_node + ends_node->subtree;
  const ArrowArray& ends = *array.children[0];
  const ArrowArray& values = *array.children[1];
  const uint8_t bytes = ends_node->integer_bytes;
  const int64_t row = FirstNotIncreasingRunEnd(ends.buffers[1], bytes, ends.length);
  if (row >= 0) {
    return Fail(InvalidRunEnd(Wrong(ends_node, ends, {0, ends.length}, row)));
  }
  if (at.count == 0) return CheckBelow(values_node, values, {});
  return CheckBelow(values_node, values,
                    ReachOfRunEnds(ends.buffers[1], bytes, ends.length, at));
}

}  // namespace

Status CheckRows(const Layout& layout, Checks checks, const ArrowArray& array,
                 std::vector<Mend>* mends) {
  if (!checks.rows()) return Status();
  if (!checks.full() && !layout.nodes()[0].points_elsewhere) return Status();
  RowWalk walk(layout, checks, mends);
  return walk.Check(array) ? Status() : walk.TakeFault();
}

}  // namespace alloy::core_v0_1

// src/gate/shape.cc ---------------------------------------------------------------------

#include <bit>


namespace alloy::core_v0_1 {
namespace {

// Views name a variadic buffer by an int32, so there may be 2^31 of them, and 3 more.
constexpr int64_t kMostViewBuffers = (int64_t{1} << 31) + 3;

// True only for arrays that CheckFixed passes and that need no repair. It spares
// the most frequent column the branches of CheckHead. The differences are unsigned, so
// that none overflows: a negative one has its highest bit set.
inline bool FitsPlainly(const Layout::Node& node, const ArrowArray& array) {
  const auto length = static_cast<uint64_t>(array.length);
  const auto offset = static_cast<uint64_t>(array.offset);
  const auto nulls = static_cast<uint64_t>(array.null_count);
  const uint64_t room = static_cast<uint64_t>(node.max_end) - length;
  const uint64_t signs =
      length | offset | room | (room - offset) | (nulls + 1) | (length - nulls);
  const uint64_t unexpected = static_cast<uint64_t>(array.n_children) |
                              static_cast<uint64_t>(array.n_buffers ^ 2) |
                              reinterpret_cast<uintptr_t>(array.dictionary);
  return ((signs >> 63) | unexpected) == 0 && array.release != nullptr &&
         array.buffers != nullptr && array.buffers[1] != nullptr &&
         (array.null_count <= 0 || array.buffers[0] != nullptr);
}

}  // namespace

bool ShapeWalk::CheckTree(const Node* node, const ArrowArray* array) {
  // Most columns have a fixed width; they take the short way.
  if (node->form == Form::kFixed) {
    if (!CheckFixed(node, array)) [[unlikely]]
      return false;
  } else if (!CheckHead(node, array) || !CheckBody(node, array)) [[unlikely]] {
    return false;
  }
  return !node->dictionary || CheckTree(node + 1, array->dictionary);
}

// The fields that every struct has. Later checks may use all pointers that passed here.
inline bool ShapeWalk::CheckHead(const Node* node, const ArrowArray* array) {
  if (array->release == nullptr) [[unlikely]] {
    return Fail(node, ShapeFault::kReleased);
  }
  if (array->length < 0) [[unlikely]] {
    return Fail(node, ShapeFault::kNegativeLength, 0, array->length);
  }
  if (array->offset < 0) [[unlikely]] {
    return Fail(node, ShapeFault::kNegativeOffset, 0, array->offset);
  }
  if (array->offset > node->max_end - array->length) [[unlikely]] {
    return Fail(node, ShapeFault::kOverflow, array->length, array->offset);
  }
  if (array->null_count < -1) [[unlikely]] {
    return Fail(node, ShapeFault::kLowNullCount, -1, array->null_count);
  }
  if (array->null_count > array->length) [[unlikely]] {
    return Fail(node, ShapeFault::kHighNullCount, array->length, array->null_count);
  }
  if (array->n_children != node->n_children) [[unlikely]] {
    return Fail(node, ShapeFault::kChildCount, node->n_children, array->n_children);
  }
  if ((array->dictionary != nullptr) != node->dictionary) [[unlikely]] {
    return Fail(node, node->dictionary ? ShapeFault::kDictionaryMissing
                                       : ShapeFault::kDictionaryUnexpected);
  }
  if (array->n_buffers != node->n_buffers && !CheckBufferCount(node, array))
      [[unlikely]] {
    return false;
  }
  if (array->buffers == nullptr && array->n_buffers > 0) [[unlikely]] {
    return Fail(node, ShapeFault::kBuffersNull);
  }
  return true;
}

inline bool ShapeWalk::CheckFixed(const Node* node, const ArrowArray* array) {
  if (!CheckHead(node, array) || !CheckBitmap(node, array)) [[unlikely]]
    return false;
  if (array->buffers[1] == nullptr) [[unlikely]] {
    // Values of no bits (w:0) have no bytes, however many rows there are.
    if (node->has_bytes) return CheckNeeded(node, array, 1);
    needs_repair_ = true;
  }
  return true;
}

// All layouts except kFixed, by their row in the table of layouts.
bool ShapeWalk::CheckBody(const Node* node, const ArrowArray* array) {
  const int64_t end = array->offset + array->length;
  if (node->form == Form::kStruct) {
    // What its row in the table says, without a look into the table: every batch comes
    // through here.
    return CheckBitmap(node, array) && CheckChildren(node, array, end);
  }
  const LayoutRule& rule = RuleOf(node->form);
  if (rule.nulls == NullsIn::kBitmap && !CheckBitmap(node, array)) return false;
  if (rule.nulls == NullsIn::kChildren && !CheckNoNulls(node, array)) return false;
  if (rule.needed != 0 && !CheckNeededBuffers(node, array, rule.needed)) return false;
  int64_t last = 0;
  switch (rule.child_rows) {
    case ChildRows::kEnd:
      return CheckChildren(node, array, end);
    case ChildRows::kEndTimes:
      return CheckChildren(node, array, end * node->size);  // max_end: no overflow
    case ChildRows::kLastOffset:
      return CheckOffsets(node, array, &last) && CheckChildren(node, array, last);
    case ChildRows::kAny:
      break;
  }
  // Three layouts have values that only they have.
  if (node->form == Form::kOffsets) return CheckBytes(node, array);
  if (node->form == Form::kViews) return CheckViews(node, array);
  return CheckChildren(node, array, 0) &&
         (node->form != Form::kRunEnd || CheckRunEnds(node, array));
}

bool ShapeWalk::CheckBufferCount(const Node* node, const ArrowArray* array) {
  const int64_t found = array->n_buffers;
  if (node->form == Form::kViews) {
    if (found < node->n_buffers) {
      return Fail(node, ShapeFault::kTooFewViewBuffers, node->n_buffers, found);
    }
    return found <= kMostViewBuffers ||
           Fail(node, ShapeFault::kTooManyViewBuffers, kMostViewBuffers, found);
  }
  if (node->form == Form::kNull && found == 1) {
    needs_repair_ = true;  // a validity bitmap, as in Arrow before version 1.0
    return true;
  }
  return Fail(node, ShapeFault::kBufferCount, node->n_buffers, found);
}

inline bool ShapeWalk::CheckBitmap(const Node* node, const ArrowArray* array) {
  if (array->null_count > 0 && array->buffers[0] == nullptr) [[unlikely]] {
    return Fail(node, ShapeFault::kNullsWithoutBitmap, 0, array->null_count);
  }
  return true;
}

// The nulls of unions and run-end arrays are those of their children.
bool ShapeWalk::CheckNoNulls(const Node* node, const ArrowArray* array) {
  return array->null_count <= 0 ||
         Fail(node, ShapeFault::kUnexpectedNulls, 0, array->null_count);
}

// A buffer that has bytes if there are rows.
inline bool ShapeWalk::CheckNeeded(const Node* node, const ArrowArray* array,
                                   int64_t buffer) {
  if (array->buffers[buffer] != nullptr) [[likely]]
    return true;
  if (array->length > 0) return Fail(node, ShapeFault::kBufferNull, 0, buffer);
  needs_repair_ = true;
  return true;
}

// The same for a set of buffers.
bool ShapeWalk::CheckNeededBuffers(const Node* node, const ArrowArray* array,
                                   unsigned buffers) {
  for (; buffers != 0; buffers &= buffers - 1) {
    if (!CheckNeeded(node, array, std::countr_zero(buffers))) return false;
  }
  return true;
}

// The first and the last offset. *last is 0 without rows: then the buffer of offsets may
// be empty, and none can be read.
bool ShapeWalk::CheckOffsets(const Node* node, const ArrowArray* array, int64_t* last) {
  *last = 0;
  if (array->length == 0) return true;
  const void* offsets = array->buffers[1];
  const int64_t first = LoadSigned(offsets, array->offset, node->integer_bytes);
  *last = LoadSigned(offsets, array->offset + array->length, node->integer_bytes);
  if (first < 0) return Fail(node, ShapeFault::kNegativeFirstOffset, 0, first);
  return *last >= first || Fail(node, ShapeFault::kLowLastOffset, first, *last);
}

// Offsets and the bytes behind them.
bool ShapeWalk::CheckBytes(const Node* node, const ArrowArray* array) {
  int64_t last = 0;
  if (!CheckOffsets(node, array, &last)) return false;
  if (array->buffers[2] != nullptr) return true;
  if (last > 0) return Fail(node, ShapeFault::kBufferNull, 0, 2);
  needs_repair_ = true;
  return true;
}

// The variadic buffers of views and the last buffer, which holds their sizes.
bool ShapeWalk::CheckViews(const Node* node, const ArrowArray* array) {
  const int64_t n = array->n_buffers - 3;
  const void* sizes = array->buffers[array->n_buffers - 1];
  if (sizes == nullptr) {
    if (n > 0) return Fail(node, ShapeFault::kViewSizesNull);
    needs_repair_ = true;
    return true;
  }
  for (int64_t i = 0; i < n; ++i) {
    const int64_t size = LoadValue<int64_t>(sizes, i);
    if (size < 0) return Fail(node, ShapeFault::kNegativeViewSize, 0, size);
    if (array->buffers[2 + i] != nullptr) continue;
    if (size > 0) return Fail(node, ShapeFault::kBufferNull, 0, 2 + i);
    needs_repair_ = true;
  }
  return true;
}

// All children are well-formed and have at least `rows` rows.
bool ShapeWalk::CheckChildren(const Node* node, const ArrowArray* array, int64_t rows) {
  const int32_t n = node->n_children;
  if (n > 0 && array->children == nullptr) [[unlikely]] {
    return Fail(node, ShapeFault::kChildrenNull);
  }
  // The lengths are compared without a branch, and all at the end.
  int64_t shorter = 0, different = 0;
  const Node* child = node + 1;
  for (int32_t i = 0; i < n; ++i, child += child->subtree) {
    const ArrowArray* below = array->children[i];
    if (below == nullptr) [[unlikely]] {
      return Fail(child, ShapeFault::kChildNull);
    }
    const bool plain = child->subtree == 1 && child->form == Form::kFixed;
    if (!(plain && FitsPlainly(*child, *below)) && !CheckTree(child, below)) {
      return false;
    }
    shorter |= below->length - rows;  // neither is negative, so this does not overflow
    different |= below->length ^ rows;
  }
  equal_lengths_ = different == 0;
  return shorter >= 0 || FailShorter(node, array, rows);
}

// Finds the child that CheckChildren knows to be too short.
bool ShapeWalk::FailShorter(const Node* node, const ArrowArray* array, int64_t rows) {
  const Node* child = node + 1;
  int32_t i = 0;
  for (; array->children[i]->length >= rows; ++i) child += child->subtree;
  return Fail(child, ShapeFault::kChildTooShort, rows, array->children[i]->length);
}

// After CheckChildren: the run ends are an integer array, and cover all rows.
bool ShapeWalk::CheckRunEnds(const Node* node, const ArrowArray* array) {
  const Node* ends_node = node + 1;
  const Node* values_node = ends_node + ends_node->subtree;
  const ArrowArray* ends = array->children[0];
  const ArrowArray* values = array->children[1];
  if (ends->offset != 0) {
    return Fail(ends_node, ShapeFault::kRunEndsOffset, 0, ends->offset);
  }
  // Some builders leave a bitmap here in which every row is valid. That is accepted.
  if (ends->null_count > 0 ||
      (ends->null_count < 0 && AnyNull(ends->buffers[0], {0, ends->length}))) {
    return Fail(ends_node, ShapeFault::kRunEndsNulls);
  }
  if (values->length < ends->length) {
    return Fail(values_node, ShapeFault::kChildTooShort, ends->length, values->length);
  }
  if (array->length == 0) return true;
  const int64_t end = array->offset + array->length;
  const int64_t covered =
      ends->length == 0
          ? 0
          : LoadSigned(ends->buffers[1], ends->length - 1, ends_node->integer_bytes);
  return covered >= end || Fail(ends_node, ShapeFault::kRunEndsTooShort, end, covered);
}

bool ShapeWalk::Fail(const Node* node, ShapeFault::Kind kind, int64_t expected,
                     int64_t found) {
  fault_ = {.kind = kind,
            .node = static_cast<int32_t>(node - nodes_),
            .expected = expected,
            .found = found};
  return false;
}

Status CheckShape(const Layout& layout, const ArrowArray& array) {
  ShapeWalk walk(layout);
  if (walk.Check(array)) [[likely]]
    return Status();
  return ShapeStatus(layout, walk.fault());
}

}  // namespace alloy::core_v0_1

// src/gate/shape_fault.cc ---------------------------------------------------------------

#include <string>


namespace alloy::core_v0_1 {
namespace {

struct Words {
  int32_t reason = 0;
  std::string text;
};

std::string AtLeast(const std::string& what, const ShapeFault& fault) {
  return "expected " + what + " of at least " + std::to_string(fault.expected) +
         ", found " + std::to_string(fault.found);
}

std::string Count(const ShapeFault& fault, std::string_view noun) {
  return "expected " + CountText(fault.expected, noun) + ", found " +
         std::to_string(fault.found);
}

std::string Bounded(const ShapeFault& fault, const std::string& bound,
                    std::string_view noun) {
  return "expected " + bound + CountText(fault.expected, noun) + ", found " +
         std::to_string(fault.found);
}

// The faults of one struct: its numbers and its dictionary.
Words NumberWords(const ShapeFault& fault, const Layout::Node& node) {
  switch (fault.kind) {
    case ShapeFault::kReleased:
      return {ALLOY_REASON_ARRAY_RELEASED, "the array is released, or was never filled"};
    case ShapeFault::kNegativeLength:
      return {ALLOY_REASON_LENGTH, AtLeast("a length", fault)};
    case ShapeFault::kNegativeOffset:
      return {ALLOY_REASON_OFFSET, AtLeast("an offset", fault)};
    case ShapeFault::kOverflow:
      return {ALLOY_REASON_OVERFLOW,
              "offset " + std::to_string(fault.found) + " and length " +
                  std::to_string(fault.expected) + " add up to more than " +
                  std::to_string(node.max_end) + ", the most that this type allows"};
    case ShapeFault::kLowNullCount:
      return {ALLOY_REASON_NULL_COUNT, AtLeast("a null count", fault)};
    case ShapeFault::kHighNullCount:
      return {ALLOY_REASON_NULL_COUNT, "expected a null count of at most " +
                                           std::to_string(fault.expected) + ", found " +
                                           std::to_string(fault.found)};
    case ShapeFault::kDictionaryMissing:
      return {ALLOY_REASON_DICTIONARY_MISSING,
              "the schema has a dictionary here, but the array does not"};
    case ShapeFault::kDictionaryUnexpected:
      return {ALLOY_REASON_DICTIONARY_UNEXPECTED,
              "the array has a dictionary, but the schema has none here"};
    case ShapeFault::kNullsWithoutBitmap:
      return {ALLOY_REASON_NULLS_WITHOUT_BITMAP, "the null count is " +
                                                     std::to_string(fault.found) +
                                                     ", but there is no validity bitmap"};
    default:  // kUnexpectedNulls
      return {ALLOY_REASON_UNEXPECTED_NULLS,
              "the null count is " + std::to_string(fault.found) +
                  ", but arrays of this type have no nulls; only their children do"};
  }
}

// The faults of buffers and of the values that level shape reads.
Words BufferWords(const ShapeFault& fault, const Layout::Node& node) {
  switch (fault.kind) {
    case ShapeFault::kBufferCount:
      return {ALLOY_REASON_BUFFER_COUNT, Count(fault, "buffer")};
    case ShapeFault::kBuffersNull:
      return {ALLOY_REASON_BUFFERS_NULL, "the pointer to the buffers is NULL"};
    case ShapeFault::kBufferNull:
      return {ALLOY_REASON_BUFFER_NULL,
              "buffer " + std::to_string(fault.found) + " is NULL, but the rows need it"};
    case ShapeFault::kNegativeFirstOffset:
      return {ALLOY_REASON_OFFSETS, AtLeast("a first offset", fault)};
    case ShapeFault::kLowLastOffset:
      return {ALLOY_REASON_OFFSETS, AtLeast("a last offset", fault)};
    case ShapeFault::kTooFewViewBuffers:
      return {ALLOY_REASON_VIEW_BUFFER_COUNT, Bounded(fault, "at least ", "buffer")};
    case ShapeFault::kTooManyViewBuffers:
      return {ALLOY_REASON_VIEW_BUFFER_COUNT, Bounded(fault, "at most ", "buffer")};
    case ShapeFault::kViewSizesNull:
      return {ALLOY_REASON_VIEW_SIZES,
              "the last buffer, with the sizes of the variadic buffers, is NULL"};
    case ShapeFault::kNegativeViewSize:
      return {ALLOY_REASON_VIEW_SIZES, AtLeast("sizes of variadic buffers", fault)};
    default:
      return NumberWords(fault, node);
  }
}

Words WordsOf(const ShapeFault& fault, const Layout::Node& node) {
  switch (fault.kind) {
    case ShapeFault::kChildCount:
      return {ALLOY_REASON_CHILD_COUNT, Count(fault, "child")};
    case ShapeFault::kChildrenNull:
      return {ALLOY_REASON_CHILDREN_NULL, "the pointer to the children is NULL"};
    case ShapeFault::kChildNull:
      return {ALLOY_REASON_CHILD_NULL, "the pointer to this array is NULL"};
    case ShapeFault::kChildTooShort:
      return {ALLOY_REASON_CHILD_LENGTH, Bounded(fault, "at least ", "row")};
    case ShapeFault::kRunEndsOffset:
      return {
          ALLOY_REASON_RUN_ENDS_NULLS,
          "expected run ends with an offset of 0, found " + std::to_string(fault.found)};
    case ShapeFault::kRunEndsNulls:
      return {ALLOY_REASON_RUN_ENDS_NULLS,
              "run ends cannot be null, but the null count or the bitmap has nulls"};
    case ShapeFault::kRunEndsTooShort:
      return {ALLOY_REASON_CHILD_LENGTH, AtLeast("a last run end", fault)};
    default:
      return BufferWords(fault, node);
  }
}

}  // namespace

Status ShapeStatus(const Layout& layout, const ShapeFault& fault) {
  const int32_t column = fault.node - 1;
  const Words words = WordsOf(fault, layout.nodes()[static_cast<size_t>(fault.node)]);
  return DataFault(words.reason, {.column = column, .path = layout.Path(column)},
                   words.text);
}

}  // namespace alloy::core_v0_1

// src/gate/text_checks.cc ---------------------------------------------------------------

#include <cstring>
#include <string_view>


namespace alloy::core_v0_1 {
namespace {

// The texts of consecutive rows behind offsets.
template <typename Offset>
class Texts {
 public:
  Texts(const ArrowArray& array, RowRange rows)
      : offsets_(static_cast<const char*>(array.buffers[1]) +
                 rows.begin * int64_t{sizeof(Offset)}),
        bytes_(static_cast<const char*>(array.buffers[2])),
        rows_(rows.count) {}

  int64_t offset(int64_t i) const { return LoadValue<Offset>(offsets_, i); }
  std::string_view Between(int64_t begin, int64_t end) const {
    if (begin == end) return {};  // then the bytes may be NULL
    return {bytes_ + begin, static_cast<size_t>(end - begin)};
  }
  std::string_view all() const { return Between(offset(0), offset(rows_)); }
  std::string_view text(int64_t i) const { return Between(offset(i), offset(i + 1)); }

  // Of texts that are UTF-8 all together: true if no row begins inside a character.
  bool BeginAtCharacters() const {
    const int64_t end = offset(rows_);
    int64_t rows = rows_;
    while (rows > 0 && offset(rows - 1) == end) --rows;  // empty texts at the end
    const int64_t inside = FirstWrong(rows, [this](int64_t i) {
      // Continuation bytes are 0x80 to 0xBF: as signed numbers, those below -64.
      const auto byte = static_cast<int8_t>(bytes_[offset(i)]);
      return static_cast<int32_t>(byte < -64 ? -1 : 0);
    });
    return inside < 0;
  }

 private:
  const char* offsets_;
  const char* bytes_;
  int64_t rows_;
};

template <typename Offset>
TextFault FirstInvalidTextOf(const ArrowArray& array, RowRange rows) {
  const Texts<Offset> texts(array, rows);
  // The texts of all rows lie next to each other, so they are scanned as one.
  const TextKind kind = ScanText(texts.all());
  if (kind == TextKind::kAscii) return {};
  if (kind == TextKind::kUtf8 && texts.BeginAtCharacters()) return {};
  // Find the row, or learn that only null rows are wrong.
  const Nulls nulls(array);
  for (int64_t i = 0; i < rows.count; ++i) {
    if (!nulls.At(rows.begin + i) && ScanText(texts.text(i)) == TextKind::kInvalid) {
      return {.row = i, .not_utf8 = true};
    }
  }
  return {.below_nulls = true};
}

// A view of 16 bytes: the length, then 12 bytes of text and padding. Or the length, 4
// bytes of text, the number of a buffer, and an offset.
enum class ViewFault : uint8_t { kNone, kPrefix, kUtf8 };

ViewFault CheckViewText(const ArrowArray& array, const char* view, bool utf8) {
  constexpr size_t kInline = kMostInline;
  constexpr char kZeros[kInline] = {};
  const auto size = static_cast<size_t>(LoadValue<int32_t>(view, 0));
  if (size <= kInline) {
    if (std::memcmp(view + 4 + size, kZeros, kInline - size) != 0) {
      return ViewFault::kPrefix;
    }
    // The padding is zero, so a scan of all 12 bytes finds the same.
    constexpr uint64_t kHighBits = 0x8080808080808080U;
    const uint64_t bytes =
        LoadValue<uint64_t>(view + 4, 0) | LoadValue<uint32_t>(view, 3);
    if (!utf8 || (bytes & kHighBits) == 0) return ViewFault::kNone;
    return ScanText({view + 4, size}) == TextKind::kInvalid ? ViewFault::kUtf8
                                                            : ViewFault::kNone;
  }
  const auto buffer = LoadValue<int32_t>(view, 2);
  const auto* text =
      static_cast<const char*>(array.buffers[2 + buffer]) + LoadValue<int32_t>(view, 3);
  if (std::memcmp(view + 4, text, 4) != 0) return ViewFault::kPrefix;
  return utf8 && ScanText({text, size}) == TextKind::kInvalid ? ViewFault::kUtf8
                                                              : ViewFault::kNone;
}

}  // namespace

TextFault FirstInvalidText(const ArrowArray& array, uint8_t bytes, RowRange rows) {
  if (rows.count == 0) return {};
  return bytes == 4 ? FirstInvalidTextOf<int32_t>(array, rows)
                    : FirstInvalidTextOf<int64_t>(array, rows);
}

TextFault FirstInvalidViewText(const ArrowArray& array, RowRange rows, bool utf8) {
  const Nulls nulls(array);
  const auto* views =
      static_cast<const char*>(array.buffers[1]) + rows.begin * kViewBytes;
  bool below_nulls = false;
  for (int64_t i = 0; i < rows.count; ++i, views += kViewBytes) {
    if (nulls.At(rows.begin + i)) {
      below_nulls |= !IsValidView(array, views) ||
                     CheckViewText(array, views, utf8) != ViewFault::kNone;
      continue;
    }
    const ViewFault fault = CheckViewText(array, views, utf8);
    if (fault != ViewFault::kNone) {
      return {.row = i, .not_utf8 = fault == ViewFault::kUtf8};
    }
  }
  return {.below_nulls = below_nulls};
}

}  // namespace alloy::core_v0_1

// src/trust/base64.cc -------------------------------------------------------------------
//
// Base64 by RFC 4648, section 4. Each value has exactly one accepted spelling.
#ifndef ALLOY_SRC_TRUST_BASE64_H_
#define ALLOY_SRC_TRUST_BASE64_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace alloy::core_v0_1 {

// Decode `text` into `out`. Returns what is wrong with the text, or an empty string: a
// character outside of the alphabet, a blank, padding that is missing or in the middle, or
// bits in the last character that no encoder sets.
std::string DecodeBase64(std::string_view text, std::vector<std::byte>* out);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_TRUST_BASE64_H_

#include <cstdint>


namespace alloy::core_v0_1 {
namespace {

constexpr int kNoDigit = -1;

int DigitOf(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return kNoDigit;
}

std::string BadCharacter(std::string_view text, size_t at) {
  const char c = text[at];
  std::string what =
      "character " + std::to_string(at + 1) + " is " + Quoted(text.substr(at, 1));
  if (c == '-' || c == '_')
    return what + ", which only base64url has; use standard base64";
  if (c == '=') return what + ", padding before the end; give one certificate only";
  if (c == '\n' || c == '\r') return what + "; give one line without line breaks";
  return what + ", which is not a base64 character";
}

}  // namespace

std::string DecodeBase64(std::string_view text, std::vector<std::byte>* out) {
  out->clear();
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') {
    ++padding;
  }
  const std::string_view digits = text.substr(0, text.size() - padding);
  uint32_t bits = 0;
  int count = 0;  // bits that do not fill a byte yet
  out->reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < digits.size(); ++i) {
    const int digit = DigitOf(digits[i]);
    if (digit == kNoDigit) return BadCharacter(text, i);
    bits = (bits << 6U) | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out->push_back(static_cast<std::byte>(bits >> static_cast<unsigned>(count)));
    bits &= (1U << static_cast<unsigned>(count)) - 1;
  }
  if (text.size() % 4 != 0) {
    return "its length, " + std::to_string(text.size()) + ", is not a multiple of 4";
  }
  if (bits != 0) return "its last character has extra bits that no encoder sets";
  return {};
}

}  // namespace alloy::core_v0_1

// src/trust/certificate.cc --------------------------------------------------------------
//
// X.509 certificates: parsed from DER, with the facts that trust needs.
#ifndef ALLOY_SRC_TRUST_CERTIFICATE_H_
#define ALLOY_SRC_TRUST_CERTIFICATE_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

//
// libcrypto as trust uses it: the table of functions, and a separate library context. That
// context reads no configuration file and shares nothing with the host's use of OpenSSL.
#ifndef ALLOY_SRC_TRUST_CRYPTO_H_
#define ALLOY_SRC_TRUST_CRYPTO_H_

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

//
// The functions of OpenSSL's libcrypto 3 that trust calls, as a table that is filled at
// run time. The prototypes are ours, so that no header of OpenSSL is needed to build; a
// test holds each of them, and each constant, against the real headers.
//
// Source: the manual pages of OpenSSL 3.0, section 3.
#ifndef ALLOY_SRC_TRUST_LIBCRYPTO_H_
#define ALLOY_SRC_TRUST_LIBCRYPTO_H_

#include <cstddef>
#include <cstdint>
#include <ctime>

// OpenSSL's own tags, so that the types are the same ones.
struct asn1_string_st;
struct bio_method_st;
struct bio_st;
struct engine_st;
struct evp_md_ctx_st;
struct evp_md_st;
struct evp_pkey_ctx_st;
struct evp_pkey_st;
struct ossl_init_settings_st;
struct ossl_lib_ctx_st;
struct ossl_param_st;
struct stack_st;
struct stack_st_X509;
struct X509_name_st;
struct x509_st;
struct x509_store_ctx_st;
struct x509_store_st;
struct X509_VERIFY_PARAM_st;

namespace alloy::core_v0_1 {

// X(result, name, parameters)
#define ALLOY_LIBCRYPTO_FUNCTIONS(X)                                                \
  X(int, OPENSSL_init_crypto, (uint64_t, const ossl_init_settings_st*))             \
  X(ossl_lib_ctx_st*, OSSL_LIB_CTX_new, ())                                         \
  X(void, OSSL_LIB_CTX_free, (ossl_lib_ctx_st*))                                    \
  X(int, ERR_set_mark, ())                                                          \
  X(int, ERR_pop_to_mark, ())                                                       \
  X(evp_md_st*, EVP_MD_fetch, (ossl_lib_ctx_st*, const char*, const char*))         \
  X(void, EVP_MD_free, (evp_md_st*))                                                \
  X(int, EVP_Digest,                                                                \
    (const void*, size_t, unsigned char*, unsigned*, const evp_md_st*, engine_st*)) \
  X(int, EVP_DigestInit_ex, (evp_md_ctx_st*, const evp_md_st*, engine_st*))         \
  X(int, EVP_DigestUpdate, (evp_md_ctx_st*, const void*, size_t))                   \
  X(int, EVP_DigestFinal_ex, (evp_md_ctx_st*, unsigned char*, unsigned*))           \
  X(int, CRYPTO_memcmp, (const void*, const void*, size_t))                         \
  X(x509_st*, X509_new_ex, (ossl_lib_ctx_st*, const char*))                         \
  X(void, X509_free, (x509_st*))                                                    \
  X(x509_st*, d2i_X509, (x509_st**, const unsigned char**, long))                   \
  X(uint32_t, X509_get_extension_flags, (x509_st*))                                 \
  X(uint32_t, X509_get_key_usage, (x509_st*))                                       \
  X(uint32_t, X509_get_extended_key_usage, (x509_st*))                              \
  X(evp_pkey_st*, X509_get0_pubkey, (const x509_st*))                               \
  X(X509_name_st*, X509_get_subject_name, (const x509_st*))                         \
  X(X509_name_st*, X509_get_issuer_name, (const x509_st*))                          \
  X(const asn1_string_st*, X509_get0_notBefore, (const x509_st*))                   \
  X(const asn1_string_st*, X509_get0_notAfter, (const x509_st*))                    \
  X(int, ASN1_TIME_to_tm, (const asn1_string_st*, tm*))                             \
  X(int, X509_NAME_print_ex, (bio_st*, const X509_name_st*, int, unsigned long))    \
  X(const bio_method_st*, BIO_s_mem, ())                                            \
  X(bio_st*, BIO_new, (const bio_method_st*))                                       \
  X(int, BIO_free, (bio_st*))                                                       \
  X(int, BIO_read, (bio_st*, void*, int))                                           \
  X(x509_store_st*, X509_STORE_new, ())                                             \
  X(void, X509_STORE_free, (x509_store_st*))                                        \
  X(int, X509_STORE_add_cert, (x509_store_st*, x509_st*))                           \
  X(x509_store_ctx_st*, X509_STORE_CTX_new_ex, (ossl_lib_ctx_st*, const char*))     \
  X(void, X509_STORE_CTX_free, (x509_store_ctx_st*))                                \
  X(int, X509_STORE_CTX_init,                                                       \
    (x509_store_ctx_st*, x509_store_st*, x509_st*, stack_st_X509*))                 \
  X(X509_VERIFY_PARAM_st*, X509_STORE_CTX_get0_param, (const x509_store_ctx_st*))   \
  X(int, X509_STORE_CTX_get_error, (const x509_store_ctx_st*))                      \
  X(x509_st*, X509_STORE_CTX_get_current_cert, (const x509_store_ctx_st*))          \
  X(stack_st_X509*, X509_STORE_CTX_get0_chain, (const x509_store_ctx_st*))          \
  X(int, X509_verify_cert, (x509_store_ctx_st*))                                    \
  X(const char*, X509_verify_cert_error_string, (long))                             \
  X(int, X509_VERIFY_PARAM_set_flags, (X509_VERIFY_PARAM_st*, unsigned long))       \
  X(void, X509_VERIFY_PARAM_set_auth_level, (X509_VERIFY_PARAM_st*, int))           \
  X(void, X509_VERIFY_PARAM_set_depth, (X509_VERIFY_PARAM_st*, int))                \
  X(stack_st*, OPENSSL_sk_new_null, ())                                             \
  X(void, OPENSSL_sk_free, (stack_st*))                                             \
  X(int, OPENSSL_sk_push, (stack_st*, const void*))                                 \
  X(int, OPENSSL_sk_num, (const stack_st*))                                         \
  X(void*, OPENSSL_sk_value, (const stack_st*, int))                                \
  X(int, EVP_PKEY_is_a, (const evp_pkey_st*, const char*))                          \
  X(int, EVP_PKEY_get_bits, (const evp_pkey_st*))                                   \
  X(int, EVP_PKEY_get_size, (const evp_pkey_st*))                                   \
  X(int, EVP_PKEY_get_group_name, (const evp_pkey_st*, char*, size_t, size_t*))     \
  X(evp_md_ctx_st*, EVP_MD_CTX_new, ())                                             \
  X(void, EVP_MD_CTX_free, (evp_md_ctx_st*))                                        \
  X(int, EVP_DigestVerifyInit_ex,                                                   \
    (evp_md_ctx_st*, evp_pkey_ctx_st**, const char*, ossl_lib_ctx_st*, const char*, \
     evp_pkey_st*, const ossl_param_st*))                                           \
  X(int, EVP_DigestVerify,                                                          \
    (evp_md_ctx_st*, const unsigned char*, size_t, const unsigned char*, size_t))   \
  X(int, EVP_PKEY_CTX_set_rsa_padding, (evp_pkey_ctx_st*, int))                     \
  X(int, EVP_PKEY_CTX_set_rsa_pss_saltlen, (evp_pkey_ctx_st*, int))

struct Libcrypto {
#define ALLOY_LIBCRYPTO_POINTER_(result, name, parameters) \
  result(*name) parameters = nullptr;
  ALLOY_LIBCRYPTO_FUNCTIONS(ALLOY_LIBCRYPTO_POINTER_)
#undef ALLOY_LIBCRYPTO_POINTER_

  // Fill the table by `find`, which gives the address of a name, or NULL. Gives the name
  // of the first function that is missing; NULL: all are there.
  template <typename Find>
  const char* Bind(Find&& find) {
#define ALLOY_LIBCRYPTO_FIND_(result, name, parameters)                        \
  if (name = reinterpret_cast<decltype(name)>(find(#name)); name == nullptr) { \
    return #name;                                                              \
  }
    ALLOY_LIBCRYPTO_FUNCTIONS(ALLOY_LIBCRYPTO_FIND_)
#undef ALLOY_LIBCRYPTO_FIND_
    return nullptr;
  }
};

// Constants of <openssl/crypto.h>, x509v3.h, x509_vfy.h, x509.h, asn1.h and rsa.h.
inline constexpr uint64_t kInitWithoutConfig = 0x80;
inline constexpr uint32_t kExtensionConstraints = 0x1, kExtensionCa = 0x10,
                          kExtensionInvalid = 0x80;
inline constexpr uint32_t kUsageDigitalSignature = 0x80;
inline constexpr uint32_t kExtendedCodeSigning = 0x8, kExtendedAny = 0x100;
inline constexpr uint32_t kUsageAbsent = UINT32_MAX;  // what both getters answer then
inline constexpr unsigned long kVerifyStrict = 0x20, kVerifyPartialChain = 0x80000,
                               kVerifyWithoutTime = 0x200000;
inline constexpr int kVerifyOutOfMemory = 17, kVerifyEndKeyTooSmall = 66,
                     kVerifyCaKeyTooSmall = 67, kVerifyDigestTooWeak = 68,
                     kVerifyCurveParameters = 94;
inline constexpr unsigned long kNameRfc2253 = 0x1110317;
inline constexpr int kRsaPssPadding = 6, kRsaSaltAsDigest = -1;

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_TRUST_LIBCRYPTO_H_

namespace alloy::core_v0_1 {

// An object of libcrypto, and the function of the table that frees it.
template <typename T>
using Held = std::unique_ptr<T, void (*)(T*)>;

using Digest = std::array<std::byte, 32>;
std::string HexText(std::span<const std::byte> bytes);

// Threads  immutable: shared. The table must be that of a library that stays loaded.
class Crypto {
 public:
  //   Fails  REFUSED with NO_LIBCRYPTO: its providers give no SHA-256.
  static Result<std::shared_ptr<const Crypto>> Make(const Libcrypto& table);

  Crypto(const Crypto&) = delete;
  Crypto& operator=(const Crypto&) = delete;

  const Libcrypto& functions() const { return functions_; }
  ossl_lib_ctx_st* context() const { return context_.get(); }

  Result<Digest> Sha256(std::span<const std::byte> bytes) const;
  const evp_md_st* sha256() const { return sha256_.get(); }
  bool SameInConstantTime(std::string_view a, std::string_view b) const;

 private:
  explicit Crypto(const Libcrypto& table);

  const Libcrypto functions_;
  const Held<ossl_lib_ctx_st> context_;
  const Held<evp_md_st> sha256_;
};

// A SHA-256 of bytes that come in pieces.
class Sha256Stream {
 public:
  explicit Sha256Stream(const Crypto& crypto);
  void Add(std::span<const std::byte> bytes);
  // The last call.
  //   Fails  EXHAUSTED
  Result<Digest> Finish();

 private:
  const Crypto& crypto_;
  const Held<evp_md_ctx_st> context_;
  bool ok_;
};

// libcrypto leaves its errors on a queue of the thread, where the host's own use of
// OpenSSL would find them. This removes them.
class QuietErrors {
 public:
  explicit QuietErrors(const Crypto& crypto) : functions_(crypto.functions()) {
    functions_.ERR_set_mark();
  }
  ~QuietErrors() { functions_.ERR_pop_to_mark(); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;

 private:
  const Libcrypto& functions_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_TRUST_CRYPTO_H_

namespace alloy::core_v0_1 {

// The keys that may sign, each with the one algorithm that it signs by.
enum class KeyKind {
  kEd25519,
  kP256,    // ECDSA with SHA-256
  kP384,    // ECDSA with SHA-384
  kRsaPss,  // of 3072 bits or more, with SHA-256, MGF1 of it, and a salt of 32 bytes
  kUnusable,
};

struct CertificateFacts {
  std::string subject, issuer;  // by RFC 2253, printable ASCII
  std::string key;              // such as "ed25519", "ec prime256v1", "rsa 3072"
  KeyKind key_kind = KeyKind::kUnusable;
  int64_t not_before = 0, not_after = 0;  // seconds since 1970
  std::string sha256;                     // of its DER, in hex
  bool has_constraints = false;           // the extension basicConstraints
  bool is_ca = false;
};

// Threads  const members: shared.
class Certificate {
 public:
  // Exactly one certificate, in strict DER (der.h), so that no two byte strings are the
  // same certificate. The Crypto must live as long.
  //   Fails  REFUSED with CERTIFICATE_DER, or with WEAK_KEY for a curve without a name.
  static Result<Certificate> FromDer(const Crypto& crypto,
                                     std::span<const std::byte> der);

  x509_st* get() const { return x509_.get(); }
  const CertificateFacts& facts() const { return facts_; }

 private:
  explicit Certificate(Held<x509_st> x509) : x509_(std::move(x509)) {}

  Held<x509_st> x509_;
  CertificateFacts facts_;
};

// What SetImplLib takes: strict base64 of one DER certificate of at most 16 KiB.
//   Fails  REFUSED with CERTIFICATE_BASE64, CERTIFICATE_DER or WEAK_KEY.
Result<Certificate> ParseCertificateArgument(const Crypto& crypto,
                                             std::string_view argument);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_TRUST_CERTIFICATE_H_

#include <array>
#include <chrono>
#include <ctime>

//
// Strict DER: whether bytes are the only encoding of what they hold. libcrypto reads other
// encodings too, so one certificate could have many fingerprints, and it follows the
// parameters of a curve that a certificate spells out. This check comes before libcrypto
// sees a byte.
//
// Source: ITU-T X.690, sections 8, 10 and 11; RFC 5280, section 4.1.
#ifndef ALLOY_SRC_TRUST_DER_H_
#define ALLOY_SRC_TRUST_DER_H_

#include <cstddef>
#include <span>
#include <string>

namespace alloy::core_v0_1 {

// Whether these bytes are one value in DER, and nothing more. Gives what is wrong; empty:
// nothing. The time is in proportion to the size.
std::string CheckDer(std::span<const std::byte> bytes);

// What is wrong with bytes that hold something else.
inline constexpr const char* kNoCertificate =
    "is not an X.509 certificate, but for example a key, a request or a list";

enum class DerFault { kNone, kEncoding, kCurve };
struct DerVerdict {
  DerFault fault = DerFault::kNone;
  std::string text;  // what is wrong
};

// Whether these bytes are one X.509 certificate in DER, with the extensions that trust
// uses, each at most once, and its key. An elliptic curve must be named (kCurve).
DerVerdict CheckCertificateDer(std::span<const std::byte> bytes);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_TRUST_DER_H_

namespace alloy::core_v0_1 {
namespace {

constexpr size_t kMaxDer = size_t{16} << 10U;
constexpr size_t kMaxArgument = (kMaxDer + 2) / 3 * 4;
constexpr std::string_view kMakeArgument =
    "; `arrowalloy cert-base64 FILE` prints the right line";

Status BadDer(std::string text) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_CERTIFICATE_DER, std::move(text));
}

Status BadBase64(std::string text) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_CERTIFICATE_BASE64,
              "the certificate " + std::move(text).append(kMakeArgument));
}

std::string NameText(const Libcrypto& c, const X509_name_st* name) {
  const std::unique_ptr<bio_st, int (*)(bio_st*)> bio(c.BIO_new(c.BIO_s_mem()),
                                                      c.BIO_free);
  if (bio == nullptr || c.X509_NAME_print_ex(bio.get(), name, 0, kNameRfc2253) < 0) {
    return "(a name that cannot be read)";
  }
  std::array<char, 256> text;
  const int length = c.BIO_read(bio.get(), text.data(), static_cast<int>(text.size()));
  return length > 0 ? std::string(text.data(), static_cast<size_t>(length)) : "(no name)";
}

bool ReadTime(const Libcrypto& c, const asn1_string_st* time, int64_t* out) {
  tm parts{};
  if (c.ASN1_TIME_to_tm(time, &parts) != 1) return false;
  const std::chrono::year_month_day date{
      std::chrono::year(parts.tm_year + 1900),
      std::chrono::month(static_cast<unsigned>(parts.tm_mon + 1)),
      std::chrono::day(static_cast<unsigned>(parts.tm_mday))};
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  *out = ((days * 24 + parts.tm_hour) * 60 + parts.tm_min) * 60 + parts.tm_sec;
  return true;
}

void DescribeEcKey(const Libcrypto& c, const evp_pkey_st* key, CertificateFacts* facts) {
  std::array<char, 64> group{};
  size_t length = 0;
  if (c.EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) != 1) {
    facts->key = "ec";
    return;
  }
  const std::string_view name(group.data(), length);
  facts->key = "ec " + std::string(name);
  if (name == "prime256v1") facts->key_kind = KeyKind::kP256;
  if (name == "secp384r1") facts->key_kind = KeyKind::kP384;
}

void DescribeKey(const Libcrypto& c, const evp_pkey_st* key, CertificateFacts* facts) {
  const int bits = c.EVP_PKEY_get_bits(key);
  if (c.EVP_PKEY_is_a(key, "ED25519") == 1) {
    facts->key = "ed25519";
    facts->key_kind = KeyKind::kEd25519;
  } else if (c.EVP_PKEY_is_a(key, "EC") == 1) {
    DescribeEcKey(c, key, facts);
  } else if (c.EVP_PKEY_is_a(key, "RSA") == 1 || c.EVP_PKEY_is_a(key, "RSA-PSS") == 1) {
    facts->key = "rsa " + std::to_string(bits);
    if (bits >= 3072) facts->key_kind = KeyKind::kRsaPss;
  } else {
    facts->key = "another kind of " + std::to_string(bits) + " bits";
  }
}

Result<CertificateFacts> FactsOf(const Crypto& crypto, x509_st* x509,
                                 std::span<const std::byte> der) {
  const Libcrypto& c = crypto.functions();
  CertificateFacts facts;
  facts.subject = NameText(c, c.X509_get_subject_name(x509));
  facts.issuer = NameText(c, c.X509_get_issuer_name(x509));
  const evp_pkey_st* key = c.X509_get0_pubkey(x509);
  if (key == nullptr) return BadDer("holds a public key that cannot be read");
  DescribeKey(c, key, &facts);
  if (!ReadTime(c, c.X509_get0_notBefore(x509), &facts.not_before) ||
      !ReadTime(c, c.X509_get0_notAfter(x509), &facts.not_after)) {
    return BadDer("has a time of validity that cannot be read");
  }
  const uint32_t flags = c.X509_get_extension_flags(x509);
  facts.has_constraints = (flags & kExtensionConstraints) != 0;
  facts.is_ca = (flags & kExtensionCa) != 0;
  ALLOY_ASSIGN_OR_RETURN(const Digest digest, crypto.Sha256(der));
  facts.sha256 = HexText(digest);
  return facts;
}

}  // namespace

Result<Certificate> Certificate::FromDer(const Crypto& crypto,
                                         std::span<const std::byte> der) {
  const QuietErrors quiet(crypto);
  const Libcrypto& c = crypto.functions();
  if (der.size() > kMaxDer) {
    return BadDer("has " + std::to_string(der.size()) + " bytes; at most 16,384");
  }
  if (const DerVerdict verdict = CheckCertificateDer(der);
      verdict.fault == DerFault::kCurve) {
    return Fail(
        ALLOY_REFUSED, ALLOY_REASON_WEAK_KEY,
        "has a key that " + verdict.text + "; name the curve: prime256v1 or secp384r1");
  } else if (verdict.fault == DerFault::kEncoding) {
    return BadDer(verdict.text);
  }
  // On failure libcrypto frees what it was given, and says so by NULL.
  x509_st* x509 = c.X509_new_ex(crypto.context(), nullptr);
  if (x509 == nullptr)
    return Fail(ALLOY_EXHAUSTED, "out of memory while reading a certificate");
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const unsigned char* end = at + der.size();
  if (c.d2i_X509(&x509, &at, static_cast<long>(der.size())) == nullptr) {
    return BadDer(kNoCertificate);
  }
  Certificate certificate(Held<x509_st>(x509, c.X509_free));
  if (at != end) return BadDer("is followed by other bytes");
  if ((c.X509_get_extension_flags(x509) & kExtensionInvalid) != 0) {
    return BadDer("has malformed extensions");
  }
  ALLOY_ASSIGN_OR_RETURN(certificate.facts_, FactsOf(crypto, x509, der));
  return certificate;
}

Result<Certificate> ParseCertificateArgument(const Crypto& crypto,
                                             std::string_view argument) {
  if (argument.size() > kMaxArgument) {
    return BadBase64("has " + std::to_string(argument.size()) + " characters; at most " +
                     std::to_string(kMaxArgument));
  }
  if (argument.starts_with("-----BEGIN")) return BadBase64("is PEM, not base64 of DER");
  std::vector<std::byte> der;
  if (const std::string fault = DecodeBase64(argument, &der); !fault.empty()) {
    return BadBase64("is not strict base64: " + fault);
  }
  auto certificate = Certificate::FromDer(crypto, der);
  if (certificate.ok() || certificate.status().code() != ALLOY_REFUSED)
    return certificate;
  std::string text = "the certificate " + certificate.status().fault().text;
  if (certificate.status().reason() == ALLOY_REASON_CERTIFICATE_DER)
    text += kMakeArgument;
  return Fail(ALLOY_REFUSED, certificate.status().reason(), std::move(text));
}

}  // namespace alloy::core_v0_1

// src/trust/chain.cc --------------------------------------------------------------------
//
// Checks that a signer may sign code, and that its certificate chains to the only one that
// the host trusts.
#ifndef ALLOY_SRC_TRUST_CHAIN_H_
#define ALLOY_SRC_TRUST_CHAIN_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>


namespace alloy::core_v0_1 {

// Verify the chain at the time `now`. Gives its facts: the signer first, the anchor last;
// only the signer if the anchor is its own certificate (pinned). `certificates` has the
// signer first. No system store and no default path is read.
//   Fails  REFUSED with CERTIFICATE_USAGE, CERTIFICATE_IS_CA, WEAK_KEY,
//          CERTIFICATE_EXPIRED, CERTIFICATE_NOT_YET_VALID or CERTIFICATE_UNTRUSTED.
Result<std::vector<CertificateFacts>> VerifyChain(
    const Crypto& crypto, const Certificate& anchor,
    std::span<const Certificate> certificates, int64_t now);

// Verify that the signer made this signature over exactly these bytes. The key determines
// the algorithm.
//   Fails  REFUSED with SIGNATURE.
Status VerifyMessage(const Crypto& crypto, const Certificate& signer,
                     std::string_view message, std::span<const std::byte> signature);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_TRUST_CHAIN_H_

#ifndef ALLOY_SRC_TRUST_TIME_TEXT_H_
#define ALLOY_SRC_TRUST_TIME_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace alloy::core_v0_1 {

// Seconds since 1970 of a time as 2026-09-01T00:00:00Z, and of no other spelling. The day
// must be one of the calendar.
std::optional<int64_t> ParseTime(std::string_view text);

// The same text, of years 0 to 9999.
std::string TimeText(int64_t seconds);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_TRUST_TIME_TEXT_H_

namespace alloy::core_v0_1 {
namespace {

// The most certificates between signer and anchor.
constexpr int kMaxDepth = 4;
// 112 bits of security: RSA of 2048 bits and SHA-256 for the authorities.
constexpr int kAuthLevel = 2;

Status ChainRefused(int32_t reason, std::string text) {
  return Fail(ALLOY_REFUSED, reason, std::move(text));
}

Status CheckSigner(const Crypto& crypto, const Certificate& signer) {
  const Libcrypto& c = crypto.functions();
  const std::string who = "the signer " + signer.facts().subject;
  const uint32_t usage = c.X509_get_key_usage(signer.get());
  if (usage == kUsageAbsent || (usage & kUsageDigitalSignature) == 0) {
    return ChainRefused(
        ALLOY_REASON_CERTIFICATE_USAGE,
        who +
            " has no key usage digitalSignature; sign with a certificate for "
            "signing code (`arrowalloy keygen` makes one)");
  }
  const uint32_t extended = c.X509_get_extended_key_usage(signer.get());
  if (extended == kUsageAbsent || (extended & kExtendedCodeSigning) == 0) {
    return ChainRefused(
        ALLOY_REASON_CERTIFICATE_USAGE,
        who +
            " has no extended key usage codeSigning; sign with a certificate "
            "for signing code (`arrowalloy keygen` makes one)");
  }
  if (!signer.facts().has_constraints) {
    return ChainRefused(
        ALLOY_REASON_CERTIFICATE_USAGE,
        who +
            " has no extension basicConstraints; sign with a certificate that says "
            "CA:FALSE (`arrowalloy keygen` makes one)");
  }
  if (signer.facts().is_ca) {
    return ChainRefused(
        ALLOY_REASON_CERTIFICATE_IS_CA,
        who +
            " is a certificate authority (CA:TRUE); sign with a certificate "
            "that it issued, with CA:FALSE");
  }
  if (signer.facts().key_kind == KeyKind::kUnusable) {
    return ChainRefused(
        ALLOY_REASON_WEAK_KEY,
        who + " has the key \"" + signer.facts().key +
            "\", which is not supported or too weak; sign with ed25519, ec "
            "prime256v1 or secp384r1, or rsa with 3072 bits or more");
  }
  return Status();
}

int32_t ReasonOf(int error) {
  switch (error) {
    case kVerifyEndKeyTooSmall:
    case kVerifyCaKeyTooSmall:
    case kVerifyDigestTooWeak:
    case kVerifyCurveParameters:
      return ALLOY_REASON_WEAK_KEY;
    default:
      return ALLOY_REASON_CERTIFICATE_UNTRUSTED;
  }
}

// One verification: the store with only the anchor, the certificates of the sidecar, and
// the chain that libcrypto finds.
class Verification {
 public:
  Verification(const Crypto& crypto, const Certificate& anchor,
               std::span<const Certificate> certificates)
      : c_(crypto.functions()),
        anchor_(anchor),
        certificates_(certificates),
        store_(c_.X509_STORE_new(), c_.X509_STORE_free),
        others_(c_.OPENSSL_sk_new_null(), c_.OPENSSL_sk_free),
        context_(c_.X509_STORE_CTX_new_ex(crypto.context(), nullptr),
                 c_.X509_STORE_CTX_free) {}

  Result<std::vector<CertificateFacts>> Run(int64_t now) {
    if (!Prepare())
      return Fail(ALLOY_EXHAUSTED, "out of memory while verifying a certificate chain");
    if (c_.X509_verify_cert(context_.get()) != 1) return Refusal();
    std::vector<CertificateFacts> chain;
    const auto* found =
        reinterpret_cast<const stack_st*>(c_.X509_STORE_CTX_get0_chain(context_.get()));
    for (int i = 0; i < c_.OPENSSL_sk_num(found); ++i) {
      auto* x509 = static_cast<x509_st*>(c_.OPENSSL_sk_value(found, i));
      const CertificateFacts* facts = Find(x509);
      if (facts == nullptr)
        return Fail(ALLOY_INTERNAL,
                    "the verified chain has an unknown certificate; please report it");
      ALLOY_TRY(CheckTime(*facts, now));
      if (i > 0) ALLOY_TRY(CheckAuthority(x509, *facts));
      chain.push_back(*facts);
    }
    return chain;
  }

 private:
  bool Prepare() {
    if (store_ == nullptr || others_ == nullptr || context_ == nullptr ||
        c_.X509_STORE_add_cert(store_.get(), anchor_.get()) != 1) {
      return false;
    }
    for (const Certificate& other : certificates_.subspan(1)) {
      if (c_.OPENSSL_sk_push(others_.get(), other.get()) <= 0) return false;
    }
    if (c_.X509_STORE_CTX_init(context_.get(), store_.get(), certificates_[0].get(),
                               reinterpret_cast<stack_st_X509*>(others_.get())) != 1) {
      return false;
    }
    X509_VERIFY_PARAM_st* param = c_.X509_STORE_CTX_get0_param(context_.get());
    c_.X509_VERIFY_PARAM_set_auth_level(param, kAuthLevel);
    c_.X509_VERIFY_PARAM_set_depth(param, kMaxDepth);
    // libcrypto compares times by gmtime, which obeys the leap seconds of a file that the
    // environment names. CheckTime compares them.
    return c_.X509_VERIFY_PARAM_set_flags(
               param, kVerifyStrict | kVerifyPartialChain | kVerifyWithoutTime) == 1;
  }

  static Status CheckTime(const CertificateFacts& facts, int64_t now) {
    const std::string who = "the certificate of " + facts.subject;
    if (now < facts.not_before) {
      return ChainRefused(ALLOY_REASON_CERTIFICATE_NOT_YET_VALID,
                          who + " is not valid yet: it is valid from " +
                              TimeText(facts.not_before) + ", and now it is " +
                              TimeText(now) + "; check this machine's clock");
    }
    if (now >= facts.not_after) {
      return ChainRefused(ALLOY_REASON_CERTIFICATE_EXPIRED,
                          who + " expired at " + TimeText(facts.not_after) +
                              ", and now it is " + TimeText(now) +
                              "; sign with a valid certificate");
    }
    return Status();
  }

  const CertificateFacts* Find(const x509_st* x509) const {
    if (x509 == anchor_.get()) return &anchor_.facts();
    for (const Certificate& other : certificates_) {
      if (x509 == other.get()) return &other.facts();
    }
    return nullptr;
  }

  // An authority that was issued for another purpose, such as TLS servers, is not
  // accepted.
  Status CheckAuthority(x509_st* x509, const CertificateFacts& facts) const {
    const uint32_t extended = c_.X509_get_extended_key_usage(x509);
    if (extended == kUsageAbsent ||
        (extended & (kExtendedCodeSigning | kExtendedAny)) != 0) {
      return Status();
    }
    return ChainRefused(
        ALLOY_REASON_CERTIFICATE_USAGE,
        "the authority " + facts.subject +
            " may not issue certificates for signing code: its extended key "
            "usage has no codeSigning; use another authority");
  }

  Status Refusal() const {
    const int error = c_.X509_STORE_CTX_get_error(context_.get());
    if (error == kVerifyOutOfMemory) {
      return Fail(ALLOY_EXHAUSTED, "out of memory while verifying a certificate chain");
    }
    const CertificateFacts& signer = certificates_[0].facts();
    const CertificateFacts* at = Find(c_.X509_STORE_CTX_get_current_cert(context_.get()));
    if (at == nullptr) at = &signer;
    const int32_t reason = ReasonOf(error);
    const std::string who = "the certificate of " + at->subject;
    switch (reason) {
      case ALLOY_REASON_WEAK_KEY:
        return ChainRefused(reason, who + " is too weak (" + at->key +
                                        "): " + c_.X509_verify_cert_error_string(error) +
                                        "; sign with a stronger key");
      default:
        return ChainRefused(
            reason, "the signer " + signer.subject + " (issued by " + signer.issuer +
                        ") does not chain to the given "
                        "certificate of " +
                        anchor_.facts().subject + ": " +
                        c_.X509_verify_cert_error_string(error) +
                        "; give the signer's certificate, or the one of the "
                        "authority that issued it");
    }
  }

  const Libcrypto& c_;
  const Certificate& anchor_;
  const std::span<const Certificate> certificates_;
  const Held<x509_store_st> store_;
  const Held<stack_st> others_;
  const Held<x509_store_ctx_st> context_;
};

const char* DigestFor(KeyKind kind) {
  switch (kind) {
    case KeyKind::kP256:
    case KeyKind::kRsaPss:
      return "SHA256";
    case KeyKind::kP384:
      return "SHA384";
    case KeyKind::kEd25519:  // digests by itself
    case KeyKind::kUnusable:
      break;
  }
  return nullptr;
}

// An RSA signature is as long as its modulus (RFC 8017, section 8.1.2, step 1). libcrypto
// also takes one whose first byte, a zero, was left out.
bool HasLengthOf(const Libcrypto& c, const Certificate& signer, size_t signature_size) {
  if (signer.facts().key_kind != KeyKind::kRsaPss) return true;
  const int size = c.EVP_PKEY_get_size(c.X509_get0_pubkey(signer.get()));
  return size > 0 && signature_size == static_cast<size_t>(size);
}

bool IsValid(const Crypto& crypto, const Certificate& signer, std::string_view message,
             std::span<const std::byte> signature) {
  const Libcrypto& c = crypto.functions();
  const Held<evp_md_ctx_st> context(c.EVP_MD_CTX_new(), c.EVP_MD_CTX_free);
  const KeyKind kind = signer.facts().key_kind;
  evp_pkey_ctx_st* key_context = nullptr;  // lives as long as `context`
  if (context == nullptr || kind == KeyKind::kUnusable ||
      !HasLengthOf(c, signer, signature.size()) ||
      c.EVP_DigestVerifyInit_ex(context.get(), &key_context, DigestFor(kind),
                                crypto.context(), nullptr,
                                c.X509_get0_pubkey(signer.get()), nullptr) != 1) {
    return false;
  }
  if (kind == KeyKind::kRsaPss &&
      (c.EVP_PKEY_CTX_set_rsa_padding(key_context, kRsaPssPadding) != 1 ||
       c.EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, kRsaSaltAsDigest) != 1)) {
    return false;
  }
  return c.EVP_DigestVerify(
             context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
             signature.size(), reinterpret_cast<const unsigned char*>(message.data()),
             message.size()) == 1;
}

}  // namespace

Result<std::vector<CertificateFacts>> VerifyChain(
    const Crypto& crypto, const Certificate& anchor,
    std::span<const Certificate> certificates, int64_t now) {
  const QuietErrors quiet(crypto);
  ALLOY_TRY(CheckSigner(crypto, certificates.front()));
  return Verification(crypto, anchor, certificates).Run(now);
}

Status VerifyMessage(const Crypto& crypto, const Certificate& signer,
                     std::string_view message, std::span<const std::byte> signature) {
  const QuietErrors quiet(crypto);
  if (IsValid(crypto, signer, message, signature)) return Status();
  return ChainRefused(
      ALLOY_REASON_SIGNATURE,
      "the signature does not match: either the statement or the signature "
      "was changed (signer " +
          signer.facts().subject + ", " + signer.facts().key +
          "); sign the library again: arrowalloy sign");
}

}  // namespace alloy::core_v0_1

// src/trust/crypto.cc -------------------------------------------------------------------

namespace alloy::core_v0_1 {

std::string HexText(std::span<const std::byte> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::byte byte : bytes) {
    text += kDigits[std::to_integer<unsigned>(byte) >> 4U];
    text += kDigits[std::to_integer<unsigned>(byte) & 15U];
  }
  return text;
}

Crypto::Crypto(const Libcrypto& table)
    : functions_(table),
      context_(functions_.OSSL_LIB_CTX_new(), functions_.OSSL_LIB_CTX_free),
      sha256_(functions_.EVP_MD_fetch(context_.get(), "SHA256", nullptr),
              functions_.EVP_MD_free) {}

Result<std::shared_ptr<const Crypto>> Crypto::Make(const Libcrypto& table) {
  // A configuration file, which an environment variable may name, can load modules into
  // this process. Some functions read it for the default context, even if they get
  // another context. This call prevents it, so it must come first.
  table.OPENSSL_init_crypto(kInitWithoutConfig, nullptr);
  std::shared_ptr<const Crypto> crypto(new Crypto(table));
  if (crypto->context_ == nullptr || crypto->sha256_ == nullptr) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_NO_LIBCRYPTO,
                "libcrypto.so.3 has no SHA-256; reinstall the package libssl3");
  }
  return crypto;
}

namespace {

Status CannotHash() {
  return Fail(ALLOY_EXHAUSTED,
              "libcrypto could not compute a SHA-256, probably because memory ran out");
}

}  // namespace

Result<Digest> Crypto::Sha256(std::span<const std::byte> bytes) const {
  const QuietErrors quiet(*this);
  Digest digest;
  unsigned size = 0;
  if (functions_.EVP_Digest(bytes.data(), bytes.size(),
                            reinterpret_cast<unsigned char*>(digest.data()), &size,
                            sha256_.get(), nullptr) != 1 ||
      size != digest.size()) {
    return CannotHash();
  }
  return digest;
}

Sha256Stream::Sha256Stream(const Crypto& crypto)
    : crypto_(crypto),
      context_(crypto.functions().EVP_MD_CTX_new(), crypto.functions().EVP_MD_CTX_free) {
  const QuietErrors quiet(crypto_);
  ok_ = context_ != nullptr && crypto_.functions().EVP_DigestInit_ex(
                                   context_.get(), crypto_.sha256(), nullptr) == 1;
}

void Sha256Stream::Add(std::span<const std::byte> bytes) {
  const QuietErrors quiet(crypto_);
  ok_ = ok_ && crypto_.functions().EVP_DigestUpdate(context_.get(), bytes.data(),
                                                    bytes.size()) == 1;
}

Result<Digest> Sha256Stream::Finish() {
  const QuietErrors quiet(crypto_);
  Digest digest;
  unsigned size = 0;
  if (!ok_ ||
      crypto_.functions().EVP_DigestFinal_ex(
          context_.get(), reinterpret_cast<unsigned char*>(digest.data()), &size) != 1 ||
      size != digest.size()) {
    return CannotHash();
  }
  return digest;
}

bool Crypto::SameInConstantTime(std::string_view a, std::string_view b) const {
  return a.size() == b.size() &&
         functions_.CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace alloy::core_v0_1

// src/trust/der.cc ----------------------------------------------------------------------

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>

namespace alloy::core_v0_1 {
namespace {

// Universal tags, as their first byte in DER.
constexpr uint8_t kBoolean = 0x01, kInteger = 0x02, kBitString = 0x03,
                  kOctetString = 0x04, kNull = 0x05, kObject = 0x06, kEnumerated = 0x0a,
                  kUtcTime = 0x17, kGeneralTime = 0x18, kSequence = 0x30, kSet = 0x31;
constexpr uint8_t kConstructed = 0x20, kClass = 0xc0, kNumber = 0x1f;
constexpr uint8_t kVersion = 0xa0, kExtensions = 0xa3;  // [0] and [3] of a certificate
constexpr int kMostDepth = 32;

// Object identifiers, by their contents.
constexpr std::string_view kEcKey = "\x2a\x86\x48\xce\x3d\x02\x01",
                           kRsaKey = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
constexpr std::string_view kSubjectKeyId = "\x55\x1d\x0e", kKeyUsage = "\x55\x1d\x0f",
                           kConstraints = "\x55\x1d\x13",
                           kAuthorityKeyId = "\x55\x1d\x23",
                           kExtendedUsage = "\x55\x1d\x25";

struct Element {
  uint8_t tag = 0;           // its first byte
  std::string_view content;  // what it holds
  std::string_view whole;
  bool is_constructed() const { return (tag & kConstructed) != 0; }
};

uint8_t ByteAt(std::string_view bytes, size_t i) {
  return static_cast<uint8_t>(bytes[i]);
}

// Take the first element of `bytes`; empty: it is not one in DER.
std::optional<Element> Take(std::string_view* bytes) {
  const std::string_view all = *bytes;
  if (all.size() < 2) return std::nullopt;
  Element element{.tag = ByteAt(all, 0), .content = {}, .whole = {}};
  // Nothing in a certificate has a tag of more than one byte.
  if ((element.tag & kNumber) == kNumber) return std::nullopt;
  size_t at = 1;
  size_t length = ByteAt(all, at++);
  if (length >= 0x80) {
    const size_t octets = length & 0x7fU;
    if (octets < 1 || octets > 3 || all.size() - at < octets) return std::nullopt;
    length = 0;
    for (size_t i = 0; i < octets; ++i) length = length << 8U | ByteAt(all, at++);
    // In the fewest bytes.
    if (length < 0x80 || (octets > 1 && length >> (8 * (octets - 1)) == 0)) {
      return std::nullopt;
    }
  }
  if (length > all.size() - at) return std::nullopt;
  element.content = all.substr(at, length);
  element.whole = all.substr(0, at + length);
  bytes->remove_prefix(element.whole.size());
  return element;
}

bool IsInteger(std::string_view content) {
  if (content.empty()) return false;
  if (content.size() == 1) return true;
  const bool sign = (ByteAt(content, 1) & 0x80U) != 0;
  return ByteAt(content, 0) != (sign ? 0xff : 0x00);
}

bool IsBitString(std::string_view content) {
  if (content.empty() || ByteAt(content, 0) > 7) return false;
  const unsigned unused = ByteAt(content, 0);
  if (content.size() == 1) return unused == 0;
  return (ByteAt(content, content.size() - 1) & ((1U << unused) - 1)) == 0;
}

bool IsObject(std::string_view content) {
  if (content.empty() || (ByteAt(content, content.size() - 1) & 0x80U) != 0) return false;
  bool at_start = true;
  for (const char c : content) {
    if (at_start && static_cast<uint8_t>(c) == 0x80) return false;  // a leading zero
    at_start = (static_cast<uint8_t>(c) & 0x80U) == 0;
  }
  return true;
}

// YYMMDDHHMMSSZ, or with the century: RFC 5280 has seconds, and no fraction or zone.
bool IsTime(std::string_view content, size_t digits) {
  return content.size() == digits + 1 && content.ends_with('Z') &&
         std::ranges::all_of(content.substr(0, digits),
                             [](char c) { return c >= '0' && c <= '9'; });
}

bool IsPrimitive(uint8_t tag, std::string_view content) {
  switch (tag) {
    case kBoolean:
      return content.size() == 1 &&
             (ByteAt(content, 0) == 0 || ByteAt(content, 0) == 0xff);
    case kInteger:
    case kEnumerated:
      return IsInteger(content);
    case kBitString:
      return IsBitString(content);
    case kNull:
      return content.empty();
    case kObject:
      return IsObject(content);
    case kUtcTime:
      return IsTime(content, 12);
    case kGeneralTime:
      return IsTime(content, 14);
    default:
      return tag != 0 && (tag | kConstructed) != kSequence &&
             (tag | kConstructed) != kSet;
  }
}

bool IsDer(std::string_view bytes, int depth);

bool IsDer(const Element& element, int depth) {
  if (depth > kMostDepth) return false;
  const bool is_universal = (element.tag & kClass) == 0;
  if (!element.is_constructed()) {
    return !is_universal || IsPrimitive(element.tag, element.content);
  }
  // Strings in pieces are for BER.
  if (is_universal && element.tag != kSequence && element.tag != kSet) return false;
  std::string_view rest = element.content, before;
  while (!rest.empty()) {
    const auto part = Take(&rest);
    if (!part || !IsDer(*part, depth + 1)) return false;
    // The elements of a set are sorted.
    if (element.tag == kSet && part->whole < before) return false;
    before = part->whole;
  }
  return true;
}

bool IsDer(std::string_view bytes, int depth) {
  const auto element = Take(&bytes);
  return element && bytes.empty() && IsDer(*element, depth);
}

std::optional<Element> TakeTagged(std::string_view* bytes, uint8_t tag) {
  const auto element = Take(bytes);
  return element && element->tag == tag ? element : std::nullopt;
}

DerVerdict Bad(const char* text) { return {DerFault::kEncoding, text}; }

// A list of names for bits ends with one that is set.
bool IsBitList(std::string_view value) {
  const auto bits = Take(&value);
  if (!bits || bits->tag != kBitString || bits->content.size() < 2) return false;
  return (ByteAt(bits->content, bits->content.size() - 1) >> ByteAt(bits->content, 0) &
          1U) != 0;
}

// A default value is left out.
bool IsConstraints(std::string_view value) {
  auto list = TakeTagged(&value, kSequence);
  if (!list) return false;
  std::string_view rest = list->content;
  if (rest.empty()) return true;
  const auto first = Take(&rest);
  return first && (first->tag != kBoolean || ByteAt(first->content, 0) != 0);
}

DerVerdict CheckExtension(std::string_view extension, std::set<std::string_view>* seen) {
  const auto name = TakeTagged(&extension, kObject);
  if (!name || extension.empty()) return Bad("an extension is malformed");
  if (!seen->insert(name->content).second) return Bad("an extension is there twice");
  if (ByteAt(extension, 0) == kBoolean) {
    const auto critical = Take(&extension);
    if (ByteAt(critical->content, 0) == 0) {
      return Bad("an extension spells out that it is not critical, which DER leaves out");
    }
  }
  const auto value = TakeTagged(&extension, kOctetString);
  if (!value || !extension.empty()) return Bad("an extension is malformed");
  // Others may hold anything.
  const std::string_view id = name->content;
  if (id != kSubjectKeyId && id != kKeyUsage && id != kConstraints &&
      id != kAuthorityKeyId && id != kExtendedUsage) {
    return {};
  }
  if (!IsDer(value->content, 0) || (id == kKeyUsage && !IsBitList(value->content)) ||
      (id == kConstraints && !IsConstraints(value->content))) {
    return Bad("the value of an extension is not in DER");
  }
  return {};
}

DerVerdict CheckKey(const Element& key) {
  std::string_view parts = key.content;
  const auto algorithm = TakeTagged(&parts, kSequence),
             bits = TakeTagged(&parts, kBitString);
  if (!algorithm || !bits || bits->content.empty() || ByteAt(bits->content, 0) != 0) {
    return Bad("the public key is malformed");
  }
  std::string_view rest = algorithm->content;
  const auto name = TakeTagged(&rest, kObject);
  if (!name) return Bad("the public key is malformed");
  if (name->content == kEcKey) {
    const auto curve = Take(&rest);
    if (!curve || curve->tag != kObject) {
      return {DerFault::kCurve, "spells out the parameters of its elliptic curve"};
    }
    // Compressed and hybrid points are other encodings of the same key.
    if (bits->content.size() < 2 || ByteAt(bits->content, 1) != 0x04) {
      return {DerFault::kCurve,
              "does not have its elliptic point in the uncompressed form"};
    }
  }
  if (name->content == kRsaKey && !IsDer(bits->content.substr(1), 0)) {
    return Bad("the RSA key is not in DER");
  }
  return {};
}

}  // namespace

std::string CheckDer(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return IsDer(text, 0) ? "" : "is not one value in DER";
}

DerVerdict CheckCertificateDer(std::span<const std::byte> bytes) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::string_view rest = text;
  const auto certificate = TakeTagged(&rest, kSequence);
  if (!certificate) {
    return Bad("is not one DER structure: other bytes, or lengths in another encoding");
  }
  if (!rest.empty())
    return Bad("is not one DER structure: other bytes, or more of them behind it");
  if (!IsDer(text, 0)) return Bad("is not in DER: a value has another encoding");
  std::string_view parts = certificate->content;
  const auto body = TakeTagged(&parts, kSequence);
  const auto algorithm = TakeTagged(&parts, kSequence);
  const auto signature = TakeTagged(&parts, kBitString);
  if (!body || !algorithm || !signature || !parts.empty()) return Bad(kNoCertificate);

  std::string_view fields = body->content;
  if (!fields.empty() && ByteAt(fields, 0) == kVersion) {
    const auto version = Take(&fields);
    if (version->content.ends_with('\0')) {
      return Bad("spells out the version 1, which DER leaves out");
    }
  }
  // Serial number, algorithm, issuer, validity, subject, key.
  for (const uint8_t tag : {kInteger, kSequence, kSequence, kSequence, kSequence}) {
    if (!TakeTagged(&fields, tag)) return Bad(kNoCertificate);
  }
  const auto key = TakeTagged(&fields, kSequence);
  if (!key) return Bad(kNoCertificate);
  if (DerVerdict verdict = CheckKey(*key); verdict.fault != DerFault::kNone)
    return verdict;
  std::set<std::string_view> seen;
  while (!fields.empty()) {
    const auto field = Take(&fields);
    if (field->tag != kExtensions) continue;
    std::string_view inside = field->content;
    const auto list = TakeTagged(&inside, kSequence);
    if (!list || !inside.empty()) return Bad("has malformed extensions");
    for (std::string_view extensions = list->content; !extensions.empty();) {
      const auto extension = TakeTagged(&extensions, kSequence);
      if (!extension) return Bad("has malformed extensions");
      DerVerdict verdict = CheckExtension(extension->content, &seen);
      if (verdict.fault != DerFault::kNone) return verdict;
    }
  }
  return {};
}

}  // namespace alloy::core_v0_1

// src/trust/sidecar.cc ------------------------------------------------------------------
//
// The file next to a library, `<library>.alloysig`: a statement, its signature, and the
// certificates of the signer. These functions only parse; they verify nothing.
//
//     alloy-statement-v1
//     kind: backend
//     …
//     end
//     -----BEGIN ALLOY SIGNATURE-----
//     <base64, 64 columns>
//     -----END ALLOY SIGNATURE-----
//     -----BEGIN CERTIFICATE-----        1 to 4 of them, the signer's first
//     …
//
// Everything before the line BEGIN ALLOY SIGNATURE is signed. SplitSidecar does not parse
// it; ParseStatement does, after its signature is verified.
#ifndef ALLOY_SRC_TRUST_SIDECAR_H_
#define ALLOY_SRC_TRUST_SIDECAR_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>


namespace alloy::core_v0_1 {

inline constexpr size_t kMaxSidecar = size_t{64} << 10U;

struct Sidecar {
  std::string_view message;  // Borrows: into the bytes that were split
  std::vector<std::byte> signature;
  std::vector<std::vector<std::byte>> certificates;  // DER
};

//   Fails  REFUSED with SIDECAR_MALFORMED, or CERTIFICATE_UNTRUSTED for more certificates
//          than a chain may have.
Result<Sidecar> SplitSidecar(std::string_view bytes);

struct Statement {
  std::string kind, name, version;
  uint64_t sequence = 0;
  uint32_t abi = 0;
  std::string platform;
  int64_t not_before = 0, not_after = 0;  // seconds since 1970
  int64_t size = 0;
  std::string sha256;               // 64 digits, lower case
  std::string file;                 // the library's name when it was signed; only a hint
  std::vector<std::string> needed;  // sorted, each once
};

// Parse a statement: fixed keys in a fixed order, only printable ASCII and line feeds.
//   Fails  REFUSED with SIDECAR_MALFORMED; the text names line and field.
Result<Statement> ParseStatement(std::string_view message);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_TRUST_SIDECAR_H_


namespace alloy::core_v0_1 {
namespace {

constexpr size_t kMaxCertificates = 4, kColumns = 64;
constexpr std::string_view kSignature = "ALLOY SIGNATURE", kCertificate = "CERTIFICATE";

Status BadSidecar(std::string text) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_SIDECAR_MALFORMED, std::move(text));
}

std::string Mark_sidecar(std::string_view edge, std::string_view label) {
  return std::string("-----").append(edge).append(" ").append(label).append("-----\n");
}

// Take the first line, without its line feed; false if no whole line is there.
bool TakeLine(std::string_view* rest, std::string_view* line) {
  const size_t end = rest->find('\n');
  if (end == rest->npos) return false;
  *line = rest->substr(0, end);
  rest->remove_prefix(end + 1);
  return true;
}

// Read `-----BEGIN label-----`, lines of 64 columns, `-----END label-----`.
Status TakeBlock(std::string_view label, std::string_view* rest,
                 std::vector<std::byte>* out) {
  const std::string begin = Mark_sidecar("BEGIN", label), end = Mark_sidecar("END", label);
  if (!rest->starts_with(begin)) {
    return BadSidecar("expected the line " + begin.substr(0, begin.size() - 1) +
                      " instead of " + Quoted(rest->substr(0, rest->find('\n'))));
  }
  rest->remove_prefix(begin.size());
  std::string digits;
  bool full = true;  // the previous line: only the last one may be shorter
  while (!rest->starts_with(end)) {
    std::string_view line;
    if (!TakeLine(rest, &line)) {
      return BadSidecar("ends inside the block " + std::string(label));
    }
    if (line.empty() || line.size() > kColumns || !full) {
      return BadSidecar("the block " + std::string(label) +
                        " is not in lines of 64 columns");
    }
    full = line.size() == kColumns;
    digits.append(line);
  }
  rest->remove_prefix(end.size());
  const std::string fault = DecodeBase64(digits, out);
  if (!fault.empty()) {
    return BadSidecar("the block " + std::string(label) +
                      " is not strict base64: " + fault);
  }
  if (out->empty()) return BadSidecar("the block " + std::string(label) + " is empty");
  return Status();
}

}  // namespace

Result<Sidecar> SplitSidecar(std::string_view bytes) {
  if (bytes.empty()) return BadSidecar("is empty");
  if (bytes.size() > kMaxSidecar) {
    return BadSidecar("has " + std::to_string(bytes.size()) +
                      " bytes; expected at most 65,536");
  }
  // The first such line counts, wherever it is. So a line inside the statement cannot
  // make the parsed part longer than the verified part.
  const size_t edge = bytes.find(Mark_sidecar("BEGIN", kSignature));
  if (edge == bytes.npos) {
    return BadSidecar(
        "has no line -----BEGIN ALLOY SIGNATURE-----; sign the library again: "
        "arrowalloy sign");
  }
  Sidecar sidecar;
  sidecar.message = bytes.substr(0, edge);
  std::string_view rest = bytes.substr(edge);
  ALLOY_TRY(TakeBlock(kSignature, &rest, &sidecar.signature));
  do {
    std::vector<std::byte> der;
    ALLOY_TRY(TakeBlock(kCertificate, &rest, &der));
    sidecar.certificates.push_back(std::move(der));
  } while (!rest.empty());
  if (sidecar.certificates.size() > kMaxCertificates) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_CERTIFICATE_UNTRUSTED,
                "carries " + std::to_string(sidecar.certificates.size()) +
                    " certificates; expected at most 4 in addition to the given one");
  }
  return sidecar;
}

}  // namespace alloy::core_v0_1

// src/trust/statement.cc ----------------------------------------------------------------
#include <algorithm>
#include <charconv>
#include <optional>


namespace alloy::core_v0_1 {
namespace {

constexpr size_t kMaxNeeded_statement = 64, kMaxWord = 128, kMaxFileName = 255;

bool IsPrintable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7e; });
}

bool IsWord(std::string_view text) {
  return !text.empty() && text.size() <= kMaxWord && text.find(' ') == text.npos;
}

bool IsFileName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxFileName && text.find('/') == text.npos &&
         text != "." && text != "..";
}

bool IsDigest(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// A number in decimal digits, without sign or leading zero.
template <typename T>
std::optional<T> ParseNumber(std::string_view text) {
  if (text.empty() || text[0] == '-' || (text[0] == '0' && text.size() > 1)) {
    return std::nullopt;
  }
  T number = 0;
  const char* const begin = text.data();
  const auto [stop, error] = std::from_chars(begin, begin + text.size(), number);
  if (error != std::errc() || stop != begin + text.size()) return std::nullopt;
  return number;
}

// Reads the lines of a statement; an error names the line.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  Result<std::string_view> Take(std::string_view expected) {
    ++number_;
    const size_t end = rest_.find('\n');
    if (end == rest_.npos) {
      return Bad("the statement ends without a line feed, or before " +
                 std::string(expected));
    }
    const std::string_view line = rest_.substr(0, end);
    if (!IsPrintable(line)) {
      return Bad("a byte is not printable ASCII: " + Quoted(line));
    }
    rest_.remove_prefix(end + 1);
    return line;
  }

  // The value of the line `key: value`.
  Result<std::string_view> Value(std::string_view key) {
    const std::string prefix = std::string(key) + ": ";
    ALLOY_ASSIGN_OR_RETURN(const std::string_view line, Take("`" + prefix + "…`"));
    if (!line.starts_with(prefix)) {
      return Bad("expected `" + prefix + "…` instead of " + Quoted(line));
    }
    return line.substr(prefix.size());
  }

  bool NextStartsWith(std::string_view prefix) const { return rest_.starts_with(prefix); }
  bool AtEnd() const { return rest_.empty(); }

  Status Bad(std::string_view what) const {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_SIDECAR_MALFORMED,
                "line " + std::to_string(number_) + ": " + std::string(what));
  }
  Status BadValue(std::string_view key, std::string_view value,
                  std::string_view expected) const {
    return Bad(std::string(key) + " is " + Quoted(value) + "; expected " +
               std::string(expected));
  }

 private:
  std::string_view rest_;
  int number_ = 0;
};

Status TakeWord(Lines& lines, const char* key, std::string* out) {
  ALLOY_ASSIGN_OR_RETURN(const std::string_view value, lines.Value(key));
  if (!IsWord(value)) {
    return lines.BadValue(key, value, "a word of 1 to 128 characters without blanks");
  }
  *out = value;
  return Status();
}

template <typename T>
Status TakeNumber(Lines& lines, const char* key, T* out) {
  ALLOY_ASSIGN_OR_RETURN(const std::string_view value, lines.Value(key));
  const auto number = ParseNumber<T>(value);
  if (!number) return lines.BadValue(key, value, "a number in decimal digits");
  *out = *number;
  return Status();
}

Status TakeTime(Lines& lines, const char* key, int64_t* out) {
  ALLOY_ASSIGN_OR_RETURN(const std::string_view value, lines.Value(key));
  const auto time = ParseTime(value);
  if (!time) return lines.BadValue(key, value, "a time such as 2026-09-01T00:00:00Z");
  *out = *time;
  return Status();
}

// `<digest>  <file>`, as sha256sum writes it.
Status TakeDigest(Lines& lines, Statement* statement) {
  ALLOY_ASSIGN_OR_RETURN(const std::string_view value, lines.Value("sha256"));
  const std::string_view digest = value.substr(0, 64);
  const std::string_view rest = value.substr(digest.size());
  if (!IsDigest(digest) || !rest.starts_with("  ") || !IsFileName(rest.substr(2))) {
    return lines.BadValue("sha256", value,
                          "64 hexadecimal digits in lower case, two blanks, a file name");
  }
  statement->sha256 = digest;
  statement->file = rest.substr(2);
  return Status();
}

Status TakeNeeded(Lines& lines, std::vector<std::string>* needed) {
  while (lines.NextStartsWith("needed: ")) {
    ALLOY_ASSIGN_OR_RETURN(const std::string_view value, lines.Value("needed"));
    if (!IsFileName(value) || !IsWord(value)) {
      return lines.BadValue("needed", value, "the SONAME of a library");
    }
    if (!needed->empty() && value <= needed->back()) {
      return lines.Bad("needed " + Quoted(value) + " comes after " +
                       Quoted(needed->back()) + "; list them sorted, each once");
    }
    needed->emplace_back(value);
    if (needed->size() > kMaxNeeded_statement) {
      return lines.Bad("more than 64 needed libraries");
    }
  }
  return Status();
}

}  // namespace

Result<Statement> ParseStatement(std::string_view message) {
  Lines lines(message);
  Statement statement;
  constexpr std::string_view kFirst = "alloy-statement-v1", kLast = "end";
  ALLOY_ASSIGN_OR_RETURN(const std::string_view first, lines.Take("a statement"));
  if (first != kFirst) {
    return lines.Bad("expected `alloy-statement-v1` instead of " + Quoted(first));
  }
  ALLOY_TRY(TakeWord(lines, "kind", &statement.kind));
  ALLOY_TRY(TakeWord(lines, "name", &statement.name));
  ALLOY_TRY(TakeWord(lines, "version", &statement.version));
  ALLOY_TRY(TakeNumber(lines, "sequence", &statement.sequence));
  ALLOY_TRY(TakeNumber(lines, "abi", &statement.abi));
  ALLOY_TRY(TakeWord(lines, "platform", &statement.platform));
  ALLOY_TRY(TakeTime(lines, "not-before", &statement.not_before));
  ALLOY_TRY(TakeTime(lines, "not-after", &statement.not_after));
  ALLOY_TRY(TakeNumber(lines, "size", &statement.size));
  ALLOY_TRY(TakeDigest(lines, &statement));
  ALLOY_TRY(TakeNeeded(lines, &statement.needed));
  ALLOY_ASSIGN_OR_RETURN(const std::string_view last, lines.Take("`end`"));
  if (last != kLast) {
    return lines.Bad("expected `needed: …` or `end` instead of " + Quoted(last));
  }
  if (!lines.AtEnd()) return lines.Bad("more text after `end`");
  return statement;
}

}  // namespace alloy::core_v0_1

// src/trust/time_text.cc ----------------------------------------------------------------

#include <array>
#include <chrono>
#include <cstdio>

namespace alloy::core_v0_1 {
namespace {

// The number of `count` digits at `at`, or -1.
int Digits(std::string_view text, size_t at, size_t count) {
  int number = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return -1;
    number = number * 10 + (c - '0');
  }
  return number;
}

}  // namespace

std::optional<int64_t> ParseTime(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00Z";
  if (text.size() != kForm.size()) return std::nullopt;
  for (size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] != '0' && text[i] != kForm[i]) return std::nullopt;
  }
  const int year = Digits(text, 0, 4), month = Digits(text, 5, 2),
            day = Digits(text, 8, 2), hour = Digits(text, 11, 2),
            minute = Digits(text, 14, 2), second = Digits(text, 17, 2);
  if (year < 0 || month < 0 || day < 0) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 59) {
    return std::nullopt;
  }
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

std::string TimeText(int64_t seconds) {
  using std::chrono::days;
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const auto midnight = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(midnight);
  const std::chrono::hh_mm_ss clock(time - midnight);
  std::array<char, 80> text;
  const int length = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ",
      static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
      static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
      static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()));
  return {text.data(), static_cast<size_t>(length)};
}

}  // namespace alloy::core_v0_1

// src/trust/verify.cc -------------------------------------------------------------------
//
// From bytes to a verdict: what the sidecar of a library states, and whether its signature
// is valid. No I/O, no clock, no state.
#ifndef ALLOY_SRC_TRUST_VERIFY_H_
#define ALLOY_SRC_TRUST_VERIFY_H_

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>


namespace alloy::core_v0_1 {

// A statement whose signature is valid. Only VerifySidecar makes one. A value.
class VerifiedStatement {
 public:
  const Statement& statement() const { return statement_; }
  // The signer's certificate first, the anchor last.
  const std::vector<CertificateFacts>& chain() const { return chain_; }
  const CertificateFacts& signer() const { return chain_.front(); }
  // The certificate of the chain that ends first.
  const CertificateFacts& first_to_end() const;

 private:
  friend Result<VerifiedStatement> VerifySidecar(const Crypto& crypto,
                                                 const Certificate& anchor,
                                                 std::string_view sidecar, int64_t now);
  VerifiedStatement(Statement statement, std::vector<CertificateFacts> chain)
      : statement_(std::move(statement)), chain_(std::move(chain)) {}

  Statement statement_;
  std::vector<CertificateFacts> chain_;
};

// Verify the chain of certificates, then the signature; parse the statement only after
// both are valid.
//   Fails  REFUSED with a reason of SplitSidecar, VerifyChain, VerifyMessage or
//          ParseStatement, or with CERTIFICATE_DER for a certificate of the sidecar.
Result<VerifiedStatement> VerifySidecar(const Crypto& crypto, const Certificate& anchor,
                                        std::string_view sidecar, int64_t now);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_TRUST_VERIFY_H_

#include <algorithm>
#include <string>


namespace alloy::core_v0_1 {

const CertificateFacts& VerifiedStatement::first_to_end() const {
  return *std::ranges::min_element(chain_, {}, &CertificateFacts::not_after);
}

Result<VerifiedStatement> VerifySidecar(const Crypto& crypto, const Certificate& anchor,
                                        std::string_view sidecar, int64_t now) {
  ALLOY_ASSIGN_OR_RETURN(const Sidecar parts, SplitSidecar(sidecar));
  std::vector<Certificate> certificates;
  for (const std::vector<std::byte>& der : parts.certificates) {
    auto certificate = Certificate::FromDer(crypto, der);
    if (!certificate.ok()) {
      return certificate.status().WithPrefix(
          "certificate " + std::to_string(certificates.size() + 1) + " ");
    }
    certificates.push_back(*std::move(certificate));
  }
  ALLOY_ASSIGN_OR_RETURN(std::vector<CertificateFacts> chain,
                         VerifyChain(crypto, anchor, certificates, now));
  ALLOY_TRY(VerifyMessage(crypto, certificates.front(), parts.message, parts.signature));
  ALLOY_ASSIGN_OR_RETURN(Statement statement, ParseStatement(parts.message));
  return VerifiedStatement(std::move(statement), std::move(chain));
}

}  // namespace alloy::core_v0_1

// src/admit/admit.cc --------------------------------------------------------------------
//
// Admission: from a file to memory that the loader takes, in one order of steps. The
// compiler holds the order. Each type below is move-only, and only the step before makes
// it:
//
//   Admitter::Open      Candidate  The file is open. With a certificate, its signed
//                                  statement is verified. No byte of the file is read.
//   Candidate::Seal     Sealed     A copy of the file in memory that cannot be changed.
//   Sealed::Verify      Verified   With a certificate: the copy is what was signed.
//   Verified::Clear     Cleared    Inspected: nothing in it runs or misleads too early,
//                                  and it needs only what the host allows.
//
// LoadBackend takes a Cleared. Candidate::Confirm is for a file whose signed digest the
// caller has loaded already: it hashes the file without a copy, and leads to no Cleared.
//
// An inspection (Admitter::Inspect) runs the same steps, and goes on after a fault.
// procedure.h has the steps.
//
// Threads  Admitter is shared; the other types are serial.
#ifndef ALLOY_SRC_ADMIT_ADMIT_H_
#define ALLOY_SRC_ADMIT_ADMIT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

//
// Where trust gets its functions from: libcrypto.so.3 of this machine. It is found by its
// SONAME when the first certificate is checked, so a program that uses no certificate does
// not need it.
#ifndef ALLOY_SRC_ADMIT_LIBCRYPTO_SOURCE_H_
#define ALLOY_SRC_ADMIT_LIBCRYPTO_SOURCE_H_

#include <atomic>
#include <memory>
#include <string>


namespace alloy::core_v0_1 {

class Crypto;

// Threads  shared. Fixed in place.
class LibcryptoSource {
 public:
  // `soname` is another one only in tests.
  explicit LibcryptoSource(std::string soname = "libcrypto.so.3")
      : soname_(std::move(soname)) {}

  ~LibcryptoSource();
  LibcryptoSource(const LibcryptoSource&) = delete;
  LibcryptoSource& operator=(const LibcryptoSource&) = delete;

  // The same one each time. After a failure the next call tries again: the package may be
  // installed by then.
  //   Fails  REFUSED with NO_LIBCRYPTO; the text names the package. UNSUPPORTED in a
  //          program that is linked statically.
  Result<std::shared_ptr<const Crypto>> Get();

 private:
  const std::string soname_;
  // Owned; NULL until the first success, then constant. Not under a lock: in a child of
  // fork, a thread of the parent would hold it for ever.
  std::atomic<const std::shared_ptr<const Crypto>*> crypto_{nullptr};
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_LIBCRYPTO_SOURCE_H_
//
// The libraries that backends of a host may need, in addition to the runtimes of C and
// C++. The host trusts them itself.
#ifndef ALLOY_SRC_ADMIT_MAY_NEED_H_
#define ALLOY_SRC_ADMIT_MAY_NEED_H_

#include <string>
#include <vector>


namespace alloy::core_v0_1 {

// Threads  immutable: shared.
class MayNeed {
 public:
  // SONAMEs, which the loader finds where it always does, and absolute paths. `list` ends
  // with NULL; NULL: none.
  //   Fails  INVALID: an entry is empty, or a path that is not absolute.
  static Result<MayNeed> Make(const char* const* list);

  // The same list, for libraries that are loaded in other processes: Check loads nothing
  // here, and leaves the names of Unsettled to the process that loads.
  MayNeed Elsewhere() const;

  // The names that are neither runtimes nor SONAMEs of the list: a file must answer to
  // each.
  std::vector<std::string> Unsettled(const std::vector<std::string>& needed) const;
  const std::vector<std::string>& paths() const { return paths_; }

  // Check that a library that needs these may be loaded. If it needs more than runtimes
  // and SONAMEs of the list, the files of the list are loaded, in its order, and their
  // constructors run.
  //   Fails  REFUSED with NEEDED: one is not allowed, or a file cannot be loaded.
  // `not_allowed`, unless NULL, gets all names that are not allowed, in their order. If a
  // file cannot be loaded: every name that no SONAME allows.
  Status Check(const std::vector<std::string>& needed,
               std::vector<std::string>* not_allowed = nullptr) const;

 private:
  std::vector<std::string> sonames_, paths_;
  bool loads_here_ = true;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_MAY_NEED_H_
#ifndef ALLOY_SRC_ADMIT_POLICY_H_
#define ALLOY_SRC_ADMIT_POLICY_H_

#include <cstdint>
#include <string>

namespace alloy::core_v0_1 {

// What a host demands of one library.
struct Policy {
  std::string library;      // the path of the file
  std::string certificate;  // base64 of one DER certificate; empty: none is given
  std::string sidecar;      // the path of the signature file; empty: <library>.alloysig
  bool allows_unsigned = false;  // whether a library may be loaded without a certificate
  std::string name;              // of the backend; empty: any
  uint64_t min_sequence = 0;     // of the signed statement
  // That the file must have, as 64 digits in lower case; empty: any.
  std::string sha256;
  // Whether the process that loads the library takes a Go runtime: only one that serves
  // nothing else may.
  bool allows_go_runtime = false;
  int64_t now = 0;  // seconds since 1970
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_POLICY_H_

namespace alloy::core_v0_1 {

class Procedure;
class VerifiedStatement;

struct DeleteProcedure {
  void operator()(Procedure* procedure) const;
};
using OwnedProcedure = std::unique_ptr<Procedure, DeleteProcedure>;

// Where a loaded library comes from. A value.
struct SourceFile {
  std::shared_ptr<const Mapping> bytes;  // of a sealed copy of the file
  std::string sha256;                    // as signed, in hex; empty without a certificate
  // The certificate of the signer; empty and 0 without one.
  std::string signer, signer_sha256;
  std::string signer_json;  // all of this certificate, as alloy_inspect describes it
  uint64_t sequence = 0;

  bool operator==(const SourceFile&) const = default;
};

// What a library must turn out to be: what its signer stated, or, without a certificate,
// what the host asks for. A value.
class Expectations {
 public:
  // `statement` is NULL without a certificate.
  Expectations(std::shared_ptr<const VerifiedStatement> statement, const Policy& policy)
      : statement_(std::move(statement)),
        library_(policy.library),
        name_(policy.name),
        now_(policy.now) {}

  // Compare the SONAMEs that the library needs, in any order, with the statement.
  //   Fails  REFUSED with NEEDED; the text names the file.
  Status CheckNeeded(const std::vector<std::string>& needed) const;
  // Compare what the table of the loaded backend says with the statement; without one,
  // with the name that the host asks for.
  //   Fails  REFUSED with STATEMENT_TABLE, or with NAME; the text names the file.
  Status CheckTable(std::string_view name, std::string_view version, uint32_t abi) const;
  // `bytes` are those of the file that is loaded.
  SourceFile Describe(std::shared_ptr<const Mapping> bytes) const;
  // What the operator of the host should know: a certificate that ends within 30 days.
  std::vector<std::string> Warnings() const;

 private:
  std::shared_ptr<const VerifiedStatement> statement_;
  std::string library_, name_;
  int64_t now_;
};

// What distinguishes one file from another. A value.
struct FileIdentity {
  std::string sha256;                    // in hex; empty: it came without a certificate
  std::shared_ptr<const Mapping> bytes;  // of the sealed copy

  // By the two digests; where one is missing, by all bytes.
  bool IsSameFile(const FileIdentity& other) const;
};

class Verified {
 public:
  FileIdentity identity() const;
  Expectations expectations() const;

  // Inspect the library, and compare what it needs with the statement and with what the
  // host allows. Refuse a Go runtime, unless the policy allows it. A static archive is linked into a library first.
  //   Fails  REFUSED with ELF_MALFORMED, ELF_REFUSED, EXPORTS, ARCHIVE_MALFORMED,
  //          LINK_FAILED, CANNOT_SEAL, NEEDED or GO_RUNTIME; the text names the file.
  Result<Cleared> Clear() &&;

 private:
  friend class Sealed;
  explicit Verified(OwnedProcedure procedure) : procedure_(std::move(procedure)) {}
  OwnedProcedure procedure_;
};

class Sealed {
 public:
  // With a certificate, compare the digest of the copy with the signed one.
  //   Fails  REFUSED with DIGEST; the text names the file.
  Result<Verified> Verify() &&;

 private:
  friend class Candidate;
  explicit Sealed(OwnedProcedure procedure) : procedure_(std::move(procedure)) {}
  OwnedProcedure procedure_;
};

class Candidate {
 public:
  // In hex; empty without a certificate.
  std::string_view signed_sha256() const;

  // Read the file once, exactly its size, into memory under all four seals.
  //   Fails  REFUSED with CHANGED, CANNOT_OPEN or CANNOT_SEAL; the text names the file.
  Result<Sealed> Seal() &&;
  // Only with a certificate: hash the file, and compare the digest with the signed one.
  // Nothing of this file will run.
  //   Fails  REFUSED with CHANGED, CANNOT_OPEN or DIGEST; the text names the file.
  Result<Expectations> Confirm() &&;

 private:
  friend class Admitter;
  explicit Candidate(OwnedProcedure procedure) : procedure_(std::move(procedure)) {}
  OwnedProcedure procedure_;
};

// What one host admits libraries with. It must live as long as what it gives. Fixed in
// place.
class Admitter {
 public:
  // `libcrypto` is another SONAME only in tests.
  explicit Admitter(MayNeed may_need, std::string libcrypto = "libcrypto.so.3")
      : may_need_(std::move(may_need)), libcrypto_(std::move(libcrypto)) {}
  Admitter(const Admitter&) = delete;
  Admitter& operator=(const Admitter&) = delete;

  // Parse the certificate, open a regular file of 64 bytes to 1 GiB, and, with a
  // certificate, verify the signed statement and compare it with the policy.
  //   Fails  REFUSED with a reason of 2001 to 2024 or 3001 to 3004, with UNSIGNED or with
  //          NO_LIBCRYPTO; the text names the file.
  Result<Candidate> Open(const Policy& policy);

  // All that can be known of a library without running it, and the verdict of a load: the
  // JSON that alloy.h documents for alloy_inspect. An archive is checked, not linked.
  //   Fails  REFUSED with a reason of 3001 to 3006: the file cannot be read.
  Result<std::string> Inspect(const Policy& policy);

  // In hex; empty without libcrypto.
  std::string Sha256(const SourceFile& file);

  // Where certificates are checked with; benchmarks use it too.
  LibcryptoSource& libcrypto() { return libcrypto_; }

 private:
  const MayNeed may_need_;
  LibcryptoSource libcrypto_;
};

// The JSON that alloy.h documents for alloy_bridge_identity. `file` is NULL, and `library`
// and `sha256` are empty, for the built-in echo. `isolated`: what the workers of the backend
// have given up; nullopt: it is in this process.
std::string IdentityAsJson(const alloy_backend& backend, const std::string& library,
                           const std::string& sha256, const SourceFile* file,
                           std::optional<Restrictions> isolated);

// Link a static archive into a library, as a load of it does. Nothing of it runs.
//   Gives  the bytes of the library, in sealed memory.
//   Fails  INVALID: the file is not an archive. REFUSED: why a load would refuse it.
Result<std::shared_ptr<const Mapping>> LinkLibraryFrom(const std::string& archive);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_ADMIT_H_

#include <algorithm>
#include <utility>

//
// Compares a verified statement with a file, with its backend's table, and with what the
// host demands. `library` is the path of the file, for the commands in error texts.
#ifndef ALLOY_SRC_ADMIT_CHECK_STATEMENT_H_
#define ALLOY_SRC_ADMIT_CHECK_STATEMENT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>


namespace alloy::core_v0_1 {

#if defined(__aarch64__)
inline constexpr std::string_view kThisPlatform = "linux-aarch64-gnu";
#else
inline constexpr std::string_view kThisPlatform = "linux-x86_64-gnu";
#endif

// Compare what can be compared before a byte of the file is read.
//   Fails  REFUSED with SIZE, KIND, STATEMENT_ABI, PLATFORM, NAME, STATEMENT_EXPIRED,
//          STATEMENT_NOT_YET_VALID or ROLLBACK; the text has both values.
Status CheckStatement(const Statement& statement, int64_t file_size,
                      const Policy& policy);

// Compare the digest of the file, in hex, with the signed one.
//   Fails  REFUSED with DIGEST.
Status CheckSignedDigest(const Crypto& crypto, const Statement& statement,
                         std::string_view sha256, const std::string& library);

// Compare the digest of the file, in hex, with the one that the host asks for.
//   Fails  REFUSED with DIGEST.
Status CheckWantedDigest(std::string_view wanted, std::string_view sha256);

// Compare the SONAMEs that the library needs with the signed ones. `needed` in any order.
//   Fails  REFUSED with NEEDED.
Status CheckSignedNeeds(const Statement& statement, std::vector<std::string> needed,
                        const std::string& library);

// Compare the table of the loaded backend with the signed values.
//   Fails  REFUSED with STATEMENT_TABLE.
Status CheckSignedTable(const Statement& statement, std::string_view name,
                        std::string_view version, uint32_t abi);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_CHECK_STATEMENT_H_
//
// A writer of JSON (RFC 8259). The result is one well-formed value in UTF-8, whatever the
// strings hold, and harmless to print (base/text.h).
#ifndef ALLOY_SRC_ADMIT_JSON_H_
#define ALLOY_SRC_ADMIT_JSON_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace alloy::core_v0_1 {

class JsonWriter {
 public:
  void BeginObject() { Open('{'); }
  void EndObject() { Close('}'); }
  void BeginArray() { Open('['); }
  void EndArray() { Close(']'); }
  // In an object, before each value.
  void Key(std::string_view key);

  // Bytes that are not UTF-8 become U+FFFD.
  void String(std::string_view text);
  void Int(int64_t number) { Value(std::to_string(number)); }
  void Unsigned(uint64_t number) { Value(std::to_string(number)); }
  void Bool(bool value) { Value(value ? "true" : "false"); }
  void Null() { Value("null"); }
  // A value that another writer wrote.
  void Written(std::string_view value) { Value(value); }

  const std::string& text() const { return text_; }

 private:
  void Open(char bracket);
  void Close(char bracket);
  void Value(std::string_view text);
  void Separate();
  void Append(std::string_view text);
  void AppendNumber(char32_t number);

  std::string text_;
  bool first_ = true;  // of its object or array: no comma before it
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_JSON_H_
//
// The steps of an admission, in the only order there is. A load runs them in parts,
// through the types of admit.h, and stops at the first fault. An inspection runs them at
// once and collects the faults. Only a load links an archive.
#ifndef ALLOY_SRC_ADMIT_PROCEDURE_H_
#define ALLOY_SRC_ADMIT_PROCEDURE_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

//
// What the steps of an admission learn about a file.
#ifndef ALLOY_SRC_ADMIT_INSPECTION_H_
#define ALLOY_SRC_ADMIT_INSPECTION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

//
// Inspects a shared library before the system's loader sees it: what runs or misleads
// inside dlopen, or what the loader would die of, is refused here. It works only on bytes,
// so it can be fuzzed. Its time and memory are in proportion to the size of the file,
// however the tables overlap.
//
// Source: "System V Application Binary Interface", Object Files and Program Loading; the
// GNU hash section as glibc's loader reads it.
#ifndef ALLOY_SRC_ADMIT_ELF_H_
#define ALLOY_SRC_ADMIT_ELF_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>


namespace alloy::core_v0_1 {

// Names are the file's own: any bytes. Show them only by a function of base/text.h.
struct ElfFacts {
  std::vector<std::string> needed;   // in the order of the file, at most 64
  std::vector<std::string> exports;  // defined, global or weak or unique; the first 64
  uint64_t export_count = 0;
  bool has_go_runtime = false;
};

// All that is wrong with a library, so that people can repair it in one go.
struct ElfFindings {
  ElfFacts facts;              // as far as the file could be read
  std::vector<Status> faults;  // at most 32, in the order of the checks
};
// A fault is REFUSED with one of these reasons:
//   ELF_MALFORMED  not an ELF file for this machine, or it points outside of itself.
//   ELF_REFUSED    well-formed, but dangerous.
//   EXPORTS        it does not export exactly the function alloy_backend_init.
ElfFindings InspectElf(std::span<const std::byte> image);

// The facts of a library that may be loaded.
//   Fails  with the first fault that InspectElf finds.
Result<ElfFacts> CheckElf(std::span<const std::byte> image);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_ELF_H_

namespace alloy::core_v0_1 {

struct Inspection {
  std::string library;  // its path
  int64_t size = 0;
  bool is_archive = false;
  std::string sha256;   // in hex; empty: without libcrypto, or not computed
  std::string sidecar;  // its path; empty: there is none that can be read
  // What the sidecar claims, true or not; none where it is malformed. A load leaves these
  // two empty.
  std::optional<Statement> statement;
  std::vector<CertificateFacts> certificates;  // the signer's first
  // Whether the signature is valid, and the signer leads to the given certificate.
  bool trusted = false;
  std::vector<std::string> warnings;
  ElfFindings elf;                       // of a library, or of what was linked
  std::vector<std::string> not_allowed;  // of what it needs
  Status verdict;                        // the first fault
};

// The JSON that alloy.h documents for alloy_inspect.
std::string AsJson(const Inspection& found);
// The member "signer" of it.
void WriteCertificate(JsonWriter& json, const CertificateFacts& facts);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_INSPECTION_H_
//
// From a file to memory that nobody can change: what is inspected there is what runs.
#ifndef ALLOY_SRC_ADMIT_SEALED_COPY_H_
#define ALLOY_SRC_ADMIT_SEALED_COPY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>


namespace alloy::core_v0_1 {

inline constexpr int64_t kMaxLibrary = int64_t{1} << 30;

struct OpenedFile {
  Fd file;
  int64_t size = 0;
};

// Open a regular file of 64 bytes to 1 GiB, at most 128 MiB of it holes, without waiting for
// anything.
//   Fails  REFUSED with CANNOT_OPEN, NOT_A_FILE, TOO_SMALL or TOO_LARGE.
Result<OpenedFile> OpenLibraryFile(const std::string& path);

// Pass the bytes of the file to `take`, piece by piece: exactly `size` bytes, read once.
//   Fails  REFUSED with CHANGED or CANNOT_OPEN, or what `take` returned.
Status ReadInPieces(const OpenedFile& opened,
                    const std::function<Status(std::span<const std::byte>)>& take);

struct SealedCopy {
  Fd sealed;
  Mapping bytes;  // of `sealed`
};

// Read the file once, exactly `size` bytes, into memory under all four seals.
//   Fails  REFUSED with CHANGED, CANNOT_OPEN or CANNOT_SEAL.
Result<SealedCopy> CopySealed(const OpenedFile& opened);

// Seal memory that was written, and map it.
//   Fails  REFUSED with CANNOT_SEAL.
Status SealAndMap(int64_t size, const Fd& memory, Mapping* bytes);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_SEALED_COPY_H_

namespace alloy::core_v0_1 {

enum class OnFault { kStop, kCollect };

// Threads  serial. Borrows libcrypto and may_need for its life.
class Procedure {
 public:
  enum class Step {
    kCertificate,  // parse the given one, or: may the library be unsigned?
    kOpen,         // the file
    kStatement,    // verify the sidecar, and compare the statement with the policy
    kRead,         // the file, into a sealed copy or a hash
    kDigest,       // compare it with the signed one
    kImage,        // inspect the ELF file; link an archive first
    kNeeded,       // compare what it needs with the statement
    kAllowed,      // compare what it needs with what the host allows
    kRuntime,      // may it bring a Go runtime into this process?
    kEnd,
  };

  Procedure(Policy policy, OnFault on_fault, LibcryptoSource& libcrypto,
            const MayNeed& may_need);

  // Run the steps that did not run yet, `last` included.
  //   Fails  kStop: with the first fault, and again on each later call.
  //          kCollect: only when the file cannot be read; else the verdict has the fault.
  Status RunThrough(Step last);
  // Make kRead hash the file, and not copy it.
  void ReadOnlyToHash() { only_hash_ = true; }

  const Inspection& found() const { return found_; }
  // After kStatement.
  const VerifiedStatement* statement() const { return statement_.get(); }
  Expectations expectations() const { return {statement_, policy_}; }
  // After kDigest.
  FileIdentity identity() const { return {found_.sha256, bytes_}; }
  // After kImage: what is to be loaded, and its bytes.
  Fd TakeSealed() { return std::move(sealed_); }
  std::shared_ptr<const Mapping> linked() const { return linked_; }

 private:
  bool collects() const { return on_fault_ == OnFault::kCollect; }
  bool wants_digest() const { return !policy_.sha256.empty(); }
  bool is_signed() const { return !policy_.certificate.empty(); }
  Status AtLibrary(const Status& status) const;

  Status Run(Step step);
  Status CheckCertificate();
  Status CheckUnsigned() const;
  Status OpenFile();
  Status CheckSidecar();
  Status VerifySigned(const std::string& sidecar);
  void ReadClaims(const std::string& sidecar);
  Status ReadFile();
  Status HashFile();
  Status CheckDigest();
  Status CheckImage();
  Status LinkImage();

  const Policy policy_;
  const OnFault on_fault_;
  LibcryptoSource& libcrypto_;
  const MayNeed& may_need_;
  Step next_ = Step::kCertificate;
  bool only_hash_ = false;

  Inspection found_;
  std::shared_ptr<const Crypto> crypto_;  // outlives the certificate
  std::optional<Certificate> anchor_;
  OpenedFile opened_;
  std::shared_ptr<const VerifiedStatement> statement_;  // NULL without a certificate
  Fd sealed_;
  std::shared_ptr<const Mapping> bytes_, linked_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_PROCEDURE_H_

namespace alloy::core_v0_1 {
namespace {

using Step_admit = Procedure::Step;

OwnedProcedure MakeProcedure(const Policy& policy, OnFault on_fault,
                             LibcryptoSource& libcrypto, const MayNeed& may_need) {
  return OwnedProcedure(new Procedure(policy, on_fault, libcrypto, may_need));
}

}  // namespace

void DeleteProcedure::operator()(Procedure* procedure) const { delete procedure; }

Status Expectations::CheckNeeded(const std::vector<std::string>& needed) const {
  if (statement_ == nullptr) return Status();
  const Status same = CheckSignedNeeds(statement_->statement(), needed, library_);
  return same.ok() ? same : same.WithPrefix(library_ + ": ");
}

Status Expectations::CheckTable(std::string_view name, std::string_view version,
                                uint32_t abi) const {
  if (statement_ != nullptr) {
    // The name that the host asks for was compared with the statement's.
    const Status same = CheckSignedTable(statement_->statement(), name, version, abi);
    return same.ok() ? same : same.WithPrefix(library_ + ": ");
  }
  if (name_.empty() || name_ == name) return Status();
  return Fail(ALLOY_REFUSED, ALLOY_REASON_NAME,
              library_ + ": the library is the backend " + std::string(name) +
                  ", but the bridge expects " + name_);
}

SourceFile Expectations::Describe(std::shared_ptr<const Mapping> bytes) const {
  SourceFile file;
  file.bytes = std::move(bytes);
  if (statement_ == nullptr) return file;
  file.sha256 = statement_->statement().sha256;
  JsonWriter signer;
  WriteCertificate(signer, statement_->signer());
  file.signer_json = signer.text();
  file.signer = statement_->signer().subject;
  file.signer_sha256 = statement_->signer().sha256;
  file.sequence = statement_->statement().sequence;
  return file;
}

std::vector<std::string> Expectations::Warnings() const {
  constexpr int64_t kDay = 86400, kNotice = 30 * kDay;
  if (statement_ == nullptr) return {};
  const CertificateFacts& first = statement_->first_to_end();
  const int64_t left = first.not_after - now_;
  if (left >= kNotice) return {};
  return {"the certificate of " + first.subject + " ends at " +
          TimeText(first.not_after) + ", in " + std::to_string(left / kDay) +
          " days; renew it, then sign the library again: arrowalloy sign"};
}

bool FileIdentity::IsSameFile(const FileIdentity& other) const {
  if (!sha256.empty() && !other.sha256.empty()) return sha256 == other.sha256;
  return std::ranges::equal(Bytes(*bytes), Bytes(*other.bytes));
}

Result<Candidate> Admitter::Open(const Policy& policy) {
  OwnedProcedure procedure = MakeProcedure(policy, OnFault::kStop, libcrypto_, may_need_);
  ALLOY_TRY(procedure->RunThrough(Step_admit::kStatement));
  return Candidate(std::move(procedure));
}

Result<std::string> Admitter::Inspect(const Policy& policy) {
  Procedure procedure(policy, OnFault::kCollect, libcrypto_, may_need_);
  ALLOY_TRY(procedure.RunThrough(Step_admit::kEnd));
  return AsJson(procedure.found());
}

std::string Admitter::Sha256(const SourceFile& file) {
  if (!file.sha256.empty()) return file.sha256;
  const auto crypto = libcrypto_.Get();
  if (!crypto.ok()) return {};
  const auto digest = (*crypto)->Sha256(Bytes(*file.bytes));
  return digest.ok() ? HexText(*digest) : std::string();
}

namespace {

void WriteRestrictions(Restrictions reached, JsonWriter* json) {
  const auto list = [&](const char* key, Restrictions set) {
    json->Key(key);
    json->BeginArray();
    for (int i = 0; i < kRestrictionCount; ++i) {
      const auto one = static_cast<Restriction>(i);
      if (set.Has(one)) json->String(RestrictionName(one));
    }
    json->EndArray();
  };
  json->BeginObject();
  list("reached", reached);
  list("missing", Restrictions::All().Without(reached));
  json->EndObject();
}

}  // namespace

std::string IdentityAsJson(const alloy_backend& backend, const std::string& library,
                           const std::string& sha256, const SourceFile* file,
                           std::optional<Restrictions> isolated) {
  JsonWriter json;
  const auto text = [&](const char* key, std::string_view value) {
    json.Key(key);
    if (value.empty()) return json.Null();
    json.String(value);
  };
  json.BeginObject();
  text("name", backend.name);
  text("version", backend.version);
  text("language", backend.language);
  text("library", library);
  json.Key("size");
  json.Unsigned(file != nullptr ? Bytes(*file->bytes).size() : 0);
  text("sha256", sha256);
  json.Key("sequence");
  json.Unsigned(file != nullptr ? file->sequence : 0);
  json.Key("signer");
  if (file == nullptr || file->signer_json.empty()) {
    json.Null();
  } else {
    json.Written(file->signer_json);
  }
  json.Key("isolated");
  if (isolated.has_value()) {
    WriteRestrictions(*isolated, &json);
  } else {
    json.Null();
  }
  json.EndObject();
  return json.text();
}

std::string_view Candidate::signed_sha256() const {
  const VerifiedStatement* statement = procedure_->statement();
  return statement != nullptr ? std::string_view(statement->statement().sha256) : "";
}

Result<Sealed> Candidate::Seal() && {
  ALLOY_TRY(procedure_->RunThrough(Step_admit::kRead));
  return Sealed(std::move(procedure_));
}

Result<Expectations> Candidate::Confirm() && {
  const OwnedProcedure procedure = std::move(procedure_);
  if (procedure->statement() == nullptr) {
    return Fail(ALLOY_INTERNAL, "a file without a signed digest cannot be confirmed");
  }
  procedure->ReadOnlyToHash();
  ALLOY_TRY(procedure->RunThrough(Step_admit::kDigest));
  return procedure->expectations();
}

Result<Verified> Sealed::Verify() && {
  ALLOY_TRY(procedure_->RunThrough(Step_admit::kDigest));
  return Verified(std::move(procedure_));
}

FileIdentity Verified::identity() const { return procedure_->identity(); }
Expectations Verified::expectations() const { return procedure_->expectations(); }

Result<Cleared> Verified::Clear() && {
  ALLOY_TRY(procedure_->RunThrough(Step_admit::kRuntime));
  const Inspection& found = procedure_->found();
  return Cleared(procedure_->TakeSealed(), found.library, found.is_archive,
                 found.elf.facts.needed);
}

Result<std::shared_ptr<const Mapping>> LinkLibraryFrom(const std::string& archive) {
  Policy policy;
  policy.library = archive;
  policy.allows_unsigned = true;
  LibcryptoSource unused;
  const MayNeed nothing;
  Procedure procedure(policy, OnFault::kStop, unused, nothing);
  // The last step is for the host that will load the library.
  ALLOY_TRY(procedure.RunThrough(Step_admit::kNeeded));
  if (procedure.linked() == nullptr) {
    return Fail(ALLOY_INVALID, archive +
                                   ": is a shared library already; give a static "
                                   "archive, or load the library");
  }
  return procedure.linked();
}

}  // namespace alloy::core_v0_1

// src/admit/archive.cc ------------------------------------------------------------------
//
// Checks a static archive before a linker sees it: every member must be an object file for
// this machine, inside the archive. It works only on bytes, so it can be fuzzed.
//
// Source: "System V Application Binary Interface", Archive File; the GNU names of ar(5):
// `/` is a table of symbols, `//` one of long names, `/123` a name in it.
#ifndef ALLOY_SRC_ADMIT_ARCHIVE_H_
#define ALLOY_SRC_ADMIT_ARCHIVE_H_

#include <cstddef>
#include <span>
#include <string_view>


namespace alloy::core_v0_1 {

struct ArchiveFacts {
  size_t objects = 0;
};

// Whether these bytes are an archive, a thin one included: by their first eight.
bool IsArchive(std::span<const std::byte> image);

// Whether a file would go to the linker: an archive, or a file that is named like one and
// is not an ELF file. A linker takes a text of that name for its script.
bool IsForTheLinker(std::span<const std::byte> image, std::string_view path);

// Check that an archive may be linked. Member names are only printed, never followed.
//   Fails  REFUSED with ARCHIVE_MALFORMED: a thin archive, one that is cut short or whose
//          sizes lie, no object in it, or anything but relocatable objects of this
//          machine (a compiler's intermediate code, nested archives, texts).
Result<ArchiveFacts> WalkArchive(std::span<const std::byte> image);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_ARCHIVE_H_

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

//
// A relocatable ELF object, as far as it decides whether a linker may have it.
#ifndef ALLOY_SRC_ADMIT_ELF_OBJECT_H_
#define ALLOY_SRC_ADMIT_ELF_OBJECT_H_

#include <cstddef>
#include <span>


namespace alloy::core_v0_1 {

// Whether these bytes are a relocatable object of this machine that holds machine code
// and no compiler's intermediate code in its place or in addition.
//   Fails  REFUSED with ARCHIVE_MALFORMED.
Status CheckObject(std::span<const std::byte> image);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_ELF_OBJECT_H_

namespace alloy::core_v0_1 {
namespace {

constexpr std::string_view kMagic = "!<arch>\n", kThinMagic = "!<thin>\n";
// The header of a member: name 16, date 12, owner 6, group 6, mode 8, size 10, mark 2.
constexpr size_t kHeaderSize_archive = 60, kNameSize = 16, kSizeAt = 48, kSizeSize = 10,
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
std::optional<uint64_t> Number_archive(std::string_view field) {
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
      const std::string_view body = image_.substr(at + kHeaderSize_archive, size);
      ALLOY_TRY(Visit(WithoutBlanks(field), body));
      at += kHeaderSize_archive + size;
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
    if (image_.size() - at < kHeaderSize_archive) {
      return Malformed("the archive ends inside the header of " + Which() +
                       "; is it complete?");
    }
    if (image_.substr(at + kMarkAt, kMark.size()) != kMark) {
      return Malformed("the header of " + Which() + " is malformed");
    }
    const auto size = Number_archive(image_.substr(at + kSizeAt, kSizeSize));
    if (!size) return Malformed("the size of " + Which() + " is not a number");
    const size_t rest = image_.size() - at - kHeaderSize_archive;
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
    const auto offset = Number_archive(name.substr(1));
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

}  // namespace alloy::core_v0_1

// src/admit/check_statement.cc ----------------------------------------------------------

#include <algorithm>


namespace alloy::core_v0_1 {
namespace {

Status StatementRefused(int32_t reason, std::string text) {
  return Fail(ALLOY_REFUSED, reason, std::move(text));
}

std::string SignAgain(const std::string& library) {
  return "; sign it again: arrowalloy sign " + library + " --key KEY --cert CERTIFICATE";
}

Status CheckSize(const Statement& statement, int64_t file_size,
                 const std::string& library) {
  if (statement.size == file_size) return Status();
  return StatementRefused(ALLOY_REASON_SIZE, "size: " + std::to_string(statement.size) +
                                                 " bytes were signed (" + statement.file +
                                                 "), but the library has " +
                                                 std::to_string(file_size) + " bytes" +
                                                 SignAgain(library));
}

Status CheckTarget(const Statement& statement, const Policy& policy) {
  if (statement.kind != "backend") {
    return StatementRefused(
        ALLOY_REASON_KIND, "kind: expected \"backend\", found " + Quoted(statement.kind) +
                               "; use the signature file of the library");
  }
  if (statement.abi != ALLOY_ABI) {
    return StatementRefused(
        ALLOY_REASON_STATEMENT_ABI,
        "abi: signed for ABI " + std::to_string(statement.abi) +
            ", but this engine has ABI " + std::to_string(ALLOY_ABI) +
            "; build the library with this engine's headers, then sign it");
  }
  if (statement.platform != kThisPlatform) {
    return StatementRefused(ALLOY_REASON_PLATFORM,
                            "platform: signed for " + Quoted(statement.platform) +
                                ", but this machine is \"" + std::string(kThisPlatform) +
                                "\"; load the library for this platform");
  }
  if (!policy.name.empty() && statement.name != policy.name) {
    return StatementRefused(ALLOY_REASON_NAME,
                            "name: the library is the backend " + Quoted(statement.name) +
                                ", but the bridge expects " + Quoted(policy.name));
  }
  return Status();
}

Status CheckTimes(const Statement& statement, const Policy& policy) {
  if (policy.now > statement.not_after) {
    return StatementRefused(ALLOY_REASON_STATEMENT_EXPIRED,
                            "not-after: the statement expired at " +
                                TimeText(statement.not_after) + ", and now it is " +
                                TimeText(policy.now) + SignAgain(policy.library));
  }
  if (policy.now < statement.not_before) {
    return StatementRefused(ALLOY_REASON_STATEMENT_NOT_YET_VALID,
                            "not-before: the statement is valid from " +
                                TimeText(statement.not_before) + ", and now it is " +
                                TimeText(policy.now) + "; check this machine's clock");
  }
  return Status();
}

// The names, cut where the list is long.
std::string Listed(const std::vector<std::string>& names) {
  if (names.empty()) return "nothing";
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
    if (text.size() > 200) return text + ", …";
  }
  return text;
}

Status TableDiffers(const char* field, const std::string& stated,
                    std::string_view found) {
  return StatementRefused(ALLOY_REASON_STATEMENT_TABLE,
                          std::string(field) + ": " + Quoted(stated) +
                              " was signed, but the library's own table has " +
                              Quoted(found) + "; sign it again with the table's values");
}

}  // namespace

Status CheckStatement(const Statement& statement, int64_t file_size,
                      const Policy& policy) {
  ALLOY_TRY(CheckSize(statement, file_size, policy.library));
  ALLOY_TRY(CheckTarget(statement, policy));
  ALLOY_TRY(CheckTimes(statement, policy));
  if (statement.sequence < policy.min_sequence) {
    return StatementRefused(ALLOY_REASON_ROLLBACK,
                            "sequence: " + std::to_string(statement.sequence) +
                                " was signed, but the bridge expects at least " +
                                std::to_string(policy.min_sequence) +
                                "; load a newer version of the library");
  }
  return Status();
}

Status CheckSignedDigest(const Crypto& crypto, const Statement& statement,
                         std::string_view sha256, const std::string& library) {
  // Both values are public, so constant time is not needed; it is used so that reviewers
  // need not check.
  if (crypto.SameInConstantTime(statement.sha256, sha256)) return Status();
  return StatementRefused(ALLOY_REASON_DIGEST,
                          "sha256: " + statement.sha256 + " was signed (" +
                              statement.file + "), but the library has " +
                              std::string(sha256) + SignAgain(library));
}

Status CheckWantedDigest(std::string_view wanted, std::string_view sha256) {
  if (wanted.empty() || wanted == sha256) return Status();
  return StatementRefused(ALLOY_REASON_DIGEST,
                          "sha256: the bridge expects " + std::string(wanted) +
                              ", but the library has " + std::string(sha256) +
                              "; give the library that the bridge expects, or make a "
                              "bridge that expects this one");
}

Status CheckSignedNeeds(const Statement& statement, std::vector<std::string> needed,
                        const std::string& library) {
  // The statement has each name once, in order.
  std::ranges::sort(needed);
  const auto twice = std::ranges::unique(needed);
  needed.erase(twice.begin(), twice.end());
  if (needed == statement.needed) return Status();
  return StatementRefused(ALLOY_REASON_NEEDED, "needed: " + Listed(statement.needed) +
                                                   " was signed, but the library needs " +
                                                   Listed(needed) + SignAgain(library));
}

Status CheckSignedTable(const Statement& statement, std::string_view name,
                        std::string_view version, uint32_t abi) {
  if (statement.name != name) return TableDiffers("name", statement.name, name);
  if (statement.version != version) {
    return TableDiffers("version", statement.version, version);
  }
  if (statement.abi != abi) {
    return TableDiffers("abi", std::to_string(statement.abi), std::to_string(abi));
  }
  return Status();
}

}  // namespace alloy::core_v0_1

// src/admit/elf.cc ----------------------------------------------------------------------

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

//
// The parts of a 64-bit little-endian shared library that decide what the loader does
// with it. Every offset is checked against the image before it is followed.
#ifndef ALLOY_SRC_ADMIT_ELF_READER_H_
#define ALLOY_SRC_ADMIT_ELF_READER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>


namespace alloy::core_v0_1 {

#if defined(__x86_64__)
inline constexpr uint16_t kElfMachine = 62;
inline constexpr const char* kElfMachineName = "x86-64";
#elif defined(__aarch64__)
inline constexpr uint16_t kElfMachine = 183;
inline constexpr const char* kElfMachineName = "arm64";
#else
#error "Alloy runs on Linux on x86-64 and arm64 with glibc."
#endif

// Program header types and flags.
inline constexpr uint32_t kElfLoad = 1, kElfDynamicSegment = 2, kElfInterpreter = 3,
                          kElfNote = 4, kElfHeaders = 6, kElfTls = 7,
                          kElfEhFrame = 0x6474e550, kElfStack = 0x6474e551,
                          kElfRelro = 0x6474e552, kElfProperty = 0x6474e553;
inline constexpr uint32_t kElfExecute = 1, kElfWrite = 2, kElfRead = 4;

// Tags of the dynamic section.
inline constexpr int64_t kElfNeeded = 1, kElfPltSize = 2, kElfHash = 4,
                         kElfStringTable = 5, kElfSymbolTable = 6, kElfRela = 7,
                         kElfRelaSize = 8, kElfRelaEntry = 9, kElfStringSize = 10,
                         kElfSymbolSize = 11, kElfInit = 12, kElfFini = 13,
                         kElfSoname = 14, kElfRpath = 15, kElfRel = 17, kElfPltKind = 20,
                         kElfTextRelocations = 22, kElfPltRelocations = 23,
                         kElfInitArray = 25, kElfFiniArray = 26, kElfInitArraySize = 27,
                         kElfFiniArraySize = 28, kElfRunpath = 29, kElfFlags = 30,
                         kElfRelrSize = 35, kElfRelr = 36, kElfRelrEntry = 37,
                         kElfGnuHash = 0x6ffffef5, kElfDependencyAudit = 0x6ffffefb,
                         kElfAudit = 0x6ffffefc, kElfVersions = 0x6ffffff0,
                         kElfRelativeCount = 0x6ffffff9, kElfFlags1 = 0x6ffffffb,
                         kElfVersionsDefined = 0x6ffffffc,
                         kElfVersionsNeeded = 0x6ffffffe, kElfAuxiliary = 0x7ffffffd,
                         kElfFilter = 0x7fffffff;
inline constexpr uint64_t kElfFlagTextRelocations = 4;
// What it exports, or filters, would reach beyond itself, whatever dlopen is told.
inline constexpr uint64_t kElfFlag1Global = 0x2, kElfFlag1LoadFilter = 0x10,
                          kElfFlag1Interpose = 0x400, kElfFlag1Pie = 0x08000000;

inline constexpr uint64_t kElfPage = 4096;  // the least that a machine maps

Status ElfMalformed(std::string text);

struct ElfSegment {
  uint32_t type = 0;
  uint32_t flags = 0;
  uint64_t offset = 0;     // in the file
  uint64_t address = 0;    // when loaded, from the library's base
  uint64_t file_size = 0;  // bytes in the file
  uint64_t size = 0;       // bytes when loaded
  uint64_t alignment = 0;

  bool Holds(uint64_t at, uint64_t bytes) const {  // when loaded
    return at >= address && at - address <= size && bytes <= size - (at - address);
  }
  bool HoldsInFile(uint64_t at, uint64_t bytes) const {
    return at >= address && at - address <= file_size &&
           bytes <= file_size - (at - address);
  }
};

struct ElfDynamic {
  int64_t tag = 0;
  uint64_t value = 0;
};

struct ElfSymbol {
  uint64_t name = 0;   // for ElfReader::String
  uint64_t value = 0;  // its address
  bool is_defined = false;
  bool is_export = false;
  bool is_function = false;
  bool is_resolver = false;  // of an IFUNC: the loader calls it
};

// A value. It borrows the image.
class ElfReader {
 public:
  // Parse what the loader needs in any case. elf_tables.h checks the rest of what it
  // follows.
  //   Fails  REFUSED with ELF_MALFORMED.
  static Result<ElfReader> Read(std::span<const std::byte> image);

  const std::vector<ElfSegment>& segments() const { return segments_; }
  // Without the end mark. Only what may be listed twice is.
  const std::vector<ElfDynamic>& dynamic() const { return dynamic_; }
  std::optional<uint64_t> Entry(int64_t tag) const;
  uint64_t symbol_count() const { return symbol_count_; }
  uint64_t size() const { return image_.size(); }
  uint64_t headers() const { return headers_; }  // where the program headers are
  uint64_t headers_size() const;

  ElfSymbol Symbol(uint64_t index) const;  // below symbol_count()
  // Of the dynamic string table, at most `limit` bytes of it.
  Result<std::string_view> String(uint64_t offset, size_t limit) const;

  // Where `size` bytes at a loaded address lie in the file, inside one segment.
  Result<uint64_t> FileOffset(uint64_t address, uint64_t size, const char* what) const;
  // How many bytes of the file follow that address in its segment; 0: it is in none.
  uint64_t RoomAt(uint64_t address) const;
  // The loaded segment that holds the address; NULL: none.
  const ElfSegment* Loaded(uint64_t address, uint64_t size) const;
  bool IsCode(uint64_t address) const;
  // A number at a file offset that was checked.
  template <typename T>
  T At(uint64_t offset) const {
    T value;
    std::memcpy(&value, image_.data() + offset, sizeof(T));
    return value;
  }

 private:
  explicit ElfReader(std::span<const std::byte> image) : image_(image) {}

  Status ReadHeader();
  Status ReadSegments();
  Status CheckPages() const;
  Status ReadDynamic();
  Status ReadTables();

  std::span<const std::byte> image_;
  uint64_t headers_ = 0;
  uint16_t header_count_ = 0;
  std::vector<ElfSegment> segments_;
  std::vector<ElfDynamic> dynamic_;
  uint64_t symbols_ = 0;
  uint64_t symbol_count_ = 0;
  std::string_view strings_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_ELF_READER_H_
//
// What glibc writes into a library, and what it calls in it, while it loads it: relocations,
// and the functions that run before dlopen returns.
//
// Source: "System V Application Binary Interface", Relocation, and its supplements for
// x86-64 and AArch64; glibc's get-dynamic-info.h and do-rel.h.
#ifndef ALLOY_SRC_ADMIT_ELF_RELOCATIONS_H_
#define ALLOY_SRC_ADMIT_ELF_RELOCATIONS_H_


namespace alloy::core_v0_1 {

// Check that each relocation writes to a writable segment of the library and names one of
// its symbols, and that constructors, destructors and resolvers lie in its code. The time
// is in proportion to the number of relocations.
//   Fails  REFUSED with ELF_MALFORMED.
Status CheckRelocations(const ElfReader& elf);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_ELF_RELOCATIONS_H_
//
// The segments that glibc follows by their addresses after it has mapped a library: program
// headers, notes, thread-local storage, and what becomes read-only after relocation.
//
// Source: "System V Application Binary Interface", Program Loading; glibc's dl-load.c and
// dl-reloc.c.
#ifndef ALLOY_SRC_ADMIT_ELF_SEGMENTS_H_
#define ALLOY_SRC_ADMIT_ELF_SEGMENTS_H_


namespace alloy::core_v0_1 {

// Check that none of them leads the loader, or an unwinder, outside of the library.
//   Fails  REFUSED with ELF_MALFORMED.
Status CheckSegmentsInRange(const ElfReader& elf);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_ELF_SEGMENTS_H_
//
// The tables of symbol versions, which glibc follows without looking at their sizes.
//
// Source: "Linux Standard Base Core Specification", Symbol Versioning; glibc's
// dl-version.c.
#ifndef ALLOY_SRC_ADMIT_ELF_VERSIONS_H_
#define ALLOY_SRC_ADMIT_ELF_VERSIONS_H_


namespace alloy::core_v0_1 {

// Check that the tables lie inside the library, that each needed version is of a library
// that is needed, and that each symbol has a version that exists.
//   Fails  REFUSED with ELF_MALFORMED.
Status CheckVersions(const ElfReader& elf);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_ELF_VERSIONS_H_
//
// Whether a library brings the runtime of the Go language with it. A process has room for
// one such runtime: a second one takes over the signals and the thread-local storage of
// the first. It never ends, either.
#ifndef ALLOY_SRC_ADMIT_GO_RUNTIME_H_
#define ALLOY_SRC_ADMIT_GO_RUNTIME_H_

#include <cstddef>
#include <span>


namespace alloy::core_v0_1 {

// Looks for two marks of the Go linker that the loader maps, so `strip` keeps them: the
// note with the build ID, and the build information in the writable data. Section headers
// are not used, because a library works without them.
//
// It protects people from a mistake. An author who removes both marks on purpose has run
// code in the process anyway.
bool HasGoRuntime(const ElfReader& elf, std::span<const std::byte> image);

// The refusal of a library with a Go runtime by a process that may not take one.
Status GoRuntimeRefused();

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_GO_RUNTIME_H_

namespace alloy::core_v0_1 {
namespace {

Status ElfRefused(std::string text) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_ELF_REFUSED, std::move(text));
}

// The linker flags of the common build systems, for errors that a flag repairs.
constexpr std::string_view kOneExport =
    "; export only one symbol: link with -Wl,--version-script=alloy_backend.map "
    "(CMake's "
    "alloy::backend does), or with -Wl,--exclude-libs,ALL in Rust";

// The limits of a statement, which lists the same names.
constexpr size_t kMaxNeeded_elf = 64, kLongestSoname = 255;
constexpr size_t kListedExports = 64, kLongestExport = 256;

// What was found: each text once, and at most 32 of them.
class Findings {
 public:
  void Add(Status fault) {
    const auto same = [&](const Status& f) {
      return f.fault().text == fault.fault().text;
    };
    if (faults_.size() >= kMost || std::ranges::any_of(faults_, same)) return;
    faults_.push_back(std::move(fault));
  }
  void AddRefusal(std::string text) { Add(ElfRefused(std::move(text))); }
  std::vector<Status> Take() { return std::move(faults_); }

 private:
  static constexpr size_t kMost = 32;
  std::vector<Status> faults_;
};

void CheckSegments(const ElfReader& elf, Findings& findings) {
  bool stack_said = false;
  for (const ElfSegment& segment : elf.segments()) {
    const bool writable = (segment.flags & kElfWrite) != 0;
    const bool executable = (segment.flags & kElfExecute) != 0;
    if (segment.type == kElfInterpreter) {
      findings.AddRefusal(
          "is a program (it names an interpreter), not a shared library; link with "
          "-shared");
    }
    if (segment.type == kElfLoad && writable && executable) {
      findings.AddRefusal(
          "has a segment that is writable and executable; link without -N (--omagic)");
    }
    if (segment.type == kElfStack) {
      stack_said = true;
      if (executable) {
        findings.AddRefusal("asks for an executable stack; link with -Wl,-z,noexecstack");
      }
    }
  }
  if (!stack_said) {
    findings.AddRefusal(
        "has no PT_GNU_STACK, which asks for an executable stack; link with "
        "-Wl,-z,noexecstack");
  }
}

// An offset outside the string table ends the inspection: the file is malformed.
Status CheckNeededName(const ElfReader& elf, uint64_t offset, ElfFacts& facts,
                       Findings& findings) {
  ALLOY_ASSIGN_OR_RETURN(const std::string_view name,
                         elf.String(offset, kLongestSoname + 1));
  if (name.empty() || name.find('/') != name.npos || name.find('$') != name.npos) {
    findings.AddRefusal("needs " + Quoted(name) +
                        " by a path; link it by its SONAME only");
  }
  if (name.size() > kLongestSoname) {
    return ElfMalformed("needs a library whose name has more than 255 bytes");
  }
  if (facts.needed.size() == kMaxNeeded_elf) {
    return ElfMalformed("needs more than 64 libraries; link some of them statically");
  }
  facts.needed.emplace_back(name);
  return Status();
}

Status CheckDynamic(const ElfReader& elf, ElfFacts& facts, Findings& findings) {
  for (const ElfDynamic& entry : elf.dynamic()) {
    switch (entry.tag) {
      case kElfNeeded:
        ALLOY_TRY(CheckNeededName(elf, entry.value, facts, findings));
        break;
      case kElfSoname:
        // Later loads compare their names with it.
        ALLOY_TRY(elf.String(entry.value, 1).status());
        break;
      case kElfRpath:
      case kElfRunpath:
        findings.AddRefusal(
            "carries an RPATH or RUNPATH; link without -rpath (CMake: "
            "BUILD_WITH_INSTALL_RPATH)");
        break;
      case kElfAuxiliary:
      case kElfFilter:
      case kElfAudit:
      case kElfDependencyAudit:
        findings.AddRefusal(
            "makes the loader load other libraries (AUXILIARY, FILTER or AUDIT)");
        break;
      case kElfTextRelocations:
        findings.AddRefusal("has text relocations; compile with -fPIC");
        break;
      case kElfFlags:
        if ((entry.value & kElfFlagTextRelocations) != 0) {
          findings.AddRefusal("has text relocations; compile with -fPIC");
        }
        break;
      case kElfFlags1:
        if ((entry.value & kElfFlag1Pie) != 0) {
          findings.AddRefusal(
              "is a program (a position independent executable), not a shared "
              "library; link with -shared");
        }
        if ((entry.value &
             (kElfFlag1Global | kElfFlag1LoadFilter | kElfFlag1Interpose)) != 0) {
          findings.AddRefusal(
              "reaches into other libraries (the flags GLOBAL, INTERPOSE or LOADFLTR); "
              "link without -z global, interpose or loadfltr");
        }
        break;
      default:
        break;
    }
  }
  return Status();
}

Status TooManyExports(const ElfFacts& facts) {
  std::string text = "exports " + std::to_string(facts.export_count) +
                     " symbols; expected only alloy_backend_init:";
  constexpr size_t kNamed = 8, kLongestShown = 60;
  for (size_t i = 0; i < std::min(kNamed, facts.exports.size()); ++i) {
    text += (i == 0 ? " " : ", ") + Harmless(facts.exports[i], kLongestShown);
  }
  if (facts.export_count > kNamed) text += ", …";
  return Fail(ALLOY_REFUSED, ALLOY_REASON_EXPORTS, text.append(kOneExport));
}

Status CheckExports(const ElfReader& elf, ElfFacts& facts, Findings& findings) {
  constexpr std::string_view kInit = "alloy_backend_init";
  bool has_init = false;
  // The first one has no name, but relocations without a symbol refer to it.
  for (uint64_t i = 0; i < elf.symbol_count(); ++i) {
    const ElfSymbol symbol = elf.Symbol(i);
    ALLOY_ASSIGN_OR_RETURN(
        const std::string_view name,
        elf.String(symbol.name, symbol.is_export ? kLongestExport : 1));
    if (symbol.is_defined && symbol.is_resolver && !elf.IsCode(symbol.value)) {
      return ElfMalformed("a resolver is not in its code; build it again");
    }
    if (!symbol.is_export) continue;
    if (i == 0)
      return ElfMalformed("its first symbol, which has no meaning, is exported");
    if (name == kInit) {
      has_init = true;
      if (!symbol.is_function || !elf.IsCode(symbol.value)) {
        findings.Add(Fail(ALLOY_REFUSED, ALLOY_REASON_EXPORTS,
                          "alloy_backend_init is not a plain function"));
      }
    }
    ++facts.export_count;
    if (facts.exports.size() < kListedExports) facts.exports.emplace_back(name);
  }
  if (!has_init) {
    findings.Add(Fail(
        ALLOY_REFUSED, ALLOY_REASON_EXPORTS,
        "does not export alloy_backend_init, so it is not an Alloy backend; in C++ use "
        "ALLOY_BACKEND, in Rust arrowalloy::backend!"));
  } else if (facts.export_count != 1) {
    findings.Add(TooManyExports(facts));
  }
  return Status();
}

Status CheckParts(std::span<const std::byte> image, ElfFacts& facts, Findings& findings) {
  ALLOY_ASSIGN_OR_RETURN(const ElfReader elf, ElfReader::Read(image));
  facts.has_go_runtime = HasGoRuntime(elf, image);
  CheckSegments(elf, findings);
  ALLOY_TRY(CheckDynamic(elf, facts, findings));
  ALLOY_TRY(CheckExports(elf, facts, findings));
  ALLOY_TRY(CheckSegmentsInRange(elf));
  ALLOY_TRY(CheckVersions(elf));
  return CheckRelocations(elf);
}

}  // namespace

ElfFindings InspectElf(std::span<const std::byte> image) {
  ElfFindings all;
  Findings findings;
  if (Status malformed = CheckParts(image, all.facts, findings); !malformed.ok()) {
    findings.Add(std::move(malformed));
  }
  all.faults = findings.Take();
  return all;
}

Result<ElfFacts> CheckElf(std::span<const std::byte> image) {
  ElfFindings all = InspectElf(image);
  if (!all.faults.empty()) return all.faults.front();
  return std::move(all.facts);
}

}  // namespace alloy::core_v0_1

// src/admit/elf_hash.cc -----------------------------------------------------------------
//
// The two hash tables by which the loader finds symbols. A table that is let through
// cannot make it read outside of the library, abort, or search for ever.
//
// Source: "System V Application Binary Interface", Hash Table; the GNU hash section as
// glibc's loader reads it.
#ifndef ALLOY_SRC_ADMIT_ELF_HASH_H_
#define ALLOY_SRC_ADMIT_ELF_HASH_H_

#include <cstdint>


namespace alloy::core_v0_1 {

// Check the table at this address. Gives the number of symbols that it knows. The time is
// in proportion to the size of the table.
//   Fails  REFUSED with ELF_MALFORMED.
Result<uint64_t> CheckHash(const ElfReader& elf, uint64_t address);
Result<uint64_t> CheckGnuHash(const ElfReader& elf, uint64_t address);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_ELF_HASH_H_

#include <algorithm>
#include <bit>
#include <vector>

namespace alloy::core_v0_1 {
namespace {

constexpr const char* kTable_elf_hash = "hash table";
constexpr uint64_t kWord_elf_hash = 4;
constexpr uint64_t kSymbolSize_elf_hash = 24;

Status NoBuckets() {
  return ElfMalformed("the hash table has no buckets, so no symbol can be found in it");
}

}  // namespace

// Two words (buckets, symbols), the buckets, then for each symbol the next one of its
// list. Each list ends with symbol 0.
Result<uint64_t> CheckHash(const ElfReader& elf, uint64_t address) {
  ALLOY_ASSIGN_OR_RETURN(const uint64_t at, elf.FileOffset(address, 2 * kWord_elf_hash, kTable_elf_hash));
  const uint64_t buckets = elf.At<uint32_t>(at), symbols = elf.At<uint32_t>(at + kWord_elf_hash);
  const uint64_t links = buckets + symbols;
  ALLOY_TRY(elf.FileOffset(address, (2 + links) * kWord_elf_hash, kTable_elf_hash).status());
  if (buckets == 0) return NoBuckets();
  if (symbols > elf.size() / kSymbolSize_elf_hash) {
    return ElfMalformed("the hash table has more symbols than the file can hold");
  }
  // A symbol that two lists lead to, or that a list comes back to, has two predecessors.
  // Without one of those, no list that starts at a bucket has a loop.
  std::vector<bool> is_next(symbols);
  for (uint64_t i = 0; i < links; ++i) {
    const uint64_t next = elf.At<uint32_t>(at + (2 + i) * kWord_elf_hash);
    if (next == 0) continue;
    if (next >= symbols) {
      return ElfMalformed("the hash table points at a symbol that does not exist");
    }
    if (is_next[next]) return ElfMalformed("the hash table has a list without an end");
    is_next[next] = true;
  }
  return symbols;
}

// Header (4 words), a Bloom filter of 64-bit words, the buckets, then one chain word for
// each symbol from `first` on; the lowest bit ends a chain.
Result<uint64_t> CheckGnuHash(const ElfReader& elf, uint64_t address) {
  ALLOY_ASSIGN_OR_RETURN(const uint64_t at, elf.FileOffset(address, 4 * kWord_elf_hash, kTable_elf_hash));
  const uint64_t buckets = elf.At<uint32_t>(at), first = elf.At<uint32_t>(at + kWord_elf_hash),
                 bloom = elf.At<uint32_t>(at + 2 * kWord_elf_hash),
                 shift = elf.At<uint32_t>(at + 3 * kWord_elf_hash);
  const uint64_t buckets_at = 4 * kWord_elf_hash + bloom * 8, fixed = buckets_at + buckets * kWord_elf_hash;
  ALLOY_TRY(elf.FileOffset(address, fixed, kTable_elf_hash).status());
  if (buckets == 0) return NoBuckets();
  // glibc asserts the first, and shifts 32 bits by the second.
  if (!std::has_single_bit(bloom) || shift > 31) {
    return ElfMalformed(
        "the Bloom filter of the hash table is malformed: its size is not a power of "
        "two, "
        "or its shift is above 31");
  }
  uint64_t last = 0;
  for (uint64_t i = 0; i < buckets; ++i) {
    const uint64_t symbol = elf.At<uint32_t>(at + buckets_at + i * kWord_elf_hash);
    if (symbol != 0 && symbol < first) {
      return ElfMalformed("the hash table points at a symbol that it leaves out");
    }
    last = std::max(last, symbol);
  }
  if (last == 0) return first;
  // Every other chain ends before this one, or in it.
  const uint64_t most = elf.size() / kSymbolSize_elf_hash;
  const uint64_t chains = (elf.RoomAt(address) - fixed) / kWord_elf_hash;
  for (; last < most && last - first < chains; ++last) {
    const uint64_t chain = at + fixed + (last - first) * kWord_elf_hash;
    if ((elf.At<uint32_t>(chain) & 1U) != 0) return last + 1;
  }
  return ElfMalformed("the hash table has a list without an end");
}

}  // namespace alloy::core_v0_1

// src/admit/elf_object.cc ---------------------------------------------------------------

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>


namespace alloy::core_v0_1 {
namespace {

constexpr uint64_t kHeaderSize_elf_object = 64, kSectionSize = 64;
constexpr uint16_t kRelocatable = 1, kIndexElsewhere = 0xffff;
// Of a section. A linker fills memory and file up to it.
constexpr uint64_t kMaxAlignment_elf_object = uint64_t{2} << 20U;

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
    if (image_.size() < kHeaderSize_elf_object || !image_.starts_with("\x7f"
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
      if (At<uint64_t>(header + 48) > kMaxAlignment_elf_object) {
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

}  // namespace alloy::core_v0_1

// src/admit/elf_reader.cc ---------------------------------------------------------------

#include <algorithm>
#include <bit>


namespace alloy::core_v0_1 {
namespace {

constexpr uint64_t kHeaderSize_elf_reader = 64;
constexpr uint64_t kProgramHeaderSize = 56;
constexpr uint64_t kSymbolSize_elf_reader = 24;
constexpr uint64_t kDynamicSize = 16;
// A large library has 12 segments and 40 entries.
constexpr uint16_t kMaxSegments = 128;
constexpr size_t kMaxDynamic = 1024;
constexpr uint64_t kMaxAddress = uint64_t{1} << 47U;
// What a library may reserve of the addresses of a process, and how coarsely aligned.
constexpr uint64_t kMaxSpan = uint64_t{64} << 30U;
constexpr uint64_t kMaxAlignment_elf_reader = uint64_t{1} << 30U;
constexpr uint64_t kCoarsestPage = uint64_t{64} << 10U;  // some arm64 machines

bool LiesWithin(uint64_t offset, uint64_t size, uint64_t whole) {
  return offset <= whole && size <= whole - offset;
}

uint64_t RoundUp_elf_reader(uint64_t value, uint64_t page) {
  return (value + page - 1) & ~(page - 1);
}

bool IsReadable(const ElfSegment& segment) {
  return segment.type == kElfLoad && (segment.flags & kElfRead) != 0;
}

// What may be listed more than once. Of every other entry the loader uses the last one.
bool MayRepeat(int64_t tag) {
  switch (tag) {
    case kElfNeeded:
    case kElfRpath:
    case kElfRunpath:
    case kElfAuxiliary:
    case kElfFilter:
    case kElfAudit:
    case kElfDependencyAudit:
      return true;
    default:
      return false;
  }
}

}  // namespace

Status ElfMalformed(std::string text) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_ELF_MALFORMED, std::move(text));
}

Result<ElfReader> ElfReader::Read(std::span<const std::byte> image) {
  ElfReader reader(image);
  ALLOY_TRY(reader.ReadHeader());
  ALLOY_TRY(reader.ReadSegments());
  ALLOY_TRY(reader.ReadDynamic());
  ALLOY_TRY(reader.ReadTables());
  return reader;
}

Status ElfReader::ReadHeader() {
  if (image_.size() < kHeaderSize_elf_reader || std::memcmp(image_.data(),
                                                 "\x7f"
                                                 "ELF",
                                                 4) != 0) {
    return ElfMalformed("not an ELF file");
  }
  if (At<uint8_t>(4) != 2) return ElfMalformed("not a 64-bit ELF file");
  if (At<uint8_t>(5) != 1) return ElfMalformed("not a little-endian ELF file");
  const auto type = At<uint16_t>(16), machine = At<uint16_t>(18);
  if (type != 3) {
    return ElfMalformed("not a shared library (ELF type " + std::to_string(type) +
                        ", expected 3); link with -shared");
  }
  if (machine != kElfMachine) {
    constexpr uint16_t kArm64 = 183, kX86 = 62;
    const char* found = machine == kArm64 ? ", arm64" : machine == kX86 ? ", x86-64" : "";
    return ElfMalformed("made for another machine (ELF machine " +
                        std::to_string(machine) + found + "; expected " +
                        std::to_string(kElfMachine) + ", " + kElfMachineName +
                        "); get or build the library for " + kElfMachineName);
  }
  headers_ = At<uint64_t>(32);
  header_count_ = At<uint16_t>(56);
  if (At<uint16_t>(54) != kProgramHeaderSize || header_count_ == 0 ||
      header_count_ > kMaxSegments ||
      !LiesWithin(headers_, header_count_ * kProgramHeaderSize, image_.size())) {
    return ElfMalformed(
        "the program headers are malformed or lie outside of the file; copy or build it "
        "again");
  }
  return Status();
}

uint64_t ElfReader::headers_size() const { return header_count_ * kProgramHeaderSize; }

Status ElfReader::ReadSegments() {
  for (uint16_t i = 0; i < header_count_; ++i) {
    const uint64_t at = headers_ + i * kProgramHeaderSize;
    const ElfSegment segment{.type = At<uint32_t>(at),
                             .flags = At<uint32_t>(at + 4),
                             .offset = At<uint64_t>(at + 8),
                             .address = At<uint64_t>(at + 16),
                             .file_size = At<uint64_t>(at + 32),
                             .size = At<uint64_t>(at + 40),
                             .alignment = At<uint64_t>(at + 48)};
    const std::string name = "segment " + std::to_string(i);
    // A stack has no bytes; every other segment must lie in the file.
    if (segment.type != kElfStack &&
        !LiesWithin(segment.offset, segment.file_size, image_.size())) {
      return ElfMalformed(name + " reaches beyond the end of the file");
    }
    if (segment.type == kElfLoad) {
      if (segment.size < segment.file_size ||
          !LiesWithin(segment.address, segment.size, kMaxAddress)) {
        return ElfMalformed(name + " has an impossible size or address");
      }
      if (!std::has_single_bit(segment.alignment) || segment.alignment < kElfPage ||
          segment.alignment > kMaxAlignment_elf_reader ||
          (segment.address - segment.offset) % segment.alignment != 0) {
        return ElfMalformed(name + " is not aligned to pages in the file and in memory");
      }
    }
    segments_.push_back(segment);
  }
  return CheckPages();
}

// By pages, as the loader maps: a later segment on the same page would replace bytes that
// are inspected here. Where pages are coarser than the alignment of a segment, the loader
// refuses the library.
Status ElfReader::CheckPages() const {
  uint64_t page = kCoarsestPage;
  for (const ElfSegment& segment : segments_) {
    if (segment.type == kElfLoad) page = std::min(page, segment.alignment);
  }
  uint64_t first = kMaxAddress, next = 0;
  for (size_t i = 0; i < segments_.size(); ++i) {
    const ElfSegment& segment = segments_[i];
    if (segment.type != kElfLoad) continue;
    first = std::min(first, segment.address);
    if ((segment.address & ~(page - 1)) < next) {
      return ElfMalformed("segment " + std::to_string(i) +
                          " overlaps the pages of the one before it, or is out of order");
    }
    next = RoundUp_elf_reader(segment.address + segment.size, page);
  }
  if (next == 0) return ElfMalformed("the file has no segment to load");
  if (next - first > kMaxSpan) {
    return ElfMalformed("its segments take " + std::to_string(next - first) +
                        " bytes of memory; expected at most 64 GiB");
  }
  return Status();
}

Status ElfReader::ReadDynamic() {
  const auto is_dynamic = [](const ElfSegment& s) {
    return s.type == kElfDynamicSegment;
  };
  if (std::ranges::count_if(segments_, is_dynamic) != 1) {
    return ElfMalformed("expected exactly one dynamic section");
  }
  const ElfSegment& segment = *std::ranges::find_if(segments_, is_dynamic);
  // The loader reads it at its address; those bytes must be the ones inspected here.
  ALLOY_ASSIGN_OR_RETURN(
      const uint64_t offset,
      FileOffset(segment.address, segment.file_size, "dynamic section"));
  if (offset != segment.offset || segment.file_size % kDynamicSize != 0) {
    return ElfMalformed("the dynamic section is not where its address says");
  }
  // The loader writes addresses into it.
  const ElfSegment* loaded = Loaded(segment.address, segment.file_size);
  if (loaded == nullptr || (loaded->flags & kElfWrite) == 0) {
    return ElfMalformed(
        "the dynamic section cannot be written; link without -z rodynamic");
  }
  for (uint64_t at = 0; at < segment.file_size; at += kDynamicSize) {
    const ElfDynamic entry{At<int64_t>(offset + at), At<uint64_t>(offset + at + 8)};
    if (entry.tag == 0) return Status();
    if (!MayRepeat(entry.tag) && Entry(entry.tag).has_value()) {
      return ElfMalformed(
          "the dynamic section lists an entry twice; the library is damaged, build it "
          "again");
    }
    if (dynamic_.size() == kMaxDynamic) {
      return ElfMalformed("the dynamic section has more than 1,024 entries");
    }
    dynamic_.push_back(entry);
  }
  return ElfMalformed("the dynamic section has no end");
}

std::optional<uint64_t> ElfReader::Entry(int64_t tag) const {
  const auto found = std::ranges::find(dynamic_, tag, &ElfDynamic::tag);
  if (found == dynamic_.end()) return std::nullopt;
  return found->value;
}

Status ElfReader::ReadTables() {
  const auto strings = Entry(kElfStringTable), strings_size = Entry(kElfStringSize),
             symbols = Entry(kElfSymbolTable), symbol_size = Entry(kElfSymbolSize),
             hash = Entry(kElfHash), gnu_hash = Entry(kElfGnuHash);
  if (!strings || !strings_size || !symbols || symbol_size != kSymbolSize_elf_reader ||
      (!hash && !gnu_hash)) {
    return ElfMalformed("the dynamic section lacks its symbol, string or hash table");
  }
  ALLOY_ASSIGN_OR_RETURN(const uint64_t strings_at,
                         FileOffset(*strings, *strings_size, "string table"));
  strings_ = {reinterpret_cast<const char*>(image_.data()) + strings_at, *strings_size};
  if (strings_.empty() || strings_.back() != '\0') {
    return ElfMalformed("the string table does not end with a NUL");
  }
  if (hash) {
    ALLOY_ASSIGN_OR_RETURN(symbol_count_, CheckHash(*this, *hash));
  }
  if (gnu_hash) {
    ALLOY_ASSIGN_OR_RETURN(const uint64_t count, CheckGnuHash(*this, *gnu_hash));
    symbol_count_ = std::max(symbol_count_, count);
  }
  if (symbol_count_ > image_.size() / kSymbolSize_elf_reader) {
    return ElfMalformed("more symbols than the file can hold");
  }
  ALLOY_ASSIGN_OR_RETURN(
      symbols_, FileOffset(*symbols, symbol_count_ * kSymbolSize_elf_reader, "symbol table"));
  return Status();
}

const ElfSegment* ElfReader::Loaded(uint64_t address, uint64_t size) const {
  const auto found = std::ranges::find_if(segments_, [&](const ElfSegment& segment) {
    return segment.type == kElfLoad && segment.Holds(address, size);
  });
  return found != segments_.end() ? &*found : nullptr;
}

bool ElfReader::IsCode(uint64_t address) const {
  const ElfSegment* segment = Loaded(address, 1);
  return segment != nullptr && (segment->flags & kElfExecute) != 0;
}

Result<uint64_t> ElfReader::FileOffset(uint64_t address, uint64_t size,
                                       const char* what) const {
  for (const ElfSegment& segment : segments_) {
    if (IsReadable(segment) && segment.HoldsInFile(address, size)) {
      return segment.offset + (address - segment.address);
    }
  }
  return ElfMalformed(std::string("the ") + what +
                      " lies outside of every loaded segment");
}

uint64_t ElfReader::RoomAt(uint64_t address) const {
  for (const ElfSegment& segment : segments_) {
    if (IsReadable(segment) && segment.HoldsInFile(address, 1)) {
      return segment.file_size - (address - segment.address);
    }
  }
  return 0;
}

ElfSymbol ElfReader::Symbol(uint64_t index) const {
  const uint64_t at = symbols_ + index * kSymbolSize_elf_reader;
  const uint8_t info = At<uint8_t>(at + 4), other = At<uint8_t>(at + 5);
  const int binding = info >> 4, type = info & 15, visibility = other & 3;
  const bool is_defined = At<uint16_t>(at + 6) != 0;
  // Global 1, weak 2, GNU unique 10; default 0 or protected 3.
  const bool is_export = is_defined && (binding == 1 || binding == 2 || binding == 10) &&
                         (visibility == 0 || visibility == 3);
  return ElfSymbol{.name = At<uint32_t>(at),
                   .value = At<uint64_t>(at + 8),
                   .is_defined = is_defined,
                   .is_export = is_export,
                   .is_function = type == 2,
                   .is_resolver = type == 10};
}

Result<std::string_view> ElfReader::String(uint64_t offset, size_t limit) const {
  if (offset >= strings_.size()) {
    return ElfMalformed(
        "a name lies outside of its string table; copy or build the library again");
  }
  const std::string_view text = strings_.substr(offset, limit);
  return text.substr(0, text.find('\0'));
}

}  // namespace alloy::core_v0_1

// src/admit/elf_relocations.cc ----------------------------------------------------------

#include <algorithm>
#include <bit>
#include <optional>
#include <vector>

namespace alloy::core_v0_1 {
namespace {

constexpr uint64_t kEntry = 24;
constexpr uint64_t kWord_elf_relocations = 8;
constexpr uint64_t kRela = 7;

// The types that need more than a range check.
#if defined(__x86_64__)
constexpr uint32_t kAbsolute = 1, kCopy = 5, kRelative = 8, kDescriptor = 36,
                   kResolved = 37;
constexpr bool IsHalfWord(uint32_t type) {
  return type == 2 || type == 10 || type == 11 || type == 32;  // PC32, 32, 32S, SIZE32
}
#else
constexpr uint32_t kAbsolute = 257, kCopy = 1024, kRelative = 1027, kDescriptor = 1031,
                   kResolved = 1032;
constexpr bool IsHalfWord(uint32_t type) {
  return type == 258 || type == 261;  // ABS32, PREL32
}
#endif

// A list of functions that the loader calls. Each must have been relocated into the code.
struct CallList {
  uint64_t address = 0;
  std::vector<bool> is_relocated;

  std::optional<size_t> SlotAt(uint64_t at) const {
    if (at < address || (at - address) / kWord_elf_relocations >= is_relocated.size())
      return std::nullopt;
    return (at - address) / kWord_elf_relocations;
  }
};

class Relocations {
 public:
  explicit Relocations(const ElfReader& elf) : elf_(elf) {}

  Status Run() {
    KeepTables();
    ALLOY_TRY(ReadCallLists());
    ALLOY_TRY(CheckKinds());
    ALLOY_TRY(CheckTable(kElfRela, kElfRelaSize));
    ALLOY_TRY(CheckTable(kElfPltRelocations, kElfPltSize));
    ALLOY_TRY(CheckRelr());
    for (const CallList& list : lists_) {
      for (const bool is_relocated : list.is_relocated) {
        if (!is_relocated) return NotCode();
      }
    }
    return Status();
  }

 private:
  static Status NotCode() {
    return ElfMalformed(
        "names a constructor, a destructor or a resolver that is not in its code; build "
        "it "
        "again");
  }
  static Status OutOfRange() {
    return ElfMalformed(
        "has a relocation outside of its writable data, or of a symbol that does not "
        "exist; build it again");
  }

  Status ReadCallLists() {
    for (const int64_t tag : {kElfInit, kElfFini}) {
      const auto function = elf_.Entry(tag);
      if (function && !elf_.IsCode(*function)) return NotCode();
    }
    ALLOY_TRY(ReadCallList(kElfInitArray, kElfInitArraySize));
    return ReadCallList(kElfFiniArray, kElfFiniArraySize);
  }

  Status ReadCallList(int64_t tag, int64_t size_tag) {
    const auto address = elf_.Entry(tag), size = elf_.Entry(size_tag);
    if (!address) return Status();
    if (!size || *size % kWord_elf_relocations != 0) {
      return ElfMalformed("has a list of constructors without a size");
    }
    if (*size == 0) return Status();
    ALLOY_TRY(elf_.FileOffset(*address, *size, "list of constructors").status());
    lists_.push_back({*address, std::vector<bool>(*size / kWord_elf_relocations)});
    return Status();
  }

  // glibc asserts these, or reads one entry because another is there.
  Status CheckKinds() const {
    const auto plt_kind = elf_.Entry(kElfPltKind), relr_entry = elf_.Entry(kElfRelrEntry);
    const bool has_plt = elf_.Entry(kElfPltRelocations).has_value();
    if (elf_.Entry(kElfRel) || (plt_kind && *plt_kind != kRela) ||
        has_plt != plt_kind.has_value() ||
        has_plt != elf_.Entry(kElfPltSize).has_value()) {
      return ElfMalformed("has relocations of a kind that this machine does not use");
    }
    const auto complete = [&](int64_t table, int64_t size, int64_t entry,
                              uint64_t expected) {
      return !elf_.Entry(table) ? !elf_.Entry(size) || *elf_.Entry(size) == 0
                                : elf_.Entry(size) && elf_.Entry(entry) == expected;
    };
    if (!complete(kElfRela, kElfRelaSize, kElfRelaEntry, kEntry) ||
        !complete(kElfRelr, kElfRelrSize, kElfRelrEntry, kWord_elf_relocations) ||
        (relr_entry && *relr_entry != kWord_elf_relocations)) {
      return ElfMalformed("the dynamic section lacks the size of a table of relocations");
    }
    return Status();
  }

  Status CheckTable(int64_t tag, int64_t size_tag) {
    const auto address = elf_.Entry(tag), size = elf_.Entry(size_tag);
    if (!address || *size == 0) return Status();
    if (*size % kEntry != 0) return ElfMalformed("a table of relocations is cut short");
    ALLOY_ASSIGN_OR_RETURN(const uint64_t begin,
                           elf_.FileOffset(*address, *size, "table of relocations"));
    // glibc asserts the kind of as many as this says.
    const uint64_t relative =
        tag == kElfRela ? elf_.Entry(kElfRelativeCount).value_or(0) : 0;
    for (uint64_t at = begin; at < begin + *size; at += kEntry) {
      if ((at - begin) / kEntry < relative &&
          static_cast<uint32_t>(elf_.At<uint64_t>(at + 8)) != kRelative) {
        return ElfMalformed("has fewer relative relocations than it says");
      }
      ALLOY_TRY(CheckOne(elf_.At<uint64_t>(at), elf_.At<uint64_t>(at + 8),
                         elf_.At<uint64_t>(at + 16)));
    }
    return Status();
  }

  Status CheckOne(uint64_t target, uint64_t info, uint64_t addend) {
    const auto type = static_cast<uint32_t>(info);
    const uint64_t symbol = info >> 32U;
    // glibc looks up the version of the symbol first, whatever the type.
    if (symbol >= elf_.symbol_count()) return OutOfRange();
    if (type == 0) return Status();
    const uint64_t width = type == kDescriptor ? 2 * kWord_elf_relocations : IsHalfWord(type) ? 4 : kWord_elf_relocations;
    // A copy would write as many bytes as another library's symbol has.
    if (type == kCopy || !IsWritable(target, width)) return OutOfRange();
    if (type == kResolved && !elf_.IsCode(addend)) return NotCode();
    for (CallList& list : lists_) {
      const auto slot = list.SlotAt(target);
      if (!slot) continue;
      const bool own = type == kRelative || (type == kAbsolute && symbol == 0);
      if (own ? !elf_.IsCode(addend) : type != kAbsolute) return NotCode();
      list.is_relocated[*slot] = true;
    }
    return Status();
  }

  // An even word is an address; each odd one is a bitmap of the 63 words behind the last
  // one that was covered.
  Status CheckRelr() {
    const auto address = elf_.Entry(kElfRelr);
    if (!address) return Status();
    const uint64_t size = *elf_.Entry(kElfRelrSize);
    if (size % kWord_elf_relocations != 0) return ElfMalformed("a table of relocations is cut short");
    ALLOY_ASSIGN_OR_RETURN(const uint64_t begin,
                           elf_.FileOffset(*address, size, "table of relocations"));
    std::optional<uint64_t> next;
    for (uint64_t at = begin; at < begin + size; at += kWord_elf_relocations) {
      const auto word = elf_.At<uint64_t>(at);
      if ((word & 1U) == 0) {
        ALLOY_TRY(CheckRelative(word));
        next = word + kWord_elf_relocations;
        continue;
      }
      if (!next) return OutOfRange();
      for (uint64_t bits = word >> 1U; bits != 0; bits &= bits - 1) {
        ALLOY_TRY(
            CheckRelative(*next + kWord_elf_relocations * static_cast<uint64_t>(std::countr_zero(bits))));
      }
      *next += 63 * kWord_elf_relocations;
    }
    return Status();
  }

  Status CheckRelative(uint64_t target) {
    if (!IsWritable(target, kWord_elf_relocations)) return OutOfRange();
    for (CallList& list : lists_) {
      const auto slot = list.SlotAt(target);
      if (!slot) continue;
      ALLOY_ASSIGN_OR_RETURN(const uint64_t at,
                             elf_.FileOffset(target, kWord_elf_relocations, "list of constructors"));
      if (!elf_.IsCode(elf_.At<uint64_t>(at))) return NotCode();
      list.is_relocated[*slot] = true;
    }
    return Status();
  }

  // Most relocations are in the segment of the one before.
  bool IsWritable(uint64_t target, uint64_t width) {
    if (last_ == nullptr || !last_->Holds(target, width)) {
      const ElfSegment* segment = elf_.Loaded(target, width);
      if (segment == nullptr || (segment->flags & kElfWrite) == 0) return false;
      last_ = segment;
    }
    return std::ranges::none_of(kept_, [&](const Range& range) {
      return target < range.end && range.begin < target + width;
    });
  }

  // What was inspected, and what the loader reads after it has relocated something, must
  // stay as it is. Few of these tables are in memory that can be written.
  void KeepTables() {
    for (const ElfSegment& segment : elf_.segments()) {
      if (segment.type == kElfDynamicSegment) {
        kept_.push_back({segment.address, segment.address + segment.size});
      }
    }
    for (const int64_t tag : {kElfHash, kElfGnuHash, kElfStringTable, kElfSymbolTable,
                              kElfRela, kElfPltRelocations, kElfRelr, kElfVersions,
                              kElfVersionsNeeded, kElfVersionsDefined}) {
      const auto table = elf_.Entry(tag);
      const ElfSegment* segment = table ? elf_.Loaded(*table, 1) : nullptr;
      if (segment == nullptr || (segment->flags & kElfWrite) == 0) continue;
      // Some have no size. Nothing that is relocated follows them in their segment.
      kept_.push_back({*table, segment->address + segment->size});
    }
  }

  struct Range {
    uint64_t begin, end;
  };

  const ElfReader& elf_;
  std::vector<Range> kept_;
  std::vector<CallList> lists_;
  const ElfSegment* last_ = nullptr;
};

}  // namespace

Status CheckRelocations(const ElfReader& elf) { return Relocations(elf).Run(); }

}  // namespace alloy::core_v0_1

// src/admit/elf_segments.cc -------------------------------------------------------------

#include <algorithm>
#include <bit>
#include <string>

namespace alloy::core_v0_1 {
namespace {

// A thread pays for it with its first use, so a library keeps it small.
constexpr uint64_t kMaxTls = uint64_t{64} << 20U;
constexpr uint64_t kMaxTlsAlignment = uint64_t{64} << 10U;

Status CheckTls(const ElfReader& elf, const ElfSegment& tls) {
  if (tls.size < tls.file_size || tls.size > kMaxTls) {
    return ElfMalformed(
        "has thread-local storage of " + std::to_string(tls.size) +
        " bytes; expected at most 64 MiB, and not fewer than in the file");
  }
  if ((tls.alignment != 0 && !std::has_single_bit(tls.alignment)) ||
      tls.alignment > kMaxTlsAlignment) {
    return ElfMalformed("has thread-local storage that is aligned to " +
                        std::to_string(tls.alignment) +
                        " bytes; expected a power of two up to 65,536");
  }
  return elf.FileOffset(tls.address, tls.file_size, "thread-local storage").status();
}

// The loader takes the right to write from the pages of this segment. They must be pages
// of one segment that is written to.
Status CheckRelro(const ElfReader& elf, const ElfSegment& relro) {
  const ElfSegment* holder = nullptr;
  uint64_t next = UINT64_MAX;  // the first page of the segment behind it
  for (const ElfSegment& segment : elf.segments()) {
    if (segment.type != kElfLoad) continue;
    if (segment.Holds(relro.address, 1)) holder = &segment;
    if (segment.address > relro.address) {
      next = std::min(next, segment.address & ~(kElfPage - 1));
    }
  }
  const bool in_range =
      holder != nullptr && (holder->flags & kElfWrite) != 0 &&
      relro.size <= next - relro.address &&
      // Linkers round its end up to a page.
      relro.size <= ((holder->address + holder->size + holder->alignment - 1) &
                     ~(holder->alignment - 1)) -
                        relro.address;
  return in_range || relro.size == 0
             ? Status()
             : ElfMalformed(
                   "makes memory read-only that is not its writable data (the "
                   "segment GNU_RELRO is out of range)");
}

Status CheckHeaders(const ElfReader& elf, const ElfSegment& headers) {
  ALLOY_ASSIGN_OR_RETURN(
      const uint64_t offset,
      elf.FileOffset(headers.address, elf.headers_size(), "table of program headers"));
  return offset == elf.headers()
             ? Status()
             : ElfMalformed("the program headers are not where the segment PHDR says");
}

}  // namespace

Status CheckSegmentsInRange(const ElfReader& elf) {
  const auto count = [&](uint32_t type) {
    return std::ranges::count(elf.segments(), type, &ElfSegment::type);
  };
  for (const uint32_t type : {kElfTls, kElfRelro, kElfHeaders}) {
    if (count(type) > 1) {
      return ElfMalformed("has two segments of a kind of which the loader uses one");
    }
  }
  for (const ElfSegment& segment : elf.segments()) {
    switch (segment.type) {
      case kElfTls:
        ALLOY_TRY(CheckTls(elf, segment));
        break;
      case kElfRelro:
        ALLOY_TRY(CheckRelro(elf, segment));
        break;
      case kElfHeaders:
        ALLOY_TRY(CheckHeaders(elf, segment));
        break;
      case kElfNote:
      case kElfProperty:
      case kElfEhFrame:
        ALLOY_TRY(elf.FileOffset(segment.address,
                                 std::max(segment.size, segment.file_size),
                                 "segment of notes or of unwinding")
                      .status());
        break;
      default:
        break;
    }
  }
  return Status();
}

}  // namespace alloy::core_v0_1

// src/admit/elf_versions.cc -------------------------------------------------------------

#include <algorithm>
#include <string_view>
#include <vector>

namespace alloy::core_v0_1 {
namespace {

constexpr const char* kTable_elf_versions = "table of symbol versions";
constexpr size_t kLongestName_elf_versions = 4096;
constexpr uint16_t kIndexBits = 0x7fff;
// Lists of more are damage: a version is a few letters, and a library has few of them.
constexpr int kMost = 4096;

Status BadVersions() {
  return ElfMalformed("the tables of symbol versions are malformed; build it again");
}

class Versions {
 public:
  explicit Versions(const ElfReader& elf) : elf_(elf) {}

  Status Run() {
    ALLOY_TRY(CheckNeeded());
    ALLOY_TRY(CheckDefined());
    return CheckSymbols();
  }

 private:
  // Each list is followed by distances, of which 0 ends it.
  Status CheckNeeded() {
    auto at = elf_.Entry(kElfVersionsNeeded);
    if (!at) return Status();
    for (const ElfDynamic& entry : elf_.dynamic()) {
      if (entry.tag != kElfNeeded) continue;
      ALLOY_ASSIGN_OR_RETURN(const auto name, elf_.String(entry.value, kLongestName_elf_versions));
      needed_.push_back(name);
    }
    for (int count = 0;; ++count) {
      ALLOY_ASSIGN_OR_RETURN(const uint64_t offset, elf_.FileOffset(*at, 16, kTable_elf_versions));
      ALLOY_ASSIGN_OR_RETURN(const auto file,
                             elf_.String(elf_.At<uint32_t>(offset + 4), kLongestName_elf_versions));
      // glibc asserts that the library is among the loaded ones.
      if (elf_.At<uint16_t>(offset) != 1 || count == kMost ||
          std::ranges::find(needed_, file) == needed_.end()) {
        return BadVersions();
      }
      ALLOY_TRY(CheckNeededOf(*at + elf_.At<uint32_t>(offset + 8)));
      const auto next = elf_.At<uint32_t>(offset + 12);
      if (next == 0) return Status();
      *at += next;
    }
  }

  Status CheckNeededOf(uint64_t at) {
    for (;; ++total_) {
      ALLOY_ASSIGN_OR_RETURN(const uint64_t offset, elf_.FileOffset(at, 16, kTable_elf_versions));
      ALLOY_TRY(elf_.String(elf_.At<uint32_t>(offset + 8), 1).status());
      if (total_ == kMost) return BadVersions();
      highest_ = std::max(
          highest_, static_cast<uint16_t>(elf_.At<uint16_t>(offset + 6) & kIndexBits));
      const auto next = elf_.At<uint32_t>(offset + 12);
      if (next == 0) return Status();
      at += next;
    }
  }

  Status CheckDefined() {
    auto at = elf_.Entry(kElfVersionsDefined);
    if (!at) return Status();
    for (int count = 0;; ++count) {
      ALLOY_ASSIGN_OR_RETURN(const uint64_t offset, elf_.FileOffset(*at, 20, kTable_elf_versions));
      const uint64_t name_at = *at + elf_.At<uint32_t>(offset + 12);
      ALLOY_ASSIGN_OR_RETURN(const uint64_t name, elf_.FileOffset(name_at, 8, kTable_elf_versions));
      ALLOY_TRY(elf_.String(elf_.At<uint32_t>(name), 1).status());
      if (elf_.At<uint16_t>(offset) != 1 || count == kMost) return BadVersions();
      highest_ = std::max(
          highest_, static_cast<uint16_t>(elf_.At<uint16_t>(offset + 4) & kIndexBits));
      const auto next = elf_.At<uint32_t>(offset + 16);
      if (next == 0) return Status();
      *at += next;
    }
  }

  // The loader uses the version of a symbol as an index, unchecked.
  Status CheckSymbols() const {
    const auto table = elf_.Entry(kElfVersions);
    // A list of versions is for a table of symbols, which glibc reads without asking.
    if (!table) return highest_ == 0 ? Status() : BadVersions();
    const uint64_t count = elf_.symbol_count();
    ALLOY_ASSIGN_OR_RETURN(const uint64_t offset,
                           elf_.FileOffset(*table, 2 * count, kTable_elf_versions));
    if (highest_ == 0) return BadVersions();
    for (uint64_t i = 0; i < count; ++i) {
      if ((elf_.At<uint16_t>(offset + 2 * i) & kIndexBits) > highest_)
        return BadVersions();
    }
    return Status();
  }

  const ElfReader& elf_;
  std::vector<std::string_view> needed_;
  uint16_t highest_ = 0;
  int total_ = 0;
};

}  // namespace

Status CheckVersions(const ElfReader& elf) { return Versions(elf).Run(); }

}  // namespace alloy::core_v0_1

// src/admit/go_runtime.cc ---------------------------------------------------------------

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace alloy::core_v0_1 {
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

}  // namespace alloy::core_v0_1

// src/admit/inspection.cc ---------------------------------------------------------------


namespace alloy::core_v0_1 {
namespace {

void Field(JsonWriter& json, const char* key, std::string_view value) {
  json.Key(key);
  json.String(value);
}

void FieldOrNull(JsonWriter& json, const char* key, std::string_view value) {
  json.Key(key);
  if (value.empty()) {
    json.Null();
  } else {
    json.String(value);
  }
}

void Strings(JsonWriter& json, const char* key, const std::vector<std::string>& values) {
  json.Key(key);
  json.BeginArray();
  for (const std::string& value : values) json.String(value);
  json.EndArray();
}

void WriteStatus(JsonWriter& json, const Status& status) {
  json.BeginObject();
  json.Key("ok");
  json.Bool(status.ok());
  json.Key("code");
  json.Int(status.code());
  Field(json, "code_name", CodeName(status.code()));
  json.Key("reason");
  json.Int(status.reason());
  Field(json, "reason_name", ReasonName(status.reason()));
  Field(json, "text", status.ok() ? "" : status.fault().text);
  json.EndObject();
}

void WriteStatement(JsonWriter& json, const std::optional<Statement>& statement) {
  json.Key("statement");
  if (!statement) return json.Null();
  json.BeginObject();
  Field(json, "kind", statement->kind);
  Field(json, "name", statement->name);
  Field(json, "version", statement->version);
  json.Key("sequence");
  json.Unsigned(statement->sequence);
  json.Key("abi");
  json.Unsigned(statement->abi);
  Field(json, "platform", statement->platform);
  Field(json, "not_before", TimeText(statement->not_before));
  Field(json, "not_after", TimeText(statement->not_after));
  json.Key("size");
  json.Int(statement->size);
  Field(json, "sha256", statement->sha256);
  Field(json, "file", statement->file);
  Strings(json, "needed", statement->needed);
  json.EndObject();
}

void WriteElf(JsonWriter& json, const ElfFindings& elf,
              const std::vector<std::string>& not_allowed) {
  json.Key("elf");
  json.BeginObject();
  json.Key("findings");
  json.BeginArray();
  for (const Status& fault : elf.faults) {
    json.BeginObject();
    json.Key("reason");
    json.Int(fault.reason());
    Field(json, "reason_name", ReasonName(fault.reason()));
    Field(json, "text", fault.fault().text);
    json.EndObject();
  }
  json.EndArray();
  Strings(json, "needed", elf.facts.needed);
  Strings(json, "not_allowed", not_allowed);
  Strings(json, "exports", elf.facts.exports);
  json.Key("export_count");
  json.Unsigned(elf.facts.export_count);
  json.Key("go_runtime");
  json.Bool(elf.facts.has_go_runtime);
  json.EndObject();
}

}  // namespace

void WriteCertificate(JsonWriter& json, const CertificateFacts& facts) {
  json.BeginObject();
  Field(json, "subject", facts.subject);
  Field(json, "issuer", facts.issuer);
  Field(json, "key", facts.key);
  Field(json, "not_before", TimeText(facts.not_before));
  Field(json, "not_after", TimeText(facts.not_after));
  Field(json, "sha256", facts.sha256);
  json.Key("is_ca");
  json.Bool(facts.is_ca);
  json.EndObject();
}

std::string AsJson(const Inspection& found) {
  JsonWriter json;
  json.BeginObject();
  Field(json, "library", found.library);
  json.Key("size");
  json.Int(found.size);
  FieldOrNull(json, "sha256", found.sha256);
  Field(json, "kind", found.is_archive ? "archive" : "library");
  json.Key("verdict");
  WriteStatus(json, found.verdict);
  json.Key("trusted");
  json.Bool(found.trusted);
  FieldOrNull(json, "sidecar", found.sidecar);
  WriteStatement(json, found.statement);
  json.Key("signer");
  if (found.certificates.empty()) {
    json.Null();
  } else {
    WriteCertificate(json, found.certificates.front());
  }
  json.Key("certificates");
  json.BeginArray();
  for (const CertificateFacts& facts : found.certificates) WriteCertificate(json, facts);
  json.EndArray();
  Strings(json, "warnings", found.warnings);
  WriteElf(json, found.elf, found.not_allowed);
  json.EndObject();
  return json.text();
}

}  // namespace alloy::core_v0_1

// src/admit/json.cc ---------------------------------------------------------------------


namespace alloy::core_v0_1 {
void JsonWriter::Separate() {
  if (!first_) text_ += ',';
  first_ = false;
}

void JsonWriter::Open(char bracket) {
  Separate();
  text_ += bracket;
  first_ = true;
}

void JsonWriter::Close(char bracket) {
  text_ += bracket;
  first_ = false;
}

void JsonWriter::Value(std::string_view text) {
  Separate();
  text_ += text;
}

void JsonWriter::Key(std::string_view key) {
  String(key);
  text_ += ':';
  first_ = true;  // its value has no comma before it
}

void JsonWriter::String(std::string_view text) {
  Separate();
  text_ += '"';
  Append(text);
  text_ += '"';
}

// Characters that a terminal obeys are escaped, so that the JSON can be printed as it is.
void JsonWriter::Append(std::string_view text) {
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    const std::string_view character = text.substr(0, length == 0 ? 1 : length);
    const char32_t number = length == 0 ? 0xFFFD : Utf8Character(character);
    if (number == '"' || number == '\\') {
      text_ += {'\\', character[0]};
    } else if (length == 0 || IsHarmful(number)) {
      AppendNumber(number);
    } else {
      text_ += character;
    }
    text.remove_prefix(character.size());
  }
}

// `\uNNNN`, or two of them for a number of more than 16 bits.
void JsonWriter::AppendNumber(char32_t number) {
  constexpr char kDigits[] = "0123456789abcdef";
  if (number > 0xFFFF) {
    AppendNumber(0xD800 + ((number - 0x10000) >> 10U));
    number = 0xDC00 + ((number - 0x10000) & 0x3FFU);
  }
  text_ += {'\\',
            'u',
            kDigits[number >> 12U],
            kDigits[number >> 8U & 15U],
            kDigits[number >> 4U & 15U],
            kDigits[number & 15U]};
}

}  // namespace alloy::core_v0_1

// src/admit/libcrypto_source.cc ---------------------------------------------------------


namespace alloy::core_v0_1 {
namespace {

Status NoLibcrypto(const std::string& why) {
  return Fail(
      ALLOY_REFUSED, ALLOY_REASON_NO_LIBCRYPTO,
      "cannot check certificates: libcrypto.so.3 of OpenSSL cannot be used: " + why +
          "; install it: apt-get install libssl3 (Debian, Ubuntu; libssl3t64 "
          "since 24.04), dnf install openssl-libs (Fedora)");
}

Result<std::shared_ptr<const Crypto>> Bind(const std::string& soname) {
  ALLOY_TRY(CheckHasLoader());
  std::string text;
  void* library = OpenSystemLibrary(soname.c_str(), &text);
  if (library == nullptr) return NoLibcrypto(text);
  Libcrypto table;
  const char* missing =
      table.Bind([&](const char* name) { return FindInSystemLibrary(library, name); });
  if (missing != nullptr)
    return NoLibcrypto("it has no function " + std::string(missing));
  return Crypto::Make(table);
}

}  // namespace

LibcryptoSource::~LibcryptoSource() {
  const std::unique_ptr<const std::shared_ptr<const Crypto>> owner(
      crypto_.load(std::memory_order_acquire));
}

Result<std::shared_ptr<const Crypto>> LibcryptoSource::Get() {
  if (const auto* known = crypto_.load(std::memory_order_acquire); known != nullptr) {
    return *known;
  }
  ALLOY_ASSIGN_OR_RETURN(auto bound, Bind(soname_));
  auto made = std::make_unique<const std::shared_ptr<const Crypto>>(std::move(bound));
  // Two threads may have bound it at once. The first one stays.
  const std::shared_ptr<const Crypto>* known = nullptr;
  if (!crypto_.compare_exchange_strong(known, made.get(), std::memory_order_acq_rel)) {
    return *known;
  }
  return *made.release();
}

}  // namespace alloy::core_v0_1

// src/admit/link.cc ---------------------------------------------------------------------
//
// From an archive in sealed memory to a shared library in sealed memory, by the compiler
// of this machine.
#ifndef ALLOY_SRC_ADMIT_LINK_H_
#define ALLOY_SRC_ADMIT_LINK_H_

#include <cstdint>
#include <string>
#include <vector>


namespace alloy::core_v0_1 {

// Where to look for a compiler, and how long it may take. The defaults are the ones that
// hosts get; tests have others.
struct LinkTools {
  // Absolute paths; the first that exists is used. Never PATH: the environment must not
  // choose what runs here.
  std::vector<std::string> compilers = {
      "/usr/bin/c++",       "/usr/bin/g++",       "/usr/bin/clang++",
      "/usr/local/bin/c++", "/usr/local/bin/g++", "/usr/local/bin/clang++",
      "/usr/bin/cc",        "/usr/bin/gcc",       "/usr/bin/clang",
      "/usr/local/bin/cc",  "/usr/local/bin/gcc"};
  int64_t limit_ns = int64_t{60} * 1'000'000'000;
};

// Link what alloy_backend_init needs from a sealed archive into a library that exports
// only this function. The archive must be checked before, the library afterwards.
// `path` is the archive's, for texts.
//   Gives  memory that is not sealed yet; only this process has it open.
//   Fails  REFUSED with LINK_FAILED: no compiler, the linker's own text, too long, or more
//          memory or a larger file than an archive of this size needs; or CANNOT_SEAL.
Result<Fd> LinkArchive(const Fd& archive, const std::string& path,
                       const LinkTools& tools = {});

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_LINK_H_

#include <algorithm>
#include <cerrno>
#include <span>
#include <string_view>


namespace alloy::core_v0_1 {
namespace {

// The descriptors that the linker gets, by their paths.
constexpr std::string_view kArchiveFile = "/proc/self/fd/3", kMapFile = "/proc/self/fd/4",
                           kLibraryFile = "/proc/self/fd/5";
// The same as cmake/alloy_backend.map, which authors link with.
constexpr std::string_view kVersionScript =
    "{ global: alloy_backend_init; local: *; };\n";
constexpr size_t kMostOutput = 8192;
// Linking a Rust archive takes five times its size in memory, and writes less than it. The
// compiler itself takes some more.
constexpr uint64_t kMiB = uint64_t{1} << 20U;
constexpr uint64_t MostMemory(uint64_t archive) { return 512 * kMiB + 8 * archive; }
constexpr uint64_t MostWritten(uint64_t archive) { return 64 * kMiB + 2 * archive; }

Status LinkFailed(std::string text) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_LINK_FAILED, std::move(text));
}

Result<std::string> FindCompiler(const LinkTools& tools) {
  const auto found = std::ranges::find_if(tools.compilers, IsExecutable);
  if (found != tools.compilers.end()) return *found;
  return LinkFailed(
      "linking a static archive needs a compiler, and none was found (" +
      (tools.compilers.empty()
           ? std::string("no place to look")
           : "looked for " + tools.compilers.front() + " and similar names") +
      "); run `arrowalloy link libfoo.a -o libfoo.so` on a machine that has one, sign "
      "the library and load that, or install g++");
}

Status NoMemory(int error) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_CANNOT_SEAL,
              "cannot make memory for linking it: " + ErrorText(error));
}

Result<Fd> VersionScript() {
  Fd script;
  int error = CreateSealable("alloy-version-script", kVersionScript.size(), &script);
  if (error == 0) error = WriteFully(script, std::as_bytes(std::span(kVersionScript)));
  if (error == 0) error = Seal(script);
  if (error != 0) return NoMemory(error);
  return script;
}

std::vector<std::string> Arguments() {
  std::vector<std::string> arguments = {
      "-shared",
      // Without PATH, this is the only way for GCC to find its linker.
      "-B/usr/bin/",
      // Intermediate code was refused, so nothing needs a plugin that reads it.
      "-fno-lto", "-Wl,-u,alloy_backend_init", "-Wl,--gc-sections",
      "-Wl,-z,noexecstack,-z,relro,-z,now,-z,defs", "-Wl,--as-needed",
      // The same archive gives the same bytes, which are loaded once.
      "-Wl,--build-id=none"};
  // This linker writes into the existing file; others replace it with a new one.
  if (IsExecutable("/usr/bin/ld.bfd")) arguments.emplace_back("-fuse-ld=bfd");
  arguments.push_back("-Wl,--version-script=" + std::string(kMapFile));
  arguments.emplace_back("-o");
  arguments.emplace_back(kLibraryFile);
  arguments.emplace_back(kArchiveFile);
  for (const char* library : {"-lpthread", "-ldl", "-lrt", "-lm"}) {
    arguments.emplace_back(library);
  }
  return arguments;
}

void ReplaceAll(std::string* text, std::string_view from, std::string_view to) {
  for (size_t at = text->find(from); at != text->npos;
       at = text->find(from, at + to.size())) {
    text->replace(at, from.size(), to);
  }
}

// What the linker printed, with the archive's own path, and without lines that add
// nothing.
std::string LinkerText(std::string output, const std::string& path) {
  ReplaceAll(&output, kArchiveFile, path);
  std::string told;
  for (std::string_view rest = output; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    for (const std::string_view speaker : {"/usr/bin/ld.bfd: ", "/usr/bin/ld: "}) {
      if (line.starts_with(speaker)) line.remove_prefix(speaker.size());
    }
    if (line.empty() || line.starts_with("collect2: error: ld returned")) continue;
    if (!told.empty()) told += "; ";
    told += Harmless(line);
  }
  return told;
}

// Which limits there are, when the text is about one.
std::string LimitText(const ProgramRun& run, std::string_view told) {
  for (const std::string_view sign :
       {"memory exhausted", "annot allocate memory", "out of memory", "virtual memory",
        "bad_alloc", "ile too large", "ile size limit", "signal 25"}) {
    if (told.find(sign) == told.npos) continue;
    return "; for an archive of this size the linker may use " +
           std::to_string(run.most_memory / kMiB) + " MiB of memory and write " +
           std::to_string(run.most_file / kMiB) +
           " MiB; link it with your own build, and load the library";
  }
  return "";
}

Status CheckEnd(const ProgramRun& run, const ProgramEnd& end, const std::string& path) {
  if (end.timed_out) {
    return LinkFailed("linking took longer than " +
                      std::to_string(run.limit_ns / 1'000'000) + " ms, so " +
                      run.program + " was killed");
  }
  if (end.exit_code == 0) return Status();
  const std::string how = end.exit_code > 0
                              ? " exited with " + std::to_string(end.exit_code)
                              : " was ended by signal " + std::to_string(end.signal);
  const std::string told = LinkerText(end.output, path);
  return LinkFailed("cannot be linked: " + run.program + how +
                    (told.empty() ? " without any output" : ": " + told) +
                    LimitText(run, told));
}

}  // namespace

Result<Fd> LinkArchive(const Fd& archive, const std::string& path,
                       const LinkTools& tools) {
  FileFacts facts;
  if (const int error = GetFileFacts(archive, &facts); error != 0) return NoMemory(error);
  const auto size = static_cast<uint64_t>(facts.size);
  ProgramRun run{.program = {},
                 .arguments = Arguments(),
                 .hand_over = {},
                 .limit_ns = tools.limit_ns,
                 .most_output = kMostOutput,
                 .most_memory = MostMemory(size),
                 .most_file = MostWritten(size)};
  ALLOY_ASSIGN_OR_RETURN(run.program, FindCompiler(tools));
  ALLOY_ASSIGN_OR_RETURN(const Fd script, VersionScript());
  Fd library;
  if (const int error = CreateSealable("alloy-backend", 0, &library); error != 0) {
    return NoMemory(error);
  }
  run.hand_over = {&archive, &script, &library};
  ProgramEnd end;
  if (const int error = RunProgram(run, &end); error == ECHILD) {
    return LinkFailed("cannot wait for " + run.program +
                      ": this process ignores SIGCHLD or reaps all children; link with "
                      "`arrowalloy link` instead");
  } else if (error != 0) {
    return LinkFailed(run.program + " cannot be run: " + ErrorText(error));
  }
  ALLOY_TRY(CheckEnd(run, end, path));
  return library;
}

}  // namespace alloy::core_v0_1

// src/admit/may_need.cc -----------------------------------------------------------------

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

//
// The libraries that every backend may need: the runtimes of C and C++, which the host
// uses too. A backend links everything else statically, or its host allows it by name.
#ifndef ALLOY_SRC_ADMIT_RUNTIMES_H_
#define ALLOY_SRC_ADMIT_RUNTIMES_H_

#include <string_view>

namespace alloy::core_v0_1 {

// By its SONAME. An engine that was built with a sanitizer allows its runtime too.
bool IsRuntime(std::string_view soname);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_RUNTIMES_H_

namespace alloy::core_v0_1 {
namespace {

Status NotAllowed(const std::string& soname) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_NEEDED,
              "needs " + soname +
                  ", which this host does not allow: link it statically and hidden, or "
                  "allow it when the host is made (may_need, MayNeed)");
}

}  // namespace

Result<MayNeed> MayNeed::Make(const char* const* list) {
  MayNeed made;
  for (; list != nullptr && *list != nullptr; ++list) {
    std::string entry = *list;
    const bool is_path = entry.find('/') != entry.npos;
    // The loader replaces $ORIGIN and similar; a trusted name must mean only itself.
    if (entry.empty() || entry.find('$') != entry.npos ||
        (is_path && !entry.starts_with('/'))) {
      return Fail(ALLOY_INVALID, "alloy_host_options.may_need: \"" + entry +
                                     "\" is neither a SONAME nor an absolute path");
    }
    (is_path ? made.paths_ : made.sonames_).push_back(std::move(entry));
  }
  return made;
}

MayNeed MayNeed::Elsewhere() const {
  MayNeed elsewhere = *this;
  elsewhere.loads_here_ = false;
  return elsewhere;
}

std::vector<std::string> MayNeed::Unsettled(
    const std::vector<std::string>& needed) const {
  std::vector<std::string> rest;
  std::ranges::copy_if(needed, std::back_inserter(rest), [&](const std::string& soname) {
    return !IsRuntime(soname) && std::ranges::find(sonames_, soname) == sonames_.end();
  });
  return rest;
}

Status MayNeed::Check(const std::vector<std::string>& needed,
                      std::vector<std::string>* not_allowed) const {
  std::vector<std::string> own;
  std::vector<std::string>& rest = not_allowed != nullptr ? *not_allowed : own;
  rest = Unsettled(needed);
  if (rest.empty()) return Status();
  if (paths_.empty()) return NotAllowed(rest.front());
  if (!loads_here_) {
    rest.clear();
    return Status();
  }

  ALLOY_TRY(CheckHasLoader());
  // Repeated for each library: the loader only counts what it has loaded already.
  std::vector<void*> files;
  for (const std::string& path : paths_) {
    std::string text;
    files.push_back(OpenSystemLibrary(path.c_str(), &text));
    if (files.back() == nullptr) {
      return Fail(ALLOY_REFUSED, ALLOY_REASON_NEEDED,
                  "a file of the host's may_need cannot be loaded: " + text);
    }
  }
  std::erase_if(rest, [&](const std::string& soname) {
    return std::ranges::any_of(
        files, [&](void* file) { return AnswersAs(file, soname.c_str()); });
  });
  return rest.empty() ? Status() : NotAllowed(rest.front());
}

}  // namespace alloy::core_v0_1

// src/admit/procedure.cc ----------------------------------------------------------------

#include <utility>

#ifndef ALLOY_SRC_ADMIT_SIDECAR_FILE_H_
#define ALLOY_SRC_ADMIT_SIDECAR_FILE_H_

#include <string>


namespace alloy::core_v0_1 {

inline std::string SidecarPathOf(const std::string& library) {
  return library + ".alloysig";
}

// Read the signature file at `path`. `library` is for the command in the error text.
//   Fails  REFUSED with NO_SIDECAR (not there, not readable, not a regular file) or
//          SIDECAR_MALFORMED (more than 64 KiB).
Result<std::string> ReadSidecar(const std::string& path, const std::string& library);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_SIDECAR_FILE_H_

namespace alloy::core_v0_1 {

Procedure::Procedure(Policy policy, OnFault on_fault, LibcryptoSource& libcrypto,
                     const MayNeed& may_need)
    : policy_(std::move(policy)),
      on_fault_(on_fault),
      libcrypto_(libcrypto),
      may_need_(may_need) {
  found_.library = policy_.library;
}

Status Procedure::AtLibrary(const Status& status) const {
  return status.ok() ? status : status.WithPrefix(policy_.library + ": ");
}

Status Procedure::Run(Step step) {
  switch (step) {
    case Step::kCertificate:
      return CheckCertificate();
    case Step::kOpen:
      return AtLibrary(OpenFile());
    case Step::kStatement:
      return CheckSidecar();
    case Step::kRead:
      return AtLibrary(ReadFile());
    case Step::kDigest:
      return AtLibrary(CheckDigest());
    case Step::kImage:
      return AtLibrary(CheckImage());
    case Step::kNeeded:
      // The statement of an archive does not cover what the linker adds to it.
      return found_.is_archive ? Status()
                               : expectations().CheckNeeded(found_.elf.facts.needed);
    case Step::kAllowed:
      return AtLibrary(may_need_.Check(found_.elf.facts.needed, &found_.not_allowed));
    case Step::kRuntime:
      return AtLibrary(found_.elf.facts.has_go_runtime && !policy_.allows_go_runtime
                           ? GoRuntimeRefused()
                           : Status());
    case Step::kEnd:
      break;
  }
  return Status();
}

Status Procedure::RunThrough(Step last) {
  // A step that failed counts as run: without this, another call would go past it.
  if (!collects() && !found_.verdict.ok()) return found_.verdict;
  while (next_ <= last && next_ != Step::kEnd) {
    const Step step = next_;
    next_ = static_cast<Step>(static_cast<int>(next_) + 1);
    const Status status = Run(step);
    if (status.ok()) continue;
    if (found_.verdict.ok()) found_.verdict = status;
    // Without the file there is nothing to inspect.
    const bool is_fatal = step == Step::kOpen || step == Step::kRead;
    if (is_fatal || !collects()) return status;
  }
  return Status();
}

Status Procedure::CheckCertificate() {
  Status unusable;
  // An inspection reports the digest without a certificate too.
  if (is_signed() || collects() || wants_digest()) {
    auto crypto = libcrypto_.Get();
    if (crypto.ok()) {
      crypto_ = *std::move(crypto);
    } else {
      unusable = crypto.status();
    }
  }
  if (!is_signed()) {
    Status refused = CheckUnsigned();
    // Without libcrypto a digest that the host asks for cannot be compared.
    if (refused.ok()) return wants_digest() ? AtLibrary(unusable) : refused;
    // A wrong path is the likelier mistake: nobody has signed a file that does not exist.
    const auto opened = OpenLibraryFile(policy_.library);
    return AtLibrary(opened.ok() ? refused : opened.status());
  }
  ALLOY_TRY(AtLibrary(unusable));
  auto anchor = ParseCertificateArgument(*crypto_, policy_.certificate);
  if (!anchor.ok()) return AtLibrary(anchor.status());
  anchor_ = *std::move(anchor);
  return Status();
}

Status Procedure::CheckUnsigned() const {
  if (!policy_.allows_unsigned) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_UNSIGNED,
                "no certificate is given, and this host does not allow unsigned "
                "libraries; give the certificate of its signer (`arrowalloy "
                "cert-base64 FILE` prints it), or allow them when the host is made "
                "(ALLOY_ALLOW_UNSIGNED, AllowUnsigned) if you trust the file");
  }
  if (policy_.min_sequence != 0) {
    return Fail(
        ALLOY_REFUSED, ALLOY_REASON_UNSIGNED,
        "the bridge expects a signed sequence of at least " +
            std::to_string(policy_.min_sequence) +
            " (min_sequence), but no certificate is given; give the "
            "certificate of its signer (`arrowalloy cert-base64 FILE` prints it)");
  }
  return Status();
}

Status Procedure::OpenFile() {
  ALLOY_ASSIGN_OR_RETURN(opened_, OpenLibraryFile(policy_.library));
  found_.size = opened_.size;
  return Status();
}

Status Procedure::CheckSidecar() {
  if (!is_signed() && !collects()) return Status();
  const std::string path =
      policy_.sidecar.empty() ? SidecarPathOf(policy_.library) : policy_.sidecar;
  const auto sidecar = ReadSidecar(path, policy_.library);
  if (sidecar.ok() && collects()) {
    found_.sidecar = path;
    ReadClaims(*sidecar);
  }
  if (!anchor_) return Status();  // the first step has the fault, if it is one
  ALLOY_TRY(sidecar.status());
  const Status verified = VerifySigned(*sidecar);
  return verified.ok() ? verified : verified.WithPrefix(path + ": ");
}

Status Procedure::VerifySigned(const std::string& sidecar) {
  ALLOY_ASSIGN_OR_RETURN(VerifiedStatement verified,
                         VerifySidecar(*crypto_, *anchor_, sidecar, policy_.now));
  statement_ = std::make_shared<const VerifiedStatement>(std::move(verified));
  found_.trusted = true;
  found_.warnings = expectations().Warnings();
  return CheckStatement(statement_->statement(), found_.size, policy_);
}

// What the sidecar claims, true or not. Its faults are for the verdict to name.
void Procedure::ReadClaims(const std::string& sidecar) {
  const auto parts = SplitSidecar(sidecar);
  if (!parts.ok()) return;
  auto statement = ParseStatement(parts->message);
  if (statement.ok()) found_.statement = *std::move(statement);
  if (crypto_ == nullptr) return;
  for (const std::vector<std::byte>& der : parts->certificates) {
    const auto certificate = Certificate::FromDer(*crypto_, der);
    if (!certificate.ok()) return;
    found_.certificates.push_back(certificate->facts());
  }
}

Status Procedure::ReadFile() {
  if (only_hash_) return HashFile();
  ALLOY_ASSIGN_OR_RETURN(SealedCopy copy, CopySealed(opened_));
  sealed_ = std::move(copy.sealed);
  bytes_ = std::make_shared<const Mapping>(std::move(copy.bytes));
  if (crypto_ == nullptr) return Status();
  // The sealed copy is hashed, not what was read: until the seals are on, anyone who may
  // open this process's descriptors could have written to it.
  ALLOY_ASSIGN_OR_RETURN(const Digest digest, crypto_->Sha256(Bytes(*bytes_)));
  found_.sha256 = HexText(digest);
  return Status();
}

Status Procedure::HashFile() {
  Sha256Stream hash(*crypto_);
  ALLOY_TRY(ReadInPieces(opened_, [&](std::span<const std::byte> piece) {
    hash.Add(piece);
    return Status();
  }));
  ALLOY_ASSIGN_OR_RETURN(const Digest digest, hash.Finish());
  found_.sha256 = HexText(digest);
  return Status();
}

Status Procedure::CheckDigest() {
  if (statement_ != nullptr) {
    ALLOY_TRY(CheckSignedDigest(*crypto_, statement_->statement(), found_.sha256,
                                policy_.library));
  }
  return CheckWantedDigest(policy_.sha256, found_.sha256);
}

Status Procedure::CheckImage() {
  const auto bytes = Bytes(*bytes_);
  found_.is_archive = IsForTheLinker(bytes, policy_.library);
  if (found_.is_archive) {
    const Status walked = WalkArchive(bytes).status();
    if (!walked.ok()) found_.elf.faults.push_back(walked);
    if (walked.ok() && !collects()) ALLOY_TRY(LinkImage());
  } else {
    found_.elf = InspectElf(bytes);
  }
  return found_.elf.faults.empty() ? Status() : found_.elf.faults.front();
}

// From here on the linked library takes the place of the archive.
Status Procedure::LinkImage() {
  ALLOY_ASSIGN_OR_RETURN(Fd linked, LinkArchive(sealed_, policy_.library));
  FileFacts facts;
  if (const int error = GetFileFacts(linked, &facts); error != 0) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_CANNOT_OPEN,
                "the linked library cannot be read: " + ErrorText(error));
  }
  if (facts.size == 0 || facts.size > kMaxLibrary) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_LINK_FAILED,
                "the linker wrote a library of " + std::to_string(facts.size) +
                    " bytes; expected 1 byte to 1 GiB");
  }
  Mapping bytes;
  ALLOY_TRY(SealAndMap(facts.size, linked, &bytes));
  sealed_ = std::move(linked);
  linked_ = std::make_shared<const Mapping>(std::move(bytes));
  found_.elf = InspectElf(Bytes(*linked_));
  return Status();
}

}  // namespace alloy::core_v0_1

// src/admit/runtimes.cc -----------------------------------------------------------------

#include <algorithm>

namespace alloy::core_v0_1 {
namespace {

constexpr std::string_view kRuntimes[] = {
    "libc.so.6",
    "libm.so.6",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "libgcc_s.so.1",
    "libstdc++.so.6",
#if defined(__aarch64__)
    "ld-linux-aarch64.so.1",
#else
    "ld-linux-x86-64.so.2",
#endif
};

// What the sanitizer presets link into everything, the engine included.
constexpr bool IsSanitizer([[maybe_unused]] std::string_view soname) {
#if defined(__SANITIZE_ADDRESS__)
  return soname.starts_with("libasan.so.") || soname.starts_with("libubsan.so.");
#elif defined(__SANITIZE_THREAD__)
  return soname.starts_with("libtsan.so.");
#else
  return false;
#endif
}

}  // namespace

bool IsRuntime(std::string_view soname) {
  return std::ranges::find(kRuntimes, soname) != std::ranges::end(kRuntimes) ||
         IsSanitizer(soname);
}

}  // namespace alloy::core_v0_1

// src/admit/sealed_copy.cc --------------------------------------------------------------

#include <array>
#include <cerrno>
#include <memory>

namespace alloy::core_v0_1 {
namespace {

constexpr int64_t kMinSize = 64;
constexpr size_t kChunk = size_t{1} << 20;

Status FileRefused(int32_t reason, std::string text) {
  return Fail(ALLOY_REFUSED, reason, std::move(text));
}

// A copy of a file takes memory for its holes too. Linkers and `cp` leave some, up to a
// page of the coarsest kind for each segment.
constexpr int64_t kMaxHoles = int64_t{128} << 20U;

Status CheckHoles(const OpenedFile& opened) {
  int64_t holes = 0;
  if (const int error = CountHoles(opened.file, opened.size, kMaxHoles, &holes);
      error != 0) {
    return FileRefused(ALLOY_REASON_CANNOT_OPEN,
                       "cannot be inspected: " + ErrorText(error));
  }
  if (holes <= kMaxHoles) return Status();
  return FileRefused(ALLOY_REASON_TOO_LARGE,
                     "has holes of more than 128 MiB, for which nothing is on the disk; "
                     "copy or build the library again");
}

Status CheckKindAndSize(const FileFacts& facts) {
  if (facts.kind != FileKind::kRegular) {
    return FileRefused(
        ALLOY_REASON_NOT_A_FILE,
        std::string("is ") + FileKindName(facts.kind) + "; give a regular file");
  }
  if (facts.size < kMinSize) {
    return FileRefused(ALLOY_REASON_TOO_SMALL, "has " + std::to_string(facts.size) +
                                                   " bytes; expected at least 64");
  }
  if (facts.size > kMaxLibrary) {
    return FileRefused(ALLOY_REASON_TOO_LARGE, "has " + std::to_string(facts.size) +
                                                   " bytes; expected at most 1 GiB");
  }
  return Status();
}

}  // namespace

Result<OpenedFile> OpenLibraryFile(const std::string& path) {
  OpenedFile opened;
  if (const int error = OpenForReading(path, &opened.file); error != 0) {
    return FileRefused(ALLOY_REASON_CANNOT_OPEN, "cannot be opened: " + ErrorText(error));
  }
  FileFacts facts;
  if (const int error = GetFileFacts(opened.file, &facts); error != 0) {
    return FileRefused(ALLOY_REASON_CANNOT_OPEN,
                       "cannot be inspected: " + ErrorText(error));
  }
  ALLOY_TRY(CheckKindAndSize(facts));
  opened.size = facts.size;
  ALLOY_TRY(CheckHoles(opened));
  return opened;
}

// Also checks that the file ends after exactly `size` bytes.
Status ReadInPieces(const OpenedFile& opened,
                    const std::function<Status(std::span<const std::byte>)>& take) {
  const auto buffer = std::make_unique<std::array<std::byte, kChunk>>();
  int64_t taken = 0;
  for (;;) {
    size_t got = 0;
    if (const int error = ReadFully(opened.file, *buffer, &got); error != 0) {
      return FileRefused(ALLOY_REASON_CANNOT_OPEN, "cannot be read: " + ErrorText(error));
    }
    taken += static_cast<int64_t>(got);
    if (taken > opened.size || (got == 0 && taken != opened.size)) {
      return FileRefused(ALLOY_REASON_CHANGED,
                         "changed while it was read: first it had " +
                             std::to_string(opened.size) + " bytes, and then " +
                             (taken > opened.size ? "more" : "fewer") +
                             "; load it again when it is complete");
    }
    if (got == 0) return Status();
    ALLOY_TRY(take(std::span(*buffer).first(got)));
  }
}

Status SealAndMap(int64_t size, const Fd& memory, Mapping* bytes) {
  if (const int error = Seal(memory); error != 0) {
    return FileRefused(ALLOY_REASON_CANNOT_SEAL,
                       "its copy cannot be sealed: " + ErrorText(error));
  }
  // Before it was sealed, anyone who may open it through /proc could truncate it. A
  // mapping beyond the end of its file would end the process that reads there.
  FileFacts facts;
  if (GetFileFacts(memory, &facts) != 0 || facts.size != size) {
    return FileRefused(ALLOY_REASON_CANNOT_SEAL,
                       "its copy was changed by another process before it was sealed");
  }
  if (const int error = MapForReading(memory, size, bytes); error != 0) {
    return FileRefused(ALLOY_REASON_CANNOT_SEAL,
                       "its copy cannot be mapped: " + ErrorText(error));
  }
  return Status();
}

Result<SealedCopy> CopySealed(const OpenedFile& opened) {
  SealedCopy copy;
  if (const int error = CreateSealable("alloy-backend", opened.size, &copy.sealed);
      error != 0) {
    return FileRefused(
        ALLOY_REASON_CANNOT_SEAL,
        "cannot make memory for its sealed copy: " + ErrorText(error) +
            (error == EFBIG ? " (raise the limit on file sizes, ulimit -f)" : ""));
  }
  ALLOY_TRY(ReadInPieces(opened, [&](std::span<const std::byte> piece) -> Status {
    const int error = WriteFully(copy.sealed, piece);
    if (error == 0) return Status();
    return FileRefused(ALLOY_REASON_CANNOT_SEAL,
                       "cannot be copied to memory: " + ErrorText(error));
  }));
  ALLOY_TRY(SealAndMap(opened.size, copy.sealed, &copy.bytes));
  return copy;
}

}  // namespace alloy::core_v0_1

// src/admit/sidecar_file.cc -------------------------------------------------------------

#include <cerrno>
#include <span>


namespace alloy::core_v0_1 {
namespace {

Status NoSidecar(const std::string& path, const std::string& why) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_NO_SIDECAR, path + ": " + why);
}

}  // namespace

Result<std::string> ReadSidecar(const std::string& path, const std::string& library) {
  Fd file;
  if (const int error = OpenForReading(path, &file); error != 0) {
    if (error != ENOENT) return NoSidecar(path, "cannot be opened: " + ErrorText(error));
    return NoSidecar(path, "there is no signature file; make it: arrowalloy sign " +
                               library + " --key KEY --cert CERTIFICATE");
  }
  FileFacts facts;
  if (const int error = GetFileFacts(file, &facts); error != 0) {
    return NoSidecar(path, "cannot be inspected: " + ErrorText(error));
  }
  if (facts.kind != FileKind::kRegular) {
    return NoSidecar(
        path, std::string("is ") + FileKindName(facts.kind) + "; give a regular file");
  }
  std::string bytes(kMaxSidecar + 1, '\0');
  size_t size = 0;
  if (const int error = ReadFully(file, std::as_writable_bytes(std::span(bytes)), &size);
      error != 0) {
    return NoSidecar(path, "cannot be read: " + ErrorText(error));
  }
  if (size > kMaxSidecar) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_SIDECAR_MALFORMED,
                path +
                    ": has more than 65,536 bytes; give the file that `arrowalloy "
                    "sign` wrote");
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace alloy::core_v0_1
