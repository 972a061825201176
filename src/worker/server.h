// SPDX-License-Identifier: MIT
//
// Does what the host asks, one thing after another, until the host is gone.
#ifndef ALLOY_SRC_WORKER_SERVER_H_
#define ALLOY_SRC_WORKER_SERVER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "arrow/owned.h"
#include "load/load.h"
#include "port/fd.h"
#include "port/restrict.h"
#include "wire/records.h"
#include "worker/connection.h"
#include "worker/input_streams.h"
#include "worker/result_memory.h"
#include "worker/worker_scope.h"

namespace alloy::core {

// Threads  serial: the main thread of the worker.
class Server {
 public:
  // `reached` are the restrictions that hold already.
  //
  //   Borrows  connection.
  //   Takes    library: the sealed copy, which the process inherited.
  Server(Connection& connection, Fd library, Restrictions reached)
      : connection_(connection), library_(std::move(library)), reached_(reached) {}

  // Until the host is gone, or says that it needs this worker no more.
  void Run();

 private:
  // One bound function.
  struct Bound {
    const alloy_function* function = nullptr;
    void* state = nullptr;
    std::vector<OwnedSchema> schemas;  // of the inputs
    std::vector<std::unique_ptr<Layout>> inputs;
    std::unique_ptr<Layout> output;
    std::vector<std::unique_ptr<RecordReader>> readers;
    std::unique_ptr<RecordWriter> writer;
    std::vector<ArrowArray> arrays;  // the inputs of a run; kept for its memory
  };
  // What the host may still read.
  struct Kept {
    OwnedArray array;
    void* copy = nullptr;  // in the arena

    Kept(OwnedArray a, void* c) : array(std::move(a)), copy(c) {}
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;
    ~Kept() { ResultMemory().Free(copy); }
  };
  // `score of acme.models`, for texts.
  std::string NameOf(const Bound& bound) const;
  // Of the schema that a bind returned.
  static Status ReadOutput(Bound& bound, const ArrowSchema& schema);
  static Fault NoFault() {
    Fault fault;
    fault.code = ALLOY_OK;
    return fault;
  }
  // What a backend returned for one exchange.
  struct Outcome {
    alloy_code code = ALLOY_OK;
    WorkerScope::Error error;  // what the backend reported
    Fault fault = NoFault();   // what the engine's side found; OK: nothing

    void Write(ByteWriter& out) const;
  };

  void Answer(HostMessage& message);
  void Load(HostMessage& message);
  void Bind(HostMessage& message);
  void Unbind(HostMessage& message);
  void RunFunction(HostMessage& message);
  void Open(HostMessage& message);
  void Next(HostMessage& message);
  void Close(HostMessage& message);

  Status LoadLibrary(ByteReader& in);
  Status BindFunction(ByteReader& in, uint64_t id, Outcome* outcome, OwnedSchema* output);
  // Leave a result where the host can read it. Returns its number.
  Result<uint64_t> Keep(Bound& bound, OwnedArray array, uint64_t exchange);
  Result<std::byte*> ReserveForCopy(uint64_t size, uint64_t exchange);
  void SendOutcome(uint64_t exchange, const Outcome& outcome, const Bound* bound,
                   const Result<uint64_t>* result);
  static Outcome FailedBy(const Status& status);
  static Outcome Thrown(std::string text);
  Bound* Find(uint64_t id);
  // Unbind a function, if it is bound. Returns what the backend threw.
  std::string Drop(uint64_t id);
  void Release(std::span<const uint64_t> results);
  void EndStream(std::string* thrown);

  Connection& connection_;
  Fd library_;
  Restrictions reached_;
  WorkerScope scope_{connection_.control()};
  std::unique_ptr<Loader> loader_;
  std::shared_ptr<const BackendTable> table_;
  std::unordered_map<uint64_t, Bound> bound_;
  std::unordered_map<uint64_t, Kept> results_;
  uint64_t last_result_ = 0;
  std::vector<ArrowArray> given_;  // what a run got; a member, so that its room stays
  // The open stream. A worker has one at most.
  Bound* streaming_ = nullptr;
  OwnedArrayStream stream_;
  std::shared_ptr<InputStreams> inputs_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_WORKER_SERVER_H_
