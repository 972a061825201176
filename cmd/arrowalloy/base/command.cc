// SPDX-License-Identifier: MIT
#include "command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "alloy/alloy.h"
#include "os_error.h"
#include "signals.h"

namespace arrowalloy {

struct Command::State {
  CLI::App* app = nullptr;
  CommandTree tree;                // its own options
  std::vector<OptionTree> common;  // those of every command
  bool hidden = false;
  std::function<Exit(Console&)> run;
};

struct Program::State {
  CLI::App app{
      "Make, sign, inspect, test and run Alloy backends: native functions on Apache "
      "Arrow "
      "data.",
      "arrowalloy"};
  ConsoleOptions console;
  std::vector<std::unique_ptr<Command::State>> commands;
  std::vector<std::unique_ptr<Command>> handles;
};

namespace {

constexpr char kCommonGroup[] = "Options of every command";

// CLI11's help, but with the common options after those of the command.
class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter() {
    label("Positionals", "Arguments");
    label("SUBCOMMAND", "COMMAND");
    label("REQUIRED", "(required)");
  }

  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const final {
    std::vector<const CLI::Option*> own;
    std::vector<const CLI::Option*> common;
    for (const CLI::Option* option : app->get_options()) {
      if (!option->nonpositional()) continue;
      (option->get_group() == kCommonGroup ? common : own).push_back(option);
    }
    std::string text = make_description(app) + make_usage(app, std::move(name));
    text += make_positionals(app);
    if (!own.empty()) text += make_group("Options", false, own);
    text += make_group(kCommonGroup, false, common);
    return text + make_subcommands(app, mode) + "\n" + make_footer(app);
  }
};

CLI::Validator OneOf(const std::vector<std::string>& choices) {
  return CLI::Validator(
      [choices](const std::string& value) {
        if (std::ranges::find(choices, value) != choices.end()) return std::string();
        return fmt::format("expected {}, found {}", fmt::join(choices, " or "), value);
      },
      "");
}

void AddValue(CLI::App* app, const std::string& names, Target target,
              const OptionTree& tree, const char* group) {
  CLI::Option* option = std::visit(
      [&](auto* to) { return app->add_option(names, *to, tree.summary); }, target);
  option->required(tree.required);
  if (!tree.choices.empty()) option->check(OneOf(tree.choices));
  option->type_name(option->nonpositional() ? tree.placeholder : "");
  if (group != nullptr) option->group(group);
}

// Added before the options of a command. CLI11 stores values in this order, so --json and
// --color are known when a later value has an error.
void AddCommonOptions(CLI::App* app, ConsoleOptions* console,
                      std::vector<OptionTree>* options) {
  const auto flag = [&](const char* names, bool* target, const char* summary) {
    app->add_flag(names, *target, summary)->group(kCommonGroup);
    options->push_back(DescribeFlag(names, summary));
  };
  flag("--json", &console->json, "Print the result as one JSON object");
  const OptionTree color =
      DescribeValue("--color", "When to print in colour; auto: only on a terminal",
                    {.choices = {"auto", "always", "never"}});
  AddValue(app, "--color", &console->color, color, kCommonGroup);
  options->push_back(color);
  flag("-q,--quiet", &console->quiet, "Print only results, warnings and errors");
  flag("-v,--verbose", &console->verbose, "Print more messages");
  const char* help = "Print this help";
  app->set_help_flag("-h,--help", help)->group(kCommonGroup);
  options->push_back(DescribeFlag("-h,--help", help));
}

std::string Footer(const CommandTree& tree) {
  std::string footer = tree.details;
  if (!footer.empty()) footer += "\n\n";
  return fmt::format("{}Examples:\n{}", footer, tree.examples);
}

std::string ExitCodes() {
  std::string text = "Exit codes:\n";
  for (const ExitText& row : kExitTexts) {
    text += fmt::format("  {:3}  {}\n", static_cast<int>(row.exit), row.text);
  }
  return text;
}

// How many letters differ; two that are swapped are one difference.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> rows(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        rows[i][j] = i + j;
        continue;
      }
      size_t& least = rows[i][j];
      least = std::min({rows[i - 1][j] + 1, rows[i][j - 1] + 1,
                        rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        least = std::min(least, rows[i - 2][j - 2] + 1);
      }
    }
  }
  return rows[a.size()][b.size()];
}

// "; did you mean --input?", or nothing if no command or option of `used` is near.
std::string Suggestion(const CLI::App& used, const std::string& word) {
  constexpr size_t kLongest = 40;
  const std::string name = word.substr(0, word.find('='));
  if (name.size() > kLongest) return "";
  std::vector<std::string> known;
  for (const CLI::App* command :
       used.get_subcommands([](const CLI::App*) { return true; })) {
    known.push_back(command->get_name());
  }
  for (const CLI::Option* option : used.get_options()) {
    for (const std::string& long_name : option->get_lnames()) {
      known.push_back("--" + long_name);
    }
  }
  std::string best;
  size_t least = name.size() < 6 ? 2 : 3;  // differs in fewer letters than that
  for (const std::string& candidate : known) {
    const size_t distance = Distance(name, candidate);
    if (distance >= least) continue;
    least = distance;
    best = candidate;
  }
  return best.empty() ? "" : fmt::format("; did you mean {}?", best);
}

// CLI11's text of a usage error, in the words of this program.
std::string UsageText(const CLI::App& app, const CLI::App& used,
                      const CLI::ParseError& error) {
  std::string text = error.what();
  const std::string kind = error.get_name();
  const std::vector<std::string> rest = app.remaining(/*recurse=*/true);
  if (!rest.empty()) {
    return fmt::format("unknown {}: {}{}",
                       &used == &app ? "command or option" : "argument", rest.front(),
                       Suggestion(used, rest.front()));
  }
  if (&used == &app && kind == "RequiredError") return "no command was given";
  const size_t colon = text.find(": ");
  if (kind == "ArgumentMismatch" && text.ends_with(" missing")) {
    return text.substr(0, colon) + ": the value is missing";
  }
  const size_t equals = text.find(" = ");
  if (kind == "ConversionError" && equals != std::string::npos) {
    return fmt::format("{}: expected a number, found {}",
                       text.substr(colon + 2, equals - colon - 2),
                       text.substr(equals + 3));
  }
  return text;
}

Failure OnUsage(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* used = &app;
  while (!used->get_subcommands().empty()) used = used->get_subcommands().front();
  const std::string name = used == &app
                               ? app.get_name()
                               : fmt::format("{} {}", app.get_name(), used->get_name());
  return Failure(Exit::kUsage, kUsageCode, UsageText(app, *used, error), name,
                 name + " --help");
}

Exit Guarded(const std::function<Exit(Console&)>& run, Console& console) {
  try {
    return run(console);
  } catch (const Failure& failure) {
    console.Print(failure);
    return failure.exit;
  } catch (const std::bad_alloc&) {
    console.Print(
        Failure(Exit::kMachine, kMemoryCode, "out of memory", "",
                "close other programs, raise the limit (ulimit -v), or pass smaller "
                "inputs"));
  } catch (const std::system_error& error) {
    // Threads and other resources that the machine does not give.
    console.Print(Failure(Exit::kMachine, kMemoryCode,
                          fmt::format("the machine refuses a resource: {}", error.what()),
                          "", "close other programs, or raise the limits: ulimit -a"));
  } catch (const std::exception& error) {
    console.Print(Failure(Exit::kMachine, kUnexpectedCode,
                          fmt::format("unexpected error: {}", error.what()), "",
                          "report it with the command line: it is a bug in arrowalloy"));
  }
  return Exit::kMachine;
}

}  // namespace

void Command::Value(const std::string& names, Target target, const std::string& summary,
                    const ValueSpec& spec) {
  state_->tree.options.push_back(DescribeValue(names, summary, spec));
  AddValue(state_->app, names, target, state_->tree.options.back(), nullptr);
}

void Command::Flag(const std::string& names, bool* target, const std::string& summary) {
  state_->tree.options.push_back(DescribeFlag(names, summary));
  state_->app->add_flag(names, *target, summary);
}

void Command::OnRun(std::function<Exit(Console&)> run) { state_->run = std::move(run); }

Program::Program() : state_(std::make_unique<State>()) {
  CLI::App& app = state_->app;
  app.formatter(std::make_shared<HelpFormatter>());  // commands inherit it
  app.set_version_flag(
      "--version",
      fmt::format("arrowalloy {} (engine {})", ALLOY_VERSION, alloy_version()),
      "Print the versions of the program and of the engine");
  app.require_subcommand(1);
  std::vector<OptionTree> ignored;
  AddCommonOptions(&app, &state_->console, &ignored);
}

Program::~Program() = default;

Command& Program::Add(const CommandSpec& spec) {
  auto state = std::make_unique<Command::State>();
  state->tree = {.name = spec.name,
                 .summary = spec.summary,
                 .details = spec.details,
                 .examples = spec.examples,
                 .options = {}};
  state->hidden = spec.hidden;
  state->app = state_->app.add_subcommand(spec.name, spec.summary);
  state->app->footer(Footer(state->tree));
  state->app->group(spec.hidden ? "" : "Commands");
  AddCommonOptions(state->app, &state_->console, &state->common);
  state_->handles.push_back(std::unique_ptr<Command>(new Command(state.get())));
  state_->commands.push_back(std::move(state));
  return *state_->handles.back();
}

Exit Program::Main(int argc, const char* const* argv) {
  OpenStandardDescriptors();
  Console console(state_->console);
  const Exit exit = Dispatch(argc, argv, console);
  // Output that did not reach a file or a pipe is an error, whatever else happened.
  const int lost = console.Flush();
  if (lost == 0) return exit;
  const Failure failure = CannotWrite("-", lost);
  console.KeepOutputForData();
  console.Print(failure);
  return exit == Exit::kOk ? failure.exit : exit;
}

Exit Program::Dispatch(int argc, const char* const* argv, Console& console) {
  std::string footer = ExitCodes() + "\nExamples:\n";
  for (const auto& command : state_->commands) {
    if (!command->hidden) footer += command->tree.examples;
  }
  state_->app.footer(footer);
  try {
    state_->app.parse(argc, argv);
  } catch (const CLI::Success& help) {  // --help, --version
    std::ostringstream out, err;
    const int code = state_->app.exit(help, out, err);
    console.Print(out.str());
    return static_cast<Exit>(code);
  } catch (const CLI::ParseError& error) {
    const Failure failure = OnUsage(state_->app, error);
    console.Print(failure);
    return failure.exit;
  }
  for (const auto& command : state_->commands) {
    if (!command->app->parsed()) continue;
    // A child process dies with its parent, and its parent reports how it ended.
    if (command->hidden) {
      EndWithParent();
    } else {
      HandleSignals();
    }
    return Guarded(command->run, console);
  }
  return Exit::kUsage;
}

std::vector<CommandTree> Program::Tree() const {
  std::vector<CommandTree> tree;
  for (const auto& command : state_->commands) {
    if (command->hidden) continue;
    std::vector<OptionTree>& options = tree.emplace_back(command->tree).options;
    for (OptionTree option : command->common) {
      option.common = true;
      options.push_back(std::move(option));
    }
  }
  return tree;
}

}  // namespace arrowalloy
