// SPDX-License-Identifier: MIT
//
// What a backend exports: one symbol that returns one constant table.
//
// A batch is an Arrow struct array with offset 0 and no nulls of its own; its children
// are the columns, each exactly as long as the batch. Only batches cross: rows, names,
// nullability and metadata have one place each. Schemas cross in bind only.
//
// Ownership is said in four words. Borrows: only until a stated moment, by default the
// return of the call. Takes: on success and on failure. Gives: with the value that is
// left on failure. Shares: counted, so that owners may go in any order.
//
// Every function pointer below must not throw, panic or longjmp across this boundary.
//
// Threads  init runs once. Two states may be in use at the same time on two threads; one
//          state never is: it serves calls one after another and carries no data between
//          them. A scope may be used by any thread until the entry point it was given to
//          returns or, for open, until `output` is released.
// Results  outlive state and bridge, and refer to neither. A library is never unloaded.
#ifndef ALLOY_BACKEND_H_
#define ALLOY_BACKEND_H_

#include "alloy/arrow_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ALLOY_ABI 1u
#define ALLOY_EXPORT __attribute__((visibility("default")))

// What the caller can do next. The numbers are frozen.
typedef int32_t alloy_code;
enum {
  ALLOY_OK = 0,
  ALLOY_INVALID = 1,  // correct the arguments or options of this call
  ALLOY_BAD_DATA =
      2,  // correct the Arrow data: `reason` is the fault, `column` the place
  ALLOY_NO_MATCH = 3,   // choose another function: it does not apply to these schemas
  ALLOY_NOT_FOUND = 4,  // correct the name
  ALLOY_REFUSED = 5,    // correct the installation: `reason` is the class of refusal
  ALLOY_FAILED = 6,     // the backend's own error
  ALLOY_RETRY = 7,      // the backend's own error, worth repeating
  ALLOY_CANCELLED = 8,  // the caller asked for it
  ALLOY_TIMEOUT = 9,    // the caller's deadline passed
  ALLOY_LOST = 10,  // the worker died: this call is lost, the next one starts a worker
  ALLOY_EXHAUSTED = 11,  // release results, or raise a limit
  ALLOY_BUSY = 12,    // in use by another thread, by a stream of it, or no worker is free
  ALLOY_CLOSED = 13,  // open it again
  ALLOY_UNSUPPORTED = 14,  // not in this mode, on this machine, by this version
  ALLOY_INTERNAL = 15      // report it; also any number that is not listed here
};

// Levels of a line for the log.
enum { ALLOY_LOG_DEBUG = 0, ALLOY_LOG_INFO = 1, ALLOY_LOG_WARN = 2, ALLOY_LOG_ERROR = 3 };

typedef struct alloy_services alloy_services;

// One entry into a backend. The engine's own fields follow.
typedef struct alloy_scope {
  const alloy_services* services;
} alloy_scope;

// What the engine offers to a backend. Lives as long as the process.
struct alloy_services {
  uint32_t struct_size;
  uint32_t abi;

  // Leave `text` for the caller and return `code`. length -1: up to the NUL. A code that
  // is not one of the list above, or ALLOY_OK, is returned and reported as
  // ALLOY_INTERNAL.
  //   Borrows  scope, text.
  alloy_code (*fail)(alloy_scope* scope, alloy_code code, const char* text,
                     int64_t length);

  // Nonzero once the caller has cancelled or the deadline has passed. Two atomic loads (a
  // timer thread watches the clock): poll it freely.
  //   Borrows  scope.
  int32_t (*cancelled)(alloy_scope* scope);

  // Say how far this call is, in units of the backend's choice. total 0: unknown.
  //   Borrows  scope.
  void (*progress)(alloy_scope* scope, int64_t done, int64_t total);

  // malloc, realloc and free in one: old_size 0 allocates, new_size 0 frees. Aligned to
  // 64 bytes. Any thread, any time, also after the scope is gone.
  //   Takes    memory, unless NULL is returned for new_size > 0: then it is still the
  //   caller's. Gives    the memory; NULL when there is no more.
  void* (*resize)(void* memory, int64_t old_size, int64_t new_size);

  // A line for the host's log; the engine adds the time and the backend's language. Bytes
  // below 0x20 become blanks, so that a line stays one line.
  //   Borrows  scope, text. length -1: up to the NUL.
  void (*log)(alloy_scope* scope, int32_t level, const char* text, int64_t length);

  // Nonzero when a line of this level would go anywhere: ask before formatting a costly
  // one.
  //   Borrows  scope.
  int32_t (*logging)(alloy_scope* scope, int32_t level);

  // The text of an array as every Alloy program prints it: `Int32[1, 2, null]`, at most
  // 16 values, `Type[n rows]` for nested types. Cut between two characters, ends with a
  // NUL. Returns the length it needs without the NUL, or -1 for a malformed schema or
  // array.
  //   Borrows  schema, array, text (capacity bytes; NULL only with capacity 0).
  int64_t (*describe)(const struct ArrowSchema* schema, const struct ArrowArray* array,
                      char* text, int64_t capacity);
};

// Frozen. A list of them ends with a NULL name.
typedef struct alloy_option {
  const char* name;
  const char* summary;
  const char* fallback;  // NULL: the caller must give it
} alloy_option;

// Frozen. A list of them ends with a NULL name.
typedef struct alloy_column {
  const char* name;
  const char* summary;
  // C format strings with blanks between; a `*` at the end of one makes it a prefix;
  // `?:F` stands for a dictionary whose values have format F. NULL: any type.
  const char* accepts;
} alloy_column;

#define ALLOY_IDEMPOTENT 1u  // may be run again after a worker died in it
#define ALLOY_ROWWISE \
  2u  // one input; output row i depends on input row i alone; as many rows
#define ALLOY_STREAM 4u  // has open instead of run

typedef struct alloy_function {
  uint32_t struct_size;
  uint32_t flags;
  const char* name;
  const char* summary;
  const alloy_option*
      options;  // NULL: none. The engine refuses unknown keys, fills fallbacks
  void* self;   // passed to bind
  int32_t min_inputs;
  int32_t max_inputs;  // -1: any number

  // One list for each input, then NULL. The engine finds the columns by name at bind,
  // whatever their order and company, and passes these alone, in this order. NULL:
  // batches as they come. Inputs beyond the lists are passed as they come.
  const alloy_column* const* columns;

  // Say what comes out for these inputs, without running. Must always answer the same.
  // ALLOY_NO_MATCH is no failure: bind goes on to the next function of the same name.
  //   Borrows  self (as long as the process), scope, inputs (n_inputs of them, in a row)
  //   and
  //            values (one for each option, in the order of the table).
  //   Gives    output (the schema of a batch, format "+s") and state; neither unless
  //   ALLOY_OK.
  alloy_code (*bind)(void* self, alloy_scope* scope, const struct ArrowSchema* inputs,
                     int32_t n_inputs, const char* const* values,
                     struct ArrowSchema* output, void** state);

  // A map function has run: n batches in (mostly one), one batch out.
  //   Borrows  state, scope, inputs; inputs may be moved out. The engine releases
  //   whatever is
  //            left, on any return.
  //   Gives    output, which arrives released; the engine releases it unless ALLOY_OK.
  alloy_code (*run)(void* state, alloy_scope* scope, struct ArrowArray* inputs,
                    int32_t n_inputs, struct ArrowArray* output);

  // A stream function has open: n streams of batches in, one out.
  //   Borrows  state, scope, inputs; state and scope until `output` is released. Inputs
  //            that a lazy output still needs must be moved out, and be released with it
  //            at the latest.
  //   Gives    output, which arrives released; the engine releases it unless ALLOY_OK.
  //
  // get_next of an input answers a checked batch, a released one at the end, or an errno:
  // the input's own, EINVAL for a batch that the gate refuses, ECANCELED or ETIMEDOUT
  // once `cancelled` is true. After an errno the stream has failed, whatever comes out.
  //
  // Of `output`, get_next, release and, unless it is NULL, get_last_error are called, on
  // one thread at a time; get_schema is not: bind has said what comes. A get_next that
  // answers an errno ends the stream. The caller gets what services->fail was given last;
  // without that the text of get_last_error, and a code for the errno: ALLOY_EXHAUSTED
  // for ENOMEM, ALLOY_RETRY for EAGAIN, ALLOY_UNSUPPORTED for ENOSYS and ENOTSUP, else
  // ALLOY_FAILED.
  alloy_code (*open)(void* state, alloy_scope* scope, struct ArrowArrayStream* inputs,
                     int32_t n_inputs, struct ArrowArrayStream* output);

  // NULL: nothing to free. Never while a run or a stream of the state is under way.
  //   Takes    state.
  void (*unbind)(void* state);
} alloy_function;

typedef struct alloy_backend {
  uint32_t struct_size;
  uint32_t abi;
  const char* name;                        // such as acme.score
  const char* version;                     // such as 1.4.2
  const char* language;                    // the label of its lines, such as Rust
  const alloy_function* const* functions;  // ends with NULL
} alloy_backend;

// The only export of a backend.
//   Borrows  services (as long as the process), scope.
//   Gives    a table that lives as long as the process; NULL after services->fail().
ALLOY_EXPORT const alloy_backend* alloy_backend_init(const alloy_services* services,
                                                     alloy_scope* scope);

#ifdef __cplusplus
}
#endif

#endif  // ALLOY_BACKEND_H_
