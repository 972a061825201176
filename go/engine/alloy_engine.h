// SPDX-License-Identifier: MIT
// Written by tools/amalgamate from src/ and include/; edit those instead.
#ifndef ALLOY_ENGINE_AMALGAMATED_H_
#define ALLOY_ENGINE_AMALGAMATED_H_

#define alloy_bridge_backend alloy_v0_1_bridge_backend
#define alloy_bridge_close alloy_v0_1_bridge_close
#define alloy_bridge_free alloy_v0_1_bridge_free
#define alloy_bridge_functions alloy_v0_1_bridge_functions
#define alloy_bridge_load alloy_v0_1_bridge_load
#define alloy_bridge_new alloy_v0_1_bridge_new
#define alloy_call_bind alloy_v0_1_call_bind
#define alloy_call_cancel alloy_v0_1_call_cancel
#define alloy_call_free alloy_v0_1_call_free
#define alloy_call_progress alloy_v0_1_call_progress
#define alloy_call_run alloy_v0_1_call_run
#define alloy_call_schema alloy_v0_1_call_schema
#define alloy_call_stream alloy_v0_1_call_stream
#define alloy_code_name alloy_v0_1_code_name
#define alloy_describe alloy_v0_1_describe
#define alloy_host_free alloy_v0_1_host_free
#define alloy_host_log alloy_v0_1_host_log
#define alloy_host_new alloy_v0_1_host_new
#define alloy_inspect alloy_v0_1_inspect
#define alloy_link alloy_v0_1_link
#define alloy_reason_name alloy_v0_1_reason_name
#define alloy_stream_error alloy_v0_1_stream_error
#define alloy_stream_of alloy_v0_1_stream_of
#define alloy_version alloy_v0_1_version

#define ALLOY_API

//
// The Arrow C data and stream interfaces, written once for the whole repository.
//
// The names, guards and layouts are those of the Arrow specification ("The Arrow C data
// interface", "Structure definitions"; "The Arrow C stream interface"), so this header
// and any other copy of them can be included together.
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
//
// The exact causes of an error: what alloy_error.reason holds. The numbers are frozen; a
// number that is not listed here comes from a newer engine. alloy_reason_name gives the
// name.
#ifndef ALLOY_REASON_H_
#define ALLOY_REASON_H_

// X(NAME, number, what it means)
#define ALLOY_REASONS(X)                                                                \
  X(NONE, 0, "no exact cause is known")                                                 \
  /* The gate: a fault of an Arrow struct. */                                           \
  X(SCHEMA_RELEASED, 1001, "the schema is released, or was never filled")               \
  X(FORMAT_NULL, 1002, "the format string is NULL")                                     \
  X(FORMAT_UNKNOWN, 1003, "the format string is none of the Arrow C data interface")    \
  X(FORMAT_PARAMETER, 1004,                                                             \
    "a parameter of the format string is malformed or out of range")                    \
  X(CHILD_COUNT, 1005, "the number of children is not that of the type")                \
  X(CHILDREN_NULL, 1006, "the pointer to the children is NULL")                         \
  X(CHILD_NULL, 1007, "a pointer to a child is NULL")                                   \
  X(TOO_DEEP, 1008, "nested deeper than 64 levels")                                     \
  X(TOO_MANY_COLUMNS, 1009, "more than 1,048,576 columns, nested ones included")        \
  X(DICTIONARY_MISSING, 1010, "a dictionary is missing")                                \
  X(DICTIONARY_UNEXPECTED, 1011, "a dictionary where none belongs")                     \
  X(DICTIONARY_INDEX, 1012, "the index type of a dictionary is no integer")             \
  X(METADATA, 1013, "the metadata block is malformed")                                  \
  X(RUN_ENDS_TYPE, 1014, "the run ends are not int16, int32 or int64")                  \
  X(MAP_ENTRIES, 1015, "the entries of a map are not a struct of two fields")           \
  X(NOT_A_BATCH, 1016, "the schema of a batch is not a struct")                         \
  X(ARRAY_RELEASED, 1020, "the array is released, or was never filled")                 \
  X(BUFFER_COUNT, 1021, "the number of buffers is not that of the type")                \
  X(BUFFERS_NULL, 1022, "the pointer to the buffers is NULL")                           \
  X(BUFFER_NULL, 1023, "a buffer that the length needs is NULL")                        \
  X(LENGTH, 1024, "a negative length")                                                  \
  X(OFFSET, 1025, "a negative offset")                                                  \
  X(OVERFLOW, 1026, "length and offset, or the bytes they stand for, overflow 64 bits") \
  X(NULL_COUNT, 1027,                                                                   \
    "a null count below -1, above the length, or not that of the bitmap")               \
  X(NULLS_WITHOUT_BITMAP, 1028, "nulls are counted, but there is no validity bitmap")   \
  X(UNEXPECTED_NULLS, 1029, "nulls in a type that cannot have them of its own")         \
  X(OFFSETS, 1030, "offsets are negative, decrease, or end beyond what they lead to")   \
  X(CHILD_LENGTH, 1031, "a child is shorter than its parent needs")                     \
  X(VIEW_BUFFER_COUNT, 1032,                                                            \
    "a view without its buffer of sizes, or a bad count of buffers")                    \
  X(VIEW_SIZES, 1033, "the sizes of the variadic buffers are NULL or negative")         \
  X(BATCH_NULLS, 1034, "nulls at the top of a batch: a batch has none of its own")      \
  X(ROW_COUNT, 1035, "not the number of rows that the function promised")               \
  X(RESULT_SHAPE, 1036, "from_chunks gives one row of one int64 column without nulls")  \
  X(RUN_ENDS_NULLS, 1037, "run ends with a validity bitmap, an offset or nulls")        \
  X(COPIED, 1038,                                                                       \
    "a struct was copied where it had to be moved: it would be released twice")         \
  X(VIEW, 1040, "a view with a negative length, or that leaves its buffers")            \
  X(LIST_VIEW, 1041, "a list view that leaves its child")                               \
  X(INDEX, 1042, "an index outside of its dictionary")                                  \
  X(TYPE_ID, 1043, "a type id that the union does not have")                            \
  X(UNION_OFFSET, 1044, "an offset of a dense union outside of its child")              \
  X(RUN_ENDS, 1045, "run ends that do not increase, or begin below 1")                  \
  X(UTF8, 1046, "text that is not UTF-8")                                               \
  X(VIEW_PREFIX, 1047, "a view whose prefix or padding is not that of its text")        \
  X(STREAM_RELEASED, 1060, "the stream is released, or was never filled")               \
  X(STREAM_CALLBACK, 1061, "a callback of the stream is NULL")                          \
  X(STREAM_SCHEMA, 1062, "the stream's schema is not the one that was bound")           \
  X(INPUT_FAILED, 1063, "an input stream failed by itself; the text is its own")        \
  /* Trust: who signed a library, and what for. */                                      \
  X(CERTIFICATE_BASE64, 2001, "the certificate is not strict base64")                   \
  X(CERTIFICATE_DER, 2002, "the certificate is not one DER X.509 certificate")          \
  X(CERTIFICATE_USAGE, 2003, "a certificate that is not made for signing code")         \
  X(CERTIFICATE_IS_CA, 2004, "the signer's certificate is that of an authority")        \
  X(CERTIFICATE_EXPIRED, 2005, "a certificate has expired")                             \
  X(CERTIFICATE_NOT_YET_VALID, 2006, "a certificate is not valid yet")                  \
  X(CERTIFICATE_UNTRUSTED, 2007, "no chain from the signer to the given certificate")   \
  X(WEAK_KEY, 2009, "a key or digest that is too weak, or is not used")                 \
  X(NO_SIDECAR, 2010, "the library has no signature beside it that can be read")        \
  X(SIDECAR_MALFORMED, 2011, "the signature file is malformed")                         \
  X(SIGNATURE, 2012, "the signature is not the signer's over this statement")           \
  X(SIZE, 2013, "the library has another size than was signed")                         \
  X(DIGEST, 2014, "the library has another SHA-256 than was signed")                    \
  X(NAME, 2015, "the statement names another backend than is wanted")                   \
  X(KIND, 2016, "the statement is about another kind of thing")                         \
  X(STATEMENT_ABI, 2017, "the statement is for another version of the ABI")             \
  X(PLATFORM, 2018, "the statement is for another platform")                            \
  X(STATEMENT_EXPIRED, 2019, "the statement has expired")                               \
  X(STATEMENT_NOT_YET_VALID, 2020, "the statement is not valid yet")                    \
  X(ROLLBACK, 2021, "the statement is older than the host accepts")                     \
  X(NEEDED, 2023, "a needed library is not allowed, or is another than was signed")     \
  X(STATEMENT_TABLE, 2024, "the table of the backend contradicts the statement")        \
  X(ARCHIVE_MALFORMED, 2025, "not an archive that can be linked")                       \
  X(LINK_FAILED, 2026, "the archive cannot be linked into a library")                   \
  X(NO_LIBCRYPTO, 2027, "libcrypto.so.3, which checks certificates, is missing")        \
  /* Loading a library. */                                                              \
  X(CANNOT_OPEN, 3001, "the library cannot be opened")                                  \
  X(NOT_A_FILE, 3002, "the library is not a regular file")                              \
  X(TOO_SMALL, 3003, "the library is smaller than 64 bytes")                            \
  X(TOO_LARGE, 3004, "the library is larger than 1 GiB")                                \
  X(CHANGED, 3005, "the library changed while it was read")                             \
  X(CANNOT_SEAL, 3006, "the sealed copy of the library cannot be made")                 \
  X(ELF_MALFORMED, 3007, "not a well-formed ELF file")                                  \
  X(ELF_REFUSED, 3008, "an ELF file that is refused")                                   \
  X(EXPORTS, 3009, "not exactly one export, alloy_backend_init")                        \
  X(LOADER, 3010, "the loader of the system refused it")                                \
  X(IDENTITY, 3011, "the loader gave another library than the sealed copy")             \
  X(TABLE, 3012, "the table of the backend is malformed")                               \
  X(ABI, 3013, "the backend speaks another version of the ABI")                         \
  X(INIT, 3014, "alloy_backend_init failed")                                            \
  X(UNSIGNED, 3015, "no certificate, and the host does not allow unsigned libraries")   \
  X(NO_PROC, 3016, "/proc is not mounted")

#define ALLOY_REASON_ENUM_(name, number, text) ALLOY_REASON_##name = number,
enum { ALLOY_REASONS(ALLOY_REASON_ENUM_) ALLOY_REASON_LAST_ = 0x7fffffff };

#endif  // ALLOY_REASON_H_
//
// Call native functions that someone else wrote on Arrow batches.
//
// A host holds the policy, a bridge an open backend, a call one function of it bound to
// schemas and options. Schemas cross in bind only; a run passes pointers. See backend.h
// for what a batch is, for the codes and for the ownership words; reason.h for the exact
// causes.
//
// Every `err` may be NULL, is the caller's own, and is written when the answer is not
// ALLOY_OK. Names, paths and options are Borrowed for the call, `err` too.
//
// Threads  alloy_host, alloy_bridge: shared. alloy_call: serial, and a second user gets
//          ALLOY_BUSY; bind once for each thread (a bind that was seen is cheap). Cancel
//          and progress: any thread. Streams that Alloy gives: serial. Releases: any
//          thread.
// Copies   two engines may live in one process; only Arrow structs may pass between them.
#ifndef ALLOY_ALLOY_H_
#define ALLOY_ALLOY_H_


#ifdef __cplusplus
extern "C" {
#endif

#ifndef ALLOY_API  // defined as empty where the engine is compiled into a program or a
                   // binding
#define ALLOY_API __attribute__((visibility("default")))
#endif

#define ALLOY_VERSION "0.1.0"

// alloy_error.side: who spoke.
enum {
  ALLOY_SIDE_CALLER = 0,
  ALLOY_SIDE_ENGINE = 1,
  ALLOY_SIDE_BACKEND = 2,
  ALLOY_SIDE_WORKER = 3
};

typedef struct alloy_error {  // frozen at 1024 bytes; nothing to free
  alloy_code code;
  int32_t reason;  // ALLOY_REASON_*
  int32_t input;   // which input, from 0; -1: none, or the output
  int32_t column;  // preorder: root -1, first child 0, a dictionary right after its index
  uint16_t side;   // ALLOY_SIDE_*: whose fault it is
  uint16_t length;  // of text, which may hold NULs and is cut between two characters
  char text[1004];  // UTF-8; always ends with a NUL
} alloy_error;

typedef struct alloy_host alloy_host;      // policy
typedef struct alloy_bridge alloy_bridge;  // an open backend
typedef struct alloy_call alloy_call;      // a function bound to schemas and options

#define ALLOY_ALLOW_UNSIGNED 1u  // libraries without a certificate may be loaded
// For debuggers and profilers: a library is loaded by its own path, where gdb, perf and
// valgrind find it, and not from the sealed copy that was verified. So whoever can write
// the file decides what runs. Implies ALLOY_ALLOW_UNSIGNED; a certificate that is given
// is checked all the same. A file that changed since its load needs a new process.
#define ALLOY_LOAD_PLAINLY 2u

// Zeros are the defaults.
typedef struct alloy_host_options {
  uint32_t struct_size;
  uint32_t flags;      // ALLOY_ALLOW_UNSIGNED, ALLOY_LOAD_PLAINLY
  const char* worker;  // absolute path of the worker program; NULL: beside the library
  // What libraries may need beside the C and C++ runtimes, on the host's own trust:
  // SONAMEs, or absolute paths of files that are loaded before whoever needs one. Ends
  // with NULL; NULL: none. Anything else that a library needs is NEEDED.
  const char* const* may_need;
  const char* language;  // label of the host's lines; NULL: "C"
  int32_t log_mode;      // 0: while a bridge runs an echo; 1: always; 2: never
  int32_t log_fd;        // where lines go, one write each; 0: standard error
  // Instead of log_fd: any thread, never two at once; it may be called after the call
  // that logged has returned. text has no time, no label and no line feed.
  void (*log)(void* context, int32_t level, const char* language, const char* text,
              int64_t length);
  void* log_context;  // must live until the host and every bridge and call of it are gone
} alloy_host_options;

// The version of the engine, as ALLOY_VERSION was when it was built. Lives for ever.
ALLOY_API const char* alloy_version(void);

// The names of a code ("BAD_DATA") and of a reason ("OFFSETS"); "UNKNOWN" for any other
// number.
ALLOY_API const char* alloy_code_name(alloy_code code);
ALLOY_API const char* alloy_reason_name(int32_t reason);

// Make a host.
//
//   Borrows  options, for this call; NULL: the defaults.
//   Gives    out, NULL unless ALLOY_OK is returned.
//   Fails    ALLOY_INVALID      an unknown flag or mode, or a struct_size of no version,
//                               or an entry of may_need that is neither.
//            ALLOY_UNSUPPORTED  a worker is set.
ALLOY_API alloy_code alloy_host_new(const alloy_host_options* options, alloy_host** out,
                                    alloy_error* err);

// Give a host back. Its bridges keep what they need of it.
//
//   Takes    host; NULL does nothing.
ALLOY_API void alloy_host_free(alloy_host* host);

// Write a line as the host's own: `[2022-10-17 18:09:34] [INFO] [C++]`, a tab, the text.
// Whatever log_mode says.
//
//   Borrows  host, text. length -1: up to the NUL.
ALLOY_API void alloy_host_log(alloy_host* host, int32_t level, const char* text,
                              int64_t length);

// Zeros are the defaults. The levels of the gate: 0 is the default; 1, shape, reads no
// rows: nothing is dereferenced that was not checked; 2, safe: and no offset, view,
// index, type id or run end that the rows of a batch lead to leaves its buffer, at a cost
// in proportion to the rows; 3, full: and the same of what no row leads to, null counts
// are those of the bitmaps, text is UTF-8, views have the prefixes of their text. C data
// has no sizes: that buffers are as long as they must be is believed at every level.
typedef struct alloy_bridge_options {
  uint32_t struct_size;
  uint32_t isolated;       // 0: in this process. Others are ALLOY_UNSUPPORTED yet
  uint32_t check_inputs;   // the level for what the host passes; 0 means shape
  uint32_t check_results;  // the level for what the backend returns; 0 means safe
  uint32_t max_workers;  // of the isolated mode, as the five after it; ignored in process
  uint32_t reserved;
  int64_t input_bytes, output_bytes;
  int64_t heap_bytes, grace_ns;
  const char* name;       // statement and table must carry it; NULL: any
  uint64_t min_sequence;  // of the statement; not 0 asks for a certificate at each load
  const char* sidecar;    // the signature file; NULL: <library>.alloysig
} alloy_bridge_options;

// Make a bridge on the built-in echo.
//
//   Borrows  host (the bridge keeps what it needs of it), and options for this call;
//   NULL: the
//            defaults.
//   Gives    out, NULL unless ALLOY_OK is returned.
//   Fails    ALLOY_INVALID      a level or a struct_size that is none.
//            ALLOY_UNSUPPORTED  the isolated mode, or a field of a newer version.
ALLOY_API alloy_code alloy_bridge_new(alloy_host* host,
                                      const alloy_bridge_options* options,
                                      alloy_bridge** out, alloy_error* err);

// Put a library in its place, in one step: calls bound before keep their own backend. A
// failure sticks: every later use of the bridge and of its calls answers it, until a load
// succeeds. The file is read once, into sealed memory, and loaded from there.
//
// With a certificate, nothing runs that its owner, or whom its owner issued a certificate
// for signing code, has not signed: the signature beside the library (<library>.alloysig)
// must hold over its size, its SHA-256 and what it needs, for this platform and ABI, now.
// libcrypto.so.3 of this machine does the arithmetic, and is loaded at the first one. The
// same bytes are loaded once for each host.
//
//   Borrows  bridge, library, and certificate: strict base64 of one DER X.509
//   certificate;
//            NULL or empty: none, where the host allows unsigned libraries. One that is
//            given is always checked.
//   Fails    ALLOY_REFUSED  reason says why: see reason.h, 2xxx and 3xxx.
//            ALLOY_CLOSED   the bridge is closed.
ALLOY_API alloy_code alloy_bridge_load(alloy_bridge* bridge, const char* library,
                                       const char* certificate, alloy_error* err);

// Tell all that can be known of a library or a static archive without running any of it,
// and what alloy_bridge_load would answer, short of loading it: one JSON object in UTF-8.
//
//   {"library": path, "size": bytes, "sha256": "hex" or null (no libcrypto.so.3),
//    "kind": "library" or "archive" (walked, not linked),
//    "verdict": {"ok", "code", "code_name", "reason", "reason_name", "text"},
//    "trusted": whether the signature leads to the certificate that was given,
//    "sidecar": path or null,
//    "statement": null or {"kind", "name", "version", "sequence", "abi", "platform",
//        "not_before", "not_after" (2026-09-01T00:00:00Z), "size", "sha256", "file",
//        "needed": [soname, ...]},
//    "signer": null or {"subject", "issuer", "key", "not_before", "not_after", "sha256"
//    of
//        its DER, "is_ca"},
//    "certificates": [the signer's and the others of the sidecar, as "signer"],
//    "warnings": [text, ...],
//    "elf": {"findings": [{"reason", "reason_name", "text"}, ...], "needed": [soname,
//    ...],
//        "not_allowed": [those of them that are neither runtimes nor allowed by
//        may_need], "exports": [symbol, ...]}}
//
// For a library that needs more than runtimes and SONAMEs of the host's may_need, the
// files of that list are loaded, as by a load: the host's own, not the library.
// Statement, signer and certificates are what the file claims unless "trusted" is true.
// Later versions add members. The text is cut at capacity, and ends with a NUL.
//
//   Borrows  host, library, certificate (NULL or empty: none), json (capacity bytes; NULL
//            only with capacity 0).
//   Gives    out_length, what the whole text needs, without the NUL; 0 on failure.
//   Fails    ALLOY_REFUSED  the file cannot be read: reason says why. A library that
//   would
//                           be refused is no failure: "verdict" says so.
ALLOY_API alloy_code alloy_inspect(alloy_host* host, const char* library,
                                   const char* certificate, char* json, int64_t capacity,
                                   int64_t* out_length, alloy_error* err);

// Calls of it answer ALLOY_CLOSED from now on; results stay valid. A run under way ends
// by itself.
//
//   Borrows  bridge; NULL does nothing.
ALLOY_API void alloy_bridge_close(alloy_bridge* bridge);

// Give a bridge back. Its calls keep what they need of it, and go on.
//
//   Takes    bridge; NULL does nothing.
ALLOY_API void alloy_bridge_free(alloy_bridge* bridge);

// The functions of the backend. Of two functions of one name, bind takes the first that
// applies. Entry points are NULL.
//
//   Borrows  bridge.
//   Gives    out_functions, a list that ends with NULL and lives as long as the bridge,
//   also
//            when another library has taken its place;
//   NULL
//            unless ALLOY_OK.
//   Fails    ALLOY_CLOSED, or the failure that sticks to the bridge.
ALLOY_API alloy_code alloy_bridge_functions(alloy_bridge* bridge,
                                            const alloy_function* const** out_functions,
                                            alloy_error* err);

// The backend that serves the bridge; its functions are those of alloy_bridge_functions.
//
//   Borrows  bridge.
//   Gives    out_backend, which lives as long as the bridge, also when another library
//   has
//            taken its place; NULL unless ALLOY_OK.
//   Fails    ALLOY_CLOSED, or the failure that sticks to the bridge.
ALLOY_API alloy_code alloy_bridge_backend(alloy_bridge* bridge,
                                          const alloy_backend** out_backend,
                                          alloy_error* err);

// Bind a function to the schemas of its inputs and to options.
//
//   Borrows  bridge, function, inputs (n_inputs schemas of batches, in a row) and options
//            (key, value, key, value, NULL; or NULL), for this call.
//   Gives    out, NULL unless ALLOY_OK. It keeps what it needs of the bridge.
//   Fails    ALLOY_NOT_FOUND  no such function; the text lists what there is.
//            ALLOY_INVALID    an unknown option, a missing one, the number of inputs.
//            ALLOY_NO_MATCH   the function does not apply; the text is a table of wanted
//            and got. ALLOY_BAD_DATA   a schema is malformed: reason, input and column
//            say where.
ALLOY_API alloy_code alloy_call_bind(alloy_bridge* bridge, const char* function,
                                     const struct ArrowSchema* inputs, int32_t n_inputs,
                                     const char* const* options, alloy_call** out,
                                     alloy_error* err);

// The schema of the output: a struct whose children are the columns.
//
//   Borrows  call; the schema lives as long as the call, and is not to be released.
ALLOY_API const struct ArrowSchema* alloy_call_schema(const alloy_call* call);

// Run a bound function on as many batches as schemas were bound.
//
//   Borrows  call.
//   Takes    inputs, but for ALLOY_BUSY, which takes nothing: the call did not happen.
//   Gives    output, released unless ALLOY_OK.
//   Fails    ALLOY_BAD_DATA   the gate: side caller for an input, side backend for the
//   output.
//            ALLOY_TIMEOUT    the backend failed after timeout_ns (0: none) had passed. A
//                             result that comes late all the same is a result.
//                             A process forked after the host was made has no timer.
//            ALLOY_CANCELLED  the backend gave up after a cancel, or the cancel came
//            first.
//            ALLOY_BUSY       the call is in use by another thread, or by a stream of it.
//            ALLOY_INVALID    it is a stream function: see alloy_call_stream.
//            ALLOY_CLOSED, the failure that sticks to the bridge, or the backend's own.
// ticket: the caller's rising number, for alloy_call_cancel; 0: cannot be cancelled.
ALLOY_API alloy_code alloy_call_run(alloy_call* call, struct ArrowArray* inputs,
                                    struct ArrowArray* output, int64_t timeout_ns,
                                    uint64_t ticket, alloy_error* err);

// Open a stream of results over streams of batches. A stream function pulls from its
// inputs as it likes; a map function, which has one input then, is run on each batch.
// Nothing is read before it is asked for.
//
//   Shares   call, which `output` keeps, and keeps busy, until its release.
//   Takes    inputs (n_inputs of them, in a row), but for ALLOY_BUSY, which takes
//            nothing: the call did not happen.
//   Gives    output, released unless ALLOY_OK. get_schema answers at any time.
//   Fails    ALLOY_BAD_DATA   an input is released, lacks a callback, or has another
//                             schema than was bound.
//            ALLOY_INVALID    n_inputs is not what was bound, or a map function is bound
//                             to other than one input.
//            ALLOY_BUSY       the call is in use.
//            An input's own failure, the backend's own, and what alloy_call_run answers.
//
// get_next of `output` answers an errno for every failure, never an early end, and the
// same one until the release; alloy_stream_error tells the rest. The gate looks at every
// batch, as the backend pulls it and as the host does. An input's own failure comes back
// as it was: its errno, its text, its number, ALLOY_SIDE_CALLER. timeout_ns (0: none) is
// for the opening and then for each batch, less the time spent inside the inputs.
// ticket: as in alloy_call_run. A closed bridge ends the stream with ALLOY_CLOSED.
ALLOY_API alloy_code alloy_call_stream(alloy_call* call, struct ArrowArrayStream* inputs,
                                       int32_t n_inputs, struct ArrowArrayStream* output,
                                       int64_t timeout_ns, uint64_t ticket,
                                       alloy_error* err);

// Cancel every run and stream up to ticket, begun or not: none is missed, none is hit by
// mistake.
//
//   Borrows  call.
ALLOY_API void alloy_call_cancel(alloy_call* call, uint64_t ticket);

// What the backend last said of its progress; zeros before it said anything.
//
//   Borrows  call.
//   Gives    out_done, out_total (0: unknown).
ALLOY_API void alloy_call_progress(const alloy_call* call, int64_t* out_done,
                                   int64_t* out_total);

// Give a call back. Not while it runs; a stream of it goes on, and keeps what it needs.
//
//   Takes    call; NULL does nothing.
ALLOY_API void alloy_call_free(alloy_call* call);

// Link a static archive into a shared library that alloy_bridge_load takes: as a load of
// the archive itself does, but once, on a machine with a compiler. Nothing of it runs.
// The new file is written beside `library` and moved there.
//
//   Borrows  archive, library.
//   Fails    ALLOY_INVALID  no archive is named, or the library cannot be written.
//            ALLOY_REFUSED  reason ARCHIVE_MALFORMED, LINK_FAILED, or why the library
//                           would not be loaded.
ALLOY_API alloy_code alloy_link(const char* archive, const char* library,
                                alloy_error* err);

// Make a stream of batches that are at hand.
//
//   Borrows  schema, of a batch, for this call.
//   Takes    batches (n of them, in a row).
//   Gives    out, released unless ALLOY_OK.
//   Fails    ALLOY_BAD_DATA  the schema or a batch is malformed; `input` is the number of
//                            the batch.
ALLOY_API alloy_code alloy_stream_of(const struct ArrowSchema* schema,
                                     struct ArrowArray* batches, int64_t n,
                                     struct ArrowArrayStream* out, alloy_error* err);

// The whole of the error that a stream of Alloy answers, of which an errno and a text are
// a part: the code, which is returned too. ALLOY_OK while there is none.
//
//   Borrows  stream.
//   Fails    ALLOY_INVALID  the stream is released, or not one of this engine's.
ALLOY_API alloy_code alloy_stream_error(const struct ArrowArrayStream* stream,
                                        alloy_error* err);

// The text of an array as every Alloy program prints it: `Int32[1, 2, null]`, at most 16
// values and then `… n more`; `Type[n rows]` for types other than numbers, booleans and
// strings. Cut between two characters, ends with a NUL.
//
//   Borrows  schema, array, text (capacity bytes; NULL only with capacity 0).
//   Gives    out_length, what the whole text needs, without the NUL; 0 on failure.
//   Fails    ALLOY_BAD_DATA  the schema or the array is malformed.
ALLOY_API alloy_code alloy_describe(const struct ArrowSchema* schema,
                                    const struct ArrowArray* array, char* text,
                                    int64_t capacity, int64_t* out_length,
                                    alloy_error* err);

#ifdef __cplusplus
}
#endif

#endif  // ALLOY_ALLOY_H_

#endif  // ALLOY_ENGINE_AMALGAMATED_H_
