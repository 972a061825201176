// SPDX-License-Identifier: MIT
//
// For the tests of streams: foreign streams made of lambdas, on both sides of the engine.
#ifndef ALLOY_SRC_ENGINE_STREAM_TEST_STREAM_H_
#define ALLOY_SRC_ENGINE_STREAM_TEST_STREAM_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arrow/schema.h"
#include "engine/stream/call_stream.h"
#include "engine/stream/stream.h"
#include "engine/test_backend.h"

namespace alloy::core {

// What a foreign stream does, and what was done to it.
struct TestStream {
  // The next batch, or an errno; `text` is then what get_last_error returns.
  std::function<int(TestStream&, ArrowArray*)> next;
  Names columns = {"out"};
  std::function<OwnedSchema(const Names&)> schema = Int64Schema;
  int schema_errno = 0;
  std::string text;
  int pulls = 0;
  int releases = 0;
  std::function<void()> gone;  // called when this ends

  TestStream() = default;
  TestStream(const TestStream&) = default;
  TestStream& operator=(const TestStream&) = default;
  ~TestStream() {
    if (gone) gone();
  }

  // Borrows itself: it must outlive the stream.
  ArrowArrayStream Make() {
    return {.get_schema =
                [](ArrowArrayStream* stream, ArrowSchema* out) {
                  TestStream& self = Of(stream);
                  if (self.schema_errno == 0) self.schema(self.columns).MoveTo(out);
                  return self.schema_errno;
                },
            .get_next =
                [](ArrowArrayStream* stream, ArrowArray* out) {
                  TestStream& self = Of(stream);
                  ++self.pulls;
                  return self.next(self, out);
                },
            .get_last_error = [](ArrowArrayStream* stream) -> const char* {
              TestStream& self = Of(stream);
              return self.text.empty() ? nullptr : self.text.c_str();
            },
            .release =
                [](ArrowArrayStream* stream) {
                  ++Of(stream).releases;
                  stream->release = nullptr;
                },
            .private_data = this};
  }

  int Fail(int number, std::string said) {
    text = std::move(said);
    return number;
  }

 private:
  static TestStream& Of(ArrowArrayStream* stream) {
    return *static_cast<TestStream*>(stream->private_data);
  }
};

// A stream of one row of one int64 column for each of `values`, then the end.
inline TestStream StreamOfValues(Names columns, std::vector<int64_t> values,
                                 Releases* releases) {
  TestStream stream;
  stream.columns = std::move(columns);
  stream.next = [values = std::move(values), releases](TestStream& self,
                                                       ArrowArray* out) {
    const auto at = static_cast<size_t>(self.pulls - 1);
    if (at >= values.size()) {
      *out = ArrowArray{};
      return 0;
    }
    std::vector<std::vector<int64_t>> batch(self.columns.size(), {values[at]});
    *out = Int64Batch(std::move(batch), releases);
    return 0;
  };
  return stream;
}

// Calls on lambdas_ as a stream function; `open` gives `answer`, made over its inputs.
class StreamTest : public EngineTest {
 protected:
  std::shared_ptr<Call> MakeCall(const std::vector<Names>& inputs) {
    return std::shared_ptr<Call>(Make(inputs));
  }

  // A stream function that keeps its inputs, and gives what `answer` does.
  void Answer(std::function<int(TestStream&, ArrowArray*)> next) {
    lambdas_.function.flags = ALLOY_STREAM;
    answer_.next = std::move(next);
    lambdas_.open = [this](alloy_scope* scope, ArrowArrayStream* inputs, int32_t n,
                           ArrowArrayStream* output) {
      scope_ = scope;
      kept_.clear();
      for (int32_t i = 0; i < n; ++i) kept_.emplace_back(&inputs[i]);
      *output = answer_.Make();
      return ALLOY_OK;
    };
  }

  // An input that ends before this fixture is not used after its end.
  void EndWith(TestStream* input) {
    input->gone = [this] {
      batch_.Release();
      stream_.Release();
      kept_.clear();
    };
  }

  // What a pull from a kept input returns.
  int PullKept(size_t input, ArrowArray* out) {
    return kept_[input]->get_next(kept_[input].get(), out);
  }

  Status Open(const std::shared_ptr<Call>& call, const std::vector<TestStream*>& inputs,
              int64_t timeout_ns = 0, uint64_t ticket = 0) {
    std::vector<ArrowArrayStream> streams;
    streams.reserve(inputs.size());
    for (TestStream* input : inputs) {
      EndWith(input);
      streams.push_back(input->Make());
    }
    ArrowArrayStream output;
    const Status status =
        OpenCallStream(call, streams.data(), static_cast<int32_t>(streams.size()),
                       &output, timeout_ns, ticket);
    for (const ArrowArrayStream& stream : streams) {
      EXPECT_EQ(stream.release == nullptr, status.code() != ALLOY_BUSY);
    }
    EXPECT_EQ(output.release != nullptr, status.ok());
    stream_ = OwnedArrayStream(&output);
    return status;
  }

  // The errno; a batch is left in batch_.
  int Next() {
    ArrowArray out;
    const int number = stream_->get_next(stream_.get(), &out);
    if (number != 0) {
      EXPECT_EQ(out.release, nullptr);
    }
    batch_ = OwnedArray(&out);
    return number;
  }
  int64_t Value() const { return Int64Values(*batch_->children[0]).at(0); }
  Fault TheFault() const {
    const StreamFault* fault = FaultOf(*stream_);
    return fault == nullptr || fault->ok() ? Fault() : fault->status.fault();
  }
  std::string LastError() {
    const char* said = stream_->get_last_error(stream_.get());
    return said == nullptr ? "" : said;
  }

  TestStream answer_;
  std::vector<OwnedArrayStream> kept_;
  alloy_scope* scope_ = nullptr;
  OwnedArrayStream stream_;
  OwnedArray batch_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_STREAM_TEST_STREAM_H_
