// SPDX-License-Identifier: MIT
//
// The exact causes of errors: the values of alloy_error.reason. Use them to handle one
// fault in code; alloy_reason_name returns the name, for people. The numbers are frozen. A
// number that is not listed here comes from a newer engine.
#ifndef ALLOY_REASON_H_
#define ALLOY_REASON_H_

// X(NAME, number, meaning)
#define ALLOY_REASONS(X)                                                                \
  X(NONE, 0, "no exact cause is known")                                                 \
  /* The gate: an Arrow struct is malformed. */                                         \
  X(SCHEMA_RELEASED, 1001, "the schema is released, or was never filled")               \
  X(FORMAT_NULL, 1002, "the format string is NULL")                                     \
  X(FORMAT_UNKNOWN, 1003, "the format string is not in the Arrow C data interface")     \
  X(FORMAT_PARAMETER, 1004,                                                             \
    "a parameter of the format string is malformed or out of range")                    \
  X(CHILD_COUNT, 1005, "the type needs another number of children")                     \
  X(CHILDREN_NULL, 1006, "the pointer to the children is NULL")                         \
  X(CHILD_NULL, 1007, "a pointer to a child is NULL")                                   \
  X(TOO_DEEP, 1008, "the schema has more than 64 levels")                               \
  X(TOO_MANY_COLUMNS, 1009,                                                             \
    "the schema has more than 1,048,576 columns, nested ones included")                 \
  X(DICTIONARY_MISSING, 1010, "the schema has a dictionary, but the array does not")    \
  X(DICTIONARY_UNEXPECTED, 1011, "the array has a dictionary, but the schema does not") \
  X(DICTIONARY_INDEX, 1012, "the index type of a dictionary is not an integer")         \
  X(METADATA, 1013, "the metadata block is malformed")                                  \
  X(RUN_ENDS_TYPE, 1014, "the run ends are not int16, int32 or int64")                  \
  X(MAP_ENTRIES, 1015, "the entries of a map are not a struct with two fields")         \
  X(NOT_A_BATCH, 1016, "the schema of a batch is not a struct")                         \
  X(SCHEMA_SIZE, 1017,                                                                  \
    "names, formats and metadata of the schemas have more than 64 MiB together")        \
  X(ARRAY_RELEASED, 1020, "the array is released, or was never filled")                 \
  X(BUFFER_COUNT, 1021, "the type needs another number of buffers")                     \
  X(BUFFERS_NULL, 1022, "the pointer to the buffers is NULL")                           \
  X(BUFFER_NULL, 1023, "a buffer that the rows need is NULL")                           \
  X(LENGTH, 1024, "the length is negative")                                             \
  X(OFFSET, 1025, "the offset is negative")                                             \
  X(OVERFLOW, 1026,                                                                     \
    "offset and length, or the bytes that they stand for, overflow 64 bits")            \
  X(NULL_COUNT, 1027,                                                                   \
    "the null count is below -1, above the length, or differs from the bitmap")         \
  X(NULLS_WITHOUT_BITMAP, 1028,                                                         \
    "the null count is not 0, but there is no validity bitmap")                         \
  X(UNEXPECTED_NULLS, 1029,                                                             \
    "arrays of this type have no nulls of their own, but the null count is not 0")      \
  X(OFFSETS, 1030, "offsets are negative, decrease, or point outside the data")         \
  X(CHILD_LENGTH, 1031, "a child has fewer rows than its parent needs")                 \
  X(VIEW_BUFFER_COUNT, 1032, "an array of views has too few or too many buffers")       \
  X(VIEW_SIZES, 1033, "the sizes of the variadic buffers are NULL or negative")         \
  X(BATCH_NULLS, 1034,                                                                  \
    "a batch has null rows of its own; only its columns may have nulls")                \
  X(ROW_COUNT, 1035,                                                                    \
    "the result does not have the number of rows that the function promises")           \
  X(RESULT_SHAPE, 1036,                                                                 \
    "from_chunks must return one row of one int64 column without nulls")                \
  X(RUN_ENDS_NULLS, 1037, "run ends have nulls, or an offset")                          \
  X(COPIED, 1038, "a struct was copied instead of moved, and would be released twice")  \
  X(BUFFER_PLACE, 1039,                                                                 \
    "another process names a buffer that is too short, or not in the shared memory")    \
  X(VIEW, 1040, "a view has a negative length, or points outside its buffers")          \
  X(LIST_VIEW, 1041, "a list view points outside its child")                            \
  X(INDEX, 1042, "an index points outside its dictionary")                              \
  X(TYPE_ID, 1043, "a row has a type id that the union does not have")                  \
  X(UNION_OFFSET, 1044, "an offset of a dense union points outside its child")          \
  X(RUN_ENDS, 1045, "run ends do not increase, or the first is below 1")                \
  X(UTF8, 1046, "a text is not UTF-8")                                                  \
  X(VIEW_PREFIX, 1047, "the prefix or the padding of a view does not match its text")   \
  X(NOT_NULLABLE, 1048, "a column that is declared not nullable has nulls")             \
  X(MAP_NULLS, 1049, "a map has null entries or null keys")                             \
  X(STREAM_RELEASED, 1060, "the stream is released, or was never filled")               \
  X(STREAM_CALLBACK, 1061, "a callback of the stream is NULL")                          \
  X(STREAM_SCHEMA, 1062, "the stream has another schema than was bound")                \
  X(INPUT_FAILED, 1063, "an input stream failed; the text is the stream's own")         \
  /* Trust: the signature of a library is refused. */                                   \
  X(CERTIFICATE_BASE64, 2001, "the certificate is not valid base64")                    \
  X(CERTIFICATE_DER, 2002, "the certificate is not a single X.509 certificate in DER")  \
  X(CERTIFICATE_USAGE, 2003, "a certificate is not for signing code")                   \
  X(CERTIFICATE_IS_CA, 2004,                                                            \
    "the signer's certificate belongs to a certificate authority")                      \
  X(CERTIFICATE_EXPIRED, 2005, "a certificate has expired")                             \
  X(CERTIFICATE_NOT_YET_VALID, 2006, "a certificate is not valid yet")                  \
  X(CERTIFICATE_UNTRUSTED, 2007,                                                        \
    "no chain of certificates leads from the signer to the given certificate")          \
  X(WEAK_KEY, 2009, "a key or digest is too weak, or of a kind that is not supported")  \
  X(NO_SIDECAR, 2010, "there is no readable signature file next to the library")        \
  X(SIDECAR_MALFORMED, 2011, "the signature file is malformed")                         \
  X(SIGNATURE, 2012, "the signature does not match the statement and the signer's key") \
  X(SIZE, 2013, "the size of the library differs from the signed size")                 \
  X(DIGEST, 2014, "the SHA-256 of the library differs from the signed SHA-256")         \
  X(NAME, 2015, "the statement is for another backend than the host expects")           \
  X(KIND, 2016, "the statement is for another kind of file")                            \
  X(STATEMENT_ABI, 2017, "the statement is for another version of the ABI")             \
  X(PLATFORM, 2018, "the statement is for another platform")                            \
  X(STATEMENT_EXPIRED, 2019, "the statement has expired")                               \
  X(STATEMENT_NOT_YET_VALID, 2020, "the statement is not valid yet")                    \
  X(ROLLBACK, 2021, "the statement is older than the host accepts")                     \
  X(NEEDED, 2023, "a needed library is not allowed, or differs from the signed list")   \
  X(STATEMENT_TABLE, 2024, "the backend's table contradicts the statement")             \
  X(ARCHIVE_MALFORMED, 2025, "the file is not an archive that can be linked")           \
  X(LINK_FAILED, 2026, "the archive cannot be linked to a library")                     \
  X(NO_LIBCRYPTO, 2027, "libcrypto.so.3, which verifies certificates, is missing")      \
  /* Loading: the library is refused. */                                                \
  X(CANNOT_OPEN, 3001, "the library cannot be opened")                                  \
  X(NOT_A_FILE, 3002, "the library is not a regular file")                              \
  X(TOO_SMALL, 3003, "the library is smaller than 64 bytes")                            \
  X(TOO_LARGE, 3004, "the library is larger than 1 GiB")                                \
  X(CHANGED, 3005, "the library changed while it was read")                             \
  X(CANNOT_SEAL, 3006, "the sealed copy of the library cannot be made")                 \
  X(ELF_MALFORMED, 3007, "the file is not a well-formed ELF file")                      \
  X(ELF_REFUSED, 3008, "the ELF file has a property that is refused")                   \
  X(EXPORTS, 3009, "the library must export exactly one symbol, alloy_backend_init")    \
  X(LOADER, 3010, "the system's loader refused the library")                            \
  X(IDENTITY, 3011, "the loader returned another library than the sealed copy")         \
  X(TABLE, 3012, "the backend's table is malformed")                                    \
  X(ABI, 3013, "the backend was built for another version of the ABI")                  \
  X(INIT, 3014, "alloy_backend_init failed")                                            \
  X(UNSIGNED, 3015,                                                                     \
    "there is no certificate, and the host does not allow unsigned libraries")          \
  X(NO_PROC, 3016, "/proc is not mounted")                                              \
  X(GO_RUNTIME, 3017, "a library with a Go runtime can only run isolated")              \
  X(WORKER, 3018, "the worker program is missing or cannot run")                        \
  /* The caller: an argument is refused before anything runs. */                        \
  X(ARGUMENT_NULL, 4001, "an argument that must be given is NULL or nil")               \
  X(ARGUMENT_NUL_BYTE, 4002, "a text has a NUL byte, which would end it in C")          \
  X(ARGUMENT_RANGE, 4003, "a number or a length is out of range")                       \
  X(SAME_STREAM, 4004, "one stream was passed as two inputs")                           \
  /* The host's own side: its Arrow library, its readers, its bytes. */                 \
  X(HOST_ARRAY, 4005, "an array of the host's Arrow library does not fit its schema")   \
  X(HOST_TYPE, 4006, "the host's Arrow library cannot pass or hold data of this type")  \
  X(HOST_CODE, 4007, "code of the host failed while the backend waited for it")         \
  X(IPC, 4008, "an Arrow IPC stream is malformed, or ends without its end marker")      \
  /* The isolated mode: how the worker of a call has ended. */                          \
  X(WORKER_SIGNAL, 5001, "the worker died by a signal")                                 \
  X(WORKER_EXIT, 5002, "the worker ended itself")                                       \
  X(WORKER_HANG, 5003, "the worker was killed: it did not stop or answer in time")      \
  X(WORKER_MEMORY, 5004, "the worker ran out of memory")                                \
  X(WORKER_VIOLATION, 5005, "the worker was killed: it sent what no honest worker sends")

#define ALLOY_REASON_ENUM_(name, number, text) ALLOY_REASON_##name = number,
enum { ALLOY_REASONS(ALLOY_REASON_ENUM_) ALLOY_REASON_LAST_ = 0x7fffffff };

#endif  // ALLOY_REASON_H_
