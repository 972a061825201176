// SPDX-License-Identifier: MIT
#include "engine/stream/stream_of.h"

#include <string>
#include <utility>
#include <vector>

#include "arrow/layout.h"
#include "arrow/owned.h"
#include "arrow/schema.h"
#include "engine/stream/stream.h"
#include "gate/batch.h"

namespace alloy::core {
namespace {

class BatchesStream final : public Stream {
 public:
  BatchesStream(OwnedSchema schema, std::vector<OwnedArray> batches)
      : schema_(std::move(schema)), batches_(std::move(batches)) {}

  Result<OwnedSchema> Schema() override { return CopySchema(*schema_); }

  StreamFault Next(ArrowArray* out) override {
    if (next_ < batches_.size()) batches_[next_++].MoveTo(out);
    return {};
  }

 private:
  const OwnedSchema schema_;
  std::vector<OwnedArray> batches_;
  size_t next_ = 0;
};

// Check the batches before the stream exists: in a stream, a released batch would mean its
// end.
Status AdmitAll(const Layout& layout, std::vector<OwnedArray>* batches) {
  for (size_t i = 0; i < batches->size(); ++i) {
    const Status status = AdmitBatch(layout, Level::kShape, (*batches)[i].get());
    if (status.ok()) continue;
    return status.WithInput(static_cast<int32_t>(i)).WithSide(ALLOY_SIDE_CALLER);
  }
  return Status();
}

}  // namespace

Status StreamOf(const ArrowSchema* schema, ArrowArray* batches, int64_t n,
                ArrowArrayStream* out) {
  if (out != nullptr) *out = ArrowArrayStream{};
  if (n < 0) return Fail(ALLOY_INVALID, "n is negative");
  if (batches == nullptr && n > 0) return Fail(ALLOY_INVALID, "batches is NULL");
  const auto count = static_cast<size_t>(n);
  const ReleaseRest<ArrowArray> rest(batches, count);
  if (schema == nullptr) return Fail(ALLOY_INVALID, "schema is NULL");
  if (out == nullptr) return Fail(ALLOY_INVALID, "out is NULL");
  auto layout = Layout::OfBatch(*schema);
  if (!layout.ok()) return layout.status().WithSide(ALLOY_SIDE_CALLER);
  ALLOY_ASSIGN_OR_RETURN(OwnedSchema copy, CopySchema(*schema));
  std::vector<OwnedArray> taken;
  taken.reserve(count);
  for (size_t i = 0; i < count; ++i) taken.emplace_back(&batches[i]);
  ALLOY_TRY(AdmitAll(*layout, &taken));
  ExportStream(std::make_unique<BatchesStream>(std::move(copy), std::move(taken)), out);
  return Status();
}

}  // namespace alloy::core
