// SPDX-License-Identifier: MIT
//
// The lies of the hostile worker program (liar.cc), for it and for its test. A seed says which
// one it tells, and at which of its messages: the first answers the load, the second the first
// bind, and so on.
#ifndef ALLOY_TESTS_ISOLATED_LIES_H_
#define ALLOY_TESTS_ISOLATED_LIES_H_

#include <cstdint>

namespace lies {

enum class Lie : uint32_t {
  // The mailbox and the head of a message. The body stays unchanged.
  kLength,        // an odd length
  kCut,           // a shorter one
  kHalf,          // it ends where the backend's error does
  kWord,          // an unknown word
  kExchange,      // the number of another exchange
  kReleaseCount,  // the rest is read as something else
  kRelease,       // of an input that it never got, or still uses
  kArena,         // how full its memory is
  kTwice,         // the same message twice
  kEarly,         // an answer before it was asked
  kLate,          // one more while the host asks nothing
  kRaise,         // bits of the futex words, without a message
  kCount,         // the count of the futex word
  kNudges,        // without end
  kCloses,        // the mailbox of the host
  kClosesOwn,     // the mailbox of the worker
  kScribbles,     // over the message that it has sent
  // Ends.
  kSilence,  // it never answers
  kExit,
  kAbort,
  kSocket,   // it closes the socket for segments
  kVersion,  // it is of another version
  // What is next to the messages.
  kLog,      // lines of any level and length
  kLogTurn,  // it keeps the turn of the lines
  kProgress,
  kStops,  // it changes what the host asks it to stop
  // Requests.
  kNeed,          // a segment of any size
  kNeedsForEver,  // segments of no bytes
  kNeedsOdd,      // of odd sizes, without end
  kPull,          // an input that is not expected
  kPullsForEver,
  kUnknownAsks,  // requests without a body
  // The body.
  kCode,       // codes of an answer
  kText,       // the length of its text, and control characters in it
  kFlags,      // its flags, and what follows them
  kRecord,     // any word of a record
  kPlace,      // segment, offset or length of a buffer: 0, 1, the largest, beyond the end
  kUnaligned,  // an offset
  kOverlap,    // two buffers at one place
  kNumbers,    // any numbers of the body
  kBytes,      // any bytes of the body
  kEnd         // the number of lies
};
inline constexpr uint32_t kLies = static_cast<uint32_t>(Lie::kEnd);
inline constexpr uint32_t kSteps = 14;

constexpr Lie LieOf(uint32_t seed) { return static_cast<Lie>(seed % kLies); }
constexpr uint32_t StepOf(uint32_t seed) { return seed / kLies % kSteps; }
// The first seed that tells a lie at a step.
constexpr uint32_t SeedOf(Lie lie, uint32_t step) {
  return static_cast<uint32_t>(lie) + kLies * step;
}
// Whether a result that the host accepts is right in spite of the lie.
constexpr bool KeepsBody(Lie lie) {
  return lie != Lie::kReleaseCount && lie != Lie::kScribbles && lie < Lie::kCode;
}

}  // namespace lies

#endif  // ALLOY_TESTS_ISOLATED_LIES_H_
