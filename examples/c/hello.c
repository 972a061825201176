/* SPDX-License-Identifier: MIT
 *
 * Send three arrays to a backend and print how many it counted, in plain C.
 *
 *   hello_c [library of a backend; default: the built-in echo]
 */
#include <inttypes.h>
#include <stdio.h>

#include "alloy/alloy.h"

enum { kArrays = 3, kRows = 4 };

static int32_t values[kArrays][kRows] = {{1, 2, 3, -4}, {2, 3, 4, 5}, {3, 4, 5, 6}};

/* Nothing here is on the heap, so a release only marks the struct as released. */
static void release_array(struct ArrowArray* array) { array->release = NULL; }
static void release_schema(struct ArrowSchema* schema) { schema->release = NULL; }

/* A column, and the batch that has it. */
struct chunk {
  const void* column_buffers[2];
  const void* batch_buffers[1];
  struct ArrowArray column;
  struct ArrowArray* children[1];
};

static int fail(const alloy_error* error) {
  fprintf(stderr, "%s: %s\n", alloy_code_name(error->code), error->text);
  return 1;
}

static int count(alloy_host* host, alloy_bridge* bridge) {
  struct ArrowSchema column = {
      .format = "i", .name = "", .flags = ARROW_FLAG_NULLABLE, .release = release_schema};
  struct ArrowSchema* columns[] = {&column};
  struct ArrowSchema schemas[kArrays];
  struct ArrowArray batches[kArrays];
  struct chunk chunks[kArrays];
  for (int i = 0; i < kArrays; ++i) {
    struct chunk* chunk = &chunks[i];
    *chunk = (struct chunk){.column_buffers = {NULL, values[i]}};
    chunk->column = (struct ArrowArray){.length = kRows,
                                        .n_buffers = 2,
                                        .buffers = chunk->column_buffers,
                                        .release = release_array};
    chunk->children[0] = &chunk->column;
    schemas[i] = (struct ArrowSchema){.format = "+s",
                                      .name = "",
                                      .n_children = 1,
                                      .children = columns,
                                      .release = release_schema};
    batches[i] = (struct ArrowArray){.length = kRows,
                                     .n_buffers = 1,
                                     .n_children = 1,
                                     .buffers = chunk->batch_buffers,
                                     .children = chunk->children,
                                     .release = release_array};
  }

  alloy_error error;
  alloy_call* call = NULL;
  struct ArrowArray output;
  if (alloy_call_bind(bridge, "from_chunks", schemas, kArrays, NULL, &call, &error) ||
      alloy_call_run(call, batches, &output, 0, 0, &error)) {
    alloy_call_free(call);
    return fail(&error);
  }
  alloy_call_free(call);

  const alloy_backend* backend = NULL;
  char line[128];
  if (alloy_bridge_backend(bridge, &backend, &error)) {
    output.release(&output);
    return fail(&error);
  }
  const struct ArrowArray* result = output.children[0];
  const int64_t counted = ((const int64_t*)result->buffers[1])[result->offset];
  snprintf(line, sizeof(line), "%s counted %" PRId64 " arrays sent through ffi",
           backend->language, counted);
  output.release(&output);
  alloy_host_log(host, ALLOY_LOG_INFO, line, -1);
  return 0;
}

int main(int argc, char** argv) {
  const alloy_host_options options = {.struct_size = sizeof(options),
                                      .flags = ALLOY_ALLOW_UNSIGNED,
                                      .language = "C",
                                      .log_fd = 1};
  alloy_error error;
  alloy_host* host = NULL;
  alloy_bridge* bridge = NULL;
  int status = 0;
  if (alloy_host_new(&options, &host, &error) ||
      alloy_bridge_new(host, NULL, &bridge, &error) ||
      (argc > 1 && alloy_bridge_load(bridge, argv[1], NULL, &error))) {
    status = fail(&error);
  } else {
    status = count(host, bridge);
  }
  alloy_bridge_free(bridge);
  alloy_host_free(host);
  return status;
}
