// SPDX-License-Identifier: MIT
//
// arrowalloy cert-base64: the certificate argument of a host, as one line.
#include <memory>
#include <string>

#include "../base/command.h"
#include "../commands.h"
#include "crypto.h"

namespace arrowalloy::cert_base64 {

void Add(Program& program) {
  auto path = std::make_shared<std::string>();
  Command& command = program.Add(
      {.name = "cert-base64",
       .summary = "Print a certificate as the one line that SetImplLib takes",
       .details =
           R"(Reads PEM, DER or base64. From a PEM file with several certificates it takes
the first.)",
       .examples = R"(  arrowalloy cert-base64 dev.crt
  openssl x509 -in release.pem | arrowalloy cert-base64 -
)"});
  command.Value("CERTIFICATE", path.get(),
                "File with the certificate; - reads standard input",
                {.required = true, .kind = Kind::kFile});
  command.OnRun([path](Console& console) {
    const std::string line = ToBase64(ReadCertificate(*path));
    console.PrintResult(Report().Add("base64", line), line + "\n");
    return Exit::kOk;
  });
}

}  // namespace arrowalloy::cert_base64
