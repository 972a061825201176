// SPDX-License-Identifier: MIT
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

#include "alloy/backend.h"
#include "alloy/reason.h"

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
