// SPDX-License-Identifier: MIT
//
// How a command declares itself and runs. A command is a file with
//
//   #include "../base/command.h"
//   #include "../commands.h"
//   namespace arrowalloy::NAME {
//   void Add(Program& program) {
//     auto options = std::make_shared<Options>();
//     Command& command = program.Add({.name = "...", .summary = "...", ...});
//     command.Value("LIBRARY", &options->library, "Library to inspect",
//                   {.required = true, .kind = Kind::kFile});
//     command.Flag("--csr", &options->csr, "...");
//     command.OnRun([options](Console& console) { return Run(*options, console); });
//   }
//   }
//
// one line in commands.h and one in CMakeLists.txt. Only command.cc includes the parser,
// CLI11, because it takes ten seconds to compile.
#ifndef ARROWALLOY_BASE_COMMAND_H_
#define ARROWALLOY_BASE_COMMAND_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "command_tree.h"
#include "console.h"
#include "exit_code.h"

namespace arrowalloy {

// Where the parser stores a value. An option with a vector may be given more than once.
using Target = std::variant<std::string*, std::optional<std::string>*, int64_t*,
                            std::optional<int64_t>*, std::vector<std::string>*>;

class Command {
 public:
  // `names` as in "-o,--out", or one word in capitals for a positional argument. The
  // target must live as long as the program: what OnRun captures does.
  void Value(const std::string& names, Target target, const std::string& summary,
             const ValueSpec& spec = {});
  void Flag(const std::string& names, bool* target, const std::string& summary);

  // What the command does with its arguments. It returns how the program ends, or throws
  // Failure.
  void OnRun(std::function<Exit(Console&)> run);

 private:
  friend class Program;
  struct State;
  explicit Command(State* state) : state_(state) {}
  State* state_;  // owned by the program
};

// All commands, and the options that each of them has.
class Program {
 public:
  Program();
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  Command& Add(const CommandSpec& spec);

  // Parse the arguments, run the command, print the error if it fails.
  Exit Main(int argc, const char* const* argv);

  // The commands that are not hidden.
  std::vector<CommandTree> Tree() const;

 private:
  struct State;
  Exit Dispatch(int argc, const char* const* argv, Console& console);

  std::unique_ptr<State> state_;
};

}  // namespace arrowalloy

#endif  // ARROWALLOY_BASE_COMMAND_H_
