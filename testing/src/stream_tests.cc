// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cerrno>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "alloy/testing/equal.hpp"
#include "alloy/testing/sample_stream.hpp"
#include "function_test.h"

namespace alloy::testing {
namespace {

// A stream of results over watched inputs.
struct StreamTrial {
  Status status;  // of opening it
  std::vector<SampleStream> inputs;
  Owned<ArrowArrayStream> results;

  // The next batch; released at the end, and after a failure, which goes to `failure`.
  OwnedArray Next(Status* failure) {
    OwnedArray batch;
    if (results->get_next(results.get(), batch.get()) == 0) return batch;
    alloy_error error{};
    alloy_stream_error(results.get(), &error);
    *failure = Status(error);
    return OwnedArray();
  }

  // Release the stream, and judge the inputs.
  Status Finish() {
    results = Owned<ArrowArrayStream>();
    for (const SampleStream& input : inputs) {
      if (Status verdict = input.verdict(); !verdict.ok()) return verdict;
    }
    return Status();
  }
};

StreamTrial OpenOn(alloy_call* call, const Fit& fit, const SampleStreamOptions& options) {
  StreamTrial trial;
  std::vector<ArrowArrayStream> streams(fit.inputs.size());
  for (size_t i = 0; i < fit.inputs.size(); ++i) {
    SampleStreamOptions of_input = options;
    for (SampleOptions& batch : of_input.batches) batch.seed += i;
    trial.inputs.emplace_back(fit.inputs[i], std::move(of_input));
    trial.inputs.back().MoveStream(&streams[i]);
  }
  alloy_error error;
  if (alloy_call_stream(call, streams.data(), static_cast<int32_t>(streams.size()),
                        trial.results.get(), 0, 0, &error) != ALLOY_OK) {
    trial.status = Status(error);
  }
  return trial;
}

// Batches of several sizes, one without rows, all of different rows.
SampleStreamOptions Usual(const Subject& subject) {
  const auto& table = subject.options().table;
  SampleStreamOptions options;
  int64_t first = 0;
  for (const int64_t rows :
       {subject.options().rows, int64_t{0}, int64_t{1}, int64_t{7}}) {
    options.batches.push_back({.rows = rows,
                               .first_row = first,
                               .before = first % 3,
                               .seed = subject.options().seed,
                               .table = table.has_value() ? &*table : nullptr});
    first += rows;
  }
  return options;
}

struct Drained {
  Status failure;  // with which it ended; ok: at its end
  std::vector<OwnedArray> batches;
  const std::vector<SampleStream>* inputs = nullptr;

  // Before the batches are read: do they lie in batches of an input that are gone?
  Status CheckKept() const {
    for (const OwnedArray& batch : batches) {
      const bool is_gone = PointsInto(*batch, [this](const void* address) {
        return std::ranges::any_of(*inputs, [address](const SampleStream& input) {
          return input.IsGone(address);
        });
      });
      if (is_gone) return Status::Invalid(kPointsIntoGone);
    }
    return Status();
  }

  // Release the batches; an error if one is not marked as released afterwards.
  Status Release() {
    Status released;
    for (OwnedArray& batch : batches) {
      if (Status status = ReleaseAndCheck(std::move(batch)); !status.ok()) {
        released = status;
      }
    }
    batches.clear();
    return released;
  }
};

Drained Drain(StreamTrial* trial) {
  Drained drained;
  drained.inputs = &trial->inputs;
  if (!trial->status.ok()) {
    drained.failure = trial->status;
    return drained;
  }
  for (;;) {
    auto batch = trial->Next(&drained.failure);
    if (!batch) return drained;
    drained.batches.push_back(std::move(batch));
  }
}

Status DrainAndFinish(const Subject& subject, const Fit& fit,
                      const SampleStreamOptions& options) {
  auto call = BindTo(subject.bridge(), fit);
  if (!call.ok()) return call.status();
  StreamTrial trial = OpenOn(call->get(), fit, options);
  Drained drained = Drain(&trial);
  if (Status kept = drained.CheckKept(); !kept.ok()) return kept;
  for (const OwnedArray& batch : drained.batches) {
    const Status nulls = CheckNullable(*alloy_call_schema(call->get()), *batch);
    if (!nulls.ok()) return nulls;
  }
  Status released = drained.Release();
  if (Status status = trial.Finish(); !status.ok()) return status;
  if (!released.ok()) return released;
  return Accept(drained.failure);
}

Status TakesBatches(const Subject& subject, const Fit& fit) {
  return DrainAndFinish(subject, fit, Usual(subject));
}

Status TakesEmptyStreams(const Subject& subject, const Fit& fit) {
  return DrainAndFinish(subject, fit, {});
}

Status SameBatches(const ArrowSchema& schema, const Drained& a, const Drained& b) {
  if (a.failure.code() != b.failure.code() || a.batches.size() != b.batches.size()) {
    return Status::Invalid("one stream ended after " + std::to_string(a.batches.size()) +
                           " batches with " + a.failure.ToString() +
                           ", the other after " + std::to_string(b.batches.size()) +
                           " with " + b.failure.ToString());
  }
  for (const Drained* drained : {&a, &b}) {
    if (Status kept = drained->CheckKept(); !kept.ok()) return kept;
  }
  for (size_t i = 0; i < a.batches.size(); ++i) {
    const ArrowArray &left = *a.batches[i], &right = *b.batches[i];
    if (left.length == right.length &&
        FirstDifference(schema, left, 0, right, 0, left.length) < 0) {
      continue;
    }
    return Status::Invalid("batch " + std::to_string(i) + " of two streams differs");
  }
  return Status();
}

Status CarriesNothingOver(const Subject& subject, const Fit& fit) {
  auto call = BindTo(subject.bridge(), fit);
  if (!call.ok()) return call.status();
  StreamTrial first = OpenOn(call->get(), fit, Usual(subject));
  Drained a = Drain(&first);
  // The batches go on living without their stream.
  if (!first.status.ok()) return Accept(first.status);
  first.results = Owned<ArrowArrayStream>();
  StreamTrial second = OpenOn(call->get(), fit, Usual(subject));
  Drained b = Drain(&second);
  if (Status same = SameBatches(*alloy_call_schema(call->get()), a, b); !same.ok())
    return same;
  a.batches.clear();
  b.batches.clear();
  if (Status status = first.Finish(); !status.ok()) return status;
  return second.Finish();
}

Status RepeatsItsEnd(const Subject& subject, const Fit& fit) {
  auto call = BindTo(subject.bridge(), fit);
  if (!call.ok()) return call.status();
  StreamTrial trial = OpenOn(call->get(), fit, Usual(subject));
  Drained drained = Drain(&trial);
  drained.batches.clear();
  if (!trial.status.ok()) return Accept(trial.status);
  Status again;
  if (trial.Next(&again)) return Status::Invalid("it gave a batch after its end");
  if (again.code() != drained.failure.code() || again.text() != drained.failure.text()) {
    return Status::Invalid("it ended with " + drained.failure.ToString() +
                           ", and asked again with " + again.ToString());
  }
  return trial.Finish();
}

Status IsReleasedInTheMiddle(const Subject& subject, const Fit& fit) {
  for (const int batches : {0, 1}) {
    auto call = BindTo(subject.bridge(), fit);
    if (!call.ok()) return call.status();
    StreamTrial trial = OpenOn(call->get(), fit, Usual(subject));
    Status failure;
    if (batches == 1 && trial.status.ok()) (void)trial.Next(&failure);
    if (Status status = trial.Finish(); !status.ok()) return status;
    if (!trial.status.ok()) return Accept(trial.status);
  }
  return Status();
}

Status IsReleasedElsewhere(const Subject& subject, const Fit& fit) {
  auto call = BindTo(subject.bridge(), fit);
  if (!call.ok()) return call.status();
  StreamTrial trial = OpenOn(call->get(), fit, Usual(subject));
  if (!trial.status.ok()) return Accept(trial.status);
  Drained drained = Drain(&trial);
  std::thread([&trial, &drained] {
    trial.results = Owned<ArrowArrayStream>();
    drained.batches.clear();
  }).join();
  return trial.Finish();
}

// The function's answer to inputs that fail after their batches.
Status FailsWithItsInput(const Subject& subject, const Fit& fit,
                         const SampleStreamOptions& options) {
  auto call = BindTo(subject.bridge(), fit);
  if (!call.ok()) return call.status();
  StreamTrial trial = OpenOn(call->get(), fit, options);
  Drained drained = Drain(&trial);
  drained.batches.clear();
  const Status failure = drained.failure;
  const bool was_told = std::ranges::any_of(
      trial.inputs, [](const SampleStream& input) { return input.failed(); });
  if (Status status = trial.Finish(); !status.ok()) return status;
  // A function that ends early, as a LIMIT does, never asked for the failure.
  if (!was_told) return Accept(failure);
  if (failure.ok()) {
    return Status::Invalid(
        "its stream ended as if all were well, though an input failed");
  }
  if (failure.side() == ALLOY_SIDE_BACKEND && Accept(failure).ok()) return Status();
  if (failure.text().find(options.error_text) == std::string_view::npos) {
    return Status::Invalid("an input failed with `" + options.error_text +
                           "`, and the caller got " + failure.ToString());
  }
  return Status();
}

// An input that fails is no input that ends.
Status PassesErrorsOn(const Subject& subject, const Fit& fit) {
  if (fit.inputs.empty()) return Status();
  SampleStreamOptions options = Usual(subject);
  options.fails = true;
  // With all batches, with one, and at once: also a function that ends early asks then.
  for (const size_t batches : {options.batches.size(), size_t{1}, size_t{0}}) {
    options.batches.resize(batches);
    Status status = FailsWithItsInput(subject, fit, options);
    if (!status.ok()) {
      return Status::Invalid("after " + std::to_string(batches) +
                             " batches: " + std::string(status.text()));
    }
  }
  return Status();
}

// As for batches: see map_tests.cc.
Status IgnoresWhatNoRowHas(const Subject& subject, const Fit& fit) {
  auto call = BindTo(subject.bridge(), fit);
  if (!call.ok()) return call.status();
  SampleStreamOptions options = Usual(subject);
  std::vector<StreamTrial> trials;
  trials.reserve(2);  // what is drained points there
  std::vector<Drained> drained;
  for (const uint64_t garbage : {1, 2}) {
    for (SampleOptions& batch : options.batches) batch.garbage = garbage;
    trials.push_back(OpenOn(call->get(), fit, options));
    drained.push_back(Drain(&trials.back()));
    trials.back().results = Owned<ArrowArrayStream>();
  }
  Status same = SameBatches(*alloy_call_schema(call->get()), drained[0], drained[1]);
  drained.clear();
  for (StreamTrial& trial : trials) {
    if (Status status = trial.Finish(); same.ok()) same = status;
  }
  if (same.ok()) return same;
  return Status::Invalid(
      "two streams that differ only under nulls: " + std::string(same.text()) +
      "; look at validity before you read a value");
}

Status TwoStreamsAtOnce(const Subject& subject, const Fit& fit) {
  Status of_thread[2];
  const auto work = [&](size_t which) {
    of_thread[which] = CarriesNothingOver(subject, fit);
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  return of_thread[0].ok() ? of_thread[1] : of_thread[0];
}

constexpr FunctionTest kTests[] = {
    {"takes streams of batches of every size", &TakesBatches},
    {"takes streams without a batch", &TakesEmptyStreams},
    {"carries nothing from one stream to the next", &CarriesNothingOver},
    {"repeats how its stream ended", &RepeatsItsEnd},
    {"gives streams that may be released in the middle", &IsReleasedInTheMiddle},
    {"gives streams that any thread may release", &IsReleasedElsewhere},
    {"passes on that an input failed", &PassesErrorsOn},
    {"does not depend on what lies under nulls in a stream", &IgnoresWhatNoRowHas},
    {"serves two streams with two states", &TwoStreamsAtOnce},
};

}  // namespace

std::vector<Attempt> StreamAttemptsOf(const Subject& subject, const Fit& fit) {
  std::vector<Attempt> attempts;
  for (const double nulls : {0.25, 0.0}) {
    auto call = BindTo(subject.bridge(), fit);
    Status status = call.ok() ? Status() : call.status();
    if (call.ok()) {
      SampleStreamOptions options = Usual(subject);
      for (SampleOptions& batch : options.batches) batch.null_share = nulls;
      StreamTrial trial = OpenOn(call->get(), fit, options);
      Drained drained = Drain(&trial);
      status = drained.failure;
      drained.batches.clear();
      trial.results = Owned<ArrowArrayStream>();
    }
    attempts.push_back(
        {nulls > 0 ? "streams of rows with nulls" : "streams without nulls",
         std::move(status)});
    if (attempts.back().status.ok()) break;
  }
  return attempts;
}

std::vector<FunctionTest> StreamTests(const alloy_function& function) {
  const bool one_input =
      function.min_inputs <= 1 && (function.max_inputs < 0 || function.max_inputs >= 1);
  if ((function.flags & ALLOY_STREAM) == 0 && !one_input) return {};
  return {std::begin(kTests), std::end(kTests)};
}

}  // namespace alloy::testing
