// SPDX-License-Identifier: MIT
//
// The C interface by which a host calls functions of a native library on Apache Arrow
// batches. The host is your program. The library is called a backend.
//
// Use it from C, or to write a binding for another language. In C++ use alloy.hpp, in Go
// the Go module. Backends use backend.h, which also defines what a batch is.
//
// The objects, in the order in which a program makes them:
//
//   alloy_host    the policy: which libraries may be loaded, where log lines go
//   alloy_bridge  an open backend
//   alloy_call    one function of a backend, bound to the schemas of its inputs and to
//                 options; only bind passes schemas, a run passes pointers to data
//
// examples/c/hello.c is a complete program.
//
// Each pointer has one of four ownership words. Borrows: the caller stays the owner, and
// the function uses it only until it returns, unless the comment states another time.
// Takes: the function becomes the owner, even if it fails. Gives: the caller becomes the
// owner; on failure it gets the value that the comment states. Shares: it has a reference
// count, so owners may release it in any order. If nothing is stated, a name, a path or
// `err` is borrowed.
//
// Every object works in a child of fork, with timeouts, and may be freed there. Only the
// thread that forked exists in the child. So a call or a stream that another thread was
// using stays in use there: it returns ALLOY_BUSY or EBUSY, and to free it frees nothing. A
// backend may have threads or locks of its own: only its author can say whether it works in
// a child.
//
// Threads  alloy_host, alloy_bridge: shared, any number of threads at any time.
//          alloy_call: serial, any thread but one at a time; a second one gets
//          ALLOY_BUSY. Bind once for each thread; to bind the same function to the same
//          schemas and options again is cheap. Cancel and progress: any thread. Streams
//          from Alloy: serial. Releases: any thread.
// Copies   two copies of the engine may live in one process. Only Arrow structs may pass
//          between them.
#ifndef ALLOY_ALLOY_H_
#define ALLOY_ALLOY_H_

#include "alloy/backend.h"
#include "alloy/reason.h"

#ifdef __cplusplus
extern "C" {
#endif

// Define it as empty if you compile the engine into your program or binding.
#ifndef ALLOY_API
#define ALLOY_API __attribute__((visibility("default")))
#endif

#define ALLOY_VERSION "0.1.0"

// The version of the engine: the ALLOY_VERSION it was built with. The text is constant.
ALLOY_API const char* alloy_version(void);

// ---- Errors
//
// Every function that can fail returns an alloy_code, which tells the caller what it can
// do next. The codes are in backend.h. Details go to `err`, which the caller owns and which may be
// NULL. It is written only if the code is not ALLOY_OK.

// alloy_error.side: whose fault it is.
enum {
  ALLOY_SIDE_CALLER = 0,
  ALLOY_SIDE_ENGINE = 1,
  ALLOY_SIDE_BACKEND = 2,
  ALLOY_SIDE_WORKER = 3
};

// Frozen at 1024 bytes. There is nothing to free; copy it as you like.
typedef struct alloy_error {
  alloy_code code;
  int32_t reason;  // ALLOY_REASON_*: the exact cause, see reason.h
  int32_t input;   // which input, from 0; -1: no input, or the output
  // Counted in preorder through the schema: the root is -1, its first child is 0, and a
  // dictionary comes directly after its index.
  int32_t column;
  uint16_t side;    // ALLOY_SIDE_*
  uint16_t length;  // of text, in bytes
  // UTF-8 with a NUL at the end; cut if too long, between characters. It is safe to print:
  // control and format characters, and bytes that are not UTF-8, are written as \n, \t or
  // \xNN, whether they come from a file, a name or a backend. Only the text that a backend
  // reports, and a list of functions, may have several lines. Each line after the first
  // begins with two blanks, so that none looks like a line of its own in a log.
  char text[1004];
} alloy_error;

// The name of a code, such as "BAD_DATA"; "UNKNOWN" for a number without a name. The text
// is constant.
ALLOY_API const char* alloy_code_name(alloy_code code);

// The name of a reason, such as "OFFSETS"; "UNKNOWN" for a number without a name. The
// text is constant.
ALLOY_API const char* alloy_reason_name(int32_t reason);

// ---- Hosts
//
// An alloy_host holds the settings of the host program: which libraries are allowed, and
// where log lines go. Most programs make one. The settings for one library are in
// alloy_bridge_options.

typedef struct alloy_host alloy_host;

// Libraries may be loaded without a certificate.
#define ALLOY_ALLOW_UNSIGNED 1u
// For debuggers and profilers: load the file itself and not the verified copy in memory,
// so that gdb, perf and valgrind can find it. Then anyone who can write the file decides
// what runs. It implies ALLOY_ALLOW_UNSIGNED; a certificate that is given is still
// checked. To load a file that changed after its load, start a new process.
#define ALLOY_LOAD_PLAINLY 2u

// One log line, for alloy_host_options.log_line. Its pointers are valid during the call.
// Later versions add fields at the end.
typedef struct alloy_log_line {
  uint32_t struct_size;
  int32_t level;         // ALLOY_LOG_*, in backend.h
  const char* language;  // the label of the line
  const char* text;      // without time, label and line feed; ends with a NUL
  int64_t length;        // of text, in bytes
  // The backend and the function that wrote the line, or were called. NULL: the line is
  // about neither.
  const char* backend;
  const char* function;
  void* call_context;  // see alloy_call_set_log; NULL: none was set
} alloy_log_line;

// Set struct_size to sizeof(alloy_host_options). In any other field, 0 or NULL means the
// default.
typedef struct alloy_host_options {
  uint32_t struct_size;
  uint32_t flags;  // ALLOY_ALLOW_UNSIGNED, ALLOY_LOAD_PLAINLY
  // The absolute path of the worker program of the isolated mode. NULL: alloy-worker next
  // to the engine, or in its folder `alloy`. A program that has the engine compiled in, such
  // as a Go program, needs none: it starts itself again.
  const char* worker;
  // The shared libraries that a backend may need besides the C and C++ runtimes. Each
  // entry is a SONAME, or the absolute path of a file, which is loaded before a backend
  // that needs it. The list ends with NULL; NULL: an empty list. A backend that needs any
  // other library is refused, with reason NEEDED.
  const char* const* may_need;
  const char* language;  // the label of the host's log lines; NULL: "C"
  // 0: only while a bridge runs an echo; 1: always; 2: never. The host's own lines about
  // a run have the level DEBUG, except for an echo.
  int32_t log_mode;
  int32_t log_fd;  // where log lines go, one write for each; 0: standard error
  // Gets the log lines instead of log_fd. Any thread may call it, but only one at a time.
  // It may be called after the function that wrote the line has returned. `text` has no
  // time, no label, and nothing but characters that can be shown, in UTF-8.
  void (*log)(void* context, int32_t level, const char* language, const char* text,
              int64_t length);
  void* log_context;  // must live until the host and all its bridges and calls are gone
  // Gets the log lines instead of log and log_fd, with their origin. Any thread may call
  // it, several at the same time. It is called before the function that wrote the line
  // returns.
  //
  //   Borrows  line, for this call.
  void (*log_line)(void* context, const alloy_log_line* line);
} alloy_host_options;

// Make a host.
//
//   Borrows  options, for this call; NULL: the defaults.
//   Gives    out, NULL unless ALLOY_OK is returned.
//   Fails    ALLOY_INVALID      a flag, a mode or struct_size is unknown, or an entry of
//                               may_need is neither a SONAME nor an absolute path.
//            ALLOY_UNSUPPORTED  a field of a newer version.
ALLOY_API alloy_code alloy_host_new(const alloy_host_options* options, alloy_host** out,
                                    alloy_error* err);

// Free a host. Its bridges keep what they need of it.
//
//   Takes    host; NULL does nothing.
ALLOY_API void alloy_host_free(alloy_host* host);

// Write a log line with the label of the host, whatever log_mode is:
// `[2022-10-17 18:09:34] [INFO] [C++]`, a tab, the text.
//
//   Borrows  host and text. `length` is the size of text in bytes; -1: text ends at its
//            NUL. `level` is one of ALLOY_LOG_*, in backend.h.
ALLOY_API void alloy_host_log(alloy_host* host, int32_t level, const char* text,
                              int64_t length);

// ---- Bridges
//
// A bridge is an open backend. A new bridge runs the echo, a small built-in backend that
// returns its inputs; alloy_bridge_load replaces it by a library. Calls are bound on a
// bridge.
//
// The gate is the part of Alloy that checks every batch between host and backend. It has
// three levels:
//
//   1  shape  Costs O(columns) and reads no rows. Nothing is dereferenced before it is
//             checked.
//   2  safe   Also checks every offset, view, dictionary index, type id and run end that
//             can be reached from the rows of the batch. The cost grows with the rows. A
//             column that is declared not nullable has no nulls.
//   3  full   Also checks the parts no row can reach (such as the hidden part of a sliced
//             list), UTF-8, null counts, the prefixes of views, and that the entries and
//             the keys of maps are not null.
//
// A function with the flag ALLOY_TRUSTS_VALUES (backend.h) reads its inputs with a library
// that checks nothing. The values of its inputs are always checked at level full, whatever
// level the bridge has. The only way to have less is ALLOY_CHECK_UNSAFE_SHAPE.
//
// Null rows may have any values. If a library could not read them, the function gets a
// copy of the buffer without them. docs/boundary.md lists these cases.
//
// The C data interface does not carry the sizes of buffers. So at every level the gate
// has to trust that no buffer is shorter than the struct implies.

// alloy_bridge_options.check_inputs and check_results.
enum {
  ALLOY_CHECK_DEFAULT = 0,
  ALLOY_CHECK_SHAPE = 1,
  ALLOY_CHECK_SAFE = 2,
  ALLOY_CHECK_FULL = 3,
  // Only for check_inputs: level shape for every function, also for one that trusts the
  // values of its inputs. Malformed values are then undefined behaviour in the backend:
  // it may crash, or read and write any memory. Use it only for data that was checked
  // before, or made by this program.
  ALLOY_CHECK_UNSAFE_SHAPE = 0x101
};

// alloy_bridge_options.demand: what a worker gives up before it loads the library. Each one
// that the machine allows is given up always; docs/isolation.md says what each prevents.
enum {
  ALLOY_RESTRICT_ENVIRONMENT = 1 << 0,
  ALLOY_RESTRICT_COMMON_END = 1 << 1,
  ALLOY_RESTRICT_DESCRIPTORS = 1 << 2,
  ALLOY_RESTRICT_OOM_KILLER = 1 << 3,
  ALLOY_RESTRICT_LIMITS = 1 << 4,
  ALLOY_RESTRICT_STACK_SIZE = 1 << 5,
  ALLOY_RESTRICT_PRIVILEGES = 1 << 6,
  ALLOY_RESTRICT_LANDLOCK = 1 << 7,
  ALLOY_RESTRICT_SECCOMP = 1 << 8,
  ALLOY_RESTRICT_ALL = (1 << 9) - 1
};

typedef struct alloy_bridge alloy_bridge;

// Set struct_size to sizeof(alloy_bridge_options). In any other field, 0 or NULL means
// the default.
typedef struct alloy_bridge_options {
  uint32_t struct_size;
  // Where the backend runs. 0: in this process. 1: in worker processes, which it cannot
  // leave: it cannot take this process down. 2: the same, and results are copied out of
  // the memory of the worker. With 1 the values of a result (not its structure) can
  // change until it is released, if the worker is hostile. See docs/isolation.md.
  uint32_t isolated;
  uint32_t check_inputs;   // ALLOY_CHECK_*, for batches from the host; 0 means shape
  uint32_t check_results;  // ALLOY_CHECK_*, for batches from the backend; 0 means safe
  // The next six are for the isolated mode. They are ignored if `isolated` is 0.
  uint32_t max_workers;  // calls and streams at the same time, 1 to 64; 0 means 16
  // How often a run of a function with the flag ALLOY_IDEMPOTENT is tried again, in a new
  // worker, after its worker was lost.
  uint32_t retries;
  // Shared memory for inputs and for results, of all workers together, in bytes; 0 means
  // 1 GiB each. Results that are not released count, also those of dead workers.
  int64_t input_bytes, output_bytes;
  // The memory that one worker may use besides, in bytes; 0 means 2 GiB. And the time
  // between a cancel or a deadline and the end of a worker that goes on; 0 means 0.5 s.
  int64_t heap_bytes, grace_ns;
  // The name that the backend and its signature file must have; NULL: any name.
  const char* name;
  // The lowest sequence number that the signature file may have; if it is not 0, each
  // load needs a certificate.
  uint64_t min_sequence;
  const char* sidecar;  // the signature file; NULL: <library>.alloysig
  // The SHA-256 that the file must have, as 64 hexadecimal digits; NULL: any. It is compared
  // with the sealed copy that is loaded, with or without a certificate. Another digest is
  // ALLOY_REFUSED with reason DIGEST.
  const char* sha256;
  // The ALLOY_RESTRICT_* without which a library is not loaded into a worker: a load then
  // fails with ALLOY_UNSUPPORTED, and the text says which one is missing and why. Ignored if
  // `isolated` is 0.
  uint32_t demand;
  // The time in milliseconds that a worker has to load the library, to bind a function, and
  // to open a stream, each; 0 means 60,000. Then it is killed, and the call fails with
  // ALLOY_LOST. The host's own inputs do not count. Ignored if `isolated` is 0. An older
  // header calls it `reserved`, and its callers write 0.
  uint32_t setup_ms;
} alloy_bridge_options;

// Make a bridge that runs the built-in echo.
//
//   Borrows  host and options; NULL options: the defaults. The bridge keeps what it needs
//            of host, so the host may be freed first.
//   Gives    out, NULL unless ALLOY_OK is returned.
//   Fails    ALLOY_INVALID      an unknown level or struct_size, a negative limit, or
//                               sha256 is not 64 hexadecimal digits.
//            ALLOY_UNSUPPORTED  a field of a newer version.
ALLOY_API alloy_code alloy_bridge_new(alloy_host* host,
                                      const alloy_bridge_options* options,
                                      alloy_bridge** out, alloy_error* err);

// Load a library. It replaces the backend of the bridge in one step. Calls that were
// bound before keep their own backend.
//
// The file is read once, into sealed memory, and loaded from there. If a host loads the
// same bytes again, the engine uses the library that is already loaded. If a load fails,
// the bridge keeps the error. Until a load succeeds, every use of the bridge and of its
// calls returns this error, also of calls that were bound before.
//
// With a certificate, only a library runs that was signed with the key of this
// certificate, or with the key of a code-signing certificate that was issued under it.
// The signature is the file <library>.alloysig. It must be valid now, for this platform
// and ABI, and must match the size, the SHA-256 and the needed libraries of the file. The
// machine's libcrypto.so.3 does the cryptography; it is loaded at the first use.
//
//   Borrows  bridge, library, and certificate: strict base64 of one DER X.509
//            certificate. NULL or empty: no certificate, if the host allows unsigned
//            libraries.
//   Fails    ALLOY_REFUSED      `reason` is the cause: see reason.h, 2xxx and 3xxx.
//            ALLOY_UNSUPPORTED  the program is linked statically: it has no loader.
//            ALLOY_CLOSED       the bridge is closed.
ALLOY_API alloy_code alloy_bridge_load(alloy_bridge* bridge, const char* library,
                                       const char* certificate, alloy_error* err);

// Close a bridge: its calls return ALLOY_CLOSED from now on. Results stay valid. A run in
// progress ends normally.
//
//   Borrows  bridge; NULL does nothing.
ALLOY_API void alloy_bridge_close(alloy_bridge* bridge);

// Free a bridge. Its calls keep what they need of it and stay usable.
//
//   Takes    bridge; NULL does nothing.
ALLOY_API void alloy_bridge_free(alloy_bridge* bridge);

// List the functions of the backend. If two have the same name, bind takes the first that
// accepts the schemas. All function pointers are NULL: call through alloy_call_bind.
//
//   Borrows  bridge.
//   Gives    out_functions, a list that ends with NULL. It lives as long as the bridge,
//            even after another load. NULL unless ALLOY_OK is returned.
//   Fails    ALLOY_CLOSED, or the error of the failed load.
ALLOY_API alloy_code alloy_bridge_functions(alloy_bridge* bridge,
                                            const alloy_function* const** out_functions,
                                            alloy_error* err);

// Return the backend of the bridge. Its functions are those of alloy_bridge_functions.
//
//   Borrows  bridge.
//   Gives    out_backend, which lives as long as the bridge, even after another load.
//            NULL unless ALLOY_OK is returned.
//   Fails    ALLOY_CLOSED, or the error of the failed load.
ALLOY_API alloy_code alloy_bridge_backend(alloy_bridge* bridge,
                                          const alloy_backend** out_backend,
                                          alloy_error* err);

// Where the backend of a bridge comes from, for alloy_bridge_origin. Set struct_size to
// sizeof(alloy_origin). Later versions add fields at the end.
typedef struct alloy_origin {
  uint32_t struct_size;
  uint32_t reserved;
  const char* library;  // the path with which it was loaded; NULL: the built-in echo
  // The SHA-256 of the file, as 64 hexadecimal digits; NULL: the echo, or this machine has
  // no libcrypto.so.3.
  const char* sha256;
  // The subject and the SHA-256 of the certificate with which the file is signed, and the
  // sequence number that is signed; NULL and 0: it was loaded without a certificate.
  const char* signer;
  const char* signer_sha256;
  uint64_t sequence;
} alloy_origin;

// Return where the backend of the bridge comes from.
//
//   Borrows  bridge.
//   Gives    out_origin, whose texts live as long as the bridge, even after another load.
//            Unless ALLOY_OK is returned, it is zero after struct_size.
//   Fails    ALLOY_INVALID  struct_size is not plausible.
//            ALLOY_CLOSED, or the error of the failed load.
ALLOY_API alloy_code alloy_bridge_origin(alloy_bridge* bridge, alloy_origin* out_origin,
                                         alloy_error* err);

// Describe the library that was loaded, as one JSON object in UTF-8:
//
//   {"name", "version", "language": what the backend says of itself,
//    "library": the path with which it was loaded, or null for the built-in echo,
//    "size": bytes of the file, 0 for the echo,
//    "sha256": "hex", or null for the echo and without libcrypto.so.3,
//    "sequence": the signed sequence number, 0 without a certificate,
//    "signer": null without a certificate, or as in alloy_inspect,
//    "isolated": null in this process, or {"reached": [name of a restriction of its
//                workers, ...], "missing": [name, ...]}}
//
// Unlike alloy_inspect, it reads no file: it describes the bytes that run, and every value
// was verified. The text is cut at `capacity` bytes and always ends with a NUL. Later
// versions add members.
//
//   Borrows  bridge, and json, of `capacity` bytes (NULL only if capacity is 0).
//   Gives    out_length, the bytes of the whole text without the NUL; 0 on failure.
//   Fails    ALLOY_CLOSED, or the error of the failed load.
ALLOY_API alloy_code alloy_bridge_identity(alloy_bridge* bridge, char* json,
                                           int64_t capacity, int64_t* out_length,
                                           alloy_error* err);

// ---- Libraries
//
// For tools that inspect a library, or make one, without running it.

// Describe a library or a static archive without running any of it, and report what
// alloy_bridge_load would return. The result is one JSON object in UTF-8:
//
//   {"library": path, "size": bytes, "sha256": "hex", or null without libcrypto.so.3,
//    "kind": "library" or "archive" (its members are checked, it is not linked),
//    "verdict": {"ok", "code", "code_name", "reason", "reason_name", "text"},
//    "trusted": true if the signature leads to the certificate that was given,
//    "sidecar": path or null,
//    "statement": null or {"kind", "name", "version", "sequence", "abi", "platform",
//                          "not_before", "not_after" (2026-09-01T00:00:00Z), "size",
//                          "sha256", "file", "needed": [soname, ...]},
//    "signer": null or {"subject", "issuer", "key", "not_before", "not_after",
//                       "sha256" of its DER, "is_ca"},
//    "certificates": [the signer's and the others of the sidecar, like "signer"],
//    "warnings": [text, ...],
//    "elf": {"findings": [{"reason", "reason_name", "text"}, ...],
//            "needed": [soname, ...],
//            "not_allowed": [those that are neither runtimes nor in may_need],
//            "exports": [symbol, ...] (the first 64), "export_count": number,
//            "go_runtime": true if it brings one, and so can only run isolated}}
//
// Names are the file's own bytes, and bytes that are not UTF-8 become U+FFFD. Characters
// that control a terminal are escaped, so the text is safe to print; its values are not.
//
// Statement, signer and certificates are unproven claims of the file unless "trusted" is
// true. Later versions add members. If the library needs more than runtimes and the
// SONAMEs of may_need, the files that may_need names by path are loaded, as in
// alloy_bridge_load. The library itself is never loaded. The text is cut at `capacity`
// bytes and always ends with a NUL.
//
//   Borrows  host, library, certificate (NULL or empty: no certificate), and json, of
//            `capacity` bytes (NULL only if capacity is 0).
//   Gives    out_length, the bytes of the whole text without the NUL; 0 on failure.
//   Fails    ALLOY_REFUSED  the file cannot be read; `reason` is the cause. A library
//                           that would be refused is not a failure: see "verdict".
ALLOY_API alloy_code alloy_inspect(alloy_host* host, const char* library,
                                   const char* certificate, char* json, int64_t capacity,
                                   int64_t* out_length, alloy_error* err);

// Link a static archive into a shared library for alloy_bridge_load. That function also
// accepts an archive, but then it links at each load, and the machine needs a compiler.
// No code of the archive runs. The new file is written next to `library` and then
// renamed.
//
//   Borrows  archive, library.
//   Fails    ALLOY_INVALID  `archive` is not an archive, or `library` cannot be written.
//            ALLOY_REFUSED  reason ARCHIVE_MALFORMED, LINK_FAILED, or the reason for
//                           which the library would not be loaded.
ALLOY_API alloy_code alloy_link(const char* archive, const char* library,
                                alloy_error* err);

// ---- Pools
//
// Memory for the data of a host. If the backend is isolated, it is shared with the workers,
// which can only read it. A batch whose buffers are in it crosses without a copy, also a
// part of it; other data is copied once. If the backend is in this process, a pool is
// plain memory. So a program can use pools always.
//
// The workers of a bridge see all of its pool. A pool has room for input_bytes; what finds
// none is in other memory, and is copied when it crosses.

typedef struct alloy_pool alloy_pool;

// Make a pool of the memory of a bridge.
//
//   Borrows  bridge. The pool keeps what it needs of it.
//   Gives    out, NULL unless ALLOY_OK is returned.
//   Fails    ALLOY_INVALID  an argument is NULL.
ALLOY_API alloy_code alloy_pool_new(alloy_bridge* bridge, alloy_pool** out,
                                    alloy_error* err);

// Allocate (old_size 0), resize, or free (new_size 0) memory that is aligned to 64 bytes.
// While a call has an input in it, do not write to it.
//
// Threads  shared.
//   Borrows  pool.
//   Takes    memory. If NULL is returned for a new_size above 0, the caller keeps it.
//   Gives    the memory; NULL if there is not enough.
ALLOY_API void* alloy_pool_resize(alloy_pool* pool, void* memory, int64_t old_size,
                                  int64_t new_size);

// Free a pool, after all of its memory.
//
//   Takes    pool; NULL does nothing.
ALLOY_API void alloy_pool_free(alloy_pool* pool);

// ---- Calls
//
// A call is a function that is bound to the schemas of its inputs and to options. Bind
// once, run many times. A map function takes batches and gives one batch: alloy_call_run. A
// stream function takes streams and gives a stream: see alloy_call_stream.

typedef struct alloy_call alloy_call;

// Bind a function to the schemas of its inputs and to options.
//
//   Borrows  bridge, function, inputs (n_inputs schemas of batches, one after another)
//            and options (key, value, key, value, NULL; or NULL).
//   Gives    out, NULL unless ALLOY_OK is returned. It keeps what it needs of the bridge.
//   Fails    ALLOY_NOT_FOUND  no such function; the text lists those that exist.
//            ALLOY_INVALID    an option is unknown or missing, or the function does not
//                             take this number of inputs.
//            ALLOY_NO_MATCH   the function does not accept the schemas; the text is a
//                             table of what it accepts and what it got.
//            ALLOY_BAD_DATA   a schema is malformed; see reason, input and column.
//            ALLOY_CLOSED, the error of the failed load, or the backend's own error.
ALLOY_API alloy_code alloy_call_bind(alloy_bridge* bridge, const char* function,
                                     const struct ArrowSchema* inputs, int32_t n_inputs,
                                     const char* const* options, alloy_call** out,
                                     alloy_error* err);

// Return the schema of the output: a struct whose children are the columns. It lives as
// long as the call; do not release it.
//
//   Borrows  call.
ALLOY_API const struct ArrowSchema* alloy_call_schema(const alloy_call* call);

// Run a map function on one batch for each bound schema.
//
// timeout_ns: how long it may take; 0: no limit. A result that arrives after the deadline
// is still returned. ticket: a number that the caller chooses, larger for each run, and
// passes to alloy_call_cancel; 0: this run cannot be cancelled.
//
//   Borrows  call.
//   Takes    inputs, unless it returns ALLOY_BUSY: then nothing was run.
//   Gives    output; on failure it is empty (release is NULL).
//   Fails    ALLOY_BAD_DATA   the gate found a fault: in an input, if side is the caller;
//                             in the output, if side is the backend.
//            ALLOY_TIMEOUT    timeout_ns had passed when the backend failed.
//            ALLOY_CANCELLED  the backend stopped after a cancel, or the cancel came
//                             before the run.
//            ALLOY_LOST       the worker died (isolated mode). The reason is how: one of
//                             WORKER_SIGNAL, WORKER_EXIT, WORKER_HANG, WORKER_MEMORY and
//                             WORKER_VIOLATION. A timeout or cancel with which the worker
//                             was lost has one of them too.
//            ALLOY_BUSY       another thread or an open stream uses the call.
//            ALLOY_INVALID    it is a stream function: use alloy_call_stream.
//            ALLOY_EXHAUSTED  the thread that watches deadlines cannot be started.
//            ALLOY_CLOSED, the error of the failed load, or the backend's own error.
ALLOY_API alloy_code alloy_call_run(alloy_call* call, struct ArrowArray* inputs,
                                    struct ArrowArray* output, int64_t timeout_ns,
                                    uint64_t ticket, alloy_error* err);

// Run a function on streams of batches and give the results as a stream. A stream
// function reads its inputs as it needs them. A map function with one input is run on
// each batch. Nothing is read before a result is asked for.
//
// If something fails, get_next of `output` returns an errno, never an early end. It
// returns the same errno until `output` is released; alloy_stream_error returns the whole
// error. The gate checks an input batch when the backend reads it, and an output batch
// when the host reads it. If an input stream fails, the host gets its errno and its text
// unchanged, with ALLOY_SIDE_CALLER. get_schema works at any time. If the bridge is
// closed, the stream fails with ALLOY_CLOSED.
//
// timeout_ns: the limit to open the stream, and again for each batch; time spent in the
// input streams does not count; 0: no limit. ticket: as for alloy_call_run.
//
//   Shares   call. Until `output` is released it holds the call, and other uses of the
//            call return ALLOY_BUSY.
//   Takes    inputs (n_inputs streams, one after another), unless it returns ALLOY_BUSY.
//   Gives    output; on failure it is empty (release is NULL).
//   Fails    ALLOY_BAD_DATA   an input is released, lacks a callback, or has another
//                             schema than was bound.
//            ALLOY_INVALID    n_inputs is not the bound number, a map function is not
//                             bound to exactly one input, or one stream is given twice
//                             (the same release and private_data).
//            ALLOY_BUSY       the call is in use.
//            An input's own error, the backend's own, or an error of alloy_call_run.
ALLOY_API alloy_code alloy_call_stream(alloy_call* call, struct ArrowArrayStream* inputs,
                                       int32_t n_inputs, struct ArrowArrayStream* output,
                                       int64_t timeout_ns, uint64_t ticket,
                                       alloy_error* err);

// Cancel every run and stream whose ticket is at most `ticket`, whether or not it has
// begun. A cancel is never lost, and never affects a run with a larger ticket. It is
// async-signal-safe in both modes, so a signal handler may call it.
//
//   Borrows  call.
ALLOY_API void alloy_call_cancel(alloy_call* call, uint64_t ticket);

// Return the last progress that the backend reported in the current or last run or
// stream; zeros before its first report. A map function on a stream begins anew with each
// batch.
//
//   Borrows  call.
//   Gives    out_done, out_total (0: unknown).
ALLOY_API void alloy_call_progress(const alloy_call* call, int64_t* out_done,
                                   int64_t* out_total);

// Set what the log lines of the next runs and streams of a call carry. Lines below `level`
// are not written, which saves the time to make them. `context` is passed on as
// alloy_log_line.call_context. The call must not be running.
//
//   Borrows  call; context, until the call sets another, or the call is freed and its
//            stream is released.
ALLOY_API void alloy_call_set_log(alloy_call* call, int32_t level, void* context);

// Free a call. It must not be running. An open stream of it keeps what it needs and stays
// usable.
//
//   Takes    call; NULL does nothing.
ALLOY_API void alloy_call_free(alloy_call* call);

// ---- Streams and texts

// Make a stream of batches that are in memory.
//
//   Borrows  schema, of a batch, for this call.
//   Takes    batches (n of them, one after another).
//   Gives    out; on failure it is empty (release is NULL).
//   Fails    ALLOY_BAD_DATA  the schema or a batch is malformed; `input` is the number of
//                            the batch.
ALLOY_API alloy_code alloy_stream_of(const struct ArrowSchema* schema,
                                     struct ArrowArray* batches, int64_t n,
                                     struct ArrowArrayStream* out, alloy_error* err);

// Return the whole error of a stream from Alloy: its code, and the rest in `err`. The
// errno and the text of the stream are only a part of it. ALLOY_OK: no error so far.
//
//   Borrows  stream.
//   Fails    ALLOY_INVALID  the stream is released, or is not from this engine: then `err`
//                           has the side ALLOY_SIDE_CALLER and says so.
ALLOY_API alloy_code alloy_stream_error(const struct ArrowArrayStream* stream,
                                        alloy_error* err);

// Write an array as text, as every Alloy program prints it: `Int32[1, 2, null]`. After 16
// values comes `… n more`. Types other than numbers, booleans and strings become
// `Type[n rows]`. A text that does not fit is cut, but never inside a character. It
// always ends with a NUL.
//
//   Borrows  schema, array, and text, of `capacity` bytes (NULL only if capacity is 0).
//   Gives    out_length, the bytes of the whole text without the NUL; 0 on failure.
//   Fails    ALLOY_BAD_DATA  the schema or the array is malformed.
ALLOY_API alloy_code alloy_describe(const struct ArrowSchema* schema,
                                    const struct ArrowArray* array, char* text,
                                    int64_t capacity, int64_t* out_length,
                                    alloy_error* err);

#ifdef __cplusplus
}
#endif

#endif  // ALLOY_ALLOY_H_
