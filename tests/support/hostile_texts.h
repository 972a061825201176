// SPDX-License-Identifier: MIT
//
// Texts with which a file, a certificate or a backend could control a terminal, forge a
// line or break UTF-8, and a judge of what is safe to print. The tests of the command line
// read the same table: keep one entry per line.
#ifndef ALLOY_TESTS_SUPPORT_HOSTILE_TEXTS_H_
#define ALLOY_TESTS_SUPPORT_HOSTILE_TEXTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace support {

using std::string_view_literals::operator""sv;

inline constexpr std::string_view kHostileTexts[] = {
    "x\nverdict      a host loads it\nsigned by    CN=Acme"sv,  // forges lines
    "x\r\nerror: of the attacker"sv,                            // CR and LF
    "x\rforged"sv,                                              // CR only
    "a\0b"sv,                                                   // NUL
    "a\tb"sv,                                                   // a tab
    "\x1b[2J\x1b[31mHACKED"sv,                                  // CSI by ESC
    "\x1b]0;title\x07"sv,                                       // OSC, BEL
    "a\bb\x0b\x0c\x0e\x0f\x7f"sv,                               // other C0, DEL
    "\xc2\x9b"
    "31m"sv,                           // CSI as a C1 code point
    "\xc2\x85next\xc2\x80\xc2\x9f"sv,  // NEL and other C1
    "\x9b"
    "31m\x85\x80"sv,  // C1 as bytes
    "abc\xe2\x80\xae"
    "fed"sv,                                               // U+202E, right to left
    "\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad"sv,  // U+202A to U+202D
    "\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9"sv,  // U+2066 to U+2069
    "\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c"sv,                  // U+200E, U+200F, U+061C
    "\xe2\x80\xa8line\xe2\x80\xa9par"sv,                   // U+2028, U+2029
    "\xe2\x80\x8b\xef\xbb\xbf\xe2\x81\xa0"sv,  // zero width: U+200B, U+FEFF, U+2060
    "\xc2\xad\xe1\xa0\x8e\xe2\x81\xaa"sv,      // U+00AD, U+180E, U+206A
    "\xf3\xa0\x80\x81\xf3\xa0\x81\x81"sv,      // U+E0001, U+E0041: tags
    "\xef\xbf\xb9\xf0\x9d\x85\xb3"sv,          // U+FFF9, U+1D173
    "caf\xe9"sv,                               // Latin-1
    "\xc3\x28\xff\xfe\xc0\xaf"sv,              // not UTF-8, overlong
    "\xed\xa0\x80\xf4\x90\x80\x80"sv,          // a surrogate, beyond the last
    "\xe2\x80"sv,                              // cut short
};

// Whether text is one line of UTF-8 that a terminal shows and does not obey. With
// `lines`, line feeds are allowed where two blanks follow.
inline bool IsSafeToPrint(std::string_view text, bool lines = false) {
  for (size_t at = 0; at < text.size();) {
    const auto byte = [&](size_t i) -> uint32_t {
      return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0;
    };
    const auto tail = [&](size_t i) { return (byte(i) & 0xC0U) == 0x80; };
    uint32_t c = byte(0);
    size_t length = 1;
    if (c == '\n' && lines && text.substr(at).starts_with("\n  ")) {
      at += 3;
      continue;
    }
    if (c >= 0x80) {
      if (c >= 0xC2 && c <= 0xDF && tail(1)) {
        c = (c & 0x1FU) << 6U | (byte(1) & 0x3FU);
        length = 2;
      } else if (c >= 0xE0 && c <= 0xEF && tail(1) && tail(2)) {
        c = (c & 0x0FU) << 12U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU);
        length = 3;
        if (c < 0x800 || (c >= 0xD800 && c < 0xE000)) return false;
      } else if (c >= 0xF0 && c <= 0xF4 && tail(1) && tail(2) && tail(3)) {
        c = (c & 0x07U) << 18U | (byte(1) & 0x3FU) << 12U | (byte(2) & 0x3FU) << 6U |
            (byte(3) & 0x3FU);
        length = 4;
        if (c < 0x10000 || c > 0x10FFFF) return false;
      } else {
        return false;
      }
    }
    constexpr uint32_t kBad[][2] = {
        {0x0, 0x1F},        {0x7F, 0x9F},       {0xAD, 0xAD},      {0x61C, 0x61C},
        {0x180E, 0x180E},   {0x200B, 0x200B},   {0x200E, 0x200F},  {0x2028, 0x202E},
        {0x2060, 0x206F},   {0xFEFF, 0xFEFF},   {0xFFF9, 0xFFFB},  {0x13430, 0x1343F},
        {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}};
    for (const auto& range : kBad) {
      if (c >= range[0] && c <= range[1]) return false;
    }
    at += length;
  }
  return true;
}

}  // namespace support

#endif  // ALLOY_TESTS_SUPPORT_HOSTILE_TEXTS_H_
