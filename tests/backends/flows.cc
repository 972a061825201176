// SPDX-License-Identifier: MIT
//
// Stream functions on the bare ABI: each does one thing that a stream may do, or must
// not.
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "alloy/backend.h"
#include "alloy/schema.hpp"
#include "tests/faults/cases.h"

namespace {

const alloy_services* services = nullptr;  // a test backend may have globals

struct State {
  int64_t after = 0;  // this many batches are as they should be
  std::string text;
};

// An open stream, which ends with its inputs unless a function says otherwise.
class Flow {
 public:
  Flow(State state, alloy_scope* scope, ArrowArrayStream* inputs, int32_t n)
      : state_(std::move(state)), scope_(scope), inputs_(inputs, inputs + n) {
    for (int32_t i = 0; i < n; ++i) inputs[i].release = nullptr;
  }
  virtual ~Flow() {
    for (ArrowArrayStream& input : inputs_) Release(input);
  }
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;

  virtual int Open() { return 0; }
  virtual int Next(ArrowArray* out) { return Pull(0, out); }
  virtual const char* LastError() { return nullptr; }

 protected:
  int Pull(size_t input, ArrowArray* out) {
    ++pulled_;
    return inputs_[input].get_next(&inputs_[input], out);
  }
  static void Release(ArrowArrayStream& input) {
    if (input.release != nullptr) input.release(&input);
  }
  // The last batch of an input, once it has no more; each other is released when the next
  // is there.
  int Drain(size_t input, ArrowArray* last) {
    for (;;) {
      ArrowArray batch{};
      if (const int number = Pull(input, &batch); number != 0) {
        if (last->release != nullptr) last->release(last);
        return number;
      }
      if (batch.release == nullptr) return 0;
      if (last->release != nullptr) last->release(last);
      *last = batch;
    }
  }

  const State state_;
  alloy_scope* const scope_;
  std::vector<ArrowArrayStream> inputs_;
  int64_t pulled_ = 0;
};

using Relay = Flow;

// A batch of each input, one after the other, until all have ended.
class Turns final : public Flow {
 public:
  using Flow::Flow;
  int Next(ArrowArray* out) override {
    for (size_t tries = 0; tries < inputs_.size(); ++tries) {
      const size_t input = turn_++ % inputs_.size();
      if (inputs_[input].release == nullptr) continue;
      const int number = Pull(input, out);
      if (number != 0 || out->release != nullptr) return number;
      Release(inputs_[input]);
    }
    return 0;
  }

 private:
  size_t turn_ = 0;
};

class Last final : public Flow {
 public:
  using Flow::Flow;
  int Next(ArrowArray* out) override { return pulled_ > 0 ? 0 : Drain(0, out); }
};

class LastInOpen final : public Flow {
 public:
  using Flow::Flow;
  ~LastInOpen() override {
    if (last_.release != nullptr) last_.release(&last_);
  }
  int Open() override { return Drain(0, &last_); }
  int Next(ArrowArray* out) override {
    *out = std::exchange(last_, ArrowArray{});
    return 0;
  }

 private:
  ArrowArray last_{};
};

class Fails final : public Flow {
 public:
  using Flow::Flow;
  int Next(ArrowArray* out) override {
    if (pulled_ < state_.after) return Pull(0, out);
    services->fail(scope_, ALLOY_RETRY, state_.text.data(),
                   static_cast<int64_t>(state_.text.size()));
    return EIO;
  }
};

class FailsByText final : public Flow {
 public:
  using Flow::Flow;
  int Next(ArrowArray* out) override {
    return pulled_ < state_.after ? Pull(0, out) : EIO;
  }
  const char* LastError() override { return state_.text.c_str(); }
};

class Throws final : public Flow {
 public:
  using Flow::Flow;
  int Next(ArrowArray* out) override {
    if (pulled_ < state_.after) return Pull(0, out);
    throw std::runtime_error(state_.text);
  }
};

class ThrowsInOpen final : public Flow {
 public:
  using Flow::Flow;
  int Open() override { throw std::runtime_error(state_.text); }
};

// Lets its input go before that has ended, and ends.
class Head final : public Flow {
 public:
  using Flow::Flow;
  int Next(ArrowArray* out) override {
    if (pulled_ < state_.after) return Pull(0, out);
    Release(inputs_[0]);
    return 0;
  }
};

// Takes a failure of its input for the end.
class Swallows final : public Flow {
 public:
  using Flow::Flow;
  int Next(ArrowArray* out) override {
    if (Pull(0, out) != 0) *out = ArrowArray{};
    return 0;
  }
};

class Slow final : public Flow {
 public:
  using Flow::Flow;
  int Next(ArrowArray* out) override {
    if (pulled_ < state_.after) return Pull(0, out);
    for (int i = 0; i < 20'000; ++i) {
      if (services->cancelled(scope_) != 0) return ECANCELED;
      services->progress(scope_, i, 20'000);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return EIO;
  }
};

// Pulls each batch on a thread of its own.
class Threads final : public Flow {
 public:
  using Flow::Flow;
  int Next(ArrowArray* out) override {
    int number = 0;
    std::thread([&] { number = Pull(0, out); }).join();
    return number;
  }
};

// Every batch that Lies ever gave. Never freed: a second release must be seen, and not
// suffered.
struct Ledger {
  std::mutex mutex;
  std::vector<std::unique_ptr<faults::Tree>> trees;
  static Ledger& Instance() {
    static Ledger& ledger = *std::make_unique<Ledger>().release();
    return ledger;
  }
};

// Batches of tests/faults, of which one is spoilt, and the last.
class Lies final : public Flow {
 public:
  using Flow::Flow;
  int Next(ArrowArray* out) override {
    if (pulled_ > state_.after) return 0;
    Ledger& ledger = Ledger::Instance();
    const std::lock_guard lock(ledger.mutex);
    faults::Tree& tree = *ledger.trees.emplace_back(std::make_unique<faults::Tree>());
    if (pulled_++ == state_.after) faults::FindCase(state_.text)->spoil(tree);
    tree.MoveArray(out);
    return 0;
  }
};

// Fails with what has become of the lies.
class Confesses final : public Flow {
 public:
  using Flow::Flow;
  int Next(ArrowArray*) override {
    Ledger& ledger = Ledger::Instance();
    const std::lock_guard lock(ledger.mutex);
    int64_t released = 0, twice = 0;
    for (const auto& tree : ledger.trees) {
      released += tree->releases();
      twice += tree->ReleasedAtMostOnce() ? 0 : 1;
    }
    const std::string text = std::to_string(ledger.trees.size()) + " given, " +
                             std::to_string(released) + " released, " +
                             std::to_string(twice) + " twice";
    services->fail(scope_, ALLOY_FAILED, text.data(), static_cast<int64_t>(text.size()));
    return EIO;
  }
};

template <typename F>
struct Callbacks {
  static F& Of(ArrowArrayStream* stream) {
    return *static_cast<F*>(stream->private_data);
  }
  static int GetSchema(ArrowArrayStream*, ArrowSchema*) { return ENOSYS; }
  static int GetNext(ArrowArrayStream* stream, ArrowArray* out) {
    *out = ArrowArray{};
    return static_cast<Flow&>(Of(stream)).Next(out);
  }
  static const char* LastError(ArrowArrayStream* stream) {
    return static_cast<Flow&>(Of(stream)).LastError();
  }
  static void Release(ArrowArrayStream* stream) {
    const std::unique_ptr<F> owner(&Of(stream));
    stream->release = nullptr;
  }
  static alloy_code Open(void* state, alloy_scope* scope, ArrowArrayStream* inputs,
                         int32_t n, ArrowArrayStream* output) {
    auto flow = std::make_unique<F>(*static_cast<State*>(state), scope, inputs, n);
    if (static_cast<Flow&>(*flow).Open() != 0) return ALLOY_FAILED;
    *output = {.get_schema = GetSchema,
               .get_next = GetNext,
               .get_last_error = LastError,
               .release = Release,
               .private_data = flow.release()};
    return ALLOY_OK;
  }
};

void Unbind(void* state) {
  const std::unique_ptr<State> owner(static_cast<State*>(state));
}

template <bool kTree>
alloy_code Bind(void*, alloy_scope*, const ArrowSchema* inputs, int32_t,
                const char* const* values, ArrowSchema* output, void** state) {
  *state = std::make_unique<State>(State{std::atoll(values[0]), values[1]}).release();
  faults::Tree tree;
  const ArrowSchema& schema = kTree ? tree.schema(faults::Tree::kRoot) : inputs[0];
  alloy::Schema::Copy(schema).MoveTo(output);
  return ALLOY_OK;
}

constexpr alloy_option kOptions[] = {{"after", "batches that are as they should be", "0"},
                                     {"text", "what it says then", "it failed"},
                                     {}};

template <typename F, bool kTree = false>
constexpr alloy_function Make(const char* name, int32_t max_inputs = 1) {
  alloy_function function{};
  function.struct_size = sizeof(function);
  function.flags = ALLOY_STREAM;
  function.name = name;
  function.summary = "";
  function.options = kOptions;
  function.min_inputs = 1;
  function.max_inputs = max_inputs;
  function.bind = Bind<kTree>;
  function.open = Callbacks<F>::Open;
  function.unbind = Unbind;
  return function;
}

constexpr alloy_function kFunctions[] = {
    Make<Relay>("relay"),     Make<Turns>("turns", -1),
    Make<Last>("last"),       Make<LastInOpen>("last_in_open"),
    Make<Fails>("fails"),     Make<FailsByText>("fails_by_text"),
    Make<Throws>("throws"),   Make<ThrowsInOpen>("throws_in_open"),
    Make<Head>("head"),       Make<Swallows>("swallows"),
    Make<Slow>("slow"),       Make<Threads>("threads"),
    Make<Lies, true>("lies"), Make<Confesses>("confesses"),
};
constexpr const alloy_function* kList[] = {
    &kFunctions[0],  &kFunctions[1],  &kFunctions[2],  &kFunctions[3],  &kFunctions[4],
    &kFunctions[5],  &kFunctions[6],  &kFunctions[7],  &kFunctions[8],  &kFunctions[9],
    &kFunctions[10], &kFunctions[11], &kFunctions[12], &kFunctions[13], nullptr};
constexpr alloy_backend kBackend = {.struct_size = sizeof(alloy_backend),
                                    .abi = ALLOY_ABI,
                                    .name = "test.flows",
                                    .version = "1.0.0",
                                    .language = "C++",
                                    .functions = kList};

}  // namespace

const alloy_backend* alloy_backend_init(const alloy_services* given, alloy_scope*) {
  services = given;
  return &kBackend;
}
