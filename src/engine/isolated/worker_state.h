// SPDX-License-Identifier: MIT
//
// A bind of a function in workers. A worker that starts later knows none of the earlier
// binds, so a state keeps what it was bound with.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_WORKER_STATE_H_
#define ALLOY_SRC_ENGINE_ISOLATED_WORKER_STATE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arrow/layout.h"
#include "arrow/owned.h"
#include "engine/isolated/pool.h"
#include "wire/records.h"

namespace alloy::core {

// Threads  serial.
struct WorkerState {
  uint64_t id = 0;
  uint32_t function = 0;  // its place in the table
  const char* name = "";
  bool may_repeat = false;
  std::vector<OwnedSchema> schemas;
  std::vector<std::string> values;
  std::vector<std::unique_ptr<Layout>> layouts;
  std::vector<std::unique_ptr<RecordWriter>> writers;
  std::string output_key;  // what makes the schema of the output different from others
  std::unique_ptr<Layout> output;
  std::unique_ptr<RecordReader> reader;
  std::vector<Worker::Input> prepared;  // of a run; kept for its memory
  uint64_t batches = 0;
  int64_t rows = -1;                         // of the run; -1: unknown
  std::optional<WorkerPool::Turn> reserved;  // for a stream that is about to open
};

// What a backend answered.
struct WorkerAnswer {
  alloy_code code = ALLOY_OK;
  ByteReader rest{{}};
};

// Read the head of an answer. The scope gets what the backend reported, or what the engine's
// side in the worker found.
Result<WorkerAnswer> ReadAnswer(Worker& worker, const Worker::Ask& ask, ByteReader in,
                                Scope& scope);

// Make a worker know a state, and forget those that nobody needs. `output` may be NULL.
// Returns the code of the backend's bind.
Result<alloy_code> BindIn(Worker& worker, WorkerState& state, Scope& scope,
                          OwnedSchema* output);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_ISOLATED_WORKER_STATE_H_
