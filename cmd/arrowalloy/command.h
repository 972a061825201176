// SPDX-License-Identifier: MIT
//
// How a command declares itself: a file NAME.cc with
//
//   #include "commands.h"
//   namespace arrowalloy::NAME {
//   void Add(Program& program) {
//     auto options = std::make_shared<Options>();
//     Command& command = program.Add({.name = "...", .summary = "...", ...});
//     command.Value("LIBRARY", &options->library, "the library to look at",
//                   {.required = true, .kind = Kind::kFile});
//     command.Flag("--gdb", &options->gdb, "...");
//     command.OnRun([options](Console& console) { return Run(*options, console); });
//   }
//   }
//
// and one line in commands.h. CLI11 is behind this header, because it costs ten
// seconds to compile.
#ifndef ARROWALLOY_COMMAND_H_
#define ARROWALLOY_COMMAND_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "console.h"
#include "exit_code.h"

namespace arrowalloy {

// What a value is, for the completion of a shell.
enum class Kind { kText, kFile, kFolder };

struct ValueSpec {
  bool required = false;
  Kind kind = Kind::kText;
  std::vector<std::string> choices = {};  // empty: anything
  std::string placeholder = {};           // such as FILE; empty: by its kind
};

struct CommandSpec {
  const char* name = "";
  const char* summary = "";   // one line
  const char* details = "";   // for --help alone; may be empty
  const char* examples = "";  // lines that work as they stand, indented by two blanks
  bool hidden = false;        // no command for people
};

// What the completions and the manual are written from; read out of the CLI11 tree.
struct OptionTree {
  std::vector<std::string> names;  // "-o", "--out"; empty: a positional one
  std::string summary;
  std::string placeholder;  // empty: a flag
  bool required = false;
  Kind kind = Kind::kText;
  std::vector<std::string> choices;
};

struct CommandTree {
  std::string name;
  std::string summary;
  std::string details;
  std::string examples;
  std::vector<OptionTree> options;
};

class Command {
 public:
  // `names` as in "-o,--out", or one in capitals for a positional value. The target must
  // live as long as the program: OnRun keeps what it captures.
  void Value(const std::string& names, std::string* target, const std::string& summary,
             const ValueSpec& spec = {});
  void Value(const std::string& names, std::optional<std::string>* target,
             const std::string& summary, const ValueSpec& spec = {});
  void Value(const std::string& names, int64_t* target, const std::string& summary,
             const ValueSpec& spec = {});
  void Value(const std::string& names, std::optional<int64_t>* target,
             const std::string& summary, const ValueSpec& spec = {});
  // May be given more than once; a positional one takes all that follow.
  void Values(const std::string& names, std::vector<std::string>* target,
              const std::string& summary, const ValueSpec& spec = {});
  void Flag(const std::string& names, bool* target, const std::string& summary);

  // What the command does once its arguments are there; throws Failure, or answers how
  // the program ends.
  void OnRun(std::function<Exit(Console&)> run);

 private:
  friend class Program;
  struct State;
  explicit Command(State* state) : state_(state) {}
  State* state_;  // the program's
};

// All commands, and the options that every one takes.
class Program {
 public:
  Program();
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  Command& Add(const CommandSpec& spec);

  // Parse, run the command, tell what failed.
  Exit Main(int argc, const char* const* argv);

  // The commands that are not hidden.
  std::vector<CommandTree> Tree() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace arrowalloy

#endif  // ARROWALLOY_COMMAND_H_
