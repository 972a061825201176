// SPDX-License-Identifier: MIT
//
// The commands and their options as plain data. Help, completions and the manual are
// written from it. Nothing here knows the parser.
#ifndef ARROWALLOY_BASE_COMMAND_TREE_H_
#define ARROWALLOY_BASE_COMMAND_TREE_H_

#include <string>
#include <vector>

namespace arrowalloy {

// What a value is, for the completion of a shell.
enum class Kind { kText, kFile, kFolder };

struct ValueSpec {
  bool required = false;
  Kind kind = Kind::kText;
  std::vector<std::string> choices = {};  // empty: any value
  std::string placeholder = {};           // such as FILE; empty: chosen by kind
};

struct CommandSpec {
  const char* name = "";
  const char* summary = "";   // one line
  const char* details = "";   // for --help only; may be empty
  const char* examples = "";  // whole command lines, each indented by two blanks
  bool hidden = false;        // for child processes and the build, not for people
};

struct OptionTree {
  std::vector<std::string> names;  // "-o", "--out"; empty: a positional argument
  std::string summary;
  std::string placeholder;  // empty: a flag
  bool required = false;
  bool common = false;  // an option of every command
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

// `names` as in "-o,--out", or one word in capitals for a positional argument.
OptionTree DescribeValue(const std::string& names, const std::string& summary,
                         const ValueSpec& spec);
OptionTree DescribeFlag(const std::string& names, const std::string& summary);

}  // namespace arrowalloy

#endif  // ARROWALLOY_BASE_COMMAND_TREE_H_
