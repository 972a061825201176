// SPDX-License-Identifier: MIT
#include "sdk.h"

#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include "../base/process.h"

namespace arrowalloy {
namespace {

namespace fs = std::filesystem;

bool Exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

// Distributions install libraries in different folders below the prefix.
fs::path LibraryFolder(const fs::path& prefix) {
  for (const char* name :
       {"lib", "lib64", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu"}) {
    if (Exists(prefix / name / "cmake/alloy/alloyConfig.cmake")) return prefix / name;
  }
  return {};
}

}  // namespace

std::optional<Sdk> FindSdk(std::string* missing) {
  std::error_code error;
  const fs::path program = fs::read_symlink(kSelf, error);
  const fs::path prefix = program.parent_path().parent_path();
  Sdk sdk;
  sdk.program = program.string();
  if (const fs::path library = LibraryFolder(prefix); !library.empty()) {
    sdk.package = (library / "cmake/alloy").string();
    sdk.library = library.string();
    sdk.crate = (prefix / "share/arrowalloy/rust").string();
    sdk.go = (prefix / "share/arrowalloy/go").string();
    sdk.include = (prefix / "include").string();
  } else {  // a build tree
    sdk.package = (prefix / "package").string();
    sdk.library = (prefix / "lib").string();
    sdk.crate = (prefix / "package/rust").string();
    sdk.go = (prefix / "package/go").string();
    sdk.include = (prefix / "package/include").string();
  }
  for (const fs::path& file :
       {fs::path(sdk.package) / "alloyConfig.cmake",
        fs::path(sdk.library) / "liballoy.so", fs::path(sdk.crate) / "Cargo.toml",
        fs::path(sdk.go) / "go.mod", fs::path(sdk.go) / "go.sum",
        fs::path(sdk.include) / "alloy/alloy.h"}) {
    if (!Exists(file)) {
      *missing = file.string();
      return std::nullopt;
    }
  }
  return sdk;
}

}  // namespace arrowalloy
