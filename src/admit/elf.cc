// SPDX-License-Identifier: MIT
#include "admit/elf.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "admit/elf_reader.h"
#include "admit/elf_relocations.h"
#include "admit/elf_segments.h"
#include "admit/elf_versions.h"
#include "admit/go_runtime.h"
#include "base/text.h"

namespace alloy::core {
namespace {

Status ElfRefused(std::string text) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_ELF_REFUSED, std::move(text));
}

// The linker flags of the common build systems, for errors that a flag repairs.
constexpr std::string_view kOneExport =
    "; export only one symbol: link with -Wl,--version-script=alloy_backend.map "
    "(CMake's "
    "alloy::backend does), or with -Wl,--exclude-libs,ALL in Rust";

// The limits of a statement, which lists the same names.
constexpr size_t kMaxNeeded = 64, kLongestSoname = 255;
constexpr size_t kListedExports = 64, kLongestExport = 256;

// What was found: each text once, and at most 32 of them.
class Findings {
 public:
  void Add(Status fault) {
    const auto same = [&](const Status& f) {
      return f.fault().text == fault.fault().text;
    };
    if (faults_.size() >= kMost || std::ranges::any_of(faults_, same)) return;
    faults_.push_back(std::move(fault));
  }
  void AddRefusal(std::string text) { Add(ElfRefused(std::move(text))); }
  std::vector<Status> Take() { return std::move(faults_); }

 private:
  static constexpr size_t kMost = 32;
  std::vector<Status> faults_;
};

void CheckSegments(const ElfReader& elf, Findings& findings) {
  bool stack_said = false;
  for (const ElfSegment& segment : elf.segments()) {
    const bool writable = (segment.flags & kElfWrite) != 0;
    const bool executable = (segment.flags & kElfExecute) != 0;
    if (segment.type == kElfInterpreter) {
      findings.AddRefusal(
          "is a program (it names an interpreter), not a shared library; link with "
          "-shared");
    }
    if (segment.type == kElfLoad && writable && executable) {
      findings.AddRefusal(
          "has a segment that is writable and executable; link without -N (--omagic)");
    }
    if (segment.type == kElfStack) {
      stack_said = true;
      if (executable) {
        findings.AddRefusal("asks for an executable stack; link with -Wl,-z,noexecstack");
      }
    }
  }
  if (!stack_said) {
    findings.AddRefusal(
        "has no PT_GNU_STACK, which asks for an executable stack; link with "
        "-Wl,-z,noexecstack");
  }
}

// An offset outside the string table ends the inspection: the file is malformed.
Status CheckNeededName(const ElfReader& elf, uint64_t offset, ElfFacts& facts,
                       Findings& findings) {
  ALLOY_ASSIGN_OR_RETURN(const std::string_view name,
                         elf.String(offset, kLongestSoname + 1));
  if (name.empty() || name.find('/') != name.npos || name.find('$') != name.npos) {
    findings.AddRefusal("needs " + Quoted(name) +
                        " by a path; link it by its SONAME only");
  }
  if (name.size() > kLongestSoname) {
    return ElfMalformed("needs a library whose name has more than 255 bytes");
  }
  if (facts.needed.size() == kMaxNeeded) {
    return ElfMalformed("needs more than 64 libraries; link some of them statically");
  }
  facts.needed.emplace_back(name);
  return Status();
}

Status CheckDynamic(const ElfReader& elf, ElfFacts& facts, Findings& findings) {
  for (const ElfDynamic& entry : elf.dynamic()) {
    switch (entry.tag) {
      case kElfNeeded:
        ALLOY_TRY(CheckNeededName(elf, entry.value, facts, findings));
        break;
      case kElfSoname:
        // Later loads compare their names with it.
        ALLOY_TRY(elf.String(entry.value, 1).status());
        break;
      case kElfRpath:
      case kElfRunpath:
        findings.AddRefusal(
            "carries an RPATH or RUNPATH; link without -rpath (CMake: "
            "BUILD_WITH_INSTALL_RPATH)");
        break;
      case kElfAuxiliary:
      case kElfFilter:
      case kElfAudit:
      case kElfDependencyAudit:
        findings.AddRefusal(
            "makes the loader load other libraries (AUXILIARY, FILTER or AUDIT)");
        break;
      case kElfTextRelocations:
        findings.AddRefusal("has text relocations; compile with -fPIC");
        break;
      case kElfFlags:
        if ((entry.value & kElfFlagTextRelocations) != 0) {
          findings.AddRefusal("has text relocations; compile with -fPIC");
        }
        break;
      case kElfFlags1:
        if ((entry.value & kElfFlag1Pie) != 0) {
          findings.AddRefusal(
              "is a program (a position independent executable), not a shared "
              "library; link with -shared");
        }
        if ((entry.value &
             (kElfFlag1Global | kElfFlag1LoadFilter | kElfFlag1Interpose)) != 0) {
          findings.AddRefusal(
              "reaches into other libraries (the flags GLOBAL, INTERPOSE or LOADFLTR); "
              "link without -z global, interpose or loadfltr");
        }
        break;
      default:
        break;
    }
  }
  return Status();
}

Status TooManyExports(const ElfFacts& facts) {
  std::string text = "exports " + std::to_string(facts.export_count) +
                     " symbols; expected only alloy_backend_init:";
  constexpr size_t kNamed = 8, kLongestShown = 60;
  for (size_t i = 0; i < std::min(kNamed, facts.exports.size()); ++i) {
    text += (i == 0 ? " " : ", ") + Harmless(facts.exports[i], kLongestShown);
  }
  if (facts.export_count > kNamed) text += ", …";
  return Fail(ALLOY_REFUSED, ALLOY_REASON_EXPORTS, text.append(kOneExport));
}

Status CheckExports(const ElfReader& elf, ElfFacts& facts, Findings& findings) {
  constexpr std::string_view kInit = "alloy_backend_init";
  bool has_init = false;
  // The first one has no name, but relocations without a symbol refer to it.
  for (uint64_t i = 0; i < elf.symbol_count(); ++i) {
    const ElfSymbol symbol = elf.Symbol(i);
    ALLOY_ASSIGN_OR_RETURN(
        const std::string_view name,
        elf.String(symbol.name, symbol.is_export ? kLongestExport : 1));
    if (symbol.is_defined && symbol.is_resolver && !elf.IsCode(symbol.value)) {
      return ElfMalformed("a resolver is not in its code; build it again");
    }
    if (!symbol.is_export) continue;
    if (i == 0)
      return ElfMalformed("its first symbol, which has no meaning, is exported");
    if (name == kInit) {
      has_init = true;
      if (!symbol.is_function || !elf.IsCode(symbol.value)) {
        findings.Add(Fail(ALLOY_REFUSED, ALLOY_REASON_EXPORTS,
                          "alloy_backend_init is not a plain function"));
      }
    }
    ++facts.export_count;
    if (facts.exports.size() < kListedExports) facts.exports.emplace_back(name);
  }
  if (!has_init) {
    findings.Add(Fail(
        ALLOY_REFUSED, ALLOY_REASON_EXPORTS,
        "does not export alloy_backend_init, so it is not an Alloy backend; in C++ use "
        "ALLOY_BACKEND, in Rust arrowalloy::backend!"));
  } else if (facts.export_count != 1) {
    findings.Add(TooManyExports(facts));
  }
  return Status();
}

Status CheckParts(std::span<const std::byte> image, ElfFacts& facts, Findings& findings) {
  ALLOY_ASSIGN_OR_RETURN(const ElfReader elf, ElfReader::Read(image));
  facts.has_go_runtime = HasGoRuntime(elf, image);
  CheckSegments(elf, findings);
  ALLOY_TRY(CheckDynamic(elf, facts, findings));
  ALLOY_TRY(CheckExports(elf, facts, findings));
  ALLOY_TRY(CheckSegmentsInRange(elf));
  ALLOY_TRY(CheckVersions(elf));
  return CheckRelocations(elf);
}

}  // namespace

ElfFindings InspectElf(std::span<const std::byte> image) {
  ElfFindings all;
  Findings findings;
  if (Status malformed = CheckParts(image, all.facts, findings); !malformed.ok()) {
    findings.Add(std::move(malformed));
  }
  all.faults = findings.Take();
  return all;
}

Result<ElfFacts> CheckElf(std::span<const std::byte> image) {
  ElfFindings all = InspectElf(image);
  if (!all.faults.empty()) return all.faults.front();
  return std::move(all.facts);
}

}  // namespace alloy::core
