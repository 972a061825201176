// SPDX-License-Identifier: MIT
#include "command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alloy/alloy.h"

namespace arrowalloy {

struct Command::State {
  CommandSpec spec;
  CLI::App* app = nullptr;
  std::function<Exit(Console&)> run;
  std::map<const CLI::Option*, ValueSpec> values;  // what CLI11 does not keep
};

struct Program::State {
  CLI::App app{
      "Sign, look at, and run backends of Alloy: native functions on Arrow data.",
      "arrowalloy"};
  ConsoleOptions console;
  std::vector<std::unique_ptr<Command::State>> commands;
  std::vector<std::unique_ptr<Command>> handles;
};

namespace {

std::vector<std::string> Colors() { return {"auto", "always", "never"}; }

std::string Placeholder(const ValueSpec& spec) {
  if (!spec.placeholder.empty()) return spec.placeholder;
  if (!spec.choices.empty()) return fmt::format("{}", fmt::join(spec.choices, "|"));
  switch (spec.kind) {
    case Kind::kFile:
      return "FILE";
    case Kind::kFolder:
      return "FOLDER";
    case Kind::kText:
      break;
  }
  return "TEXT";
}

// Without CLI11's own description of the choices, which the placeholder tells already.
CLI::Validator OneOf(const std::vector<std::string>& choices) {
  CLI::Validator member = CLI::IsMember(choices);
  member.description("");
  return member;
}

void AddCommonOptions(CLI::App* app, ConsoleOptions* console) {
  app->add_flag("--json", console->json, "Answer with one JSON object")
      ->group("Everywhere");
  app->add_option("--color", console->color, "Colours: auto is on a terminal only")
      ->check(OneOf(Colors()))
      ->type_name("auto|always|never")
      ->group("Everywhere");
  app->add_flag("-q,--quiet", console->quiet, "Say nothing but answers and warnings")
      ->group("Everywhere");
  app->add_flag("-v,--verbose", console->verbose, "Say more")->group("Everywhere");
  app->get_help_ptr()->group("Everywhere");
}

std::string Footer(const CommandSpec& spec) {
  std::string footer = spec.details;
  if (!footer.empty()) footer += "\n\n";
  return fmt::format("{}Examples:\n{}", footer, spec.examples);
}

Failure OnUsage(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* used = &app;
  while (!used->get_subcommands().empty()) used = used->get_subcommands().front();
  const std::string name = used == &app
                               ? app.get_name()
                               : fmt::format("{} {}", app.get_name(), used->get_name());
  std::string text = error.what();
  while (!text.empty() && text.back() == '\n') text.pop_back();
  // CLI11 only says that a command is missing.
  const std::vector<std::string> rest = app.remaining();
  if (used == &app && !rest.empty()) {
    text = fmt::format("there is no command or option {}", rest.front());
  }
  return Failure(Exit::kUsage, kUsageCode, text, name, name + " --help");
}

Exit Guarded(const std::function<Exit(Console&)>& run, Console& console) {
  try {
    return run(console);
  } catch (const Failure& failure) {
    console.Tell(failure);
    return failure.exit;
  } catch (const std::bad_alloc&) {
    console.Tell(Failure(Exit::kMachine, "", "out of memory"));
  } catch (const std::exception& error) {
    console.Tell(Failure(Exit::kMachine, "", error.what()));
  }
  return Exit::kMachine;
}

OptionTree ReadOption(const CLI::Option& option,
                      const std::map<const CLI::Option*, ValueSpec>& specs) {
  OptionTree tree;
  for (const std::string& name : option.get_snames()) tree.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) tree.names.push_back("--" + name);
  tree.summary = option.get_description();
  tree.required = option.get_required();
  if (option.get_items_expected_max() > 0) {
    tree.placeholder = tree.names.empty() ? option.get_name() : option.get_type_name();
  }
  const auto found = specs.find(&option);
  if (found != specs.end()) {
    tree.kind = found->second.kind;
    tree.choices = found->second.choices;
  } else if (option.check_lname("color")) {
    tree.choices = Colors();
  }
  return tree;
}

// The target is the command's, and CLI11 writes through the reference.
template <typename T>
void AddValue(CLI::App* app, std::map<const CLI::Option*, ValueSpec>* specs,
              const std::string& names, T* target, const std::string& summary,
              const ValueSpec& spec) {
  CLI::Option* option = app->add_option(names, *target, summary);
  option->required(spec.required);
  if (!spec.choices.empty()) option->check(OneOf(spec.choices));
  option->type_name(option->nonpositional() ? Placeholder(spec) : "");
  specs->emplace(option, spec);
}

}  // namespace

void Command::Value(const std::string& names, std::string* target,
                    const std::string& summary, const ValueSpec& spec) {
  AddValue(state_->app, &state_->values, names, target, summary, spec);
}

void Command::Value(const std::string& names, std::optional<std::string>* target,
                    const std::string& summary, const ValueSpec& spec) {
  AddValue(state_->app, &state_->values, names, target, summary, spec);
}

void Command::Value(const std::string& names, int64_t* target, const std::string& summary,
                    const ValueSpec& spec) {
  AddValue(state_->app, &state_->values, names, target, summary, spec);
}

void Command::Value(const std::string& names, std::optional<int64_t>* target,
                    const std::string& summary, const ValueSpec& spec) {
  AddValue(state_->app, &state_->values, names, target, summary, spec);
}

void Command::Values(const std::string& names, std::vector<std::string>* target,
                     const std::string& summary, const ValueSpec& spec) {
  AddValue(state_->app, &state_->values, names, target, summary, spec);
}

void Command::Flag(const std::string& names, bool* target, const std::string& summary) {
  state_->app->add_flag(names, *target, summary);
}

void Command::OnRun(std::function<Exit(Console&)> run) { state_->run = std::move(run); }

Program::Program() : state_(std::make_unique<State>()) {
  CLI::App& app = state_->app;
  app.set_help_flag("-h,--help", "Tell the commands and options");
  app.set_version_flag("--version", fmt::format("arrowalloy {} (engine {})",
                                                ALLOY_VERSION, alloy_version()));
  app.require_subcommand(1);
  AddCommonOptions(&app, &state_->console);
}

Program::~Program() = default;

Command& Program::Add(const CommandSpec& spec) {
  auto state = std::make_unique<Command::State>();
  state->spec = spec;
  state->app = state_->app.add_subcommand(spec.name, spec.summary);
  state->app->set_help_flag("-h,--help", "Tell this");
  state->app->footer(Footer(spec));
  if (spec.hidden) state->app->group("");
  AddCommonOptions(state->app, &state_->console);
  state_->handles.push_back(std::unique_ptr<Command>(new Command(state.get())));
  state_->commands.push_back(std::move(state));
  return *state_->handles.back();
}

Exit Program::Main(int argc, const char* const* argv) {
  Console console(state_->console);
  std::string examples = "Exit codes:\n";
  for (const ExitText& row : kExitTexts) {
    examples += fmt::format("  {:2}  {}\n", static_cast<int>(row.exit), row.text);
  }
  examples += "\nExamples:\n";
  for (const auto& command : state_->commands) {
    if (!command->spec.hidden) examples += command->spec.examples;
  }
  state_->app.footer(examples);
  try {
    state_->app.parse(argc, argv);
  } catch (const CLI::Success& help) {  // --help, --version
    return static_cast<Exit>(state_->app.exit(help));
  } catch (const CLI::ParseError& error) {
    const Failure failure = OnUsage(state_->app, error);
    console.Tell(failure);
    return failure.exit;
  }
  for (const auto& command : state_->commands) {
    if (command->app->parsed()) return Guarded(command->run, console);
  }
  return Exit::kUsage;
}

std::vector<CommandTree> Program::Tree() const {
  std::vector<CommandTree> tree;
  for (const auto& command : state_->commands) {
    if (command->spec.hidden) continue;
    CommandTree& entry = tree.emplace_back();
    entry.name = command->app->get_name();
    entry.summary = command->app->get_description();
    entry.details = command->spec.details;
    entry.examples = command->spec.examples;
    for (const CLI::Option* option : command->app->get_options()) {
      entry.options.push_back(ReadOption(*option, command->values));
    }
  }
  return tree;
}

}  // namespace arrowalloy
