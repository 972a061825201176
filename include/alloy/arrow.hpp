// SPDX-License-Identifier: MIT
//
// Call native functions on the record batches of Apache Arrow C++.
//
// Batches go in and come out without a copy. A backend reads the buffers of the input.
// The buffers of a result are those of the backend, and go back to it when the last of
// them is released. Call binds each time; keep a BoundCall to call a function often.
// Stream takes and returns RecordBatchReaders or whole Tables, and FromChunks takes
// Arrays or ChunkedArrays; both return Arrow's own Status. From examples/cpp/arrow.cpp:
//
//   auto scores = alloy::arrow::Stream(bridge, "score", *points);
//   if (!scores.ok()) return std::cerr << scores.status() << '\n', 1;
//
// Needs Arrow C++: find_package(Arrow), or the one inside an installed pyarrow (see
// cmake/AlloyArrow.cmake). Without Arrow C++ use alloy.hpp.
//
// Threads  Export, Import, Call: shared. BoundCall: serial.
#ifndef ALLOY_ARROW_HPP_
#define ALLOY_ARROW_HPP_

#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "alloy/alloy.hpp"
#include "alloy/arrow_stream.hpp"
#include "alloy/detail/arrow_export.hpp"
#include "alloy/detail/arrow_import.hpp"

namespace alloy::arrow {

using RecordBatchPtr = std::shared_ptr<::arrow::RecordBatch>;
using SchemaPtr = std::shared_ptr<::arrow::Schema>;

// Export a batch over the same buffers, which live as long as any part of `out`.
//
//   Gives  out, released unless the status is ok.
inline Status Export(const RecordBatchPtr& batch, ArrowArray* out) {
  return detail::Exporter().Export(batch, out);
}

// Import a result of a call, which the engine has checked against `schema`.
//
//   Takes  array.
inline RecordBatchPtr Import(ArrowArray* array, const SchemaPtr& schema) {
  return detail::Importer::Import(array, schema);
}

// A function bound to the schemas of its inputs: bind once, run many times.
class BoundCall {
 public:
  static Result<BoundCall> Bind(Bridge& bridge, const std::string& function,
                                std::vector<SchemaPtr> schemas,
                                const OptionMap& options = {}) {
    std::vector<alloy::Owned<ArrowSchema>> owners(schemas.size());
    std::vector<ArrowSchema> inputs;  // plain copies, borrowed from the owners
    for (size_t i = 0; i < schemas.size(); ++i) {
      Status names = detail::CheckNames(schemas[i]->fields());
      if (!names.ok()) return names;
      const auto status = ::arrow::ExportSchema(*schemas[i], owners[i].get());
      if (!status.ok()) return Status::Invalid(status.message());
      inputs.push_back(*owners[i]);
    }
    auto bound = bridge.Bind(function, inputs, options);
    if (!bound.ok()) return bound.status();
    ArrowSchema output;
    Schema::Copy(bound->output_schema()).MoveTo(&output);
    auto imported = detail::ImportSchema(&output);
    if (!imported.ok()) return imported.status();
    return BoundCall(std::move(*bound), std::move(schemas), std::move(*imported));
  }

  // Run on one batch for each bound schema.
  Result<RecordBatchPtr> Run(std::span<const RecordBatchPtr> batches,
                             const CallLimits& limits = {}) {
    if (batches.size() != inputs_.size()) {
      return Status::Invalid("the function is bound to " +
                             std::to_string(inputs_.size()) +
                             " inputs, but this run passes " +
                             std::to_string(batches.size()) + "; pass one for each");
    }
    if (batches.size() == 1) {  // the usual case, without an allocation
      alloy::OwnedArray array;
      return RunOn(batches, std::span(&array, 1), limits);
    }
    std::vector<alloy::OwnedArray> arrays(batches.size());
    return RunOn(batches, arrays, limits);
  }
  Result<RecordBatchPtr> Run(const RecordBatchPtr& batch, const CallLimits& limits = {}) {
    return Run(std::span(&batch, 1), limits);
  }

  // The schema of the results.
  const SchemaPtr& output_schema() const { return output_; }

 private:
  BoundCall(alloy::BoundCall call, std::vector<SchemaPtr> inputs, SchemaPtr output)
      : call_(std::move(call)), inputs_(std::move(inputs)), output_(std::move(output)) {}

  Result<RecordBatchPtr> RunOn(std::span<const RecordBatchPtr> batches,
                               std::span<alloy::OwnedArray> arrays,
                               const CallLimits& limits) {
    for (size_t i = 0; i < batches.size(); ++i) {
      const SchemaPtr& schema = batches[i]->schema();
      if (schema != inputs_[i] &&
          !schema->Equals(*inputs_[i], /*check_metadata=*/false)) {
        return Status::Invalid("input " + std::to_string(i) +
                               " has another schema than the call was bound to; bind "
                               "a new call");
      }
      Status status = Export(batches[i], arrays[i].get());
      if (!status.ok()) return status;
    }
    ArrowArray output{};
    Status status = call_.RunRaw(arrays, &output, limits);
    if (!status.ok()) return status;
    return Import(&output, output_);
  }

  alloy::BoundCall call_;
  std::vector<SchemaPtr> inputs_;
  SchemaPtr output_;
};

// Bind a function to the schemas of the batches and run it once.
inline Result<RecordBatchPtr> Call(Bridge& bridge, const std::string& function,
                                   const std::vector<RecordBatchPtr>& batches,
                                   const OptionMap& options = {},
                                   const CallLimits& limits = {}) {
  std::vector<SchemaPtr> schemas;
  schemas.reserve(batches.size());
  for (const RecordBatchPtr& batch : batches) schemas.push_back(batch->schema());
  auto bound = BoundCall::Bind(bridge, function, std::move(schemas), options);
  if (!bound.ok()) return bound.status();
  return bound->Run(batches, limits);
}

}  // namespace alloy::arrow

#endif  // ALLOY_ARROW_HPP_
