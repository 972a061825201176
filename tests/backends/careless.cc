// SPDX-License-Identifier: MIT
//
// Functions that each break one promise of backend.h, which the conformance suite must
// find; and one that breaks none.
#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "alloy/backend.hpp"

namespace {

using alloy::Options;
using alloy::Output;
using alloy::Schema;
using alloy::Scope;
using Inputs = std::span<ArrowArray>;
using Schemas = std::span<const ArrowSchema>;

// A base for functions of an int64 column x, with one int64 column out.
struct OneNumber {
  OneNumber(Scope& scope, const Options&, Schemas schemas) {
    if (schemas[0].n_children != 1 ||
        std::string_view(schemas[0].children[0]->format) != "l" ||
        schemas[0].children[0]->dictionary != nullptr) {
      throw alloy::Failure(ALLOY_NO_MATCH, "wants one column of int64");
    }
    (void)scope;
  }
  static Schema OutputSchema() {
    return Schema::Batch(std::vector<alloy::Field>{{.name = "x", .format = "l"}});
  }
};

const int64_t* ValuesOf(const ArrowArray& batch) {
  const ArrowArray& column = *batch.children[0];
  return static_cast<const int64_t*>(column.buffers[1]) + column.offset;
}

void Give(const Scope& scope, std::span<const int64_t> values, ArrowArray* output) {
  Output<int64_t> column(scope.services().resize);
  for (const int64_t value : values) column.Append(value);
  alloy::GiveBatch(output, std::move(column));
}

struct CountsRuns : OneNumber {
  using OneNumber::OneNumber;
  void Run(Scope& scope, Inputs inputs, ArrowArray* output) {
    const std::vector<int64_t> all(static_cast<size_t>(inputs[0].length), ++runs);
    Give(scope, all, output);
  }
  int64_t runs = 0;
};

struct IgnoresOffsets : OneNumber {
  using OneNumber::OneNumber;
  static void Run(Scope& scope, Inputs inputs, ArrowArray* output) {
    const auto* values = static_cast<const int64_t*>(inputs[0].children[0]->buffers[1]);
    Give(scope, {values, static_cast<size_t>(inputs[0].length)}, output);
  }
};

struct WritesToItsInput : OneNumber {
  using OneNumber::OneNumber;
  static void Run(Scope& scope, Inputs inputs, ArrowArray* output) {
    auto* values = const_cast<int64_t*>(ValuesOf(inputs[0]));
    for (int64_t i = 0; i < inputs[0].length; ++i) values[i] = 7;
    Give(scope, {values, static_cast<size_t>(inputs[0].length)}, output);
  }
};

// The result is the input's memory, and the input is given back.
struct KeepsPointers : OneNumber {
  using OneNumber::OneNumber;
  static void Run(Scope&, Inputs inputs, ArrowArray* output) {
    auto block = alloy::Block<int>::Make(2, 3, 0);
    if (!block) throw std::bad_alloc();
    block.Init(output, {.length = inputs[0].length, .n_buffers = 1, .n_children = 1});
    block.Init(output->children[0], {.length = inputs[0].length, .n_buffers = 2});
    output->children[0]->buffers[1] = ValuesOf(inputs[0]);
    block.Finish();
  }
};

struct LosesItsInput : OneNumber {
  using OneNumber::OneNumber;
  static void Run(Scope& scope, Inputs inputs, ArrowArray* output) {
    Give(scope, {ValuesOf(inputs[0]), static_cast<size_t>(inputs[0].length)}, output);
    inputs[0].release = nullptr;  // moved out, to nowhere
  }
};

struct ReleasesTwice : OneNumber {
  using OneNumber::OneNumber;
  static void Run(Scope& scope, Inputs inputs, ArrowArray* output) {
    Give(scope, {ValuesOf(inputs[0]), static_cast<size_t>(inputs[0].length)}, output);
    ArrowArray copy = inputs[0];  // where it had to be moved
    copy.release(&copy);
  }
};

struct SumsUp : OneNumber {
  using OneNumber::OneNumber;
  static void Run(Scope& scope, Inputs inputs, ArrowArray* output) {
    std::vector<int64_t> sums;
    int64_t sum = 0;
    for (int64_t i = 0; i < inputs[0].length; ++i) sums.push_back(sum += i);
    Give(scope, sums, output);
  }
};

struct FailsSilently : OneNumber {
  using OneNumber::OneNumber;
  static void Run(Scope&, Inputs, ArrowArray*) { throw alloy::Failure(ALLOY_FAILED, ""); }
};

struct ChangesItsMind : OneNumber {
  ChangesItsMind(Scope& scope, const Options& options, Schemas schemas)
      : OneNumber(scope, options, schemas) {
    static std::atomic<int> binds{0};
    name = "column_" + std::to_string(++binds);
  }
  Schema OutputSchema() const {
    return Schema::Batch(std::vector<alloy::Field>{{.name = name, .format = "l"}});
  }
  static void Run(Scope& scope, Inputs inputs, ArrowArray* output) {
    Give(scope, {ValuesOf(inputs[0]), static_cast<size_t>(inputs[0].length)}, output);
  }
  std::string name;
};

// Memory for results that is never freed, so that what is wrong about it can be looked
// at; held where leak checkers find it.
int64_t* LastingRow() {
  static std::mutex mutex;
  static auto& rows =
      *std::make_unique<std::vector<std::unique_ptr<int64_t[]>>>().release();
  const std::lock_guard lock(mutex);
  return rows.emplace_back(std::make_unique<int64_t[]>(1 << 12)).get();
}

void GiveOver(int64_t* values, int64_t length, ArrowArray* output,
              void (*release)(ArrowArray*) = nullptr) {
  auto block = alloy::Block<int>::Make(2, 3, 0);
  if (!block) throw std::bad_alloc();
  block.Init(output, {.length = length, .n_buffers = 1, .n_children = 1});
  block.Init(output->children[0], {.length = length, .n_buffers = 2});
  output->children[0]->buffers[1] = values;
  block.Finish();
  if (release != nullptr) output->release = release;
}

// The result lies in the state, which forgets it when it is given back.
struct ResultInState : OneNumber {
  using OneNumber::OneNumber;
  ~ResultInState() { std::memset(values, 0, sizeof(int64_t) << 12); }
  void Run(Scope&, Inputs inputs, ArrowArray* output) const {
    const auto n = static_cast<size_t>(inputs[0].length);
    std::memcpy(values, ValuesOf(inputs[0]), n * sizeof(int64_t));
    GiveOver(values, inputs[0].length, output);
  }
  int64_t* values = LastingRow();
};

// Releasing the batch takes the memory of its column along, moved out or not.
void ReleaseAll(ArrowArray* batch) {
  ArrowArray& column = *batch->children[0];
  std::memset(const_cast<void*>(column.buffers[1]), 0, sizeof(int64_t) << 12);
  alloy::detail::ReleaseBlockNode(batch);
}

struct ColumnDiesWithBatch : OneNumber {
  using OneNumber::OneNumber;
  static void Run(Scope&, Inputs inputs, ArrowArray* output) {
    int64_t* values = LastingRow();
    const auto n = static_cast<size_t>(inputs[0].length);
    std::memcpy(values, ValuesOf(inputs[0]), n * sizeof(int64_t));
    GiveOver(values, inputs[0].length, output, &ReleaseAll);
  }
};

struct Careful : OneNumber {
  using OneNumber::OneNumber;
  static void Run(Scope& scope, Inputs inputs, ArrowArray* output) {
    const ArrowArray& column = *inputs[0].children[0];
    const auto* bits = static_cast<const uint8_t*>(column.buffers[0]);
    std::vector<int64_t> values;
    for (int64_t i = 0; i < column.length; ++i) {
      const int64_t at = column.offset + i;
      const bool valid = bits == nullptr || (bits[at / 8] >> (at % 8) & 1) != 0;
      values.push_back(valid ? ValuesOf(inputs[0])[i] : 0);
    }
    Give(scope, values, output);
  }
};

struct AlwaysThrows : OneNumber {
  using OneNumber::OneNumber;
  static void Run(Scope&, Inputs, ArrowArray*) {
    throw alloy::Failure(ALLOY_FAILED, "the model is not trained");
  }
};

// Values under nulls are added up as well.
struct ReadsUnderNulls : OneNumber {
  using OneNumber::OneNumber;
  static void Run(Scope& scope, Inputs inputs, ArrowArray* output) {
    Give(scope, {ValuesOf(inputs[0]), static_cast<size_t>(inputs[0].length)}, output);
  }
};

// Nulls in a column that the schema declares without them.
struct NullsWhereNone : OneNumber {
  using OneNumber::OneNumber;
  static Schema OutputSchema() {
    return Schema::Batch(
        std::vector<alloy::Field>{{.name = "x", .format = "l", .nullable = false}});
  }
  static void Run(Scope&, Inputs inputs, ArrowArray* output) {
    static constexpr uint8_t kNone[1 << 10] = {};
    auto block = alloy::Block<int>::Make(2, 3, 0);
    if (!block) throw std::bad_alloc();
    block.Init(output, {.length = inputs[0].length, .n_buffers = 1, .n_children = 1});
    block.Init(
        output->children[0],
        {.length = inputs[0].length, .null_count = inputs[0].length, .n_buffers = 2});
    output->children[0]->buffers[0] = kNone;
    output->children[0]->buffers[1] = LastingRow();
    block.Finish();
  }
};

// Looks at the batch of its last run again.
struct KeepsItsInputsAddress : OneNumber {
  using OneNumber::OneNumber;
  void Run(Scope& scope, Inputs inputs, ArrowArray* output) {
    const int64_t first =
        last != nullptr ? *static_cast<const volatile int64_t*>(last) : 0;
    last = inputs[0].length > 0 ? ValuesOf(inputs[0]) : nullptr;
    const std::vector<int64_t> all(static_cast<size_t>(inputs[0].length), first & 0);
    Give(scope, all, output);
  }
  const int64_t* last = nullptr;
};

struct Leaks : OneNumber {
  using OneNumber::OneNumber;
  static void Run(Scope& scope, Inputs inputs, ArrowArray* output) {
    // Held where leak checkers find it; lost all the same.
    static auto& lost = *std::make_unique<std::vector<std::string>>().release();
    static std::mutex mutex;
    {
      const std::lock_guard lock(mutex);
      lost.emplace_back(100, 'x');
    }
    Careless(scope, inputs, output);
  }
  static void Careless(Scope& scope, Inputs inputs, ArrowArray* output) {
    const std::vector<int64_t> zeros(static_cast<size_t>(inputs[0].length));
    Give(scope, zeros, output);
  }
};

void ReleaseWithoutAMark(ArrowArray* batch) {
  alloy::detail::ReleaseBlockNode(batch);
  batch->release = &ReleaseWithoutAMark;
}

struct ReleaseLeavesNoMark : OneNumber {
  using OneNumber::OneNumber;
  static void Run(Scope&, Inputs inputs, ArrowArray* output) {
    GiveOver(LastingRow(), inputs[0].length, output, &ReleaseWithoutAMark);
  }
};

// Knows only two numbers, which no random batch consists of.
struct TwoNumbers : OneNumber {
  using OneNumber::OneNumber;
  static void Run(Scope& scope, Inputs inputs, ArrowArray* output) {
    const ArrowArray& column = *inputs[0].children[0];
    const auto* bits = static_cast<const uint8_t*>(column.buffers[0]);
    std::vector<int64_t> squares;
    for (int64_t i = 0; i < column.length; ++i) {
      const int64_t at = column.offset + i;
      const bool valid = bits == nullptr || (bits[at / 8] >> (at % 8) & 1) != 0;
      const int64_t x = valid ? ValuesOf(inputs[0])[i] : 3;
      if (x != 3 && x != 99) throw alloy::Failure(ALLOY_FAILED, "expected 3 or 99");
      squares.push_back(x * x);
    }
    Give(scope, squares, output);
  }
};

// The first batch, as LIMIT does: the rest is not asked for.
struct EndsEarly : OneNumber {
  using OneNumber::OneNumber;
  bool Next(Scope&, std::span<alloy::Input> inputs, ArrowArray* output) {
    if (std::exchange(done, true)) return false;
    auto batch = inputs[0].Next();
    if (batch) batch->Move().MoveTo(output);
    return batch.has_value();
  }
  bool done = false;
};

struct Crashes : OneNumber {
  using OneNumber::OneNumber;
  static void Run(Scope&, Inputs, ArrowArray*) { __builtin_trap(); }
};

}  // namespace

ALLOY_BACKEND("test.careless", "1.0.0", alloy::Raw<CountsRuns>("counts_runs"),
              alloy::Raw<IgnoresOffsets>("ignores_offsets"),
              alloy::Raw<WritesToItsInput>("writes_to_its_input"),
              alloy::Raw<KeepsPointers>("keeps_pointers"),
              alloy::Raw<LosesItsInput>("loses_its_input"),
              alloy::Raw<ReleasesTwice>("releases_twice"),
              alloy::Raw<SumsUp>("sums_up").Flags(ALLOY_ROWWISE),
              alloy::Raw<FailsSilently>("fails_silently"),
              alloy::Raw<ChangesItsMind>("changes_its_mind"),
              alloy::Raw<ResultInState>("result_in_state"),
              alloy::Raw<ColumnDiesWithBatch>("column_dies_with_batch"),
              alloy::Raw<Careful>("careful").Flags(ALLOY_ROWWISE),
              alloy::Raw<AlwaysThrows>("always_throws"),
              alloy::Raw<ReadsUnderNulls>("reads_under_nulls"),
              alloy::Raw<NullsWhereNone>("nulls_where_none"),
              alloy::Raw<KeepsItsInputsAddress>("keeps_its_inputs_address"),
              alloy::Raw<Leaks>("leaks"),
              alloy::Raw<ReleaseLeavesNoMark>("release_leaves_no_mark"),
              alloy::Raw<TwoNumbers>("two_numbers"),
              alloy::Streams<EndsEarly>("ends_early"), alloy::Raw<Crashes>("crashes"))
