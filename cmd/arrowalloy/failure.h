// SPDX-License-Identifier: MIT
//
// An error of a command: what went wrong, where, and the next command to try.
//
// Thrown by commands, as CLI11 throws its own, and caught once, in main. Nothing of it
// reaches the engine, which neither throws nor lets anything be thrown through it.
#ifndef ARROWALLOY_FAILURE_H_
#define ARROWALLOY_FAILURE_H_

#include <exception>
#include <string>

#include "exit_code.h"

namespace arrowalloy {

struct Failure : std::exception {
  Exit exit = Exit::kBackend;
  std::string code;  // such as E2004: E and four digits
  std::string name;  // of the code, for programs; may be empty
  std::string what_failed;
  std::string at;    // file, field, function; may be empty
  std::string help;  // the next command to try; may be empty

  Failure(Exit exits, std::string number, std::string says, std::string where = "",
          std::string next = "")
      : exit(exits),
        code(std::move(number)),
        what_failed(std::move(says)),
        at(std::move(where)),
        help(std::move(next)) {}

  const char* what() const noexcept override { return what_failed.c_str(); }
};

// The numbers of the program's own errors; those of the engine begin at E1000, and are
// the reasons of alloy/reason.h.
inline constexpr char kUsageCode[] = "E0002";      // the command line
inline constexpr char kReadCode[] = "E0101";       // a file cannot be read
inline constexpr char kWriteCode[] = "E0102";      // a file cannot be written
inline constexpr char kExistsCode[] = "E0103";     // a file that is never overwritten
inline constexpr char kKeyCode[] = "E0201";        // a key is unusable
inline constexpr char kSignerCode[] = "E0202";     // a certificate is unusable
inline constexpr char kStatementCode[] = "E0203";  // a field of the statement
inline constexpr char kLibraryCode[] = "E0204";    // the library cannot be signed
inline constexpr char kTableCode[] = "E0205";      // the library does not tell its name
inline constexpr char kToolCode[] = "E0301";       // a program is missing or failed

}  // namespace arrowalloy

#endif  // ARROWALLOY_FAILURE_H_
