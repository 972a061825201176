// SPDX-License-Identifier: MIT
#include "library_file.h"

#include <elf.h>
#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "failure.h"
#include "files.h"
#include "openssl.h"

namespace arrowalloy {
namespace {

constexpr size_t kMaxLibrary = size_t{1} << 30U;
constexpr std::string_view kArchive = "!<arch>\n";

Failure NoLibrary(const std::string& path, const char* why) {
  return Failure(Exit::kRefused, kLibraryCode,
                 fmt::format("{} cannot be signed: {}", path, why), path,
                 "readelf -d " + path);
}

// A struct at an offset, where the file reaches that far.
template <typename T>
std::optional<T> At(std::string_view bytes, uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

// The tables of a shared object that lead to the names of what it needs.
class Object {
 public:
  // `why` says what is wrong where there is no answer.
  static std::optional<std::vector<std::string>> Needed(std::string_view bytes,
                                                        const char** why) {
    Object object(bytes);
    *why = object.Read();
    if (*why != nullptr) return std::nullopt;
    return std::move(object.needed_);
  }

 private:
  explicit Object(std::string_view bytes) : bytes_(bytes) {}

  const char* Read() {
    const auto header = At<Elf64_Ehdr>(bytes_, 0);
    if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) {
      return "it is no ELF file and no archive";
    }
    if (header->e_ident[EI_CLASS] != ELFCLASS64 ||
        header->e_ident[EI_DATA] != ELFDATA2LSB || header->e_type != ET_DYN) {
      return "it is no 64-bit shared object";
    }
    for (uint64_t i = 0; i < header->e_phnum; ++i) {
      const auto segment =
          At<Elf64_Phdr>(bytes_, header->e_phoff + i * sizeof(Elf64_Phdr));
      if (!segment) return "its program headers leave the file";
      if (segment->p_type == PT_LOAD) loads_.push_back(*segment);
      if (segment->p_type == PT_DYNAMIC) dynamic_ = *segment;
    }
    if (!dynamic_) return "it has no dynamic section";
    return ReadDynamic();
  }

  const char* ReadDynamic() {
    std::vector<uint64_t> names;
    uint64_t strings = 0;
    uint64_t size = 0;
    for (uint64_t at = 0; at + sizeof(Elf64_Dyn) <= dynamic_->p_filesz;
         at += sizeof(Elf64_Dyn)) {
      const auto entry = At<Elf64_Dyn>(bytes_, dynamic_->p_offset + at);
      if (!entry) return "its dynamic section leaves the file";
      if (entry->d_tag == DT_NULL) break;
      if (entry->d_tag == DT_NEEDED) names.push_back(entry->d_un.d_val);
      if (entry->d_tag == DT_STRTAB) strings = entry->d_un.d_ptr;
      if (entry->d_tag == DT_STRSZ) size = entry->d_un.d_val;
    }
    const auto table = OffsetOf(strings);
    if (!table || *table > bytes_.size() || bytes_.size() - *table < size) {
      return "its table of names leaves the file";
    }
    const std::string_view text = bytes_.substr(*table, size);
    for (const uint64_t name : names) {
      const size_t end = name < text.size() ? text.find('\0', name) : text.npos;
      if (end == text.npos) return "the name of a needed library leaves its table";
      needed_.emplace_back(text.substr(name, end - name));
    }
    return nullptr;
  }

  std::optional<uint64_t> OffsetOf(uint64_t address) const {
    for (const Elf64_Phdr& load : loads_) {
      if (address >= load.p_vaddr && address - load.p_vaddr < load.p_filesz) {
        return load.p_offset + (address - load.p_vaddr);
      }
    }
    return std::nullopt;
  }

  std::string_view bytes_;
  std::vector<Elf64_Phdr> loads_;
  std::optional<Elf64_Phdr> dynamic_;
  std::vector<std::string> needed_;
};

}  // namespace

std::string Sha256(std::string_view bytes) {
  std::array<unsigned char, 32> digest{};
  Must(EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(),
                  nullptr) == 1,
       "SHA-256");
  std::string text;
  for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

LibraryFile ReadLibrary(const std::string& path) {
  const std::string bytes = ReadFile(path, kMaxLibrary);
  LibraryFile file;
  file.size = static_cast<int64_t>(bytes.size());
  file.sha256 = Sha256(bytes);
  file.is_archive = bytes.starts_with(kArchive);
  if (file.is_archive) return file;
  const char* why = nullptr;
  auto needed = Object::Needed(bytes, &why);
  if (!needed) throw NoLibrary(path, why);
  file.needed = std::move(*needed);
  return file;
}

}  // namespace arrowalloy
