// SPDX-License-Identifier: MIT
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
