// SPDX-License-Identifier: MIT
//
// Write a backend in plain C: helpers over backend.h, all static inline.
//
// Use it for the parts that every function in C needs: schemas, batches with columns of
// fixed width, nulls, errors and the table. For text, nested types, streams and state of
// your own, use the structs of backend.h directly. examples/c/score_backend.c:
//
//   static const alloy_field outputs[] = {{"score", "g", ARROW_FLAG_NULLABLE}, {0}};
//
//   static alloy_code run(void* state, alloy_scope* scope, struct ArrowArray* inputs,
//                         int32_t n_inputs, struct ArrowArray* output) {
//     const struct ArrowArray* x = inputs[0].children[0];
//     const struct ArrowArray* y = inputs[0].children[1];
//     const alloy_code code = alloy_batch_make(scope, outputs, inputs[0].length, output);
//     if (code != ALLOY_OK) return code;
//
// Compiles as C11 and as C++20. Link with the version script cmake/alloy_backend.map.
//
// Threads  shared, but only one thread at a time may build the same batch.
#ifndef ALLOY_BACKEND_C_H_
#define ALLOY_BACKEND_C_H_

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloy/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

// ---- Errors

// Store a text, made as by printf and cut at 511 bytes, as the error of this entry.
// Return `code`.
//
//   Borrows  scope, format.
__attribute__((format(printf, 3, 4))) static inline alloy_code alloy_fail(
    alloy_scope* scope, alloy_code code, const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  return scope->services->fail(scope, code, text, -1);
}

// ---- Schemas

// A column of a batch. A list ends with an entry whose name is NULL.
typedef struct alloy_field {
  const char* name;
  const char* format;  // of the C data interface, such as "l" for int64
  int64_t flags;       // ARROW_FLAG_NULLABLE, or 0
} alloy_field;

static inline void alloy_schema_release_(struct ArrowSchema* schema) {
  for (int64_t i = 0; i < schema->n_children; ++i) {
    struct ArrowSchema* child = schema->children[i];
    if (child->release != NULL) child->release(child);
  }
  if (schema->dictionary != NULL && schema->dictionary->release != NULL) {
    schema->dictionary->release(schema->dictionary);
  }
  free(schema->private_data);
  schema->release = NULL;
}

// The size of a metadata block in bytes: a count, then length and bytes of each key and
// value.
static inline size_t alloy_metadata_bytes_(const char* metadata) {
  int32_t pairs = 0;
  if (metadata == NULL) return 0;  // of an input: the engine has checked the lengths
  memcpy(&pairs, metadata, sizeof(pairs));
  const char* at = metadata + sizeof(pairs);
  for (int64_t strings = 2 * (int64_t)pairs; strings > 0; --strings) {
    int32_t length = 0;
    memcpy(&length, at, sizeof(length));
    at += sizeof(length) + (size_t)length;
  }
  return (size_t)(at - metadata);
}

// Make a node like `like`, in one block: child pointers, child structs, dictionary,
// strings. Children and dictionary are still empty. Returns 0 if memory runs out.
static inline int alloy_schema_node_(const struct ArrowSchema* like, int64_t n_children,
                                     int has_dictionary, struct ArrowSchema* out) {
  const size_t children = (size_t)n_children;
  const size_t nodes = children + (has_dictionary ? 1 : 0);
  const char* name = like->name == NULL ? "" : like->name;
  const size_t metadata = alloy_metadata_bytes_(like->metadata);
  const size_t format_bytes = strlen(like->format) + 1;
  const size_t name_bytes = strlen(name) + 1;
  void* block = calloc(1, children * sizeof(struct ArrowSchema*) +
                              nodes * sizeof(struct ArrowSchema) + metadata +
                              format_bytes + name_bytes);
  memset(out, 0, sizeof(*out));
  if (block == NULL) return 0;
  out->children = (struct ArrowSchema**)block;
  struct ArrowSchema* node = (struct ArrowSchema*)(void*)(out->children + children);
  char* strings = (char*)(node + nodes);
  for (size_t i = 0; i < children; ++i) out->children[i] = node++;
  if (has_dictionary) out->dictionary = node;
  out->n_children = n_children;
  if (metadata > 0) {
    out->metadata = (char*)memcpy(strings, like->metadata, metadata);
  }
  out->format = (char*)memcpy(strings + metadata, like->format, format_bytes);
  out->name = (char*)memcpy(strings + metadata + format_bytes, name, name_bytes);
  out->flags = like->flags;
  out->private_data = block;
  out->release = alloy_schema_release_;
  return 1;
}

static inline int alloy_schema_copy_(const struct ArrowSchema* schema,
                                     struct ArrowSchema* out) {
  if (!alloy_schema_node_(schema, schema->n_children, schema->dictionary != NULL, out)) {
    return 0;
  }
  for (int64_t i = 0; i < schema->n_children; ++i) {
    if (!alloy_schema_copy_(schema->children[i], out->children[i])) {
      out->release(out);
      return 0;
    }
  }
  if (schema->dictionary != NULL &&
      !alloy_schema_copy_(schema->dictionary, out->dictionary)) {
    out->release(out);
    return 0;
  }
  return 1;
}

// Copy a schema and everything below it.
//
//   Borrows  scope, and schema. It must be well-formed; schemas from the engine are.
//   Gives    out; on failure it is empty (release is NULL).
//   Fails    ALLOY_EXHAUSTED  there is not enough memory.
static inline alloy_code alloy_schema_copy(alloy_scope* scope,
                                           const struct ArrowSchema* schema,
                                           struct ArrowSchema* out) {
  if (alloy_schema_copy_(schema, out)) return ALLOY_OK;
  return alloy_fail(scope, ALLOY_EXHAUSTED, "out of memory for a schema");
}

// Make the schema of a batch with these columns.
//
//   Borrows  scope, fields.
//   Gives    out; on failure it is empty (release is NULL).
//   Fails    ALLOY_EXHAUSTED  there is not enough memory.
static inline alloy_code alloy_schema_make(alloy_scope* scope, const alloy_field* fields,
                                           struct ArrowSchema* out) {
  struct ArrowSchema like;
  int64_t n = 0;
  while (fields[n].name != NULL) ++n;
  memset(&like, 0, sizeof(like));
  like.format = "+s";
  int made = alloy_schema_node_(&like, n, 0, out);
  for (int64_t i = 0; made && i < n; ++i) {
    like.format = fields[i].format;
    like.name = fields[i].name;
    like.flags = fields[i].flags;
    made = alloy_schema_node_(&like, 0, 0, out->children[i]);
  }
  if (made) return ALLOY_OK;
  if (out->release != NULL) out->release(out);
  return alloy_fail(scope, ALLOY_EXHAUSTED, "out of memory for a schema");
}

// Use this as alloy_function.bind if the output columns are always the same and the
// function needs no state: `self` is then the list of alloy_field. The state is `self`
// too; leave unbind NULL.
//
//   Borrows  self (as long as the process), scope, inputs, values.
//   Gives    output and state; neither unless ALLOY_OK is returned.
static inline alloy_code alloy_bind_fields(void* self, alloy_scope* scope,
                                           const struct ArrowSchema* inputs,
                                           int32_t n_inputs, const char* const* values,
                                           struct ArrowSchema* output, void** state) {
  (void)inputs;
  (void)n_inputs;
  (void)values;
  *state = self;
  return alloy_schema_make(scope, (const alloy_field*)self, output);
}

// ---- Reading columns
//
// Buffers may have any alignment, so values are read by memcpy, which costs nothing. The
// gate has checked that the buffers are there.

// Return nonzero if the row is null.
//
//   Borrows  column.
static inline int alloy_is_null(const struct ArrowArray* column, int64_t row) {
  const uint8_t* bits = (const uint8_t*)column->buffers[0];
  const int64_t at = column->offset + row;
  return column->null_count != 0 && bits != NULL && (bits[at / 8] >> (at % 8) & 1) == 0;
}

// Return the value of a row, whether or not it is null: alloy_int64_at(column, row), and
// so on for each type below.
#define ALLOY_VALUE_AT_(name, type)                                                    \
  static inline type alloy_##name##_at(const struct ArrowArray* column, int64_t row) { \
    type value;                                                                        \
    memcpy(&value,                                                                     \
           (const char*)column->buffers[1] +                                           \
               (column->offset + row) * (int64_t)sizeof(value),                        \
           sizeof(value));                                                             \
    return value;                                                                      \
  }
ALLOY_VALUE_AT_(int8, int8_t)
ALLOY_VALUE_AT_(uint8, uint8_t)
ALLOY_VALUE_AT_(int16, int16_t)
ALLOY_VALUE_AT_(uint16, uint16_t)
ALLOY_VALUE_AT_(int32, int32_t)
ALLOY_VALUE_AT_(uint32, uint32_t)
ALLOY_VALUE_AT_(int64, int64_t)
ALLOY_VALUE_AT_(uint64, uint64_t)
ALLOY_VALUE_AT_(float, float)
ALLOY_VALUE_AT_(double, double)
#undef ALLOY_VALUE_AT_

// The same for a column of booleans: 0 or 1.
//
//   Borrows  column.
static inline int alloy_bool_at(const struct ArrowArray* column, int64_t row) {
  const int64_t at = column->offset + row;
  return ((const uint8_t*)column->buffers[1])[at / 8] >> (at % 8) & 1;
}

// ---- Making batches

// The header of a block from alloy_services.resize. The contents follow it.
struct alloy_block_ {
  // As in alloy_services.
  //
  //   Takes    memory.
  void* (*resize)(void* memory, int64_t old_size, int64_t new_size);
  int64_t size;
  const void* buffers[2];
};

enum { ALLOY_BLOCK_START_ = 64 };  // where the memory of a block begins, aligned

static inline struct alloy_block_* alloy_block_make_(alloy_scope* scope, int64_t bytes) {
  const int64_t size = ALLOY_BLOCK_START_ + bytes;
  void* memory = scope->services->resize(NULL, 0, size);
  struct alloy_block_* block = (struct alloy_block_*)memory;
  if (block == NULL) return NULL;
  memset(block, 0, (size_t)size);
  block->resize = scope->services->resize;
  block->size = size;
  return block;
}

// Release the children first. A child that was moved out has a NULL release.
static inline void alloy_array_release_(struct ArrowArray* array) {
  struct alloy_block_* block = (struct alloy_block_*)array->private_data;
  for (int64_t i = 0; i < array->n_children; ++i) {
    struct ArrowArray* child = array->children[i];
    if (child->release != NULL) child->release(child);
  }
  block->resize(block, block->size, 0);
  array->release = NULL;
}

// The number of bits of a value; 0 for a format whose values have no fixed width.
static inline int64_t alloy_bits_of_(const char* format) {
  switch (format[0]) {
    case 'b':
      return 1;
    case 'c':
    case 'C':
      return 8;
    case 's':
    case 'S':
    case 'e':
      return 16;
    case 'i':
    case 'I':
    case 'f':
      return 32;
    case 'l':
    case 'L':
    case 'g':
      return 64;
    case 'd':  // of 128 bits, unless a third parameter follows
      return format[1] == ':' && strchr(format, ',') == strrchr(format, ',') ? 128 : 0;
    case 't':
      if (format[1] == 's' || format[1] == 'D') return 64;
      if (strcmp(format, "tdD") == 0 || strcmp(format, "tts") == 0) return 32;
      if (strcmp(format, "ttm") == 0) return 32;
      return strcmp(format, "tdm") == 0 || format[1] == 't' ? 64 : 0;
    default:
      return 0;
  }
}

static inline int alloy_column_make_(alloy_scope* scope, int64_t rows, int64_t bits,
                                     struct ArrowArray* out) {
  // Values, then validity, each aligned to 64 bytes.
  const int64_t value_bytes = ((rows * bits + 7) / 8 + 63) / 64 * 64;
  const int64_t validity_bytes = rows / 8 + 1;
  struct alloy_block_* block = alloy_block_make_(scope, value_bytes + validity_bytes);
  if (block == NULL) return 0;
  char* values = (char*)block + ALLOY_BLOCK_START_;
  block->buffers[0] = memset(values + value_bytes, 0xff, (size_t)validity_bytes);
  block->buffers[1] = values;
  out->length = rows;
  out->n_buffers = 2;
  out->buffers = block->buffers;
  out->release = alloy_array_release_;
  out->private_data = block;
  return 1;
}

// Make a batch of `rows` rows with these columns, whose formats have a fixed width. At
// first all values are zero and not null. Write values through alloy_values, and nulls
// with alloy_set_null.
//
//   Borrows  scope, fields.
//   Gives    out; on failure it is empty (release is NULL).
//   Fails    ALLOY_EXHAUSTED  there is not enough memory.
//            ALLOY_INTERNAL   a format has no fixed width.
static inline alloy_code alloy_batch_make(alloy_scope* scope, const alloy_field* fields,
                                          int64_t rows, struct ArrowArray* out) {
  int64_t n = 0;
  memset(out, 0, sizeof(*out));
  for (; fields[n].name != NULL; ++n) {
    if (alloy_bits_of_(fields[n].format) == 0) {
      return alloy_fail(scope, ALLOY_INTERNAL,
                        "column '%s': alloy_batch_make cannot make format '%s'",
                        fields[n].name, fields[n].format);
    }
  }
  const int64_t node = sizeof(struct ArrowArray) + sizeof(struct ArrowArray*);
  struct alloy_block_* block =
      rows < INT64_MAX / 256 ? alloy_block_make_(scope, n * node) : NULL;
  if (block == NULL)
    return alloy_fail(scope, ALLOY_EXHAUSTED, "out of memory for a batch");
  struct ArrowArray* column =
      (struct ArrowArray*)(void*)((char*)block + ALLOY_BLOCK_START_);
  out->length = rows;
  out->n_buffers = 1;
  out->buffers = block->buffers;
  out->n_children = n;
  out->children = (struct ArrowArray**)(void*)(column + n);
  out->release = alloy_array_release_;
  out->private_data = block;
  for (int64_t i = 0; i < n; ++i) out->children[i] = column + i;
  for (int64_t i = 0; i < n; ++i) {
    if (!alloy_column_make_(scope, rows, alloy_bits_of_(fields[i].format), column + i)) {
      out->release(out);
      return alloy_fail(scope, ALLOY_EXHAUSTED, "out of memory for a batch");
    }
  }
  return ALLOY_OK;
}

// Return a pointer to the values of a column from alloy_batch_make, so that you can write
// them. It is aligned to 64 bytes. Booleans are bits.
//
//   Borrows  column; the values live until it is released.
static inline void* alloy_values(struct ArrowArray* column) {
  return (char*)column->private_data + ALLOY_BLOCK_START_;
}

// Make a row null, in a column that alloy_batch_make made.
//
//   Borrows  column.
static inline void alloy_set_null(struct ArrowArray* column, int64_t row) {
  struct alloy_block_* block = (struct alloy_block_*)column->private_data;
  uint8_t* bits = (uint8_t*)block->buffers[0];
  if ((bits[row / 8] >> (row % 8) & 1) == 0) return;
  bits[row / 8] = (uint8_t)(bits[row / 8] & ~(1 << (row % 8)));
  ++column->null_count;
}

// ---- The table

// Define the one export of a backend: ALLOY_C_BACKEND("acme.score", "0.1.0", &score).
// The functions are pointers to constant alloy_function structs.
#define ALLOY_C_BACKEND(name_, version_, ...)                                           \
  static const alloy_function* const alloy_functions_[] = {__VA_ARGS__, NULL};          \
  static const alloy_backend alloy_backend_ = {                                         \
      sizeof(alloy_backend), ALLOY_ABI, name_, version_, "C", alloy_functions_};        \
  const alloy_backend* alloy_backend_init(const alloy_services* services,               \
                                          alloy_scope* scope) {                         \
    if (services->abi != ALLOY_ABI || services->struct_size < sizeof(alloy_services)) { \
      services->fail(scope, ALLOY_UNSUPPORTED, "the engine is older than this backend", \
                     -1);                                                               \
      return NULL;                                                                      \
    }                                                                                   \
    return &alloy_backend_;                                                             \
  }

#ifdef __cplusplus
}
#endif

#endif  // ALLOY_BACKEND_C_H_
