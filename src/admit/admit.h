// SPDX-License-Identifier: MIT
//
// From a file to sealed memory that was verified and looked through: the only way into
// the loader.
//
// The file is read once. What is checked, and later executed, is the sealed copy, so
// nothing that happens to the file afterwards matters.
#ifndef ALLOY_SRC_ADMIT_ADMIT_H_
#define ALLOY_SRC_ADMIT_ADMIT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "admit/elf.h"
#include "admit/libcrypto_source.h"
#include "base/result.h"
#include "port/fd.h"
#include "trust/verify.h"

namespace alloy::core {

// What a host demands of a library.
struct Admission {
  std::string certificate;  // base64 of one DER certificate; empty: none is asked for
  std::string sidecar;      // its path; empty: beside the library
  std::string name;         // of the backend, by its statement; empty: any
  uint64_t min_sequence = 0;
  int64_t now = 0;  // seconds since 1970
};

struct AdmittedLibrary {
  std::string path;  // as the host named it, for texts
  // What will be loaded, and the bytes of the file as they were sealed. Neither of a
  // library that is held already.
  Fd sealed;
  Mapping bytes;
  // With a certificate only. The digest is that of the file's bytes, which was signed.
  std::optional<Digest> digest;
  std::optional<Verified> verified;
  // After LookThrough.
  ElfFacts facts;
  bool was_archive = false;  // `sealed` is then what was linked of it, `linked` its bytes
  Mapping linked;
};

// Whether the caller holds a library of this digest, loaded and for good.
using IsHeld = std::function<bool(std::string_view sha256)>;

// Read a file of 64 bytes to 1 GiB, seal it, and, with a certificate, verify it. A file
// whose statement speaks of a library that is held is hashed as it is read, and not
// copied: nothing of it will run.
//   Fails  REFUSED with a reason of 2001 to 2027 or 3001 to 3006; the text names the
//          file.
Result<AdmittedLibrary> AdmitFile(const std::string& path, const Admission& admission,
                                  LibcryptoSource& libcrypto, const IsHeld& is_held = {});

// Look through the ELF file that was admitted, and compare what it needs with what was
// signed. A static archive is linked into a library first, which takes the place of
// `sealed`. `bytes` are those of the file, whoever holds the mapping now.
//   Fails  REFUSED with a reason of 3007 to 3009, ARCHIVE_MALFORMED, LINK_FAILED or
//          NEEDED; the text names the file.
Status LookThrough(std::span<const std::byte> bytes, AdmittedLibrary* library);

// The second part of it: for a library that was looked through before.
//   Fails  REFUSED with NEEDED.
Status CheckNeeds(const AdmittedLibrary& library, const std::vector<std::string>& needed);

// The parts of it that an inspection calls one by one.
Policy PolicyOf(const std::string& path, const Admission& admission);
// Whether a file is to be linked: an archive, or what a linker would take for its script.
bool IsForTheLinker(std::span<const std::byte> bytes, const std::string& path);
// What a host says that does not allow unsigned libraries: REFUSED with UNSIGNED.
Status NoCertificate(const std::string& path);

// What whoever runs the host should hear of: a certificate that ends within 30 days.
std::vector<std::string> WarningsOf(const Verified& verified, int64_t now);

// Admit and look through, without a certificate. `bytes` are those of `sealed` in the
// end.
Result<AdmittedLibrary> AdmitLibrary(const std::string& path);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_ADMIT_H_
