// SPDX-License-Identifier: MIT
//
// Call functions of a native library on Arrow data from C++: Bridge, and all that a host
// needs. Header-only, over alloy.h.
//
// Use it in programs without an Arrow library; with Apache Arrow C++, use arrow.hpp. To
// write the library itself, use backend.hpp. From examples/cpp/first.cpp:
//
//   alloy::Bridge bridge;
//   // Only a library that was signed with the key of this certificate is loaded.
//   auto loaded = bridge.SetImplLib(argv[1], argv[2]);
//   if (!loaded.ok()) return Fail(loaded);
//   auto batch = alloy::MakeBatch({{"x", alloy::MakeArray<double>({1.5, 2, {}})},
//                                  {"y", alloy::MakeArray<int64_t>({10, 20, 30})}});
//   if (!batch.ok()) return Fail(batch.status());
//   auto scores = bridge.Call("score", *batch);
//   if (!scores.ok()) return Fail(scores.status());
//   std::cout << *scores << '\n';  // {score: Float64[15.0, 40.0, null]}
//
// Errors of the engine and of backends are never thrown: they are a Status or a Result.
//
// Threads  Host, Bridge: shared. BoundCall, Stream: serial. Array, Batch: values.
#ifndef ALLOY_ALLOY_HPP_
#define ALLOY_ALLOY_HPP_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "alloy/alloy.h"
#include "alloy/array.hpp"
#include "alloy/batch.hpp"
#include "alloy/call.hpp"
#include "alloy/call_options.hpp"
#include "alloy/column.hpp"
#include "alloy/detail/call_pool.hpp"
#include "alloy/detail/share.hpp"
#include "alloy/function_info.hpp"
#include "alloy/host.hpp"
#include "alloy/owned.hpp"
#include "alloy/schema.hpp"
#include "alloy/status.hpp"
#include "alloy/stream.hpp"

namespace alloy {

// How much the gate checks of each batch; alloy.h describes the levels.
enum class Level : uint32_t {
  kDefault = ALLOY_CHECK_DEFAULT,
  kShape = ALLOY_CHECK_SHAPE,
  kSafe = ALLOY_CHECK_SAFE,
  kFull = ALLOY_CHECK_FULL,
  // Only for inputs: also for functions that trust the values of their inputs.
  kUnsafeShape = ALLOY_CHECK_UNSAFE_SHAPE,
};

// Where a backend runs.
enum class Isolation : uint32_t {
  kNone = 0,     // in this process
  kWorkers = 1,  // in worker processes: it cannot take this process down
  kCopies = 2,   // the same, and results are copied out of the memory of the worker
};

// The limits of the isolated mode; 0 means the default of alloy_bridge_options.
struct WorkerLimits {
  uint32_t max_workers = 0;  // calls and streams at the same time
  uint32_t retries = 0;      // of a run of an idempotent function whose worker was lost
  int64_t input_bytes = 0;   // shared memory for inputs, of all workers
  int64_t output_bytes = 0;  // and for results
  int64_t heap_bytes = 0;    // of one worker
  int64_t grace_ns = 0;      // between a stop and the end of a worker that goes on
  uint32_t setup_ms = 0;     // to load, to bind, and to open a stream
};

struct BridgeOptions {
  Level check_inputs = Level::kDefault;   // for batches from the host: kShape
  Level check_results = Level::kDefault;  // for batches from the backend: kSafe
  // The name that the backend and its signature file must have; empty: any name.
  std::string name = {};
  // The lowest sequence number that the signature file may have. If it is not 0, each
  // load needs a certificate.
  uint64_t min_sequence = 0;
  std::string sidecar = {};  // the signature file; empty: <library>.alloysig
  // The SHA-256 that the library must have, as 64 hexadecimal digits; empty: any.
  std::string sha256 = {};
  Isolation isolated = Isolation::kNone;
  WorkerLimits limits = {};
  // The ALLOY_RESTRICT_* without which a library is not loaded into a worker.
  uint32_t demand = 0;
};

// An open backend. A new bridge runs the built-in echo; SetImplLib loads a library. If
// the bridge could not be made, or its last load failed, every call returns that error.
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
    raw.name = options.name.empty() ? nullptr : options.name.c_str();
    raw.min_sequence = options.min_sequence;
    raw.sidecar = options.sidecar.empty() ? nullptr : options.sidecar.c_str();
    raw.sha256 = options.sha256.empty() ? nullptr : options.sha256.c_str();
    raw.isolated = static_cast<uint32_t>(options.isolated);
    raw.max_workers = options.limits.max_workers;
    raw.retries = options.limits.retries;
    raw.input_bytes = options.limits.input_bytes;
    raw.output_bytes = options.limits.output_bytes;
    raw.heap_bytes = options.limits.heap_bytes;
    raw.grace_ns = options.limits.grace_ns;
    raw.setup_ms = options.limits.setup_ms;
    raw.demand = options.demand;
    alloy_error error;
    alloy_bridge* bridge = nullptr;
    if (alloy_bridge_new(host.get(), &raw, &bridge, &error) != ALLOY_OK) {
      state_->status = Status(error);
    }
    state_->bridge.reset(bridge);
  }

  // Load a library, which replaces the backend. `certificate` is base64 of one DER
  // certificate: the library must be signed with its key, or with the key of a
  // code-signing certificate that was issued under it. If it is empty, no signature is
  // checked; the host must then allow unsigned libraries.
  Status SetImplLib(const std::string& library, const std::string& certificate = "") {
    if (!state_->status.ok()) return state_->status;
    // C would cut a string at a NUL, and so use a different path or certificate. Nothing
    // is copied here: if memory ran out before the load began, the echo would stay.
    const auto is_one = [](const std::string& text) {
      return text.find('\0') == text.npos;
    };
    alloy_error error;
    const alloy_code code =
        alloy_bridge_load(get(), is_one(library) ? library.c_str() : "",
                          certificate.empty()   ? nullptr
                          : is_one(certificate) ? certificate.c_str()
                                                : " ",
                          &error);
    state_->pool.Clear();
    return code == ALLOY_OK ? Status() : Status(error);
  }

  // Send arrays of any types and lengths in one call to the function `from_chunks`.
  // Returns the number of arrays that the backend counted.
  Result<int64_t> FromChunks(std::span<const Array> arrays) {
    std::vector<Batch> batches;
    batches.reserve(arrays.size());
    for (const Array& array : arrays) batches.push_back(AsBatch(array));
    auto counted = Call("from_chunks", batches);
    if (!counted.ok()) return counted.status();
    return Column<int64_t>(*counted->array().children[0])[0];
  }

  // Run a function on batches. Another call with the same schemas and options does not
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

  // Bind a function to these schemas, one for each input, for callers that keep the call.
  Result<BoundCall> Bind(const std::string& function,
                         std::span<const ArrowSchema> schemas,
                         const OptionMap& options = {}) {
    if (!state_->status.ok()) return state_->status;
    return BoundCall::Bind(state_->host, get(), function, schemas, options);
  }

  // Run a function on streams of batches, and return the results as a stream. A map
  // function with one input is run on each batch. Nothing is read before a result is
  // asked for. limits.timeout is for each batch, without the time spent inside the
  // inputs. An error of an input comes back as the same Status.
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

  // List the functions of the backend.
  Result<std::vector<FunctionInfo>> Functions() {
    if (!state_->status.ok()) return state_->status;
    const alloy_function* const* list = nullptr;
    alloy_error error;
    if (alloy_bridge_functions(get(), &list, &error) != ALLOY_OK) return Status(error);
    std::vector<FunctionInfo> functions;
    for (; *list != nullptr; ++list) functions.push_back(detail::InfoOf(**list));
    return functions;
  }

  // What the backend is, and where it comes from.
  Result<BackendInfo> Backend() {
    if (!state_->status.ok()) return state_->status;
    const alloy_backend* backend = nullptr;
    alloy_error error;
    if (alloy_bridge_backend(get(), &backend, &error) != ALLOY_OK) return Status(error);
    alloy_origin origin{};
    origin.struct_size = sizeof(origin);
    if (alloy_bridge_origin(get(), &origin, &error) != ALLOY_OK) return Status(error);
    return BackendInfo{.name = backend->name,
                       .version = backend->version,
                       .language = backend->language,
                       .library = detail::TextOf(origin.library),
                       .sha256 = detail::TextOf(origin.sha256),
                       .signer = detail::TextOf(origin.signer),
                       .signer_sha256 = detail::TextOf(origin.signer_sha256),
                       .sequence = origin.sequence};
  }

  // Describe the library that was loaded as JSON: see alloy_bridge_identity.
  Result<std::string> Identity() {
    if (!state_->status.ok()) return state_->status;
    std::string json(1024, '\0');
    int64_t length = 0;
    alloy_error error;
    // Another thread may load a library with a longer text meanwhile.
    for (;;) {
      if (alloy_bridge_identity(get(), json.data(), static_cast<int64_t>(json.size()),
                                &length, &error) != ALLOY_OK) {
        return Status(error);
      }
      const auto size = static_cast<size_t>(length);
      if (size < json.size()) {
        json.resize(size);
        return json;
      }
      json.resize(size + 1);
    }
  }

  // Close the bridge: calls return ALLOY_CLOSED from now on. Results stay valid.
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
    // Plain copies of the structs, borrowed for this call and never released.
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

}  // namespace alloy

#endif  // ALLOY_ALLOY_HPP_
