// SPDX-License-Identifier: MIT
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
  SampleStreamOptions options;
  int64_t first = 0;
  for (const int64_t rows :
       {subject.options().rows, int64_t{0}, int64_t{1}, int64_t{7}}) {
    options.batches.push_back({.rows = rows,
                               .first_row = first,
                               .before = first % 3,
                               .seed = subject.options().seed});
    first += rows;
  }
  return options;
}

struct Drained {
  Status failure;  // with which it ended; ok: at its end
  std::vector<OwnedArray> batches;
};

Drained Drain(StreamTrial* trial) {
  Drained drained;
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
  drained.batches.clear();
  if (Status status = trial.Finish(); !status.ok()) return status;
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

// An input that fails is no input that ends.
Status PassesErrorsOn(const Subject& subject, const Fit& fit) {
  if (fit.inputs.empty()) return Status();
  auto call = BindTo(subject.bridge(), fit);
  if (!call.ok()) return call.status();
  SampleStreamOptions options = Usual(subject);
  options.fails = true;
  StreamTrial trial = OpenOn(call->get(), fit, options);
  Drained drained = Drain(&trial);
  drained.batches.clear();
  const Status failure = drained.failure;
  if (Status status = trial.Finish(); !status.ok()) return status;
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
    {"serves two streams with two states", &TwoStreamsAtOnce},
};

}  // namespace

std::vector<FunctionTest> StreamTests(const alloy_function& function) {
  const bool one_input =
      function.min_inputs <= 1 && (function.max_inputs < 0 || function.max_inputs >= 1);
  if ((function.flags & ALLOY_STREAM) == 0 && !one_input) return {};
  return {std::begin(kTests), std::end(kTests)};
}

}  // namespace alloy::testing
