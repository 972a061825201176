// SPDX-License-Identifier: MIT
#include "trust/sidecar.h"

#include "base/text.h"
#include "trust/base64.h"

namespace alloy::core {
namespace {

constexpr size_t kMaxCertificates = 4, kColumns = 64;
constexpr std::string_view kSignature = "ALLOY SIGNATURE", kCertificate = "CERTIFICATE";

Status BadSidecar(std::string text) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_SIDECAR_MALFORMED, std::move(text));
}

std::string Mark(std::string_view edge, std::string_view label) {
  return std::string("-----").append(edge).append(" ").append(label).append("-----\n");
}

// Take the first line, without its line feed; false if no whole line is there.
bool TakeLine(std::string_view* rest, std::string_view* line) {
  const size_t end = rest->find('\n');
  if (end == rest->npos) return false;
  *line = rest->substr(0, end);
  rest->remove_prefix(end + 1);
  return true;
}

// Read `-----BEGIN label-----`, lines of 64 columns, `-----END label-----`.
Status TakeBlock(std::string_view label, std::string_view* rest,
                 std::vector<std::byte>* out) {
  const std::string begin = Mark("BEGIN", label), end = Mark("END", label);
  if (!rest->starts_with(begin)) {
    return BadSidecar("expected the line " + begin.substr(0, begin.size() - 1) +
                      " instead of " + Quoted(rest->substr(0, rest->find('\n'))));
  }
  rest->remove_prefix(begin.size());
  std::string digits;
  bool full = true;  // the previous line: only the last one may be shorter
  while (!rest->starts_with(end)) {
    std::string_view line;
    if (!TakeLine(rest, &line)) {
      return BadSidecar("ends inside the block " + std::string(label));
    }
    if (line.empty() || line.size() > kColumns || !full) {
      return BadSidecar("the block " + std::string(label) +
                        " is not in lines of 64 columns");
    }
    full = line.size() == kColumns;
    digits.append(line);
  }
  rest->remove_prefix(end.size());
  const std::string fault = DecodeBase64(digits, out);
  if (!fault.empty()) {
    return BadSidecar("the block " + std::string(label) +
                      " is not strict base64: " + fault);
  }
  if (out->empty()) return BadSidecar("the block " + std::string(label) + " is empty");
  return Status();
}

}  // namespace

Result<Sidecar> SplitSidecar(std::string_view bytes) {
  if (bytes.empty()) return BadSidecar("is empty");
  if (bytes.size() > kMaxSidecar) {
    return BadSidecar("has " + std::to_string(bytes.size()) +
                      " bytes; expected at most 65,536");
  }
  // The first such line counts, wherever it is. So a line inside the statement cannot
  // make the parsed part longer than the verified part.
  const size_t edge = bytes.find(Mark("BEGIN", kSignature));
  if (edge == bytes.npos) {
    return BadSidecar(
        "has no line -----BEGIN ALLOY SIGNATURE-----; sign the library again: "
        "arrowalloy sign");
  }
  Sidecar sidecar;
  sidecar.message = bytes.substr(0, edge);
  std::string_view rest = bytes.substr(edge);
  ALLOY_TRY(TakeBlock(kSignature, &rest, &sidecar.signature));
  do {
    std::vector<std::byte> der;
    ALLOY_TRY(TakeBlock(kCertificate, &rest, &der));
    sidecar.certificates.push_back(std::move(der));
  } while (!rest.empty());
  if (sidecar.certificates.size() > kMaxCertificates) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_CERTIFICATE_UNTRUSTED,
                "carries " + std::to_string(sidecar.certificates.size()) +
                    " certificates; expected at most 4 in addition to the given one");
  }
  return sidecar;
}

}  // namespace alloy::core
