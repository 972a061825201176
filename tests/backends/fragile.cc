// SPDX-License-Identifier: MIT
//
// Stream functions that crash or hang in one of their places, and functions that ask for
// more memory than there is. In C++; crash.c has what needs no C++.
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "alloy/backend.hpp"

namespace {

using alloy::Column;
using alloy::Input;
using alloy::Options;
using alloy::Output;
using alloy::Scope;
using Schemas = std::span<const ArrowSchema>;

// What a stream that ended early found at its input. A test backend may have globals.
struct Found {
  std::mutex mutex;
  std::string text = "nothing";
  static Found& Instance() {
    static Found& found = *std::make_unique<Found>().release();
    return found;
  }
  void Set(const std::string& words) {
    const std::lock_guard lock(mutex);
    text = words;
  }
};

// Reads an input until it ends, and says how.
void Drain(Input& input) {
  try {
    while (input.Next()) {
    }
    Found::Instance().Set("the end");
  } catch (const std::exception& error) {
    Found::Instance().Set(error.what());
  }
}

[[noreturn]] void Crash() {
  // A store by which the process ends; abort is only for the compiler. Not NULL, which a
  // sanitizer would find before the store.
  static volatile int* volatile nowhere = reinterpret_cast<volatile int*>(
      uintptr_t{64});  // NOLINT(performance-no-int-to-ptr)
  *nowhere = 1;
  std::abort();
}

// The first object of a state only describes it. The second is the stream.
class Flow {
 public:
  using Outputs = alloy::Outputs<alloy::Member<"x", int64_t>>;

  Flow(Scope&, const Options& options, Schemas) : at_(options["at"]) {
    static std::atomic<int> made{0};
    if (at_ == "open" && ++made > 1) Crash();
  }
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;
  ~Flow() {
    if (input_ == nullptr) return;
    if (at_ == "release") Crash();
    if (at_ == "release_loops") Loop();
    if (at_ == "drain") Drain(*input_);
    if (reader_.joinable()) reader_.join();
  }

  bool Next(Scope&, std::span<Input> inputs, Outputs& outputs) {
    input_ = &inputs[0];
    if (batches_++ == 2) {
      if (at_ == "next") Crash();
      if (at_ == "loop") Loop();
      if (at_ == "throw") throw std::runtime_error("the third is one too many");
    }
    const auto batch = input_->Next();
    if (!batch) return false;
    for (const auto x : batch->Get<Column<int64_t>>("x")) {
      outputs.get<"x">().Append(2 * x.value_or(0));
    }
    if (at_ == "ahead" && !reader_.joinable()) {
      reader_ = std::thread([this] { Drain(*input_); });
    }
    return true;
  }

 private:
  static void Loop() {
    for (volatile bool goes_on = true; goes_on;) {
    }
  }

  std::string at_;
  Input* input_ = nullptr;
  int batches_ = 0;
  std::thread reader_;
};

// Keeps all batches of its input, and then gives as many of its own.
class Keeper {
 public:
  using Outputs = alloy::Outputs<alloy::Member<"x", int64_t>>;

  Keeper(Scope&, const Options&, Schemas) {}
  bool Next(Scope&, std::span<Input> inputs, Outputs& outputs) {
    while (auto batch = inputs[0].Next()) kept_.push_back(std::move(*batch));
    if (given_ == kept_.size()) return false;
    outputs.get<"x">().Append(static_cast<int64_t>(given_++));
    return true;
  }

 private:
  std::vector<std::decay_t<decltype(*std::declval<Input&>().Next())>> kept_;
  size_t given_ = 0;
};

// Allocates until the memory is used up.
void UseUpHeap(Output<int64_t>& pieces) {
  constexpr size_t kBytes = size_t{1} << 20;
  std::vector<std::unique_ptr<char[]>> all;
  for (;;) {
    all.push_back(std::make_unique<char[]>(kBytes));
    if (all.size() > (size_t{1} << 20)) break;  // not with a limit
  }
  pieces.Append(static_cast<int64_t>(all.size()));
}

void Rows(const Options& options, Output<int64_t>& x) {
  const auto rows = options.Get<int64_t>("rows");
  for (int64_t row = 0; row < rows; ++row) x.Append(row);
}

// A state with a schema of any size, and how many of them live.
std::atomic<int64_t> alive{0};
class Wide {
 public:
  Wide(Scope&, const Options& options, Schemas)
      : bytes_(static_cast<size_t>(options.Get<int64_t>("bytes"))) {
    ++alive;
  }
  ~Wide() { --alive; }
  Wide(const Wide&) = delete;
  Wide& operator=(const Wide&) = delete;

  alloy::Schema OutputSchema() const {
    return alloy::Schema::Batch(
        std::vector<alloy::Field>{{.name = std::string(bytes_, 'x'), .format = "l"}});
  }
  static void Run(Scope& scope, std::span<ArrowArray>, ArrowArray* output) {
    Output<int64_t> column(scope.services().resize);
    column.Append(1);
    alloy::GiveBatch(output, std::move(column));
  }

 private:
  const size_t bytes_;
};

}  // namespace

ALLOY_BACKEND("test.fragile", "1.0.0",
              alloy::Streams<Flow>("flow").Option("at", "nowhere"),
              alloy::Function("use_up_heap", {}, {"pieces"}, &UseUpHeap),
              alloy::Function("rows", {}, {"x"}, &Rows).Option("rows", "1"),
              alloy::Function("found", {}, {"text"},
                              [](Output<std::string>& text) {
                                Found& found = Found::Instance();
                                const std::lock_guard lock(found.mutex);
                                text.Append(found.text);
                              }),
              alloy::Streams<Keeper>("keep"),
              alloy::Raw<Wide>("wide").Option("bytes", "1"),
              alloy::Function("alive", {}, {"alive"},
                              [](Output<int64_t>& count) { count.Append(alive.load()); }),
              alloy::Function("pid", {}, {"pid"},
                              [](Output<int64_t>& pid) { pid.Append(::getpid()); }))
