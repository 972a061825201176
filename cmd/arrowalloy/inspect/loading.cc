// SPDX-License-Identifier: MIT
#include "loading.h"

namespace arrowalloy {

void DeclareMayNeed(Command& command, std::vector<std::string>* may_need) {
  command.Value("--may-need", may_need,
                "Allow the backend to need this library; a PATH is loaded first",
                {.placeholder = "SONAME|PATH"});
}

void DeclareLoadPlainly(Command& command, bool* plainly) {
  command.Flag("--load-plainly", plainly,
               "For debuggers: load the file itself, not the verified copy");
}

void DeclareIsolated(Command& command, bool* isolated) {
  command.Flag("--isolated", isolated,
               "Run the library in a worker process, which cannot take this one down");
}

void AddArguments(const Loading& loading, std::vector<std::string>* command) {
  if (!loading.certificate.empty()) {
    command->insert(command->end(), {"--certificate", loading.certificate});
  }
  for (const std::string& library : loading.may_need) {
    command->insert(command->end(), {"--may-need", library});
  }
  if (loading.plainly) command->emplace_back("--load-plainly");
  if (loading.isolated) command->emplace_back("--isolated");
}

}  // namespace arrowalloy
