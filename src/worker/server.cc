// SPDX-License-Identifier: MIT
#include "worker/server.h"

#include <cerrno>
#include <string_view>
#include <utility>

#include "arrow/schema.h"
#include "base/guard.h"
#include "gate/batch.h"
#include "gate/copied.h"
#include "port/inherited_library.h"
#include "wire/schemas.h"
#include "wire/tables.h"
#include "worker/prepare.h"

namespace alloy::core {
void Server::Run() {
  for (;;) {
    auto message = connection_.Receive();
    if (!message.ok() || message->word == HostWord::kQuit) return;
    scope_.Enter(message->exchange, message->log_levels);
    Release(message->released);
    Answer(*message);
  }
}

// What a body cannot say in the room of a message becomes a failure that can.
void Server::Answer(HostMessage& message) {
  switch (message.word) {
    case HostWord::kLoad:
      return Load(message);
    case HostWord::kBind:
      return Bind(message);
    case HostWord::kUnbind:
      return Unbind(message);
    case HostWord::kRun:
      return RunFunction(message);
    case HostWord::kOpen:
      return Open(message);
    case HostWord::kNext:
      return Next(message);
    case HostWord::kClose:
      return Close(message);
    case HostWord::kNothing:
    case HostWord::kQuit:
    case HostWord::kBatch:
    case HostWord::kSegment:
      return;
  }
}

void Server::Release(std::span<const uint64_t> results) {
  for (const uint64_t result : results) {
    const auto found = results_.find(result);
    if (found == results_.end()) continue;
    // A release that throws has still released as much as it could.
    (void)ReleaseForeign(&found->second.array);
    results_.erase(found);
  }
}

// ---- Load

void Server::Load(HostMessage& message) {
  const Status status = LoadLibrary(message.body);
  const bool sent =
      connection_.Send(WorkerWord::kDone, message.exchange, [&](ByteWriter& out) {
        out.Put(status.code());
        out.Put(status.reason());
        out.PutWords(status.ok() ? "" : status.fault().text);
        out.Put(uint64_t{reached_.bits()});
        if (status.ok()) WriteTable(table_->backend(), out);
      });
  if (sent) return;
  (void)connection_.Send(WorkerWord::kDone, message.exchange, [&](ByteWriter& out) {
    out.Put(ALLOY_REFUSED);
    out.Put(ALLOY_REASON_TABLE);
    out.PutText(
        "the table of the backend is too large to cross to the host: it has more "
        "than " +
        std::to_string(kMessageBytes) + " bytes");
    out.Put(uint64_t{reached_.bits()});
  });
}

Status Server::LoadLibrary(ByteReader& in) {
  ALLOY_ASSIGN_OR_RETURN(const LoadOrder order, LoadOrder::Read(in));
  ALLOY_TRY(Prepare(order, &reached_));
  const std::string path = order.library + ": ";
  loader_ =
      std::make_unique<Loader>(order.plainly ? LoadFrom::kPath : LoadFrom::kSealedCopy);
  auto library =
      InheritedLibrary::Take(std::move(library_), order.library, order.is_linked);
  if (!library.ok()) return library.status().WithPrefix(path);
  auto code = loader_->Map(*std::move(library));
  if (!code.ok()) return code.status().WithPrefix(path);
  auto table = InitialiseBackend(*code, &WorkerServices(), &scope_);
  const std::string reported = scope_.TakeError().text;
  if (table.ok()) {
    table_ = *std::move(table);
    return CheckCrosses(table_->backend()).WithPrefix(path);
  }
  // A backend that returned no table explains why with the service `fail`.
  if (table.status().reason() == ALLOY_REASON_INIT && !reported.empty()) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_INIT,
                path + "alloy_backend_init failed: " + reported);
  }
  return table.status().WithPrefix(path);
}

// ---- Bind

// A failure of this side of the engine, not of the backend.
Server::Outcome Server::FailedBy(const Status& status) {
  return {status.code(), {status.code(), status.fault().text}, status.fault()};
}

Server::Outcome Server::Thrown(std::string text) {
  Outcome outcome;
  outcome.code = ALLOY_FAILED;
  outcome.error = {ALLOY_FAILED, std::move(text)};
  return outcome;
}

void Server::Outcome::Write(ByteWriter& out) const {
  out.Put(code);
  out.Put(error.code);
  out.PutWords(error.text);
  out.Put(fault.reason);
  out.Put(fault.column);
  out.Put(static_cast<uint8_t>(fault.code != ALLOY_OK));
}

std::string Server::NameOf(const Bound& bound) const {
  return std::string(bound.function->name) + " of " + table_->backend().name;
}

Server::Bound* Server::Find(uint64_t id) {
  const auto found = bound_.find(id);
  return found != bound_.end() ? &found->second : nullptr;
}

void Server::Bind(HostMessage& message) {
  const auto id = message.body.Get<uint64_t>();
  Outcome outcome;
  OwnedSchema output;
  Status status = BindFunction(message.body, id, &outcome, &output);
  if (!status.ok()) outcome = FailedBy(status);
  const bool sent =
      connection_.Send(WorkerWord::kDone, message.exchange, [&](ByteWriter& out) {
        outcome.Write(out);
        if (outcome.code != ALLOY_OK) return;
        status = WriteSchema(*output, out);
        // The host gets one answer: a half schema is none.
        if (!status.ok()) out.Fail();
      });
  if (sent) return;
  // The host does not hear of it, and would never free it.
  (void)Drop(id);
  outcome = FailedBy(status.ok() ? Fail(ALLOY_EXHAUSTED,
                                        "the schema of the result is too large to cross")
                                 : status);
  (void)connection_.Send(WorkerWord::kDone, message.exchange,
                         [&](ByteWriter& out) { outcome.Write(out); });
}

Status Server::BindFunction(ByteReader& in, uint64_t id, Outcome* outcome,
                            OwnedSchema* output) {
  const auto index = in.Get<uint32_t>();
  const alloy_function* const* functions = table_->backend().functions;
  for (uint32_t i = 0; i <= index; ++i) {
    if (functions[i] == nullptr) return Fail(ALLOY_INTERNAL, "a function is not there");
  }
  Bound bound;
  bound.function = functions[index];
  std::vector<ArrowSchema> schemas;
  for (auto n = in.Get<uint32_t>(); n > 0; --n) {
    ALLOY_ASSIGN_OR_RETURN(OwnedSchema schema, ReadSchema(in));
    ALLOY_ASSIGN_OR_RETURN(Layout layout, Layout::OfBatch(*schema));
    schemas.push_back(*schema);
    bound.schemas.push_back(std::move(schema));
    bound.inputs.push_back(std::make_unique<Layout>(std::move(layout)));
    bound.readers.push_back(std::make_unique<RecordReader>(*bound.inputs.back()));
  }
  std::vector<std::string> texts;
  for (auto n = in.Get<uint32_t>(); n > 0 && in.ok(); --n) {
    texts.emplace_back(in.GetText());
  }
  std::vector<const char*> values;
  values.reserve(texts.size() + 1);
  for (const std::string& text : texts) values.push_back(text.c_str());
  values.push_back(nullptr);
  if (!in.ok()) return Fail(ALLOY_INTERNAL, "a message of the host is cut");
  std::string thrown;
  if (!EnterForeign(&thrown, [&] {
        outcome->code =
            bound.function->bind(bound.function->self, &scope_, schemas.data(),
                                 static_cast<int32_t>(schemas.size()), values.data(),
                                 output->get(), &bound.state);
      })) {
    outcome->code = ALLOY_FAILED;
    outcome->error = {ALLOY_FAILED, std::move(thrown)};
    return Status();
  }
  outcome->error = scope_.TakeError();
  Status status = DisarmSchema(NameOf(bound), schemas, output->get());
  if (outcome->code != ALLOY_OK) return status;
  if (status.ok()) {
    status = ReadOutput(bound, **output)
                 .WithPrefix("the schema that " + NameOf(bound) + " returned: ");
  }
  if (status.ok()) {
    (void)Drop(id);
    bound_.insert_or_assign(id, std::move(bound));
  } else if (bound.function->unbind != nullptr) {
    EnterForeign(&thrown, [&] { bound.function->unbind(bound.state); });
  }
  return status;
}

// The checks of the engine, since a malformed schema cannot cross.
Status Server::ReadOutput(Bound& bound, const ArrowSchema& schema) {
  ALLOY_ASSIGN_OR_RETURN(Layout layout, Layout::OfBatch(schema));
  std::string unused;
  ALLOY_TRY(AppendFingerprint(schema, &unused));
  bound.output = std::make_unique<Layout>(std::move(layout));
  bound.writer = std::make_unique<RecordWriter>(*bound.output);
  return Status();
}

std::string Server::Drop(uint64_t id) {
  std::string thrown;
  const auto found = bound_.find(id);
  if (found == bound_.end()) return thrown;
  const Bound& bound = found->second;
  if (bound.function->unbind != nullptr) {
    EnterForeign(&thrown, [&] { bound.function->unbind(bound.state); });
  }
  bound_.erase(found);
  return thrown;
}

void Server::Unbind(HostMessage& message) {
  const std::string thrown = Drop(message.body.Get<uint64_t>());
  (void)connection_.Send(WorkerWord::kDone, message.exchange,
                         [&](ByteWriter& out) { out.PutWords(thrown); });
}

// ---- Results

Result<std::byte*> Server::ReserveForCopy(uint64_t size, uint64_t exchange) {
  void* memory = ResultMemory().Allocate(size);
  if (memory != nullptr) return static_cast<std::byte*>(memory);
  const auto no_memory = [size] {
    return Fail(ALLOY_EXHAUSTED,
                "a result needs " + std::to_string(size) +
                    " bytes of shared memory, which output_bytes allows, but the machine "
                    "has no memory for them; free memory, or raise the memory limit of "
                    "the host or its container");
  };
  if (ResultMemory().HasRoomFor(size)) return no_memory();
  if (!connection_.Send(WorkerWord::kNeed, exchange,
                        [size](ByteWriter& out) { out.Put(size); })) {
    return Fail(ALLOY_INTERNAL, "a message to the host is full");
  }
  ALLOY_ASSIGN_OR_RETURN(HostMessage message, connection_.Receive());
  Release(message.released);
  const auto code = message.body.Get<alloy_code>();
  const std::string text(message.body.GetText());
  if (code != ALLOY_OK) return Fail(code, text);
  memory = ResultMemory().Allocate(size);
  if (memory != nullptr) return static_cast<std::byte*>(memory);
  return no_memory();
}

Result<uint64_t> Server::Keep(Bound& bound, OwnedArray array, uint64_t exchange) {
  if (bound.writer == nullptr) return Fail(ALLOY_INTERNAL, "the function is not bound");
  Status status = AdmitBatch(*bound.output, {Level::kShape, false}, array.get());
  if (status.ok()) status = bound.writer->Plan(*array, connection_.segments());
  if (!status.ok()) return status.WithPrefix("the result of " + NameOf(bound) + ": ");
  void* copy = nullptr;
  if (const uint64_t size = bound.writer->copied_bytes(); size > 0) {
    ALLOY_ASSIGN_OR_RETURN(std::byte* const place, ReserveForCopy(size, exchange));
    copy = place;
    for (const SegmentView& segment : connection_.segments()) {
      if (place >= segment.bytes.data() &&
          place < segment.bytes.data() + segment.bytes.size()) {
        bound.writer->Copy(place, segment.number,
                           static_cast<uint64_t>(place - segment.bytes.data()));
      }
    }
  }
  results_.try_emplace(++last_result_, std::move(array), copy);
  return last_result_;
}

void Server::SendOutcome(uint64_t exchange, const Outcome& outcome, const Bound* bound,
                         const Result<uint64_t>* result) {
  const auto send = [&](const Outcome& what, bool with_result) {
    return connection_.Send(WorkerWord::kDone, exchange, [&](ByteWriter& out) {
      what.Write(out);
      out.Put(static_cast<uint8_t>(with_result));
      if (!with_result) return;
      out.Put(**result);
      bound->writer->Write(out);
    });
  };
  if (result != nullptr && !result->ok()) {
    (void)send(FailedBy(result->status()), false);
    return;
  }
  if (send(outcome, result != nullptr)) return;
  if (result != nullptr) results_.erase(**result);
  (void)send(FailedBy(Fail(ALLOY_EXHAUSTED,
                           "the result has too many columns or buffers to cross to the "
                           "host")),
             false);
}

// ---- Run

void Server::RunFunction(HostMessage& message) {
  ByteReader& in = message.body;
  Bound* const bound = Find(in.Get<uint64_t>());
  const auto n = in.Get<uint32_t>();
  if (bound == nullptr || n != bound->inputs.size()) {
    return SendOutcome(message.exchange,
                       FailedBy(Fail(ALLOY_INTERNAL, "the function is not bound here")),
                       nullptr, nullptr);
  }
  std::vector<ArrowArray>& inputs = bound->arrays;
  inputs.assign(n, ArrowArray{});
  const ReleaseRest<ArrowArray> rest(inputs.data(), n);
  for (uint32_t i = 0; i < n; ++i) {
    const auto input = in.Get<uint64_t>();
    const Status read =
        bound->readers[i]->Read(in, connection_.segments(), TakeOver::kView,
                                InputOwner(connection_, input), &inputs[i]);
    if (!read.ok()) {
      return SendOutcome(message.exchange, FailedBy(read), nullptr, nullptr);
    }
  }
  given_.assign(inputs.begin(), inputs.end());
  Outcome outcome;
  OwnedArray output;
  std::string thrown;
  if (!EnterForeign(&thrown, [&] {
        outcome.code = bound->function->run(bound->state, &scope_, inputs.data(),
                                            static_cast<int32_t>(n), output.get());
      })) {
    outcome = Thrown(std::move(thrown));
    scope_.TakeError();
  } else {
    outcome.error = scope_.TakeError();
  }
  if (const Copied copied = Disarm(*bound->output, {given_, inputs}, output.get());
      copied.any()) {
    (void)ReleaseForeign(&output);
    outcome = FailedBy(copied.Describe(NameOf(*bound), outcome.error.text));
  }
  (void)rest.Release();
  if (outcome.code != ALLOY_OK) {
    (void)ReleaseForeign(&output);
    return SendOutcome(message.exchange, outcome, nullptr, nullptr);
  }
  if (!output) return SendOutcome(message.exchange, outcome, nullptr, nullptr);
  const Result<uint64_t> kept = Keep(*bound, std::move(output), message.exchange);
  SendOutcome(message.exchange, outcome, bound, &kept);
}

// ---- Streams

void Server::Open(HostMessage& message) {
  ByteReader& in = message.body;
  Bound* const bound = Find(in.Get<uint64_t>());
  if (bound == nullptr || streaming_ != nullptr) {
    return SendOutcome(message.exchange,
                       FailedBy(Fail(ALLOY_INTERNAL, "the function is not bound here")),
                       nullptr, nullptr);
  }
  const size_t n = bound->inputs.size();
  std::vector<InputStreams::Input> inputs;
  for (size_t i = 0; i < n; ++i) {
    auto schema = CopySchema(*bound->schemas[i]);
    if (!schema.ok()) {
      return SendOutcome(message.exchange, FailedBy(schema.status()), nullptr, nullptr);
    }
    inputs.push_back({*std::move(schema), bound->readers[i].get()});
  }
  inputs_ = std::make_shared<InputStreams>(connection_, std::move(inputs));
  std::vector<ArrowArrayStream> streams(n);
  const ReleaseRest<ArrowArrayStream> rest(streams.data(), n);
  for (size_t i = 0; i < n; ++i) inputs_->Export(i, &streams[i]);
  streaming_ = bound;
  inputs_->HostWaits(message.exchange);
  Outcome outcome;
  std::string thrown;
  if (!EnterForeign(&thrown, [&] {
        outcome.code = bound->function->open(bound->state, &scope_, streams.data(),
                                             static_cast<int32_t>(n), stream_.get());
      })) {
    outcome = Thrown(std::move(thrown));
    scope_.TakeError();
  } else {
    outcome.error = scope_.TakeError();
  }
  inputs_->HostIsAnswered();
  if (const Status moved = DisarmStreams(NameOf(*bound), streams, stream_.get());
      !moved.ok()) {
    outcome =
        FailedBy(outcome.code == ALLOY_OK
                     ? moved
                     : moved.WithSuffix("; open also failed: " + outcome.error.text));
  }
  if (outcome.code == ALLOY_OK && (!stream_ || stream_->get_next == nullptr)) {
    outcome = Thrown(std::string(bound->function->name) +
                     " opened no stream, and reported no error");
  }
  (void)rest.Release();
  if (outcome.code != ALLOY_OK) EndStream(&thrown);
  Release(inputs_ != nullptr ? inputs_->TakeReleased() : std::vector<uint64_t>());
  SendOutcome(message.exchange, outcome, nullptr, nullptr);
}

void Server::Next(HostMessage& message) {
  const auto send = [&](int32_t number, const Outcome& outcome,
                        const std::string& last_error) {
    (void)connection_.Send(WorkerWord::kDone, message.exchange, [&](ByteWriter& out) {
      outcome.Write(out);
      out.Put(uint8_t{0});
      out.Put(number);
      out.PutWords(last_error);
    });
  };
  if (streaming_ == nullptr) {
    return send(EINVAL, FailedBy(Fail(ALLOY_INTERNAL, "no stream is open here")), "");
  }
  inputs_->HostWaits(message.exchange);
  OwnedArray batch;
  int number = EIO;
  std::string thrown, last_error;
  const bool came_back = EnterForeign(
      &thrown, [&] { number = stream_->get_next(stream_.get(), batch.get()); });
  // A failed call may leave anything in the struct, and nobody owns it.
  if (!came_back || number != 0) *batch.get() = ArrowArray{};
  if (came_back && number != 0 && stream_->get_last_error != nullptr) {
    std::string ignored;
    EnterForeign(&ignored, [&] {
      const char* const last = stream_->get_last_error(stream_.get());
      if (last != nullptr) last_error = last;
    });
  }
  inputs_->HostIsAnswered();
  Release(inputs_->TakeReleased());
  Outcome outcome;
  outcome.error = scope_.TakeError();
  if (!came_back) {
    outcome.error = {ALLOY_FAILED, std::move(thrown)};
    number = EIO;
  }
  if (number != 0 || !batch) return send(number, outcome, last_error);
  const Result<uint64_t> kept = Keep(*streaming_, std::move(batch), message.exchange);
  SendOutcome(message.exchange, outcome, streaming_, &kept);
}

void Server::Close(HostMessage& message) {
  std::string thrown;
  EndStream(&thrown);
  (void)connection_.Send(WorkerWord::kDone, message.exchange,
                         [&](ByteWriter& out) { out.PutWords(thrown); });
}

void Server::EndStream(std::string* thrown) {
  if (inputs_ != nullptr) inputs_->Close();
  *thrown = ReleaseForeign(&stream_);
  if (inputs_ != nullptr) Release(inputs_->TakeReleased());
  inputs_.reset();
  streaming_ = nullptr;
}

}  // namespace alloy::core
