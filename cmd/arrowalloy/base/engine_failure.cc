// SPDX-License-Identifier: MIT
#include "engine_failure.h"

#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "alloy/alloy.h"

namespace arrowalloy {
namespace {

Exit ExitOfReason(int32_t reason) {
  switch (reason) {
    case ALLOY_REASON_NO_SIDECAR:
    case ALLOY_REASON_UNSIGNED:
      return Exit::kUnsigned;
    case ALLOY_REASON_SIGNATURE:
    case ALLOY_REASON_SIZE:
    case ALLOY_REASON_DIGEST:
      return Exit::kBadSignature;
    case ALLOY_REASON_CERTIFICATE_UNTRUSTED:
    case ALLOY_REASON_CERTIFICATE_USAGE:
    case ALLOY_REASON_CERTIFICATE_IS_CA:
    case ALLOY_REASON_WEAK_KEY:
      return Exit::kUntrusted;
    case ALLOY_REASON_CERTIFICATE_EXPIRED:
    case ALLOY_REASON_CERTIFICATE_NOT_YET_VALID:
    case ALLOY_REASON_STATEMENT_EXPIRED:
    case ALLOY_REASON_STATEMENT_NOT_YET_VALID:
      return Exit::kExpired;
    case ALLOY_REASON_SIDECAR_MALFORMED:
      return Exit::kBadSidecar;
    case ALLOY_REASON_NAME:
    case ALLOY_REASON_KIND:
    case ALLOY_REASON_PLATFORM:
    case ALLOY_REASON_ROLLBACK:
    case ALLOY_REASON_STATEMENT_ABI:
    case ALLOY_REASON_STATEMENT_TABLE:
      return Exit::kMismatch;
    case ALLOY_REASON_ELF_MALFORMED:
    case ALLOY_REASON_ELF_REFUSED:
    case ALLOY_REASON_EXPORTS:
    case ALLOY_REASON_NEEDED:
    case ALLOY_REASON_LOADER:
    case ALLOY_REASON_IDENTITY:
    case ALLOY_REASON_TABLE:
    case ALLOY_REASON_ABI:
    case ALLOY_REASON_INIT:
    case ALLOY_REASON_GO_RUNTIME:
      return Exit::kRefused;
    case ALLOY_REASON_CANNOT_OPEN:
    case ALLOY_REASON_NOT_A_FILE:
    case ALLOY_REASON_TOO_SMALL:
    case ALLOY_REASON_TOO_LARGE:
    case ALLOY_REASON_CHANGED:
    case ALLOY_REASON_CANNOT_SEAL:
      return Exit::kUnreadable;
    case ALLOY_REASON_CERTIFICATE_BASE64:
    case ALLOY_REASON_CERTIFICATE_DER:
      return Exit::kBadCertificate;
    case ALLOY_REASON_ARCHIVE_MALFORMED:
    case ALLOY_REASON_LINK_FAILED:
      return Exit::kLink;
    case ALLOY_REASON_NO_LIBCRYPTO:
    case ALLOY_REASON_NO_PROC:
      return Exit::kMachine;
    case ALLOY_REASON_WORKER_SIGNAL:
    case ALLOY_REASON_WORKER_EXIT:
      return Exit::kCrashed;
    case ALLOY_REASON_WORKER_HANG:
      return Exit::kHung;
    case ALLOY_REASON_WORKER_MEMORY:
      return Exit::kOutOfMemory;
    case ALLOY_REASON_WORKER_VIOLATION:
      return Exit::kBrokeRules;
    default:
      return Exit::kBackend;
  }
}

std::string HelpOf(Exit exit, const std::string& library) {
  switch (exit) {
    case Exit::kUnsigned:
    case Exit::kBadSidecar:
      return fmt::format("arrowalloy sign {} --key dev.key --cert dev.crt", library);
    case Exit::kBadSignature:
      return fmt::format(
          "get {0} and {0}.alloysig again; or, if you built it, arrowalloy sign {0} "
          "--key "
          "dev.key --cert dev.crt",
          library);
    case Exit::kUntrusted:
      return fmt::format(
          "pass the certificate of the signer, or of its authority; arrowalloy inspect "
          "{} "
          "shows the signer",
          library);
    case Exit::kExpired:
      return fmt::format(
          "get or sign it again, or check the clock: date -u; arrowalloy inspect {} "
          "shows "
          "the times",
          library);
    case Exit::kMismatch:
      return fmt::format(
          "get the right library, or sign it again; arrowalloy inspect {} shows what was "
          "signed",
          library);
    case Exit::kRefused:
      return fmt::format(
          "build it again without the problems that arrowalloy inspect {} lists",
          library);
    case Exit::kUnreadable:
      return fmt::format("ls -l {}", library);
    case Exit::kBadCertificate:
      return "pass --certificate @FILE, or the line that arrowalloy cert-base64 FILE "
             "prints";
    case Exit::kLink:
    case Exit::kMachine:
      return "arrowalloy doctor";
    case Exit::kCrashed:
    case Exit::kHung:
    case Exit::kOutOfMemory:
    case Exit::kBrokeRules:
    case Exit::kBackend:
      return fmt::format("arrowalloy test {} shows whether the backend is at fault",
                         library);
    case Exit::kOk:
    case Exit::kUsage:
    case Exit::kHungUp:
    case Exit::kInterrupted:
    case Exit::kBrokenPipe:
      break;
  }
  return "arrowalloy --help";
}

}  // namespace

Exit ExitOf(alloy_code code, int32_t reason) {
  const Exit exit = ExitOfReason(reason);
  if (exit != Exit::kBackend) return exit;
  // The machine has too little memory or too few threads.
  if (code == ALLOY_EXHAUSTED) return Exit::kMachine;
  // A worker was lost, and the host cannot know why: somebody else reaps its children.
  if (code == ALLOY_LOST) return Exit::kCrashed;
  return code == ALLOY_INVALID ? Exit::kUsage : exit;
}

Failure EngineFailure(alloy_code code, int32_t reason, const std::string& text,
                      const std::string& library) {
  const Exit exit = ExitOf(code, reason);
  const int32_t number = reason == ALLOY_REASON_NONE ? code : reason;
  Failure failure(exit, fmt::format("E{:04}", number), text, library,
                  HelpOf(exit, library));
  if (code == ALLOY_EXHAUSTED) {
    failure.help =
        "close other programs, or raise the limits of memory (ulimit -v) and of "
        "threads (ulimit -u)";
  }
  if (reason == ALLOY_REASON_GO_RUNTIME) failure.help = "add --isolated";
  failure.name =
      reason == ALLOY_REASON_NONE ? alloy_code_name(code) : alloy_reason_name(reason);
  return failure;
}

Failure EngineFailure(const alloy_error& error, const std::string& library) {
  return EngineFailure(error.code, error.reason, std::string(error.text, error.length),
                       library);
}

}  // namespace arrowalloy
