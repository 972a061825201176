// SPDX-License-Identifier: MIT
//
// For the tests of the engine: a backend made of lambdas, and batches that count their
// releases.
#ifndef ALLOY_SRC_ENGINE_TEST_BACKEND_H_
#define ALLOY_SRC_ENGINE_TEST_BACKEND_H_

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "alloy/block.hpp"
#include "arrow/schema.h"
#include "engine/bind/select.h"
#include "engine/call/call.h"
#include "engine/channel/local_channel.h"

namespace alloy::core {

using Names = std::vector<std::string>;

// The schema of a batch of int64 columns.
inline OwnedSchema Int64Schema(const Names& names) {
  std::vector<ArrowSchema> columns;
  std::vector<ArrowSchema*> pointers;
  columns.reserve(names.size());
  const auto release = [](ArrowSchema* schema) { schema->release = nullptr; };
  for (const std::string& name : names) {
    columns.push_back({.format = "l",
                       .name = name.c_str(),
                       .metadata = nullptr,
                       .flags = ARROW_FLAG_NULLABLE,
                       .n_children = 0,
                       .children = nullptr,
                       .dictionary = nullptr,
                       .release = release,
                       .private_data = nullptr});
  }
  pointers.reserve(columns.size());
  for (ArrowSchema& column : columns) pointers.push_back(&column);
  const ArrowSchema batch{.format = "+s",
                          .name = "",
                          .metadata = nullptr,
                          .flags = 0,
                          .n_children = std::ssize(columns),
                          .children = pointers.data(),
                          .dictionary = nullptr,
                          .release = release,
                          .private_data = nullptr};
  return *CopySchema(batch);
}

// How often blocks of Int64Batch came to their end.
struct Releases {
  std::atomic<int> count{0};
};

struct Int64Owner {
  std::vector<std::vector<int64_t>> values;
  Releases* releases;

  Int64Owner(std::vector<std::vector<int64_t>> v, Releases* r)
      : values(std::move(v)), releases(r) {}
  Int64Owner(Int64Owner&& other) noexcept
      : values(std::move(other.values)),
        releases(std::exchange(other.releases, nullptr)) {}
  ~Int64Owner() {
    if (releases != nullptr) ++releases->count;
  }
};

inline ArrowArray Int64Batch(std::vector<std::vector<int64_t>> values, Releases* releases,
                             int64_t rows = -1) {
  const auto n = std::ssize(values);
  if (rows < 0) rows = n > 0 ? std::ssize(values[0]) : 0;
  auto block = Block<Int64Owner>::Make(n + 1, 1 + 2 * n, {std::move(values), releases});
  ArrowArray batch{};
  block.Init(&batch, {.length = rows, .n_buffers = 1, .n_children = n});
  for (int64_t i = 0; i < n; ++i) {
    const auto& column = block.owner().values[static_cast<size_t>(i)];
    block.Init(batch.children[i], {.length = std::ssize(column), .n_buffers = 2});
    batch.children[i]->buffers[1] = column.data();
  }
  block.Finish();
  return batch;
}

inline std::vector<int64_t> Int64Values(const ArrowArray& column) {
  const auto* values = static_cast<const int64_t*>(column.buffers[1]) + column.offset;
  return {values, values + column.length};
}

// A backend "test.lambdas" of one function "f", whose entries are lambdas.
class LambdaBackend {
 public:
  using Bind = std::function<alloy_code(alloy_scope*, const ArrowSchema*, int32_t,
                                        const char* const*, ArrowSchema*)>;
  using Run = std::function<alloy_code(alloy_scope*, ArrowArray*, int32_t, ArrowArray*)>;

  using Open = std::function<alloy_code(alloy_scope*, ArrowArrayStream*, int32_t,
                                        ArrowArrayStream*)>;

  LambdaBackend() {
    function.struct_size = sizeof(function);
    function.name = "f";
    function.self = this;
    function.min_inputs = 0;
    function.max_inputs = -1;
    function.bind = BindEntry;
    function.run = RunEntry;
    function.open = OpenEntry;
    function.unbind = UnbindEntry;
    backend = {.struct_size = sizeof(backend),
               .abi = ALLOY_ABI,
               .name = "test.lambdas",
               .version = "1",
               .language = "C++",
               .functions = functions};
  }

  // By default the output has one int64 column "out".
  Bind bind = [](alloy_scope*, const ArrowSchema*, int32_t, const char* const*,
                 ArrowSchema* output) {
    Int64Schema({"out"}).MoveTo(output);
    return ALLOY_OK;
  };
  Run run = [](alloy_scope*, ArrowArray*, int32_t, ArrowArray* output) {
    *output = Int64Batch({{1}}, nullptr);
    return ALLOY_OK;
  };
  // Of a function with the flag ALLOY_STREAM. By default the first input as it comes.
  Open open = [](alloy_scope*, ArrowArrayStream* inputs, int32_t,
                 ArrowArrayStream* output) {
    OwnedArrayStream(&inputs[0]).MoveTo(output);
    return ALLOY_OK;
  };

  std::function<void()> unbind;  // called after a state is counted; may throw

  alloy_function function{};
  const alloy_function* functions[3] = {&function, nullptr, nullptr};
  alloy_backend backend{};
  int binds = 0;
  int unbinds = 0;

 private:
  struct State {
    LambdaBackend* self;
  };
  static alloy_code BindEntry(void* self, alloy_scope* scope, const ArrowSchema* inputs,
                              int32_t n, const char* const* values, ArrowSchema* output,
                              void** state) {
    auto* backend = static_cast<LambdaBackend*>(self);
    ++backend->binds;
    const alloy_code code = backend->bind(scope, inputs, n, values, output);
    if (code == ALLOY_OK) *state = std::make_unique<State>(State{backend}).release();
    return code;
  }
  static alloy_code RunEntry(void* state, alloy_scope* scope, ArrowArray* inputs,
                             int32_t n, ArrowArray* output) {
    return static_cast<State*>(state)->self->run(scope, inputs, n, output);
  }
  static alloy_code OpenEntry(void* state, alloy_scope* scope, ArrowArrayStream* inputs,
                              int32_t n, ArrowArrayStream* output) {
    return static_cast<State*>(state)->self->open(scope, inputs, n, output);
  }
  static void UnbindEntry(void* state) {
    const std::unique_ptr<State> owner(static_cast<State*>(state));
    ++owner->self->unbinds;
    if (owner->self->unbind) owner->self->unbind();
  }
};

// Counts the interrupts of another channel, or of none: then nothing else may be called.
class CountingChannel final : public Channel {
 public:
  explicit CountingChannel(std::shared_ptr<Channel> inner) : inner_(std::move(inner)) {}

  const std::shared_ptr<const BackendTable>& table() const override {
    return inner_->table();
  }
  alloy_code Bind(const alloy_function& function, Scope& scope, const ArrowSchema* inputs,
                  int32_t n_inputs, const char* const* values, ArrowSchema* output,
                  void** state) override {
    return inner_->Bind(function, scope, inputs, n_inputs, values, output, state);
  }
  alloy_code Run(const alloy_function& function, void* state, Scope& scope,
                 ArrowArray* inputs, int32_t n_inputs, ArrowArray* output) override {
    return inner_->Run(function, state, scope, inputs, n_inputs, output);
  }
  alloy_code Open(const alloy_function& function, void* state, Scope& scope,
                  ArrowArrayStream* inputs, int32_t n_inputs,
                  ArrowArrayStream* output) override {
    return inner_->Open(function, state, scope, inputs, n_inputs, output);
  }
  std::string Unbind(const alloy_function& function, void* state) override {
    return inner_->Unbind(function, state);
  }
  void Interrupt(RunControl& control) noexcept override {
    interrupted = &control;
    ++interrupts;
  }

  std::atomic<RunControl*> interrupted = nullptr;  // the last one
  std::atomic<int> interrupts = 0;

 private:
  const std::shared_ptr<Channel> inner_;
};

// A host, a bridge, and calls on a LambdaBackend.
class EngineTest : public ::testing::Test {
 protected:
  EngineTest() {
    alloy_host_options host_options{};
    host_options.struct_size = sizeof(host_options);
    host_ = *Host::Make(host_options);
    alloy_bridge_options options{};
    options.struct_size = sizeof(options);
    bridge_ = *Bridge::Make(host_, options);
  }

  // Serve lambdas_ as it stands; bind and Make go there from then on.
  void Serve() {
    served_ = std::make_shared<ServedBackend>(
        MakeLocalChannel(*BackendTable::Make(&lambdas_.backend)),
        LogContext{.log = &host_->log(),
                   .enabled = false,
                   .warns = true,
                   .host_language = "C++",
                   .backend_language = "C++",
                   .backend_name = "test.lambdas"},
        host_->mark());
  }

  Result<Lease> Select(const std::vector<Names>& inputs,
                       const std::vector<const char*>& options = {nullptr}) {
    if (served_ == nullptr) Serve();
    std::vector<OwnedSchema> owners;
    std::vector<ArrowSchema> schemas;
    for (const Names& names : inputs) {
      owners.push_back(Int64Schema(names));
      schemas.push_back(*owners.back());
    }
    return SelectFunction(*served_, lambdas_.function.name, schemas.data(),
                          static_cast<int32_t>(schemas.size()), options.data());
  }

  std::unique_ptr<Call> Make(const std::vector<Names>& inputs) {
    auto selected = Select(inputs);
    EXPECT_TRUE(selected.ok()) << selected.status().fault().text;
    return std::make_unique<Call>(bridge_, BoundFunction{served_, *std::move(selected)});
  }

  LambdaBackend lambdas_;
  std::shared_ptr<Host> host_;
  std::shared_ptr<Bridge> bridge_;
  std::shared_ptr<ServedBackend> served_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_TEST_BACKEND_H_
