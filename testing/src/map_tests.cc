// SPDX-License-Identifier: MIT
#include <malloc.h>

#include <algorithm>
#include <string>
#include <thread>
#include <utility>

#include "alloy/testing/equal.hpp"
#include "function_test.h"

// In a process with AddressSanitizer.
// NOLINTNEXTLINE(bugprone-reserved-identifier): its name is given
extern "C" size_t __sanitizer_get_current_allocated_bytes() __attribute__((weak));

namespace alloy::testing {
namespace {

SampleOptions Usual(const Subject& subject) {
  const auto& table = subject.options().table;
  return {.rows = subject.options().rows,
          .seed = subject.options().seed,
          .table = table.has_value() ? &*table : nullptr};
}

// Bind, run once and finish: for tests in which a plain answer is all that is asked.
Status TryOn(const Subject& subject, const Fit& fit, const SampleOptions& options) {
  auto call = BindTo(subject.bridge(), fit);
  if (!call.ok()) return call.status();
  return RunOn(call->get(), fit, options).Finish();
}

// Run on two batches by one call; both must come out the same.
Status TrySame(const Subject& subject, const Fit& fit, const SampleOptions& first,
               const SampleOptions& second) {
  auto call = BindTo(subject.bridge(), fit);
  if (!call.ok()) return call.status();
  Trial a = RunOn(call->get(), fit, first);
  Trial b = RunOn(call->get(), fit, second);
  if (Status same = SameOutcome(call->get(), a, b); !same.ok()) return same;
  if (Status status = a.Finish(); !status.ok()) return status;
  return b.Finish();
}

Status AnswersTheSameSchema(const Subject& subject, const Fit& fit) {
  auto a = BindTo(subject.bridge(), fit);
  if (!a.ok()) return a.status();
  auto other = subject.NewBridge();  // with no memory of the first bind
  if (!other.ok()) return other.status();
  auto b = BindTo(other->get(), fit);
  if (!b.ok()) return b.status();
  const Spec first = SpecOf(*alloy_call_schema(a->get()));
  const Spec second = SpecOf(*alloy_call_schema(b->get()));
  if (first == second) return Status();
  return Status::Invalid("it promised " + TextOf(first) + ", and then " + TextOf(second));
}

Status TakesRows(const Subject& subject, const Fit& fit) {
  return TryOn(subject, fit, Usual(subject));
}

Status TakesNoRows(const Subject& subject, const Fit& fit) {
  SampleOptions options = Usual(subject);
  options.rows = 0;
  return TryOn(subject, fit, options);
}

Status TakesOneRow(const Subject& subject, const Fit& fit) {
  SampleOptions options = Usual(subject);
  options.rows = 1;
  return TryOn(subject, fit, options);
}

Status TakesNullsAlone(const Subject& subject, const Fit& fit) {
  SampleOptions options = Usual(subject);
  options.null_share = 1;
  return TryOn(subject, fit, options);
}

Status TakesNoNulls(const Subject& subject, const Fit& fit) {
  SampleOptions options = Usual(subject);
  options.null_share = 0;
  return TryOn(subject, fit, options);
}

// The bits of validity decide, not the values under nulls or before the offset: those are
// different garbage in two batches that are the same.
Status IgnoresWhatNoRowHas(const Subject& subject, const Fit& fit) {
  for (const double nulls : {0.25, 0.9}) {
    SampleOptions first = Usual(subject);
    first.null_share = nulls;
    first.before = 3;
    first.garbage = 1;
    SampleOptions second = first;
    second.garbage = 2;
    Status status = TrySame(subject, fit, first, second);
    if (!status.ok()) {
      return Status::Invalid(
          "two batches that differ only under nulls: " + std::string(status.text()) +
          "; look at validity before you read a value");
    }
  }
  return Status();
}

// The memory that malloc has given out; 0 where that is not known.
size_t BytesInUse() {
  if (&__sanitizer_get_current_allocated_bytes != nullptr) {
    return __sanitizer_get_current_allocated_bytes();
  }
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// Memory that grows in each of many rounds of the same runs is lost in the runs. Caches,
// the engine's and those of malloc, grow in some rounds and then no more.
Status FreesWhatItAllocates(const Subject& subject, const Fit& fit) {
  constexpr size_t kRuns = 40;
  constexpr size_t kLeast = 16;  // bytes a run: malloc gives no less
  constexpr int kRounds = 12;
  auto call = BindTo(subject.bridge(), fit);
  if (!call.ok()) return call.status();
  SampleOptions options = Usual(subject);
  options.rows = std::min<int64_t>(options.rows, 20);
  size_t least = SIZE_MAX;
  for (int round = 0; round <= kRounds; ++round) {
    const size_t before = BytesInUse();
    for (size_t i = 0; i < kRuns; ++i) {
      if (Status status = RunOn(call->get(), fit, options).Finish(); !status.ok()) {
        return status;
      }
    }
    const size_t after = BytesInUse();
    if (round == 0) continue;
    if (after < before + kRuns * kLeast) return Status();
    least = std::min(least, after - before);
  }
  return Status::Invalid(
      "each run loses about " + std::to_string(least / kRuns) +
      " bytes of memory, also after its result was released; build the "
      "backend with -fsanitize=address to see where");
}

Status SeesRowsAndNotTheirPlace(const Subject& subject, const Fit& fit) {
  // Across the borders of a byte and of a word of a bitmap.
  for (const int64_t before : {1, 7, 64 + 3}) {
    SampleOptions behind = Usual(subject);
    behind.before = before;
    Status status = TrySame(subject, fit, Usual(subject), behind);
    if (!status.ok()) {
      return Status::Invalid("columns with an offset of " + std::to_string(before) +
                             ": " + std::string(status.text()));
    }
  }
  return Status();
}

Status CarriesNothingOver(const Subject& subject, const Fit& fit) {
  auto call = BindTo(subject.bridge(), fit);
  if (!call.ok()) return call.status();
  Trial a = RunOn(call->get(), fit, Usual(subject));
  SampleOptions other = Usual(subject);
  other.seed += 1000;
  other.rows += 1;
  if (Status status = RunOn(call->get(), fit, other).Finish(); !status.ok())
    return status;
  Trial b = RunOn(call->get(), fit, Usual(subject));
  if (Status same = SameOutcome(call->get(), a, b); !same.ok()) return same;
  if (Status status = a.Finish(); !status.ok()) return status;
  return b.Finish();
}

// Free what made the result, then compare it with one that was made elsewhere.
Status ResultsOutliveTheCall(const Subject& subject, const Fit& fit) {
  auto reference = BindTo(subject.bridge(), fit);
  if (!reference.ok()) return reference.status();
  Trial expected = RunOn(reference->get(), fit, Usual(subject));
  Trial kept;
  {
    auto bridge = subject.NewBridge();
    if (!bridge.ok()) return bridge.status();
    auto call = BindTo(bridge->get(), fit);
    if (!call.ok()) return call.status();
    kept = RunOn(call->get(), fit, Usual(subject));
  }
  if (Status same = SameOutcome(reference->get(), expected, kept); !same.ok())
    return same;
  if (Status status = kept.Finish(); !status.ok()) return status;
  return expected.Finish();
}

Status ResultsAreReleasedElsewhere(const Subject& subject, const Fit& fit) {
  auto call = BindTo(subject.bridge(), fit);
  if (!call.ok()) return call.status();
  Trial trial = RunOn(call->get(), fit, Usual(subject));
  Status released;
  std::thread([&] { released = trial.ReleaseOutput(); }).join();
  return released.ok() ? trial.Finish() : released;
}

// Columns moved out one after another, the batch released before them.
Status ColumnsOutliveTheirBatch(const Subject& subject, const Fit& fit) {
  auto call = BindTo(subject.bridge(), fit);
  if (!call.ok()) return call.status();
  Trial trial = RunOn(call->get(), fit, Usual(subject));
  Trial expected = RunOn(call->get(), fit, Usual(subject));
  if (Status same = SameOutcome(call->get(), trial, expected); !same.ok()) return same;
  if (!trial.status.ok()) return Accept(trial.status);
  std::vector<OwnedArray> columns;
  const int64_t rows = trial.output->length;
  for (int64_t c = 0; c < trial.output->n_children; ++c) {
    columns.emplace_back(trial.output->children[c]);
  }
  trial.output = OwnedArray();
  for (size_t c = 0; c < columns.size(); ++c) {
    const ArrowSchema& schema = *alloy_call_schema(call->get())->children[c];
    if (FirstDifference(schema, *columns[c], 0, *expected.output->children[c], 0, rows) >=
        0) {
      return Status::Invalid("column " + std::to_string(c) +
                             " changed when the batch was released");
    }
  }
  columns.clear();
  if (Status status = trial.Finish(); !status.ok()) return status;
  return expected.Finish();
}

Status TwoStatesAtOnce(const Subject& subject, const Fit& fit) {
  constexpr int kRuns = 8;
  Status of_thread[2];
  const auto work = [&](size_t which) {
    auto call = BindTo(subject.bridge(), fit);
    if (!call.ok()) {
      of_thread[which] = call.status();
      return;
    }
    SampleOptions options = Usual(subject);
    options.seed += which;
    Trial first = RunOn(call->get(), fit, options);
    for (int i = 0; i < kRuns && of_thread[which].ok(); ++i) {
      Trial again = RunOn(call->get(), fit, options);
      of_thread[which] = SameOutcome(call->get(), first, again);
      if (of_thread[which].ok()) of_thread[which] = again.Finish();
    }
    if (Status status = first.Finish(); of_thread[which].ok()) of_thread[which] = status;
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  return of_thread[0].ok() ? of_thread[1] : of_thread[0];
}

// ALLOY_ROWWISE: the result of the parts is the result of the whole.
Status IsRowByRow(const Subject& subject, const Fit& fit) {
  auto call = BindTo(subject.bridge(), fit);
  if (!call.ok()) return call.status();
  Trial whole = RunOn(call->get(), fit, Usual(subject));
  if (!whole.status.ok() || !whole.fault.ok()) return whole.Finish();
  const int64_t rows = subject.options().rows;
  for (int64_t begin = 0; begin < rows;) {
    const int64_t end = std::min(rows, 2 * begin + 3);
    SampleOptions part = Usual(subject);
    part.first_row = begin;
    part.rows = end - begin;
    Trial trial = RunOn(call->get(), fit, part);
    if (!trial.status.ok()) return trial.status;
    if (!trial.fault.ok()) return trial.fault;
    const int64_t row = FirstDifference(*alloy_call_schema(call->get()), *whole.output,
                                        begin, *trial.output, 0, end - begin);
    if (row >= 0) {
      return Status::Invalid("row " + std::to_string(begin + row) +
                             " depends on other rows, though the function is flagged "
                             "ALLOY_ROWWISE");
    }
    if (Status status = trial.Finish(); !status.ok()) return status;
    begin = end;
  }
  return whole.Finish();
}

constexpr FunctionTest kTests[] = {
    {"returns the same output schema when it is bound again", &AnswersTheSameSchema},
    {"takes rows with nulls among them", &TakesRows},
    {"takes a batch without rows", &TakesNoRows},
    {"takes a batch of one row", &TakesOneRow},
    {"takes columns with only nulls", &TakesNullsAlone},
    {"takes columns without nulls", &TakesNoNulls},
    {"does not depend on where the rows are in memory", &SeesRowsAndNotTheirPlace},
    {"does not depend on what lies under nulls", &IgnoresWhatNoRowHas},
    {"frees the memory of each run", &FreesWhatItAllocates},
    {"carries nothing from one run to the next", &CarriesNothingOver},
    {"gives results that outlive call and bridge", &ResultsOutliveTheCall},
    {"gives results that any thread may release", &ResultsAreReleasedElsewhere},
    {"gives columns that outlive their batch", &ColumnsOutliveTheirBatch},
    {"serves two threads with two states", &TwoStatesAtOnce},
};

}  // namespace

std::vector<Attempt> AttemptsOf(const Subject& subject, const Fit& fit) {
  if ((fit.function->flags & ALLOY_STREAM) != 0) return StreamAttemptsOf(subject, fit);
  std::vector<Attempt> attempts;
  const SampleOptions usual = Usual(subject);
  SampleOptions no_nulls = usual, one = usual;
  no_nulls.null_share = 0;
  one.null_share = 0;
  one.rows = 1;
  const std::pair<const char*, SampleOptions> samples[] = {
      {" rows with nulls", usual}, {" rows without nulls", no_nulls}, {" row", one}};
  for (const auto& [what, options] : samples) {
    // How it succeeds is for the other tests.
    auto call = BindTo(subject.bridge(), fit);
    Status status = call.ok() ? RunOn(call->get(), fit, options).status : call.status();
    attempts.push_back({std::to_string(options.rows) + what, std::move(status)});
    if (attempts.back().status.ok()) break;
  }
  return attempts;
}

std::vector<FunctionTest> MapTests(const alloy_function& function) {
  if ((function.flags & ALLOY_STREAM) != 0) return {};
  std::vector<FunctionTest> tests(std::begin(kTests), std::end(kTests));
  if ((function.flags & ALLOY_ROWWISE) != 0) {
    tests.push_back({"gives each row from that row alone", &IsRowByRow});
  }
  return tests;
}

}  // namespace alloy::testing
