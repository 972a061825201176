// SPDX-License-Identifier: MIT
// Written by tools/amalgamate from src/ and include/; edit those instead.
#ifndef ALLOY_GO_BACKEND_ABI_H_
#define ALLOY_GO_BACKEND_ABI_H_

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
//
// Write a backend: a library that exports one symbol, which returns one constant table.
//
// This is the C ABI of a backend. Use it to bind another language. In C++ write backends
// with backend.hpp, in C with backend_c.h, in Rust with the crate arrowalloy.
//
// A batch is an Arrow struct array with offset 0 and no nulls of its own. Its children
// are the columns, each exactly as long as the batch. Host and backend exchange only
// batches, so there is one place for the number of rows, the names, nullability and
// metadata. Schemas are passed only in bind.
//
// Each pointer has one of four ownership words. Borrows: the caller stays the owner, and
// the function uses it only until it returns, unless the comment states another time.
// Takes: the function becomes the owner, even if it fails. Gives: the caller becomes the
// owner; on failure it gets the value that the comment states. Shares: it has a reference
// count, so owners may release it in any order.
//
// No function pointer below, and no release callback, may throw, panic or longjmp across
// this boundary, or end its thread (pthread_exit). The engine catches an exception where it
// can. It cannot stop the end of a thread: see docs/boundary.md.
//
// Signals belong to the host. Install no handlers, and change neither the signal mask nor
// the alternate stack of a thread that is not yours. If a handler must be, install it with
// SA_ONSTACK, because Go programs run on small stacks. Install it with SA_SIGINFO too, and
// pass each signal that is not yours on to the handler before it. Add SA_RESTART, unless
// the handler is meant to interrupt system calls. Never take SIGURG or SIGPROF. The Go
// module compares all handlers at the load and at the first use of each function. It
// repairs what would corrupt the program, and writes a warning. It does not see later
// changes.
//
// Threads  init runs once. Two states may be in use on two threads at the same time. One
//          state is serial: it serves calls one after another and keeps no data from one
//          to the next. Any thread may use a scope until the entry point that got it
//          returns or, for open, until `output` is released.
// Results  outlive state and bridge, and refer to neither. A library is never unloaded.
#ifndef ALLOY_BACKEND_H_
#define ALLOY_BACKEND_H_


#ifdef __cplusplus
extern "C" {
#endif

#define ALLOY_ABI 1u
#define ALLOY_EXPORT __attribute__((visibility("default")))

// What the caller can do next. The numbers are frozen.
typedef int32_t alloy_code;
enum {
  ALLOY_OK = 0,
  // Correct the arguments or options of this call.
  ALLOY_INVALID = 1,
  // Correct the Arrow data: `reason` is the fault, `column` the place.
  ALLOY_BAD_DATA = 2,
  // Choose another function: this one does not accept these schemas.
  ALLOY_NO_MATCH = 3,
  // Correct the name.
  ALLOY_NOT_FOUND = 4,
  // Correct the installation: `reason` is why the library was refused.
  ALLOY_REFUSED = 5,
  // The backend failed; its text says why.
  ALLOY_FAILED = 6,
  // The backend failed; the same call may succeed later.
  ALLOY_RETRY = 7,
  // The caller cancelled it.
  ALLOY_CANCELLED = 8,
  // The caller's deadline passed.
  ALLOY_TIMEOUT = 9,
  // The worker died, and this call with it; the next call starts a worker.
  ALLOY_LOST = 10,
  // Release results, or raise a limit.
  ALLOY_EXHAUSTED = 11,
  // Wait: another thread or a stream is using it, or no worker is free.
  ALLOY_BUSY = 12,
  // Open it again.
  ALLOY_CLOSED = 13,
  // It does not work in this mode, on this machine or in this version.
  ALLOY_UNSUPPORTED = 14,
  // Report it to the developers. A number that is not listed means the same.
  ALLOY_INTERNAL = 15
};

// Levels of a log line.
enum { ALLOY_LOG_DEBUG = 0, ALLOY_LOG_INFO = 1, ALLOY_LOG_WARN = 2, ALLOY_LOG_ERROR = 3 };

// ---- Services
//
// What the engine offers to a backend.

typedef struct alloy_services alloy_services;

// One call of the engine into a backend. The engine's private fields follow.
typedef struct alloy_scope {
  const alloy_services* services;
} alloy_scope;

// Lives as long as the process.
//
// Threads  shared: any number of threads at the same time.
struct alloy_services {
  uint32_t struct_size;
  uint32_t abi;

  // Store `text` as the error of this call, and return `code`. ALLOY_OK, or a number
  // that is not listed above, becomes ALLOY_INTERNAL. The caller gets the text with its
  // line feeds, each followed by two blanks. Other control and format characters, and
  // bytes that are not UTF-8, are written as \t or \xNN.
  //
  //   Borrows  scope, and text, of `length` bytes; -1: text ends at its NUL.
  alloy_code (*fail)(alloy_scope* scope, alloy_code code, const char* text,
                     int64_t length);

  // Return nonzero if the caller has cancelled or the deadline has passed. It costs two
  // atomic loads, so poll it often.
  //
  //   Borrows  scope.
  int32_t (*cancelled)(alloy_scope* scope);

  // Report how far this call is, in any unit. total 0: unknown.
  //
  //   Borrows  scope.
  void (*progress)(alloy_scope* scope, int64_t done, int64_t total);

  // Allocate, resize or free memory. old_size 0 allocates, new_size 0 frees. Memory is
  // aligned to 64 bytes. It works on any thread at any time, even after the scope is
  // gone.
  //
  //   Takes    memory. If NULL is returned for a new_size above 0, the caller keeps it.
  //   Gives    the memory; NULL if there is not enough.
  void* (*resize)(void* memory, int64_t old_size, int64_t new_size);

  // Write a log line. The engine adds the time and the language of the backend. It
  // replaces bytes below 0x20 by blanks, so that it stays one line, and writes what a
  // terminal would obey, or what is not UTF-8, as \xNN. A line of more than 65,536 bytes
  // is cut.
  //
  //   Borrows  scope, and text, of `length` bytes; -1: text ends at its NUL.
  void (*log)(alloy_scope* scope, int32_t level, const char* text, int64_t length);

  // Return nonzero if a line of this level would be written. Ask before you format a
  // costly one.
  //
  //   Borrows  scope.
  int32_t (*logging)(alloy_scope* scope, int32_t level);

  // Write an array as text, as every Alloy program prints it: `Int32[1, 2, null]`. After
  // 16 values comes `… n more`. Nested types become `Type[n rows]`. A text that does not
  // fit is cut, but never inside a character. It always ends with a NUL. Return the
  // length of the whole text in bytes without the NUL, or -1 for a malformed schema or
  // array.
  //
  //   Borrows  schema, array, and text, of `capacity` bytes (NULL only if capacity is 0).
  int64_t (*describe)(const struct ArrowSchema* schema, const struct ArrowArray* array,
                      char* text, int64_t capacity);
};

// ---- The table
//
// What a backend is: its name and its functions, with their options and columns.

// Frozen. A list ends with an entry whose name is NULL.
typedef struct alloy_option {
  const char* name;
  const char* summary;
  const char* fallback;  // the default value; NULL: the caller must give one
} alloy_option;

// Frozen. A list ends with an entry whose name is NULL.
typedef struct alloy_column {
  const char* name;
  const char* summary;
  // The accepted types: format strings of the C data interface, separated by blanks. One
  // that ends with `*` is a prefix; `?:F` is a dictionary whose values have format F.
  // NULL: any type.
  const char* accepts;
} alloy_column;

// May be run again after a worker died in it.
#define ALLOY_IDEMPOTENT 1u
// One input, and output row i depends only on input row i: as many rows come out.
#define ALLOY_ROWWISE 2u
// A stream function: it has open, not run.
#define ALLOY_STREAM 4u
// It trusts the values of its inputs: it follows offsets, views, indices and run ends, or
// takes text for UTF-8, without a check of its own. Set it if the function passes whole
// batches to a library such as arrow-rs or Arrow C++. Then the gate checks all of this
// first, and repairs what is valid Arrow but more than such a library can read (see
// alloy.h). The SDKs set it for functions on whole batches. Functions on typed views do
// not need it: a view checks each place before it reads it.
#define ALLOY_TRUSTS_VALUES 8u
// An engine ignores flags that it does not know. But it then checks the inputs of the
// function as with ALLOY_TRUSTS_VALUES.

typedef struct alloy_function {
  uint32_t struct_size;
  uint32_t flags;  // ALLOY_IDEMPOTENT and the others above
  const char* name;
  const char* summary;
  // NULL: it has no options. The engine refuses unknown options and fills in defaults.
  const alloy_option* options;
  void* self;  // passed to bind
  int32_t min_inputs;
  int32_t max_inputs;  // -1: any number

  // One list of columns for each input, then NULL. The engine finds the columns by name,
  // in any order, ignores extra ones, and passes the listed columns in the listed order.
  // If this is NULL, or an input has no list, its batches are passed unchanged.
  const alloy_column* const* columns;

  // Describe the output for these inputs, without running. The same arguments must always
  // give the same result. If this returns ALLOY_NO_MATCH, the engine tries the next
  // function with the same name.
  //
  //   Borrows  self (as long as the process), scope, inputs (n_inputs of them, one after
  //            another) and values (one for each option, in the order of the table).
  //   Gives    output (the schema of a batch, format "+s") and state; neither unless
  //            ALLOY_OK is returned.
  alloy_code (*bind)(void* self, alloy_scope* scope, const struct ArrowSchema* inputs,
                     int32_t n_inputs, const char* const* values,
                     struct ArrowSchema* output, void** state);

  // Run a map function: n batches in (mostly one), one batch out. NULL for a stream
  // function.
  //
  //   Borrows  state, scope, inputs. Inputs may be moved out; the engine releases the
  //            rest on every return. To move is to copy the struct and to set `release`
  //            of the original to NULL.
  //   Gives    output, which is empty (release is NULL) at first; the engine releases it
  //            unless ALLOY_OK is returned.
  alloy_code (*run)(void* state, alloy_scope* scope, struct ArrowArray* inputs,
                    int32_t n_inputs, struct ArrowArray* output);

  // Open a stream function: n streams of batches in, one out. NULL for a map function.
  //
  // get_next of an input gives a checked batch, a released one at the end, or an errno:
  // the input's own, EINVAL for a batch that the gate refuses, ECANCELED or ETIMEDOUT if
  // `cancelled` is true. After an errno the whole stream has failed, even if the backend
  // ignores it.
  //
  // The engine calls get_next and release of `output`, and get_last_error if it is not
  // NULL. It uses one thread at a time. It does not call get_schema, because bind has
  // given the schema. An errno from get_next ends the stream. The caller gets the
  // last error given to services->fail. Without one it gets the text of get_last_error
  // and a code for the errno: ALLOY_EXHAUSTED for ENOMEM, ALLOY_RETRY for EAGAIN,
  // ALLOY_UNSUPPORTED for ENOSYS and ENOTSUP, else ALLOY_FAILED.
  //
  //   Borrows  state, scope, inputs. State and scope stay valid until `output` is
  //            released. Move out the inputs that `output` still needs. Release them no
  //            later than `output`.
  //   Gives    output, which is empty (release is NULL) at first; the engine releases it
  //            unless ALLOY_OK is returned.
  alloy_code (*open)(void* state, alloy_scope* scope, struct ArrowArrayStream* inputs,
                     int32_t n_inputs, struct ArrowArrayStream* output);

  // Free a state. Never called while a run or a stream uses it. NULL: nothing to free.
  //
  //   Takes    state.
  void (*unbind)(void* state);
} alloy_function;

typedef struct alloy_backend {
  uint32_t struct_size;
  uint32_t abi;
  const char* name;                        // such as acme.score
  const char* version;                     // such as 1.4.2
  const char* language;                    // the label of its log lines, such as Rust
  const alloy_function* const* functions;  // ends with NULL
} alloy_backend;

// Return the table of the backend. This is the only symbol that a backend exports.
//
//   Borrows  services (as long as the process), scope.
//   Gives    a table that lives as long as the process; NULL after services->fail().
ALLOY_EXPORT const alloy_backend* alloy_backend_init(const alloy_services* services,
                                                     alloy_scope* scope);

#ifdef __cplusplus
}
#endif

#endif  // ALLOY_BACKEND_H_

#endif  // ALLOY_GO_BACKEND_ABI_H_
