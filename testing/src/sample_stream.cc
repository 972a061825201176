// SPDX-License-Identifier: MIT
#include "alloy/testing/sample_stream.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <deque>
#include <utility>

namespace alloy::testing {

struct SampleStream::State {
  Spec spec;
  SampleStreamOptions options;
  mutable std::deque<Sample> given;  // they never move
  mutable std::atomic<int> releases{0};
  mutable bool moved = false;
  bool failed = false;
};

// The four entries of a stream; nothing is thrown out of them.
struct SampleStream::Callbacks {
  static SampleStream::State& Of(ArrowArrayStream* stream) {
    return *static_cast<SampleStream::State*>(stream->private_data);
  }

  static int GetSchema(ArrowArrayStream* stream, ArrowSchema* out) noexcept {
    try {
      SchemaOf(Of(stream).spec).MoveTo(out);
      return 0;
    } catch (...) {
      return ENOMEM;
    }
  }

  static int GetNext(ArrowArrayStream* stream, ArrowArray* out) noexcept {
    try {
      auto& state = Of(stream);
      *out = ArrowArray{};
      if (state.given.size() == state.options.batches.size()) {
        state.failed = state.options.fails;
        return state.failed ? state.options.error_code : 0;
      }
      state.given.emplace_back(state.spec, state.options.batches[state.given.size()]);
      state.given.back().MoveArray(out);
      return 0;
    } catch (...) {
      return ENOMEM;
    }
  }

  static const char* GetLastError(ArrowArrayStream* stream) noexcept {
    const auto& state = Of(stream);
    return state.failed ? state.options.error_text.c_str() : nullptr;
  }

  static void Release(ArrowArrayStream* stream) noexcept {
    ++Of(stream).releases;
    stream->release = nullptr;
  }
};

SampleStream::SampleStream(const Spec& batch, SampleStreamOptions options)
    : state_(std::make_unique<State>()) {
  state_->spec = batch;
  state_->options = std::move(options);
}
SampleStream::SampleStream(SampleStream&&) noexcept = default;
SampleStream& SampleStream::operator=(SampleStream&&) noexcept = default;
SampleStream::~SampleStream() = default;

void SampleStream::MoveStream(ArrowArrayStream* out) const {
  *out = {.get_schema = &Callbacks::GetSchema,
          .get_next = &Callbacks::GetNext,
          .get_last_error = &Callbacks::GetLastError,
          .release = &Callbacks::Release,
          .private_data = state_.get()};
  state_->moved = true;
}

int64_t SampleStream::pulled() const {
  return static_cast<int64_t>(state_->given.size());
}

bool SampleStream::IsGone(const void* address) const {
  return std::ranges::any_of(
      state_->given, [address](const Sample& sample) { return sample.IsGone(address); });
}

bool SampleStream::failed() const { return state_->failed; }

Status SampleStream::verdict() const {
  for (const Sample& sample : state_->given) {
    if (Status status = sample.verdict(); !status.ok()) return status;
  }
  const int releases = state_->releases.load();
  if (releases > 1) return Status::Invalid("an input stream was released more than once");
  if (state_->moved && releases == 0) {
    return Status::Invalid("an input stream was never released: it leaks");
  }
  return Status();
}

}  // namespace alloy::testing
