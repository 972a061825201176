// SPDX-License-Identifier: MIT
//
// An error of a command: what happened, where, and what to do next.
//
// Commands throw it, and Program::Main catches it. It never crosses the engine, which does
// not throw and lets no exception pass.
#ifndef ARROWALLOY_BASE_FAILURE_H_
#define ARROWALLOY_BASE_FAILURE_H_

#include <exception>
#include <string>

#include "exit_code.h"

namespace arrowalloy {

struct Failure : std::exception {
  Exit exit = Exit::kBackend;
  std::string code;  // E and four digits, such as E2004
  std::string name;  // the name of the code, for programs; may be empty
  std::string text;  // what happened
  std::string at;    // where: a file, an option, a function; may be empty
  std::string help;  // what to do next, often a command; may be empty

  Failure(Exit how, std::string number, std::string what_happened, std::string where = "",
          std::string next = "")
      : exit(how),
        code(std::move(number)),
        text(std::move(what_happened)),
        at(std::move(where)),
        help(std::move(next)) {}

  const char* what() const noexcept override { return text.c_str(); }
};

// The numbers of the program's own errors. An error of the engine has the number of its
// reason (alloy/reason.h, from E1000), or of its code (alloy_code) when it has no reason.
inline constexpr char kUsageCode[] = "E0002";      // an argument is wrong
inline constexpr char kReadCode[] = "E0101";       // a file cannot be read
inline constexpr char kWriteCode[] = "E0102";      // a file cannot be written
inline constexpr char kExistsCode[] = "E0103";     // a file exists and is not overwritten
inline constexpr char kFormatCode[] = "E0104";     // a format cannot hold a value
inline constexpr char kKeyCode[] = "E0201";        // a key cannot be used
inline constexpr char kSignerCode[] = "E0202";     // a certificate cannot be used
inline constexpr char kStatementCode[] = "E0203";  // a field of the statement is wrong
inline constexpr char kTableCode[] = "E0205";  // the library does not return its table
inline constexpr char kToolCode[] =
    "E0301";  // a program or a library of this machine is missing or failed
inline constexpr char kMemoryCode[] = "E0302";      // out of memory
inline constexpr char kUnexpectedCode[] = "E0401";  // a bug of this program

}  // namespace arrowalloy

#endif  // ARROWALLOY_BASE_FAILURE_H_
