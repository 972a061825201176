// SPDX-License-Identifier: MIT
//
// The one line that SetImplLib takes.
#include <memory>
#include <string>

#include "command.h"
#include "commands.h"
#include "crypto.h"

namespace arrowalloy::cert_base64 {

void Add(Program& program) {
  auto path = std::make_shared<std::string>();
  Command& command = program.Add(
      {.name = "cert-base64",
       .summary = "Write a certificate as the one line that SetImplLib takes",
       .details = "Takes PEM, DER or base64; of a PEM file with several, the first.",
       .examples = "  arrowalloy cert-base64 dev.crt\n"});
  command.Value("CERTIFICATE", path.get(), "File of the certificate, or -",
                {.required = true, .kind = Kind::kFile});
  command.OnRun([path](Console& console) {
    const std::string line = ToBase64(ReadCertificate(*path));
    console.Answer(Report().Add("base64", line), line + "\n");
    return Exit::kOk;
  });
}

}  // namespace arrowalloy::cert_base64
