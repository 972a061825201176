// SPDX-License-Identifier: MIT
#include "worker/input_streams.h"

#include <cerrno>
#include <new>
#include <utility>

#include "arrow/schema.h"

namespace alloy::core {

std::shared_ptr<void> InputOwner(Connection& connection, uint64_t input) {
  struct Owner {
    Connection& connection;
    const uint64_t input;
    Owner(Connection& c, uint64_t i) : connection(c), input(i) {}
    ~Owner() { connection.ReleasedInput(input); }
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;
  };
  return std::make_shared<Owner>(connection, input);
}

// One input, as the backend holds it.
struct InputStreams::Port {
  std::shared_ptr<InputStreams> streams;
  size_t input;
  std::string last_error;
  bool ended = false;

  static Port& Of(ArrowArrayStream* stream) {
    return *static_cast<Port*>(stream->private_data);
  }

  static int GetSchema(ArrowArrayStream* stream, ArrowSchema* out) {
    Port& port = Of(stream);
    try {
      auto copy = CopySchema(*port.streams->inputs_[port.input].schema);
      if (!copy.ok()) return ENOMEM;
      copy->MoveTo(out);
      return 0;
    } catch (...) {
      return ENOMEM;
    }
  }
  static int GetNext(ArrowArrayStream* stream, ArrowArray* out) {
    *out = ArrowArray{};
    Port& port = Of(stream);
    if (port.ended) return 0;
    try {
      port.last_error.clear();
      const int number = port.streams->Pull(port.input, out, &port.last_error);
      port.ended = number == 0 && out->release == nullptr;
      return number;
    } catch (...) {
      return ENOMEM;
    }
  }
  static const char* GetLastError(ArrowArrayStream* stream) {
    const Port& port = Of(stream);
    return port.last_error.empty() ? nullptr : port.last_error.c_str();
  }
  static void Release(ArrowArrayStream* stream) {
    delete static_cast<Port*>(stream->private_data);
    stream->release = nullptr;
  }
};

void InputStreams::Export(size_t i, ArrowArrayStream* out) {
  *out = {.get_schema = &Port::GetSchema,
          .get_next = &Port::GetNext,
          .get_last_error = &Port::GetLastError,
          .release = &Port::Release,
          .private_data = new Port{shared_from_this(), i, {}}};
}

void InputStreams::HostWaits(uint64_t exchange) {
  const std::scoped_lock lock(mutex_);
  exchange_ = exchange;
  host_waits_ = true;
  turned_.notify_all();
}

void InputStreams::HostIsAnswered() {
  std::unique_lock lock(mutex_);
  turned_.wait(lock, [this] { return !pulls_; });
  host_waits_ = false;
}

void InputStreams::Close() {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  turned_.notify_all();
}

std::vector<uint64_t> InputStreams::TakeReleased() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(released_, {});
}

int InputStreams::Pull(size_t i, ArrowArray* out, std::string* text) {
  {
    std::unique_lock lock(mutex_);
    turned_.wait(lock, [this] { return closed_ || (host_waits_ && !pulls_); });
    if (closed_) {
      *text = "cannot read an input: the stream of results is already released";
      return ECANCELED;
    }
    pulls_ = true;
  }
  struct Turn {
    InputStreams& streams;
    ~Turn() {
      const std::scoped_lock lock(streams.mutex_);
      streams.pulls_ = false;
      streams.turned_.notify_all();
    }
  } const turn{*this};
  if (!connection_.Send(WorkerWord::kPull, exchange_,
                        [i](ByteWriter& body) { body.Put(static_cast<uint32_t>(i)); })) {
    return EIO;
  }
  auto message = connection_.Receive();
  if (!message.ok()) {
    *text = message.status().fault().text;
    return EIO;
  }
  if (!message->released.empty()) {
    const std::scoped_lock lock(mutex_);
    released_.insert(released_.end(), message->released.begin(), message->released.end());
  }
  ByteReader& in = message->body;
  const auto number = in.Get<int32_t>();
  *text = in.GetText();
  if (number != 0 || in.Get<uint8_t>() == 0) return number;
  const auto input = in.Get<uint64_t>();
  const Status read = inputs_[i].reader->Read(in, connection_.segments(), TakeOver::kView,
                                              InputOwner(connection_, input), out);
  if (read.ok()) return 0;
  *text = read.fault().text;
  return EIO;
}

}  // namespace alloy::core
