// SPDX-License-Identifier: MIT
#include "engine/isolated/segment.h"

#include <algorithm>
#include <string>

namespace alloy::core {
namespace {

constexpr int64_t kPage = 4096;
constexpr int64_t kMostBytes = int64_t{1} << 46;

// Gives bytes back to a budget, unless they are used.
class Taken {
 public:
  explicit Taken(Budget& budget) : budget_(budget) {}
  ~Taken() {
    if (bytes_ > 0) budget_.Give(bytes_);
  }
  Taken(const Taken&) = delete;
  Taken& operator=(const Taken&) = delete;

  bool Take(int64_t bytes) {
    const bool taken = budget_.Take(bytes);
    if (taken) bytes_ = bytes;
    return taken;
  }
  void Use() { bytes_ = 0; }

 private:
  Budget& budget_;
  int64_t bytes_ = 0;
};

Status NoRoom(Segment::For what, int64_t wanted, const Budget& budget) {
  const bool inputs = what == Segment::For::kInputs;
  return Fail(ALLOY_EXHAUSTED,
              std::string(inputs ? "an input needs " : "a result needs ") +
                  std::to_string(wanted) + " bytes of shared memory, and only " +
                  std::to_string(std::max<int64_t>(budget.left(), 0)) + " of " +
                  std::to_string(budget.limit()) +
                  " are left; release results, or raise " +
                  (inputs ? "input_bytes" : "output_bytes"));
}

}  // namespace

Result<std::shared_ptr<Segment>> Segment::Make(For what, int64_t wanted, int64_t better,
                                               const std::shared_ptr<Budget>& budget) {
  if (wanted > kMostBytes) return NoRoom(what, wanted, *budget);
  const auto pages = [](int64_t bytes) { return (bytes + kPage - 1) / kPage * kPage; };
  const int64_t least = pages(wanted);
  int64_t size = std::max(least, std::min(pages(better), budget->left() / kPage * kPage));
  Taken taken(*budget);
  if (!taken.Take(size)) {
    size = least;
    if (!taken.Take(size)) return NoRoom(what, wanted, *budget);
  }
  auto memory = what == For::kInputs
                    ? SharedMemory::MakeForReader(static_cast<size_t>(size))
                    : SharedMemory::MakeForWriter(static_cast<size_t>(size));
  if (!memory.ok()) return memory.status();
  auto* const segment = new Segment(what, *std::move(memory), size, budget);
  taken.Use();
  return std::shared_ptr<Segment>(segment);
}

}  // namespace alloy::core
