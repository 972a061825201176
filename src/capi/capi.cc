// SPDX-License-Identifier: MIT
//
// The C ABI of alloy.h: each function checks its pointers, enters Guard and calls the
// engine. It adds no behaviour of its own.
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "alloy/alloy.h"
#include "base/guard.h"
#include "base/names.h"
#include "base/utf8.h"
#include "engine/call/call.h"
#include "engine/isolated/host_pool.h"
#include "engine/open/inspect_library.h"
#include "engine/open/link_library.h"
#include "engine/open/options.h"
#include "engine/stream/call_stream.h"
#include "engine/stream/stream.h"
#include "engine/stream/stream_of.h"
#include "gate/describe.h"

using alloy::core::Bridge;
using alloy::core::Call;
using alloy::core::Fail;
using alloy::core::Guard;
using alloy::core::Host;
using alloy::core::Status;

struct alloy_host {
  std::shared_ptr<Host> host;
};
struct alloy_bridge {
  std::shared_ptr<Bridge> bridge;
};
struct alloy_pool {
  explicit alloy_pool(std::shared_ptr<alloy::core::InputMemory> memory)
      : pool(std::move(memory)) {}
  alloy::core::HostPool pool;
};
struct alloy_call {
  std::shared_ptr<Call> call;  // shared with open streams
};

namespace {

Status NullArgument(const char* name) {
  return Fail(ALLOY_INVALID, std::string(name) + " is NULL");
}

// The buffer for a text, as in alloy_inspect.
Status CheckText(const char* json, int64_t capacity) {
  if (capacity < 0) return Fail(ALLOY_INVALID, "capacity is negative");
  if (json == nullptr && capacity > 0) return NullArgument("json");
  return Status();
}
void GiveText(const std::string& text, char* json, int64_t capacity,
              int64_t* out_length) {
  if (capacity > 0) alloy::core::CopyText(text, json, static_cast<size_t>(capacity));
  if (out_length != nullptr) *out_length = static_cast<int64_t>(text.size());
}

template <typename T>
void Free(T* object) {
  const std::unique_ptr<T> owner(object);
}

}  // namespace

extern "C" {

const char* alloy_version(void) { return ALLOY_VERSION; }

const char* alloy_code_name(alloy_code code) { return alloy::core::CodeName(code); }

const char* alloy_reason_name(int32_t reason) { return alloy::core::ReasonName(reason); }

alloy_code alloy_host_new(const alloy_host_options* options, alloy_host** out,
                          alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (out == nullptr) return NullArgument("out");
    *out = nullptr;
    alloy_host_options defaults{};
    defaults.struct_size = sizeof(defaults);
    ALLOY_ASSIGN_OR_RETURN(auto host,
                           Host::Make(options != nullptr ? *options : defaults));
    *out = std::make_unique<alloy_host>(std::move(host)).release();
    return Status();
  });
}

void alloy_host_free(alloy_host* host) { Free(host); }

void alloy_host_log(alloy_host* host, int32_t level, const char* text, int64_t length) {
  if (host == nullptr || text == nullptr) return;
  Guard(nullptr, [&]() -> Status {
    const auto size = length < 0 ? std::strlen(text) : static_cast<size_t>(length);
    host->host->log().Write(level, host->host->language(), {text, size});
    return Status();
  });
}

alloy_code alloy_bridge_new(alloy_host* host, const alloy_bridge_options* options,
                            alloy_bridge** out, alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (out == nullptr) return NullArgument("out");
    *out = nullptr;
    if (host == nullptr) return NullArgument("host");
    alloy_bridge_options defaults{};
    defaults.struct_size = sizeof(defaults);
    ALLOY_ASSIGN_OR_RETURN(
        auto bridge, Bridge::Make(host->host, options != nullptr ? *options : defaults));
    *out = std::make_unique<alloy_bridge>(std::move(bridge)).release();
    return Status();
  });
}

alloy_code alloy_bridge_load(alloy_bridge* bridge, const char* library,
                             const char* certificate, alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (bridge == nullptr) return NullArgument("bridge");
    // A load without a path fails as every load does: it leaves a sticky error.
    return bridge->bridge->Load(library != nullptr ? library : "", certificate);
  });
}

alloy_code alloy_inspect(alloy_host* host, const char* library, const char* certificate,
                         char* json, int64_t capacity, int64_t* out_length,
                         alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (out_length != nullptr) *out_length = 0;
    if (host == nullptr) return NullArgument("host");
    if (library == nullptr) return NullArgument("library");
    ALLOY_TRY(CheckText(json, capacity));
    ALLOY_ASSIGN_OR_RETURN(
        const std::string text,
        alloy::core::InspectLibrary(*host->host, library,
                                    certificate != nullptr ? certificate : ""));
    GiveText(text, json, capacity, out_length);
    return Status();
  });
}

void alloy_bridge_close(alloy_bridge* bridge) {
  if (bridge == nullptr) return;
  Guard(nullptr, [&]() -> Status {
    bridge->bridge->Close();
    return Status();
  });
}

void alloy_bridge_free(alloy_bridge* bridge) { Free(bridge); }

alloy_code alloy_bridge_functions(alloy_bridge* bridge,
                                  const alloy_function* const** out_functions,
                                  alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (out_functions == nullptr) return NullArgument("out_functions");
    *out_functions = nullptr;
    if (bridge == nullptr) return NullArgument("bridge");
    ALLOY_ASSIGN_OR_RETURN(const alloy_backend* backend, bridge->bridge->Backend());
    *out_functions = backend->functions;
    return Status();
  });
}

alloy_code alloy_bridge_backend(alloy_bridge* bridge, const alloy_backend** out_backend,
                                alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (out_backend == nullptr) return NullArgument("out_backend");
    *out_backend = nullptr;
    if (bridge == nullptr) return NullArgument("bridge");
    ALLOY_ASSIGN_OR_RETURN(*out_backend, bridge->bridge->Backend());
    return Status();
  });
}

alloy_code alloy_bridge_origin(alloy_bridge* bridge, alloy_origin* out_origin,
                               alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (out_origin == nullptr) return NullArgument("out_origin");
    const uint32_t size = out_origin->struct_size;
    if (!alloy::core::IsPlausibleSize(*out_origin)) {
      return Fail(ALLOY_INVALID, "alloy_origin.struct_size is " + std::to_string(size) +
                                     "; set it to sizeof(alloy_origin)");
    }
    // A newer program has more fields, which this engine leaves zero.
    std::memset(static_cast<void*>(out_origin), 0, size);
    out_origin->struct_size = size;
    if (bridge == nullptr) return NullArgument("bridge");
    return bridge->bridge->GetOrigin(out_origin);
  });
}

alloy_code alloy_bridge_identity(alloy_bridge* bridge, char* json, int64_t capacity,
                                 int64_t* out_length, alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (out_length != nullptr) *out_length = 0;
    if (bridge == nullptr) return NullArgument("bridge");
    ALLOY_TRY(CheckText(json, capacity));
    ALLOY_ASSIGN_OR_RETURN(const std::string text, bridge->bridge->Identity());
    GiveText(text, json, capacity, out_length);
    return Status();
  });
}

alloy_code alloy_pool_new(alloy_bridge* bridge, alloy_pool** out, alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (out == nullptr) return NullArgument("out");
    *out = nullptr;
    if (bridge == nullptr) return NullArgument("bridge");
    *out = new alloy_pool(bridge->bridge->pool());
    return Status();
  });
}

void* alloy_pool_resize(alloy_pool* pool, void* memory, int64_t old_size,
                        int64_t new_size) {
  return pool->pool.Resize(memory, old_size, new_size);
}

void alloy_pool_free(alloy_pool* pool) { Free(pool); }

alloy_code alloy_call_bind(alloy_bridge* bridge, const char* function,
                           const ArrowSchema* inputs, int32_t n_inputs,
                           const char* const* options, alloy_call** out,
                           alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (out == nullptr) return NullArgument("out");
    *out = nullptr;
    if (bridge == nullptr) return NullArgument("bridge");
    if (function == nullptr) return NullArgument("function");
    if (n_inputs < 0) return Fail(ALLOY_INVALID, "n_inputs is negative");
    if (inputs == nullptr && n_inputs > 0) return NullArgument("inputs");
    ALLOY_ASSIGN_OR_RETURN(auto bound,
                           bridge->bridge->Bind(function, inputs, n_inputs, options));
    auto call = std::make_shared<Call>(bridge->bridge, std::move(bound));
    *out = std::make_unique<alloy_call>(std::move(call)).release();
    return Status();
  });
}

const ArrowSchema* alloy_call_schema(const alloy_call* call) {
  return call != nullptr ? &call->call->output() : nullptr;
}

alloy_code alloy_call_run(alloy_call* call, ArrowArray* inputs, ArrowArray* output,
                          int64_t timeout_ns, uint64_t ticket, alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (call == nullptr) return NullArgument("call");
    return call->call->Run(inputs, output, timeout_ns, ticket);
  });
}

alloy_code alloy_call_stream(alloy_call* call, ArrowArrayStream* inputs, int32_t n_inputs,
                             ArrowArrayStream* output, int64_t timeout_ns,
                             uint64_t ticket, alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (call == nullptr) return NullArgument("call");
    return alloy::core::OpenCallStream(call->call, inputs, n_inputs, output, timeout_ns,
                                       ticket);
  });
}

void alloy_call_cancel(alloy_call* call, uint64_t ticket) {
  if (call != nullptr) call->call->Cancel(ticket);
}

void alloy_call_progress(const alloy_call* call, int64_t* out_done, int64_t* out_total) {
  int64_t done = 0, total = 0;
  if (call != nullptr) call->call->Progress(&done, &total);
  if (out_done != nullptr) *out_done = done;
  if (out_total != nullptr) *out_total = total;
}

void alloy_call_set_log(alloy_call* call, int32_t level, void* context) {
  if (call != nullptr) call->call->SetLog(level, context);
}

void alloy_call_free(alloy_call* call) { Free(call); }

alloy_code alloy_link(const char* archive, const char* library, alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (archive == nullptr) return NullArgument("archive");
    if (library == nullptr) return NullArgument("library");
    return alloy::core::LinkLibrary(archive, library);
  });
}

alloy_code alloy_stream_of(const ArrowSchema* schema, ArrowArray* batches, int64_t n,
                           ArrowArrayStream* out, alloy_error* err) {
  return Guard(
      err, [&]() -> Status { return alloy::core::StreamOf(schema, batches, n, out); });
}

alloy_code alloy_stream_error(const ArrowArrayStream* stream, alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (stream == nullptr) return NullArgument("stream");
    const alloy::core::StreamFault* fault = alloy::core::FaultOf(*stream);
    if (fault != nullptr) return fault->status;
    return Fail(ALLOY_INVALID, "the stream is released, or was not made by this engine");
  });
}

alloy_code alloy_describe(const ArrowSchema* schema, const ArrowArray* array, char* text,
                          int64_t capacity, int64_t* out_length, alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (out_length != nullptr) *out_length = 0;
    if (schema == nullptr) return NullArgument("schema");
    if (array == nullptr) return NullArgument("array");
    if (capacity < 0) return Fail(ALLOY_INVALID, "capacity is negative");
    if (text == nullptr && capacity > 0) return NullArgument("text");
    ALLOY_ASSIGN_OR_RETURN(const int64_t length,
                           alloy::core::DescribeInto(*schema, *array, text, capacity));
    if (out_length != nullptr) *out_length = length;
    return Status();
  });
}

}  // extern "C"
