// SPDX-License-Identifier: MIT
#include "admit/elf.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "admit/elf_reader.h"

namespace alloy::core {
namespace {

Status ElfRefused(std::string text) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_ELF_REFUSED, std::move(text));
}

// The flags of the linkers that authors use, for the errors that a flag mends.
constexpr std::string_view kOneExport =
    "; export one symbol alone: link with -Wl,--version-script=alloy_backend.map "
    "(CMake's "
    "alloy::backend does), or with -Wl,--exclude-libs,ALL in Rust";

Status CheckSegments(const ElfReader& elf) {
  bool stack_said = false;
  for (const ElfSegment& segment : elf.segments()) {
    const bool writable = (segment.flags & kElfWrite) != 0;
    const bool executable = (segment.flags & kElfExecute) != 0;
    if (segment.type == kElfInterpreter) {
      return ElfRefused(
          "a program (it names an interpreter), not a shared library; link with -shared");
    }
    if (segment.type == kElfLoad && writable && executable) {
      return ElfRefused("a segment is writable and executable at once");
    }
    if (segment.type == kElfStack) {
      stack_said = true;
      if (executable) {
        return ElfRefused("asks for an executable stack; link with -Wl,-z,noexecstack");
      }
    }
  }
  if (!stack_said) {
    return ElfRefused(
        "has no PT_GNU_STACK, which asks for an executable stack; link with "
        "-Wl,-z,noexecstack");
  }
  return Status();
}

Status CheckNeeded(std::string_view name) {
  if (name.empty() || name.find('/') != name.npos || name.find('$') != name.npos) {
    return ElfRefused("needs \"" + std::string(name) +
                      "\" by a path; name a library by its SONAME alone");
  }
  return Status();
}

Status CheckDynamic(const ElfReader& elf, ElfFacts* facts) {
  for (const ElfDynamic& entry : elf.dynamic()) {
    switch (entry.tag) {
      case kElfNeeded: {
        ALLOY_ASSIGN_OR_RETURN(const std::string_view name, elf.String(entry.value));
        ALLOY_TRY(CheckNeeded(name));
        facts->needed.emplace_back(name);
        break;
      }
      case kElfRpath:
      case kElfRunpath:
        return ElfRefused(
            "carries an RPATH or RUNPATH; link without -rpath (CMake: "
            "BUILD_WITH_INSTALL_RPATH)");
      case kElfAuxiliary:
      case kElfFilter:
      case kElfAudit:
      case kElfDependencyAudit:
        return ElfRefused(
            "makes the loader load other libraries (AUXILIARY, FILTER or AUDIT)");
      case kElfTextRelocations:
        return ElfRefused("has text relocations; compile with -fPIC");
      case kElfFlags:
        if ((entry.value & kElfFlagTextRelocations) != 0) {
          return ElfRefused("has text relocations; compile with -fPIC");
        }
        break;
      case kElfFlags1:
        if ((entry.value & kElfFlag1Pie) != 0) {
          return ElfRefused(
              "a program (a position independent executable), not a shared "
              "library; link with -shared");
        }
        break;
      default:
        break;
    }
  }
  return Status();
}

Status CheckExports(const ElfReader& elf, ElfFacts* facts) {
  bool has_init = false;
  for (uint64_t i = 1; i < elf.symbol_count(); ++i) {
    ALLOY_ASSIGN_OR_RETURN(const ElfSymbol symbol, elf.Symbol(i));
    if (!symbol.is_export) continue;
    ALLOY_ASSIGN_OR_RETURN(const std::string_view name, elf.String(symbol.name));
    if (name == "alloy_backend_init") {
      if (!symbol.is_function) {
        return Fail(ALLOY_REFUSED, ALLOY_REASON_EXPORTS,
                    "alloy_backend_init is not a plain function");
      }
      has_init = true;
    }
    facts->exports.emplace_back(name);
  }
  if (!has_init) {
    return Fail(
        ALLOY_REFUSED, ALLOY_REASON_EXPORTS,
        "does not export alloy_backend_init, so it is no Alloy backend; in C++ use "
        "ALLOY_BACKEND, in Rust arrowalloy::backend!");
  }
  if (facts->exports.size() == 1) return Status();
  std::string text = "exports " + std::to_string(facts->exports.size()) +
                     " symbols instead of alloy_backend_init alone:";
  constexpr size_t kNamed = 8;
  for (size_t i = 0; i < std::min(kNamed, facts->exports.size()); ++i) {
    text += (i == 0 ? " " : ", ") + facts->exports[i].substr(0, 60);
  }
  if (facts->exports.size() > kNamed) text += ", …";
  return Fail(ALLOY_REFUSED, ALLOY_REASON_EXPORTS, text.append(kOneExport));
}

}  // namespace

Result<ElfFacts> LookThroughElf(std::span<const std::byte> image) {
  ALLOY_ASSIGN_OR_RETURN(const ElfReader elf, ElfReader::Read(image));
  ElfFacts facts;
  ALLOY_TRY(CheckSegments(elf));
  ALLOY_TRY(CheckDynamic(elf, &facts));
  ALLOY_TRY(CheckExports(elf, &facts));
  return facts;
}

}  // namespace alloy::core
