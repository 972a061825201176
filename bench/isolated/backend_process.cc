// SPDX-License-Identifier: MIT
#include "bench/isolated/backend_process.h"

#include <string>
#include <utility>
#include <vector>

#include "alloy/detail/resize.hpp"
#include "alloy/schema.hpp"
#include "engine/open/host.h"
#include "engine/stream/call_stream.h"

namespace alloy::bench {
namespace {

Schema SchemaOf(int64_t columns) {
  std::vector<std::string> names;
  names.reserve(static_cast<size_t>(columns));
  for (int64_t i = 0; i < columns; ++i) names.push_back("column" + std::to_string(i));
  std::vector<Field> fields;
  fields.reserve(names.size());
  for (const std::string& name : names) fields.push_back({.name = name, .format = "l"});
  return Schema::Batch(fields);
}

// A stream that gives out the same batch for ever.
struct Endless {
  const Data& data;
  int64_t columns;

  static const Endless& Of(ArrowArrayStream* stream) {
    return *static_cast<const Endless*>(stream->private_data);
  }
  static int GetSchema(ArrowArrayStream* stream, ArrowSchema* out) {
    SchemaOf(Of(stream).columns).MoveTo(out);
    return 0;
  }
  static int GetNext(ArrowArrayStream* stream, ArrowArray* out) {
    Of(stream).data.Export(out);
    return 0;
  }
  static const char* GetLastError(ArrowArrayStream*) { return nullptr; }
  static void Release(ArrowArrayStream* stream) {
    delete static_cast<const Endless*>(stream->private_data);
    stream->release = nullptr;
  }
};

}  // namespace

void Expect(const core::Status& status) {
  if (!status.ok()) Die(status.fault().text);
}

Backend::Backend(Runs runs, const std::string& library, const std::string& certificate) {
  alloy_host_options host_options{};
  host_options.struct_size = sizeof(host_options);
  if (certificate.empty()) host_options.flags = ALLOY_ALLOW_UNSIGNED;
  host_options.worker = ALLOY_BENCH_WORKER;
  auto host = core::Host::Make(host_options);
  Expect(host.status());
  alloy_bridge_options options{};
  options.struct_size = sizeof(options);
  options.isolated = runs == Runs::kInProcess ? 0 : 1;
  auto bridge = core::Bridge::Make(
      *std::move(host), options,
      runs == Runs::kAsleep ? core::Waiting::kSleeps : core::Waiting::kAdaptive);
  Expect(bridge.status());
  bridge_ = *std::move(bridge);
  pool_ = std::make_shared<core::HostPool>(bridge_->pool());
  Expect(bridge_->Load(library, certificate.c_str()));
}

Data Backend::MakeData(Size size, bool in_pool) {
  if (!in_pool) return {size, &detail::AlignedResize};
  return {size, [pool = pool_](void* memory, int64_t old_size, int64_t new_size) {
            return pool->Resize(memory, old_size, new_size);
          }};
}

Function::Function(const Backend& backend, const char* name, int64_t columns) {
  const Schema schema = SchemaOf(columns);
  auto bound = backend.bridge()->Bind(name, schema.get(), 1, nullptr);
  Expect(bound.status());
  call_ = std::make_shared<core::Call>(backend.bridge(), *std::move(bound));
}

core::Status Function::Call(const Data& data, OwnedArray* result) const {
  ArrowArray input;
  data.Export(&input);
  return call_->Run(&input, result->get(), 0, 0);
}

void Function::Run(const Data& data) const {
  OwnedArray result;
  Expect(Call(data, &result));
}

void Function::RunAndCheck(const Data& data, int64_t more) const {
  OwnedArray result;
  Expect(Call(data, &result));
  data.Check(*result, more);
}

int32_t Function::Fail(const Data& data) const {
  OwnedArray result;
  return Call(data, &result).code();
}

OwnedArrayStream Function::Open(const Data& data) const {
  ArrowArrayStream input{.get_schema = &Endless::GetSchema,
                         .get_next = &Endless::GetNext,
                         .get_last_error = &Endless::GetLastError,
                         .release = &Endless::Release,
                         .private_data = new Endless{data, data.size().columns}};
  OwnedArrayStream output;
  Expect(core::OpenCallStream(call_, &input, 1, output.get(), 0, 0));
  return output;
}

}  // namespace alloy::bench
