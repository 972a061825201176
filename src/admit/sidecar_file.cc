// SPDX-License-Identifier: MIT
#include "admit/sidecar_file.h"

#include <cerrno>
#include <span>

#include "port/fd.h"
#include "trust/sidecar.h"

namespace alloy::core {
namespace {

Status NoSidecar(const std::string& path, const std::string& why) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_NO_SIDECAR, path + ": " + why);
}

}  // namespace

Result<std::string> ReadSidecar(const std::string& path, const std::string& library) {
  Fd file;
  if (const int error = OpenForReading(path, &file); error != 0) {
    if (error != ENOENT) return NoSidecar(path, "cannot be opened: " + ErrorText(error));
    return NoSidecar(path, "there is no signature file; make it: arrowalloy sign " +
                               library + " --key KEY --cert CERTIFICATE");
  }
  FileFacts facts;
  if (const int error = GetFileFacts(file, &facts); error != 0) {
    return NoSidecar(path, "cannot be inspected: " + ErrorText(error));
  }
  if (facts.kind != FileKind::kRegular) {
    return NoSidecar(
        path, std::string("is ") + FileKindName(facts.kind) + "; give a regular file");
  }
  std::string bytes(kMaxSidecar + 1, '\0');
  size_t size = 0;
  if (const int error = ReadFully(file, std::as_writable_bytes(std::span(bytes)), &size);
      error != 0) {
    return NoSidecar(path, "cannot be read: " + ErrorText(error));
  }
  if (size > kMaxSidecar) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_SIDECAR_MALFORMED,
                path +
                    ": has more than 65,536 bytes; give the file that `arrowalloy "
                    "sign` wrote");
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace alloy::core
