// SPDX-License-Identifier: MIT
//
// How the program ends. The numbers are part of what scripts rely on, and frozen.
#ifndef ARROWALLOY_EXIT_CODE_H_
#define ARROWALLOY_EXIT_CODE_H_

namespace arrowalloy {

enum class Exit {
  kOk = 0,
  kBackend = 1,  // the backend's own error, or an error that no other number stands for
  kUsage = 2,    // the command line, or a file named in it, is not what the command takes
  kMachine = 3,  // a file cannot be read or written, or a program is missing
  kUnsigned = 10,        // no sidecar, or no certificate to judge it by
  kBadSignature = 11,    // signature, size or digest: not the bytes that were signed
  kUntrusted = 12,       // the signer does not lead to the certificate, or may not sign
  kExpired = 13,         // a certificate or statement is no longer, or not yet, valid
  kBadSidecar = 14,      // the sidecar is malformed
  kMismatch = 15,        // a good signature over another name, platform, ABI or sequence
  kRefused = 16,         // the library's own form: ELF, needed libraries, exports, table
  kUnreadable = 17,      // the library cannot be opened, read whole or sealed
  kBadCertificate = 18,  // what was given as the certificate is none
  kLink = 19             // the archive is malformed, or cannot be linked
};

// What people read of them, in --help and in the manual.
struct ExitText {
  Exit exit;
  const char* text;
};
inline constexpr ExitText kExitTexts[] = {
    {Exit::kOk, "done"},
    {Exit::kBackend, "the backend's own error"},
    {Exit::kUsage, "the command line, or a file that it names, is wrong"},
    {Exit::kMachine, "a file or a program is missing, or cannot be used"},
    {Exit::kUnsigned, "unsigned: no sidecar, or no certificate to judge it by"},
    {Exit::kBadSignature, "bad signature: not the bytes that were signed"},
    {Exit::kUntrusted, "untrusted: the signer does not lead to the certificate"},
    {Exit::kExpired, "expired, or not valid yet"},
    {Exit::kBadSidecar, "the sidecar is malformed"},
    {Exit::kMismatch, "signed for another name, platform, ABI or sequence"},
    {Exit::kRefused, "the library's own form is refused"},
    {Exit::kUnreadable, "the library cannot be opened, read or sealed"},
    {Exit::kBadCertificate, "what was given as the certificate is none"},
    {Exit::kLink, "the archive is malformed, or cannot be linked"}};

}  // namespace arrowalloy

#endif  // ARROWALLOY_EXIT_CODE_H_
