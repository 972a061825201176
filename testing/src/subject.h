// SPDX-License-Identifier: MIT
//
// A backend under test, as the C ABI shows it: bound, run, and looked after.
//
// Threads  Subject, Fit: shared. Trial: one.
#ifndef ALLOY_TESTING_SRC_SUBJECT_H_
#define ALLOY_TESTING_SRC_SUBJECT_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "alloy/alloy.hpp"
#include "alloy/testing/conformance.hpp"
#include "alloy/testing/sample.hpp"
#include "candidates.h"

namespace alloy::testing {

struct FreeBridge {
  void operator()(alloy_bridge* bridge) const { alloy_bridge_free(bridge); }
};
using BridgeHandle = std::unique_ptr<alloy_bridge, FreeBridge>;
using CallHandle = std::unique_ptr<alloy_call, detail::FreeCall>;

// Values of a function's options, in the order that alloy_call_bind wants them.
using OptionValues = std::vector<std::string>;

class Subject {
 public:
  // Make a host and a bridge, and load the library.
  Status Open(const ConformanceOptions& options);

  // A bridge of its own on the same library.
  Result<BridgeHandle> NewBridge() const;

  alloy_bridge* bridge() const { return bridge_.get(); }
  const ConformanceOptions& options() const { return options_; }

  // What the engine has warned about since the last call; empty: nothing.
  std::string TakeWarnings() const;

  // The values that the options of the test give for a function.
  OptionValues ValuesFor(const alloy_function& function) const;

 private:
  // Warnings come on any thread.
  struct Warnings {
    std::mutex mutex;
    std::string text;
  };

  ConformanceOptions options_;
  std::shared_ptr<Warnings> warnings_ = std::make_shared<Warnings>();
  std::unique_ptr<Host> host_;
  BridgeHandle bridge_;
};

// A function with inputs that fit it.
struct Fit {
  const alloy_function* function = nullptr;
  OptionValues values;
  Inputs inputs;

  std::string Text() const;  // the inputs, for people
};

Result<CallHandle> BindTo(alloy_bridge* bridge, const Fit& fit);

// One run: what went in, and what came out.
struct Trial {
  Status status;  // of the call
  Status fault;   // of the backend, seen right after the call
  std::vector<Sample> samples;
  OwnedArray output;

  // Release the output, and judge that and the inputs.
  Status Finish();
  // Release the output as every importer does; an error if it does not mark itself.
  Status ReleaseOutput();
};

Trial RunOn(alloy_call* call, const Fit& fit, const SampleOptions& options);

// Release an array; an error if it is not marked as released afterwards.
Status ReleaseAndCheck(OwnedArray array);

// Whether a result points into memory of which `is_gone` is true. Then nobody may read it.
template <typename IsGone>
bool PointsInto(const ArrowArray& array, const IsGone& is_gone) {
  for (int64_t i = 0; i < array.n_buffers; ++i) {
    if (array.buffers[i] != nullptr && is_gone(array.buffers[i])) return true;
  }
  for (int64_t c = 0; c < array.n_children; ++c) {
    if (PointsInto(*array.children[c], is_gone)) return true;
  }
  return array.dictionary != nullptr && PointsInto(*array.dictionary, is_gone);
}
inline constexpr char kPointsIntoGone[] =
    "the result points into an input that was given back; move the input, or the column, "
    "into the result instead";

// Whether a result has nulls in a column that its schema declares without nulls.
Status CheckNullable(const ArrowSchema& schema, const ArrowArray& array);

// Whether two trials of one fit came out the same; else why not.
Status SameOutcome(const alloy_call* call, const Trial& a, const Trial& b);

// An error of the backend's own with a text is an answer; anything else is a fault.
Status Accept(const Status& status);

}  // namespace alloy::testing

#endif  // ALLOY_TESTING_SRC_SUBJECT_H_
