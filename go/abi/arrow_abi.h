// SPDX-License-Identifier: MIT
// Written by tools/amalgamate from src/ and include/; edit those instead.
#ifndef ALLOY_GO_ABI_ARROW_ABI_H_
#define ALLOY_GO_ABI_ARROW_ABI_H_

//
// The structs of the Arrow C data interface and the Arrow C stream interface.
//
// Names, guards and layouts are those of the Arrow specification ("The Arrow C data
// interface", "Structure definitions"; "The Arrow C stream interface"). So a program may
// include this header and any other copy of these structs together.
#ifndef ALLOY_ARROW_ABI_H_
#define ALLOY_ARROW_ABI_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};

#endif  // ARROW_C_DATA_INTERFACE

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema* out);
  int (*get_next)(struct ArrowArrayStream*, struct ArrowArray* out);
  const char* (*get_last_error)(struct ArrowArrayStream*);
  void (*release)(struct ArrowArrayStream*);
  void* private_data;
};

#endif  // ARROW_C_STREAM_INTERFACE

#ifdef __cplusplus
}
#endif

#endif  // ALLOY_ARROW_ABI_H_

#endif  // ALLOY_GO_ABI_ARROW_ABI_H_
