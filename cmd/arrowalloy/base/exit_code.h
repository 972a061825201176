// SPDX-License-Identifier: MIT
//
// How the program ends. This is the only list of exit codes: --help and the manual print
// it, and a test compares it with docs/signing.md. Scripts depend on the numbers, so they
// never change.
#ifndef ARROWALLOY_BASE_EXIT_CODE_H_
#define ARROWALLOY_BASE_EXIT_CODE_H_

namespace arrowalloy {

enum class Exit {
  kOk = 0,
  kBackend = 1,
  kUsage = 2,
  kMachine = 3,
  kUnsigned = 10,
  kBadSignature = 11,
  kUntrusted = 12,
  kExpired = 13,
  kBadSidecar = 14,
  kMismatch = 15,
  kRefused = 16,
  kUnreadable = 17,
  kBadCertificate = 18,
  kLink = 19,
  kCrashed = 20,
  kHung = 21,
  kOutOfMemory = 22,
  kBrokeRules = 23,
  // As shells report the end by a signal: 128 and its number.
  kHungUp = 129,
  kInterrupted = 130,
  kBrokenPipe = 141
};

struct ExitText {
  Exit exit;
  const char* text;
};
inline constexpr ExitText kExitTexts[] = {
    {Exit::kOk, "success"},
    {Exit::kBackend, "the backend returned an error, or a test failed"},
    {Exit::kUsage, "an argument is wrong, or it names a file with wrong content"},
    {Exit::kMachine,
     "a file cannot be read or written, or the machine lacks a program, memory or "
     "threads"},
    {Exit::kUnsigned, "unsigned: no signature file, or no certificate was given"},
    {Exit::kBadSignature, "bad signature: these are not the bytes that were signed"},
    {Exit::kUntrusted, "untrusted: the certificate does not cover this signer"},
    {Exit::kExpired, "expired or not yet valid: a certificate or the statement"},
    {Exit::kBadSidecar, "the signature file is malformed"},
    {Exit::kMismatch, "signed for another name, platform, ABI or sequence"},
    {Exit::kRefused, "the library has a form that no host loads"},
    {Exit::kUnreadable, "the library cannot be opened, read or copied"},
    {Exit::kBadCertificate, "the certificate argument is not a certificate"},
    {Exit::kLink, "the static archive is malformed, or cannot be linked"},
    {Exit::kCrashed, "with --isolated: the backend crashed, or ended its process"},
    {Exit::kHung, "with --isolated: the backend did not stop or answer in time"},
    {Exit::kOutOfMemory, "with --isolated: the backend ran out of memory"},
    {Exit::kBrokeRules, "with --isolated: the worker broke the rules of the channel"},
    {Exit::kHungUp, "the terminal was closed (SIGHUP)"},
    {Exit::kInterrupted, "interrupted by Ctrl-C or SIGTERM"},
    {Exit::kBrokenPipe, "the program that reads the output has ended (SIGPIPE)"}};

}  // namespace arrowalloy

#endif  // ARROWALLOY_BASE_EXIT_CODE_H_
