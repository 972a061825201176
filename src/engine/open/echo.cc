// SPDX-License-Identifier: MIT
#include "engine/open/echo.h"

#include <memory>
#include <string>
#include <vector>

#include "alloy/block.hpp"
#include "arrow/owned.h"
#include "arrow/schema.h"
#include "base/guard.h"
#include "gate/describe.h"

namespace alloy::core {
namespace {

// The schemas of the inputs, which the log lines need.
using EchoState = std::vector<OwnedSchema>;

void LogLine(alloy_scope* scope, const std::string& text) {
  scope->services->log(scope, ALLOY_LOG_INFO, text.data(),
                       static_cast<int64_t>(text.size()));
}

alloy_code ReturnStatus(alloy_scope* scope, const Status& status) {
  if (status.ok()) return ALLOY_OK;
  const std::string& text = status.fault().text;
  return scope->services->fail(scope, status.code(), text.data(),
                               static_cast<int64_t>(text.size()));
}

// `array1: Int32[1, 2, 3, -4]`. A chunk is the one column of its batch.
Status LogArrays(alloy_scope* scope, const EchoState& state, const ArrowArray* inputs,
                 bool chunks) {
  if (scope->services->logging(scope, ALLOY_LOG_INFO) == 0) return Status();
  LogLine(scope, "Hello! Reading the ffi pointers now.");
  for (size_t i = 0; i < state.size(); ++i) {
    const ArrowSchema& schema = chunks ? *state[i]->children[0] : *state[i];
    const ArrowArray& array = chunks ? *inputs[i].children[0] : inputs[i];
    ALLOY_ASSIGN_OR_RETURN(const std::string text, Describe(schema, array));
    LogLine(scope, "array" + std::to_string(i + 1) + ": " + text);
  }
  return Status();
}

Result<std::unique_ptr<EchoState>> KeepSchemas(const ArrowSchema* inputs,
                                               int32_t n_inputs) {
  auto state = std::make_unique<EchoState>();
  for (int32_t i = 0; i < n_inputs; ++i) {
    ALLOY_ASSIGN_OR_RETURN(OwnedSchema schema, CopySchema(inputs[i]));
    state->push_back(std::move(schema));
  }
  return state;
}

Status BindEcho(const ArrowSchema* inputs, int32_t n_inputs, ArrowSchema* output,
                void** state) {
  ALLOY_ASSIGN_OR_RETURN(auto kept, KeepSchemas(inputs, n_inputs));
  ALLOY_ASSIGN_OR_RETURN(OwnedSchema schema, CopySchema(inputs[0]));
  schema.MoveTo(output);
  *state = kept.release();
  return Status();
}

Status BindFromChunks(const ArrowSchema* inputs, int32_t n_inputs, ArrowSchema* output,
                      void** state) {
  for (int32_t i = 0; i < n_inputs; ++i) {
    if (inputs[i].n_children != 1) {
      return Fail(ALLOY_NO_MATCH, "from_chunks takes batches of one column; input " +
                                      std::to_string(i) + " has " +
                                      std::to_string(inputs[i].n_children));
    }
  }
  ALLOY_ASSIGN_OR_RETURN(auto kept, KeepSchemas(inputs, n_inputs));
  ArrowSchema count{.format = "l",
                    .name = "count",
                    .metadata = nullptr,
                    .flags = 0,
                    .n_children = 0,
                    .children = nullptr,
                    .dictionary = nullptr,
                    .release = [](ArrowSchema* schema) { schema->release = nullptr; },
                    .private_data = nullptr};
  ArrowSchema* columns[] = {&count};
  const ArrowSchema batch{.format = "+s",
                          .name = "",
                          .metadata = nullptr,
                          .flags = 0,
                          .n_children = 1,
                          .children = columns,
                          .dictionary = nullptr,
                          .release = count.release,
                          .private_data = nullptr};
  ALLOY_ASSIGN_OR_RETURN(OwnedSchema schema, CopySchema(batch));
  schema.MoveTo(output);
  *state = kept.release();
  return Status();
}

// One row of one column. The value is the owner of its own block.
Status ReturnCount(int64_t count, ArrowArray* output) {
  auto block = Block<int64_t>::Make(2, 3, int64_t{count});
  if (!block) return Fail(ALLOY_EXHAUSTED, "out of memory");
  block.Init(output, {.length = 1, .n_buffers = 1, .n_children = 1});
  ArrowArray* column = output->children[0];
  block.Init(column, {.length = 1, .n_buffers = 2});
  column->buffers[1] = &block.owner();
  block.Finish();
  return Status();
}

alloy_code BindEchoEntry(void*, alloy_scope* scope, const ArrowSchema* inputs,
                         int32_t n_inputs, const char* const*, ArrowSchema* output,
                         void** state) {
  return ReturnStatus(scope, BindEcho(inputs, n_inputs, output, state));
}

alloy_code RunEchoEntry(void* state, alloy_scope* scope, ArrowArray* inputs, int32_t,
                        ArrowArray* output) {
  const Status logged = LogArrays(scope, *static_cast<EchoState*>(state), inputs, false);
  if (!logged.ok()) return ReturnStatus(scope, logged);
  OwnedArray(&inputs[0]).MoveTo(output);
  return ALLOY_OK;
}

alloy_code BindFromChunksEntry(void*, alloy_scope* scope, const ArrowSchema* inputs,
                               int32_t n_inputs, const char* const*, ArrowSchema* output,
                               void** state) {
  return ReturnStatus(scope, BindFromChunks(inputs, n_inputs, output, state));
}

alloy_code RunFromChunksEntry(void* state, alloy_scope* scope, ArrowArray* inputs,
                              int32_t n_inputs, ArrowArray* output) {
  const Status logged = LogArrays(scope, *static_cast<EchoState*>(state), inputs, true);
  return ReturnStatus(scope, logged.ok() ? ReturnCount(n_inputs, output) : logged);
}

void UnbindEntry(void* state) {
  const std::unique_ptr<EchoState> owner(static_cast<EchoState*>(state));
}

constexpr alloy_function kFromChunks = {.struct_size = sizeof(alloy_function),
                                        .flags = ALLOY_IDEMPOTENT,
                                        .name = "from_chunks",
                                        .summary = "Count the arrays, and print them",
                                        .options = nullptr,
                                        .self = nullptr,
                                        .min_inputs = 0,
                                        .max_inputs = -1,
                                        .columns = nullptr,
                                        .bind = BindFromChunksEntry,
                                        .run = RunFromChunksEntry,
                                        .open = nullptr,
                                        .unbind = UnbindEntry};

constexpr alloy_function kEcho = {.struct_size = sizeof(alloy_function),
                                  .flags = ALLOY_IDEMPOTENT | ALLOY_ROWWISE,
                                  .name = "echo",
                                  .summary = "Return the batch, and print it",
                                  .options = nullptr,
                                  .self = nullptr,
                                  .min_inputs = 1,
                                  .max_inputs = 1,
                                  .columns = nullptr,
                                  .bind = BindEchoEntry,
                                  .run = RunEchoEntry,
                                  .open = nullptr,
                                  .unbind = UnbindEntry};

constexpr const alloy_function* kFunctions[] = {&kFromChunks, &kEcho, nullptr};

constexpr alloy_backend kEchoBackend = {.struct_size = sizeof(alloy_backend),
                                        .abi = ALLOY_ABI,
                                        .name = kEchoName,
                                        .version = ALLOY_VERSION,
                                        .language = "C++",
                                        .functions = kFunctions};

}  // namespace

const alloy_backend& EchoBackend() { return kEchoBackend; }

}  // namespace alloy::core
