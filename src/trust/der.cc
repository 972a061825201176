// SPDX-License-Identifier: MIT
#include "trust/der.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>

namespace alloy::core {
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

}  // namespace alloy::core
