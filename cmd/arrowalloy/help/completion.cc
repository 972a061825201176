// SPDX-License-Identifier: MIT
//
// arrowalloy completion: a completion script for a shell, written from the commands.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "../base/command.h"
#include "../commands.h"

namespace arrowalloy::completion {
namespace {

// A single-quoted string; the same in all three shells.
std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text)
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string CommandNames(const std::vector<CommandTree>& tree) {
  std::vector<std::string> names;
  names.reserve(tree.size());
  for (const CommandTree& command : tree) names.push_back(command.name);
  return fmt::format("{}", fmt::join(names, " "));
}

std::string Bash(const std::vector<CommandTree>& tree) {
  std::string cases;
  for (const CommandTree& command : tree) {
    std::vector<std::string> all;
    std::string values;
    std::string words;
    for (const OptionTree& option : command.options) {
      all.insert(all.end(), option.names.begin(), option.names.end());
      const std::string choices = fmt::format("{}", fmt::join(option.choices, " "));
      if (option.names.empty()) words += (words.empty() ? "" : " ") + choices;
      if (option.names.empty() || option.placeholder.empty()) continue;
      const char* files = option.kind == Kind::kFolder ? "compgen -d" : "compgen -f";
      values += fmt::format(
          "        {}) COMPREPLY=($({} -- \"$word\")); return ;;\n",
          fmt::join(option.names, "|"),
          option.choices.empty() ? files : fmt::format("compgen -W '{}'", choices));
    }
    cases += fmt::format(
        "    {}) options='{}'; words='{}'\n"
        "      case $before in\n{}      esac ;;\n",
        command.name, fmt::join(all, " "), words, values);
  }
  return fmt::format(R"(# bash completion of arrowalloy
_arrowalloy() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command='' i
  local options='--help --version --json --color --quiet --verbose' words='{}'
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${{COMP_WORDS[i]}} in -*) ;; *) command=${{COMP_WORDS[i]}}; break ;; esac
  done
  COMPREPLY=()
  compopt -o filenames 2>/dev/null
  case $command in
{}    ?*) return ;;
  esac
  case $word in
    -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$word"))
       if [ -n "$command" ] && [ -z "$words" ]; then
         COMPREPLY=($(compgen -f -- "$word"))
       fi ;;
  esac
}}
complete -F _arrowalloy arrowalloy
)",
                     CommandNames(tree), cases);
}

// In a specification of _arguments, brackets and colons must be escaped.
std::string ZshText(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string ZshAction(const OptionTree& option) {
  if (!option.choices.empty()) return fmt::format("({})", fmt::join(option.choices, " "));
  return option.kind == Kind::kFolder ? "_files -/" : "_files";
}

std::string Zsh(const std::vector<CommandTree>& tree) {
  std::string list;
  std::string cases;
  for (const CommandTree& command : tree) {
    list +=
        fmt::format("    {}\n", Quoted(command.name + ":" + ZshText(command.summary)));
    cases += fmt::format("    {})\n      _arguments", command.name);
    for (const OptionTree& option : command.options) {
      const std::string value =
          option.placeholder.empty()
              ? ""
              : fmt::format(":{}:{}", ZshText(option.placeholder), ZshAction(option));
      if (option.names.empty()) cases += " \\\n        " + Quoted("*" + value);
      for (const std::string& name : option.names) {
        cases += " \\\n        " +
                 Quoted(fmt::format("{}[{}]{}", name, ZshText(option.summary), value));
      }
    }
    cases += " ;;\n";
  }
  return fmt::format(R"(#compdef arrowalloy
# zsh completion of arrowalloy
_arrowalloy() {{
  local -a commands
  commands=(
{}  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
{}  esac
}}
if [ "$funcstack[1]" = _arrowalloy ]; then _arrowalloy "$@"; else compdef _arrowalloy arrowalloy; fi
)",
                     list, cases);
}

std::string Fish(const std::vector<CommandTree>& tree) {
  std::string text = "# fish completion of arrowalloy\ncomplete -c arrowalloy -f\n";
  for (const CommandTree& command : tree) {
    text += fmt::format("complete -c arrowalloy -n __fish_use_subcommand -a {} -d {}\n",
                        command.name, Quoted(command.summary));
  }
  for (const CommandTree& command : tree) {
    const std::string when = fmt::format(
        "complete -c arrowalloy -n '__fish_seen_subcommand_from {}'", command.name);
    for (const OptionTree& option : command.options) {
      std::string line = when;
      for (const std::string& name : option.names) {
        line +=
            name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (!option.choices.empty()) {
        line += fmt::format(" {} '{}'", option.names.empty() ? "-a" : "-x -a",
                            fmt::join(option.choices, " "));
      } else if (option.names.empty()) {
        line += " -F";
      } else if (!option.placeholder.empty()) {
        line += " -r -F";
      }
      text += fmt::format("{} -d {}\n", line, Quoted(option.summary));
    }
  }
  return text;
}

}  // namespace

void Add(Program& program) {
  auto shell = std::make_shared<std::string>();
  Command& command = program.Add(
      {.name = "completion",
       .summary = "Print the completion script for a shell",
       .details = "cmake --install installs these scripts for all three shells.",
       .examples = R"(  source <(arrowalloy completion bash)
  arrowalloy completion fish > ~/.config/fish/completions/arrowalloy.fish
)"});
  command.Value("SHELL", shell.get(), "Shell to print it for",
                {.required = true, .choices = {"bash", "zsh", "fish"}});
  command.OnRun([shell, &program](Console& console) {
    const std::vector<CommandTree> tree = program.Tree();
    console.Print(*shell == "bash" ? Bash(tree)
                                   : (*shell == "zsh" ? Zsh(tree) : Fish(tree)));
    return Exit::kOk;
  });
}

}  // namespace arrowalloy::completion
