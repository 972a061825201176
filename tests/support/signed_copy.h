// SPDX-License-Identifier: MIT
//
// A copy of a backend in its own folder, signed by a new key.
#ifndef ALLOY_TESTS_SUPPORT_SIGNED_COPY_H_
#define ALLOY_TESTS_SUPPORT_SIGNED_COPY_H_

#include <elf.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "tests/support/signing.h"

namespace support {

// The NEEDED entries of a library, sorted. What a cut library has no longer is left out.
inline std::vector<std::string> NeededOf(const std::string& library) {
  const auto at = [&](uint64_t offset, auto value) {
    if (offset <= library.size() && library.size() - offset >= sizeof(value)) {
      std::memcpy(&value, library.data() + offset, sizeof(value));
    }
    return value;
  };
  const auto header = at(0, Elf64_Ehdr());
  std::vector<std::string> needed;
  for (int i = 0; i < header.e_shnum; ++i) {
    const auto section =
        at(header.e_shoff + static_cast<uint64_t>(i) * sizeof(Elf64_Shdr), Elf64_Shdr());
    if (section.sh_type != SHT_DYNAMIC) continue;
    const auto strings =
        at(header.e_shoff + section.sh_link * sizeof(Elf64_Shdr), Elf64_Shdr());
    for (uint64_t n = 0; n < section.sh_size; n += sizeof(Elf64_Dyn)) {
      const auto entry = at(section.sh_offset + n, Elf64_Dyn());
      const uint64_t name = strings.sh_offset + entry.d_un.d_val;
      if (entry.d_tag != DT_NEEDED || name >= library.size()) continue;
      needed.emplace_back(library.c_str() + name);
    }
  }
  std::ranges::sort(needed);
  return needed;
}

class SignedCopy {
 public:
  // With the name and the version of the backend's table.
  SignedCopy(const std::string& library, const std::string& name,
             const std::string& version)
      : folder_(std::filesystem::temp_directory_path() /
                ("alloy_signed_copy_" + std::to_string(std::random_device()()))),
        path_(folder_ / std::filesystem::path(library).filename()),
        signer_("ed25519", ValidNow()) {
    std::filesystem::create_directories(folder_);
    std::filesystem::copy_file(library, path_);
    const std::string bytes = signing::ReadFile(path_);
    statement_ = signing::StatementFor(bytes);
    statement_.name = name;
    statement_.version = version;
    statement_.needed = NeededOf(bytes);
    Sign();
  }
  ~SignedCopy() { std::filesystem::remove_all(folder_); }
  SignedCopy(const SignedCopy&) = delete;
  SignedCopy& operator=(const SignedCopy&) = delete;

  const std::string& path() const { return path_; }
  std::string certificate() const { return signer_.cert.Base64(); }
  signing::StatementSpec& statement() { return statement_; }
  void Sign() const {
    signing::WriteFile(path_ + ".alloysig", signer_.Sidecar(statement_.Text()));
  }

 private:
  static signing::CertificateSpec ValidNow() {
    const int64_t now = std::time(nullptr);
    signing::CertificateSpec spec;
    spec.not_before = now - signing::kDay;
    spec.not_after = now + 400 * signing::kDay;
    return spec;
  }

  std::filesystem::path folder_;
  std::string path_;
  signing::Signer signer_;
  signing::StatementSpec statement_;
};

}  // namespace support

#endif  // ALLOY_TESTS_SUPPORT_SIGNED_COPY_H_
