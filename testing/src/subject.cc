// SPDX-License-Identifier: MIT
#include "subject.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "alloy/testing/equal.hpp"
#include "form.h"

namespace alloy::testing {

Status Subject::Open(const ConformanceOptions& options) {
  options_ = options;
  HostOptions host_options{.allow_unsigned = options.certificate.empty(),
                           .load_plainly = options.load_plainly,
                           .may_need = options.may_need,
                           .log_mode = LogMode::kEchoes};
  host_options.log = [warnings = warnings_](int32_t level, std::string_view,
                                            std::string_view text) {
    if (level < ALLOY_LOG_WARN) return;
    const std::lock_guard lock(warnings->mutex);
    warnings->text.append(warnings->text.empty() ? "" : "; ").append(text);
  };
  host_ = std::make_unique<Host>(std::move(host_options));
  if (!host_->status().ok()) return host_->status();
  auto bridge = NewBridge();
  if (!bridge.ok()) return bridge.status();
  bridge_ = std::move(*bridge);
  return Status();
}

Result<BridgeHandle> Subject::NewBridge() const {
  alloy_bridge_options options{};
  options.struct_size = sizeof(options);
  options.check_inputs = 3;  // full: the samples are well-formed, and so must results be
  options.check_results = 3;
  options.isolated = options_.isolated ? 1 : 0;
  alloy_error error;
  alloy_bridge* bridge = nullptr;
  if (alloy_bridge_new(host_->get(), &options, &bridge, &error) != ALLOY_OK) {
    return Status(error);
  }
  BridgeHandle made(bridge);
  // What the engine warns of in a load, such as a certificate that ends soon, is not about
  // a function.
  const std::string earlier = TakeWarnings();
  const char* certificate =
      options_.certificate.empty() ? nullptr : options_.certificate.c_str();
  if (alloy_bridge_load(bridge, options_.library.c_str(), certificate, &error) !=
      ALLOY_OK) {
    return Status(error);
  }
  const std::lock_guard lock(warnings_->mutex);
  warnings_->text = earlier;
  return made;
}

std::string Subject::TakeWarnings() const {
  const std::lock_guard lock(warnings_->mutex);
  return std::exchange(warnings_->text, {});
}

OptionValues Subject::ValuesFor(const alloy_function& function) const {
  OptionValues values;
  const alloy_option* option = function.options;
  for (; option != nullptr && option->name != nullptr; ++option) {
    auto found = options_.values.find(std::string(function.name) + "." + option->name);
    if (found == options_.values.end()) found = options_.values.find(option->name);
    if (found == options_.values.end()) continue;
    values.emplace_back(option->name);
    values.push_back(found->second);
  }
  return values;
}

std::string Fit::Text() const {
  std::string text = "on ";
  if (inputs.empty()) text += "no input";
  for (size_t i = 0; i < inputs.size(); ++i) {
    text += (i > 0 ? " and " : "") + TextOf(inputs[i]);
  }
  return text;
}

Result<CallHandle> BindTo(alloy_bridge* bridge, const Fit& fit) {
  std::vector<alloy::Schema> owned;
  std::vector<ArrowSchema> row;
  for (const Spec& input : fit.inputs) {
    owned.push_back(SchemaOf(input));
    row.push_back(*owned.back());
  }
  std::vector<const char*> values;
  for (const std::string& value : fit.values) values.push_back(value.c_str());
  values.push_back(nullptr);
  alloy_error error;
  alloy_call* call = nullptr;
  if (alloy_call_bind(bridge, fit.function->name, row.data(),
                      static_cast<int32_t>(row.size()), values.data(), &call,
                      &error) != ALLOY_OK) {
    return Status(error);
  }
  return CallHandle(call);
}

namespace {

bool PointsIntoGone(const ArrowArray& array, const std::vector<Sample>& samples) {
  return PointsInto(array, [&samples](const void* address) {
    return std::ranges::any_of(
        samples, [address](const Sample& sample) { return sample.IsGone(address); });
  });
}

}  // namespace

Trial RunOn(alloy_call* call, const Fit& fit, const SampleOptions& options) {
  Trial trial;
  std::vector<ArrowArray> arrays(fit.inputs.size());
  for (size_t i = 0; i < fit.inputs.size(); ++i) {
    SampleOptions of_input = options;
    of_input.seed += i;
    trial.samples.emplace_back(fit.inputs[i], of_input);
    trial.samples.back().MoveArray(&arrays[i]);
  }
  alloy_error error;
  if (alloy_call_run(call, arrays.data(), trial.output.get(), 0, 0, &error) != ALLOY_OK) {
    trial.status = Status(error);
  } else if (PointsIntoGone(*trial.output, trial.samples)) {
    trial.fault = Status::Invalid(kPointsIntoGone);
  } else {
    trial.fault = CheckNullable(*alloy_call_schema(call), *trial.output);
  }
  return trial;
}

Status ReleaseAndCheck(OwnedArray array) {
  if (!array) return Status();
  // By hand: the owner would hide what the callback leaves.
  ArrowArray raw = array.Detach();
  raw.release(&raw);
  if (raw.release == nullptr) return Status();
  return Status::Invalid(
      "the release of a result does not set `release` to NULL; an owner that looks there "
      "releases it again");
}

Status CheckNullable(const ArrowSchema& schema, const ArrowArray& array) {
  for (int64_t c = 0; c < schema.n_children; ++c) {
    const ArrowSchema& column = *schema.children[c];
    const ArrowArray& values = *array.children[c];
    const Form form = FormOf(column.format);
    if ((column.flags & ARROW_FLAG_NULLABLE) == 0 && HasValidity(form.kind)) {
      // Rows of a child that no row of the parent reaches may be anything.
      const bool reached = form.kind != Kind::kNull && schema.format[1] == 's';
      for (int64_t row = 0; reached && row < array.length; ++row) {
        if (BitAt(values.buffers[0], values.offset + array.offset + row)) continue;
        if (!BitAt(array.buffers[0], array.offset + row)) continue;
        return Status::Invalid("row " + std::to_string(row) + " of column " +
                               (column.name == nullptr ? "" : column.name) +
                               " of the result is null, though its schema declares it "
                               "without nulls; write a "
                               "value, or declare the column nullable");
      }
    }
    if (form.kind == Kind::kStruct) {
      if (Status status = CheckNullable(column, values); !status.ok()) return status;
    }
  }
  return Status();
}

Status Trial::ReleaseOutput() { return ReleaseAndCheck(std::move(output)); }

Status Trial::Finish() {
  Status released = ReleaseOutput();
  if (!fault.ok()) return fault;
  if (!released.ok()) return released;
  for (const Sample& sample : samples) {
    if (Status verdict = sample.verdict(); !verdict.ok()) return verdict;
  }
  return Accept(status);
}

Status Accept(const Status& status) {
  if (status.ok()) return status;
  const bool its_own =
      status.code() == ALLOY_FAILED || status.code() == ALLOY_RETRY ||
      status.code() == ALLOY_INVALID || status.code() == ALLOY_NO_MATCH ||
      status.code() == ALLOY_UNSUPPORTED || status.code() == ALLOY_EXHAUSTED;
  if (!its_own) return status;
  // The engine's words where the backend has none.
  if (!status.text().empty() && !status.text().ends_with(" without a text"))
    return Status();
  return Status::Invalid(
      "it failed without a word; call fail() with a text that says what to do");
}

Status SameOutcome(const alloy_call* call, const Trial& a, const Trial& b) {
  for (const Trial* trial : {&a, &b}) {
    if (!trial->fault.ok()) return trial->fault;
  }
  if (a.status.ok() != b.status.ok()) {
    return Status::Invalid("one run gave a result, the other failed: " +
                           (a.status.ok() ? b : a).status.ToString());
  }
  if (!a.status.ok()) {
    if (a.status.code() == b.status.code()) return Status();
    return Status::Invalid("one run failed with " + a.status.ToString() +
                           ", the other with " + b.status.ToString());
  }
  if (a.output->length != b.output->length) {
    return Status::Invalid("one run gave " + std::to_string(a.output->length) +
                           " rows, the other " + std::to_string(b.output->length));
  }
  const int64_t row = FirstDifference(*alloy_call_schema(call), *a.output, 0, *b.output,
                                      0, a.output->length);
  if (row < 0) return Status();
  return Status::Invalid("the two results differ in row " + std::to_string(row));
}

}  // namespace alloy::testing
