// SPDX-License-Identifier: MIT
#include "worker/connection.h"

#include <algorithm>
#include <string>

#include "port/descriptors.h"
#include "worker/result_memory.h"

namespace alloy::core {
namespace {

// A message tells of so many releases at most; the rest waits for the next one.
constexpr size_t kMostTold = 4096;

Status HostIsGone(std::string text) { return Fail(ALLOY_CLOSED, std::move(text)); }

}  // namespace

Result<HostMessage> Connection::Receive() {
  Receiver::Event event;
  do {
    event = receiver_.Wait(-1);
    if (event == Receiver::Event::kClosed) return HostIsGone("the host has closed");
  } while (event != Receiver::Event::kMessage);
  const size_t size = std::min<size_t>(
      control_.to_worker.length.load(std::memory_order_relaxed), kMessageBytes);
  ByteReader in({control_.for_worker.data(), size});
  HostMessage message;
  message.word = in.Get<HostWord>();
  message.log_levels = in.Get<uint32_t>();
  message.exchange = in.Get<uint64_t>();
  const auto n_released = in.Get<uint32_t>();
  released_results_.clear();
  for (uint32_t i = 0; i < n_released && in.ok(); ++i) {
    released_results_.push_back(in.Get<uint64_t>());
  }
  message.released = released_results_;
  ALLOY_TRY(AddSegments(&in));
  if (!in.ok()) return HostIsGone("a message of the host is cut");
  message.body = in;
  return message;
}

Status Connection::AddSegments(ByteReader* in) {
  const auto n = in->Get<uint32_t>();
  for (uint32_t i = 0; i < n && in->ok(); ++i) {
    const auto number = in->Get<uint32_t>();
    const bool writable = in->Get<uint8_t>() != 0;
    Fd file;
    if (const int error = ReceiveDescriptor(socket_, &file); error != 0) {
      return HostIsGone("a segment did not arrive: " + ErrorText(error));
    }
    ALLOY_ASSIGN_OR_RETURN(SharedMemory memory,
                           SharedMemory::Attach(std::move(file), writable));
    segments_.push_back({number, {memory.data(), memory.size()}});
    SharedMemory& kept = mappings_.emplace_back(std::move(memory));
    if (writable) ResultMemory().Add(kept.data(), kept.size(), &kept);
  }
  return Status();
}

void Connection::ReleasedInput(uint64_t input) noexcept {
  try {
    const std::scoped_lock lock(mutex_);
    released_.push_back(input);
  } catch (...) {
    // The host keeps the memory of the input until this worker ends.
  }
}

size_t Connection::WriteHead(WorkerWord word, uint64_t exchange, ByteWriter* out) {
  out->Put(word);
  const std::scoped_lock lock(mutex_);
  const size_t told = std::min(released_.size(), kMostTold);
  out->Put(static_cast<uint32_t>(told));
  out->Put(exchange);
  out->PutBytes(released_.data(), told * sizeof(uint64_t));
  out->Put(ResultMemory().used());
  return told;
}

void Connection::Sent(size_t told) {
  if (told == 0) return;
  const std::scoped_lock lock(mutex_);
  released_.erase(released_.begin(), released_.begin() + static_cast<ptrdiff_t>(told));
}

}  // namespace alloy::core
