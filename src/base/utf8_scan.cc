// SPDX-License-Identifier: MIT
#include "base/utf8_scan.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "base/utf8.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace alloy::core {
namespace {

constexpr size_t kWord = sizeof(uint64_t);
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
  if (left >= kWord) {
    for (; left > kWord; left -= kWord, at += kWord) any |= LoadWord(at);
    any |= LoadWord(at + left - kWord);  // the last word overlaps the one before
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

using Table = std::array<uint8_t, 16>;
constexpr Table TableOf(uint16_t PairFault::* halves) {
  Table table{};
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
alignas(16) constexpr Table kFirstUpper = TableOf(&PairFault::first_upper);
alignas(16) constexpr Table kFirstLower = TableOf(&PairFault::first_lower);
alignas(16) constexpr Table kSecondUpper = TableOf(&PairFault::second_upper);

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
ALLOY_VECTOR_CODE inline Vector LoadTable(const Table& table) {
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
inline Vector LoadTable(const Table& table) { return vld1q_u8(table.data()); }
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

ALLOY_VECTOR_CODE inline void Step(Vector now, Scan* scan) {
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
  Step(a, scan);
  Step(b, scan);
  Step(c, scan);
  Step(d, scan);
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
    Step(now, &scan);
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

}  // namespace alloy::core
