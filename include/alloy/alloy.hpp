// SPDX-License-Identifier: MIT
//
// Call native functions on Arrow data from C++. Header-only, over alloy.h.
//
//   alloy::Bridge bridge(alloy::Host({.allow_unsigned = true}));
//   if (auto status = bridge.SetImplLib("libscore.so"); !status.ok()) return Fail(status);
//   auto batch = alloy::MakeBatch({{"x", alloy::MakeArray<double>({1.5, 2.0})},
//                                  {"y", alloy::MakeArray<int64_t>({3, 4})}});
//   auto scores = bridge.Call("score", *batch);
//   if (scores.ok()) std::cout << *scores << '\n';
//
// Nothing here throws for what the engine or a backend does: errors are Status and
// Result. For Apache Arrow C++ objects see arrow.hpp.
//
// Threads  Host, Bridge: shared. BoundCall, Stream: serial. Array, Batch: values.
#ifndef ALLOY_ALLOY_HPP_
#define ALLOY_ALLOY_HPP_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "alloy/alloy.h"
#include "alloy/detail/array.hpp"
#include "alloy/detail/call.hpp"
#include "alloy/detail/owned.hpp"
#include "alloy/detail/status.hpp"
#include "alloy/detail/stream.hpp"

namespace alloy {
namespace detail {

// Bound calls that are not in use, by function, options and schemas.
class CallPool {
 public:
  // A number that changes when the backend does.
  uint64_t generation() const {
    const std::lock_guard lock(mutex_);
    return generation_;
  }

  std::unique_ptr<BoundCall> Take(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto found = idle_.find(key);
    if (found == idle_.end() || found->second.empty()) return nullptr;
    auto call = std::move(found->second.back());
    found->second.pop_back();
    return call;
  }

  // What is not kept dies with the argument, after the lock is gone: freeing a call runs
  // foreign code.
  void Give(const std::string& key, uint64_t generation,
            std::unique_ptr<BoundCall> call) {
    constexpr size_t kKeys = 256;
    constexpr size_t kIdle = 16;
    std::unordered_map<std::string, Idle> outdated;
    const std::lock_guard lock(mutex_);
    if (generation != generation_) return;
    if (idle_.size() >= kKeys) outdated.swap(idle_);
    Idle& idle = idle_[key];
    if (idle.size() < kIdle) idle.push_back(std::move(call));
  }

  // The calls are of a backend that is no longer the bridge's.
  void Clear() {
    std::unordered_map<std::string, Idle> outdated;
    const std::lock_guard lock(mutex_);
    ++generation_;
    outdated.swap(idle_);
  }

 private:
  using Idle = std::vector<std::unique_ptr<BoundCall>>;
  mutable std::mutex mutex_;
  uint64_t generation_ = 0;
  std::unordered_map<std::string, Idle> idle_;
};

inline void AppendKey(std::string* key, std::string_view part) {
  const uint64_t size = part.size();
  key->append(reinterpret_cast<const char*>(&size), sizeof(size)).append(part);
}

// Everything of a schema that a function can see.
inline void AppendKey(std::string* key, const ArrowSchema& schema) {
  AppendKey(key, schema.format);
  AppendKey(key, schema.name == nullptr ? "" : schema.name);
  AppendKey(key, schema.metadata == nullptr
                     ? std::string_view()
                     : std::string_view(schema.metadata, MetadataBytes(schema.metadata)));
  const int64_t rest[] = {schema.flags, schema.n_children, schema.dictionary != nullptr};
  key->append(reinterpret_cast<const char*>(rest), sizeof(rest));
  for (int64_t i = 0; i < schema.n_children; ++i) AppendKey(key, *schema.children[i]);
  if (schema.dictionary != nullptr) AppendKey(key, *schema.dictionary);
}

}  // namespace detail

// A column that a function declares to read.
struct ColumnInfo {
  std::string name;
  std::string accepts;  // formats with blanks between, see alloy_column; empty: any type
};

// What a function of a backend says of itself.
struct FunctionInfo {
  std::string name;
  std::string summary;
  int32_t min_inputs = 0;
  int32_t max_inputs = 0;            // -1: any number
  std::vector<std::string> options;  // names
  // What it reads of each input: a reader of files needs no other columns. Of an input
  // beyond the lists it reads all.
  std::vector<std::vector<ColumnInfo>> columns;
};

// How far the gate looks into what crosses; alloy.h says what each level finds.
enum class Level : uint32_t { kDefault = 0, kShape = 1, kSafe = 2, kFull = 3 };

struct BridgeOptions {
  Level check_inputs = Level::kDefault;   // what the host passes: shape
  Level check_results = Level::kDefault;  // what the backend returns: safe
};

struct BackendInfo {
  std::string name;
  std::string version;
  std::string language;
};

// An open backend. A new bridge echoes; SetImplLib puts a library in its place. A bridge
// that could not be made, or whose last load failed, answers that error to every call.
//
// Threads  shared.
class Bridge {
 public:
  Bridge() : Bridge(Host()) {}
  explicit Bridge(const Host& host, const BridgeOptions& options = {})
      : state_(std::make_unique<State>(host)) {
    if (state_->status = host.status(); !state_->status.ok()) return;
    alloy_bridge_options raw{};
    raw.struct_size = sizeof(raw);
    raw.check_inputs = static_cast<uint32_t>(options.check_inputs);
    raw.check_results = static_cast<uint32_t>(options.check_results);
    alloy_error error;
    alloy_bridge* bridge = nullptr;
    if (alloy_bridge_new(host.get(), &raw, &bridge, &error) != ALLOY_OK) {
      state_->status = Status(error);
    }
    state_->bridge.reset(bridge);
  }

  // Put a library in place of what served the bridge. `certificate` is base64 of the DER
  // certificate whose owner, or whom its owner certified, must have signed the library;
  // empty: none, which only a host that allows unsigned libraries takes.
  Status SetImplLib(const std::string& library, const std::string& certificate = "") {
    if (!state_->status.ok()) return state_->status;
    // Neither ends at a NUL: what stands before one is another path, or certificate.
    const bool names_one = library.find('\0') == library.npos;
    std::string text = certificate;
    std::ranges::replace(text, '\0', ' ');
    alloy_error error;
    const alloy_code code =
        alloy_bridge_load(get(), names_one ? library.c_str() : "",
                          text.empty() ? nullptr : text.c_str(), &error);
    state_->pool.Clear();
    return code == ALLOY_OK ? Status() : Status(error);
  }

  // Send the arrays, of any types and lengths, in one call to the function `from_chunks`;
  // the number of arrays that the backend counted.
  Result<int64_t> FromChunks(std::span<const Array> arrays) {
    std::vector<Batch> batches;
    batches.reserve(arrays.size());
    for (const Array& array : arrays) batches.push_back(AsBatch(array));
    auto counted = Call("from_chunks", batches);
    if (!counted.ok()) return counted.status();
    return Column<int64_t>(*counted->array().children[0])[0];
  }

  // Run a function on batches. A repeated call with the same schemas and options does not
  // bind again.
  Result<Batch> Call(const std::string& function, std::span<const Batch> inputs,
                     const OptionMap& options = {}, const CallLimits& limits = {}) {
    std::string key;
    detail::AppendKey(&key, function);
    for (const auto& [name, value] : options) {
      detail::AppendKey(&key, name);
      detail::AppendKey(&key, value);
    }
    for (const Batch& input : inputs) detail::AppendKey(&key, input.schema());

    const uint64_t generation = state_->pool.generation();
    auto call = state_->pool.Take(key);
    if (call == nullptr) {
      auto bound = BindTo(function, inputs, options);
      if (!bound.ok()) return bound.status();
      call = std::make_unique<BoundCall>(std::move(*bound));
    }
    auto result = call->Run(inputs, limits);
    state_->pool.Give(key, generation, std::move(call));
    return result;
  }
  Result<Batch> Call(const std::string& function, const Batch& input,
                     const OptionMap& options = {}, const CallLimits& limits = {}) {
    return Call(function, std::span(&input, 1), options, limits);
  }

  // Bind a function to schemas that lie in a row, for callers that keep the call.
  Result<BoundCall> Bind(const std::string& function,
                         std::span<const ArrowSchema> schemas,
                         const OptionMap& options = {}) {
    if (!state_->status.ok()) return state_->status;
    return BoundCall::Bind(state_->host, get(), function, schemas, options);
  }

  // Open a stream of results over streams of batches: of a stream function, or of a map
  // function, which is run on each batch of its one input. Nothing is read before it is
  // asked for. limits.timeout is for each batch, less the time inside the inputs. An
  // input's own error comes back as the Status that the input gave.
  Result<alloy::Stream> Stream(const std::string& function,
                               std::vector<alloy::Stream> inputs,
                               const OptionMap& options = {},
                               const CallLimits& limits = {}) {
    if (!state_->status.ok()) return state_->status;
    return alloy::Stream::Open(state_->host, get(), function, std::move(inputs), options,
                               limits);
  }
  Result<alloy::Stream> Stream(const std::string& function, alloy::Stream input,
                               const OptionMap& options = {},
                               const CallLimits& limits = {}) {
    std::vector<alloy::Stream> inputs;
    inputs.push_back(std::move(input));
    return Stream(function, std::move(inputs), options, limits);
  }

  // What the backend offers.
  Result<std::vector<FunctionInfo>> Functions() {
    if (!state_->status.ok()) return state_->status;
    const alloy_function* const* list = nullptr;
    alloy_error error;
    if (alloy_bridge_functions(get(), &list, &error) != ALLOY_OK) return Status(error);
    std::vector<FunctionInfo> functions;
    for (; *list != nullptr; ++list) {
      const alloy_function& function = **list;
      FunctionInfo info{.name = function.name,
                        .summary = function.summary == nullptr ? "" : function.summary,
                        .min_inputs = function.min_inputs,
                        .max_inputs = function.max_inputs,
                        .options = {},
                        .columns = {}};
      for (const alloy_option* option = function.options;
           option != nullptr && option->name != nullptr; ++option) {
        info.options.emplace_back(option->name);
      }
      for (const alloy_column* const* input = function.columns;
           input != nullptr && *input != nullptr; ++input) {
        auto& columns = info.columns.emplace_back();
        for (const alloy_column* column = *input; column->name != nullptr; ++column) {
          columns.push_back(
              {column->name, column->accepts == nullptr ? "" : column->accepts});
        }
      }
      functions.push_back(std::move(info));
    }
    return functions;
  }

  // The name, the version and the language of the backend that serves the bridge.
  Result<BackendInfo> Backend() {
    if (!state_->status.ok()) return state_->status;
    const alloy_backend* backend = nullptr;
    alloy_error error;
    if (alloy_bridge_backend(get(), &backend, &error) != ALLOY_OK) return Status(error);
    return BackendInfo{backend->name, backend->version, backend->language};
  }

  // Calls answer ALLOY_CLOSED from now on; results stay valid.
  void Close() { alloy_bridge_close(get()); }

  alloy_bridge* get() const { return state_->bridge.get(); }
  const Host& host() const { return state_->host; }

 private:
  struct Free {
    void operator()(alloy_bridge* bridge) const { alloy_bridge_free(bridge); }
  };
  struct State {
    explicit State(Host made_by) : host(std::move(made_by)) {}
    Host host;
    Status status;
    std::unique_ptr<alloy_bridge, Free> bridge;
    detail::CallPool pool;
  };

  Result<BoundCall> BindTo(const std::string& function, std::span<const Batch> inputs,
                           const OptionMap& options) {
    // Borrowed for the call: plain copies of the structs, which nobody releases.
    std::vector<ArrowSchema> schemas;
    schemas.reserve(inputs.size());
    for (const Batch& input : inputs) schemas.push_back(input.schema());
    return Bind(function, schemas, options);
  }

  // A batch of one column without a name.
  static Batch AsBatch(const Array& array) {
    struct Held {
      Schema schema;
      OwnedArray array;
    };
    auto held = std::make_shared<Held>();
    std::vector<Schema> column;
    column.push_back(Schema::Copy(array.schema(), "", true));
    held->schema = Schema::Batch(std::move(column));
    held->array = detail::ShareArray(array.array(), array.keeper(), /*as_batch=*/true);
    const auto* raw = held.get();
    return Batch(Array(raw->schema.get(), raw->array.get(), std::move(held)));
  }

  std::unique_ptr<State> state_;
};

// A line on standard output as the program's own: date, level and label, a tab, the text.
// For a host with a log of its own there is Host::Info.
inline void Info(std::string_view text) {
  static const Host host(HostOptions{.log_fd = 1});
  host.Info(text);
}

}  // namespace alloy

#endif  // ALLOY_ALLOY_HPP_
