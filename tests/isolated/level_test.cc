// SPDX-License-Identifier: MIT
//
// The level that workers reach here, as the host reports it. The suites cpp-crash and
// cpp-docker run this program, and the others of the label "levels", where Landlock and
// seccomp are refused, and under a profile like Docker's (tests/support/refuse_calls.py).
// They set ALLOY_TEST_LEVEL to crash or docker.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tests/isolated/isolated.h"

namespace {

using isolated::Contains;

std::string Level() {
  const char* const text =
      std::getenv("ALLOY_TEST_LEVEL");  // NOLINT(concurrency-mt-unsafe)
  return text != nullptr ? text : "";
}

// Whether this process may ask the kernel for Landlock. Under the level crash it may not.
bool HasLandlock() {
  constexpr int kVersionFlag = 1;
  return ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kVersionFlag) > 0;
}

// The list of this name in the member "isolated" of the identity.
std::string ListOf(alloy::Bridge& bridge, const std::string& name) {
  std::string json(4096, '\0');
  int64_t length = 0;
  alloy_error error{};
  EXPECT_EQ(alloy_bridge_identity(bridge.get(), json.data(),
                                  static_cast<int64_t>(json.size()), &length, &error),
            ALLOY_OK)
      << error.text;
  json.resize(static_cast<size_t>(length));
  const size_t begin = json.find("\"" + name + "\"");
  EXPECT_NE(begin, std::string::npos) << json;
  const size_t open = json.find('[', begin), close = json.find(']', begin);
  EXPECT_LT(open, close) << json;
  return json.substr(open, close - open + 1);
}

bool Has(std::string_view list, const std::string& name) {
  return list.find("\"" + name + "\"") != std::string_view::npos;
}

TEST(IsolatedLevel, IsReportedByTheHost) {
  alloy::Bridge bridge =
      support::Load("tests/crash", support::TestHost(), isolated::Options());
  const std::string reached = ListOf(bridge, "reached");
  const std::string missing = ListOf(bridge, "missing");
  const std::string level = Level();
  std::printf("level %s: reached %s, missing %s\n",
              level.empty() ? "of this machine" : level.c_str(), reached.c_str(),
              missing.c_str());
  RecordProperty("reached", reached);
  RecordProperty("missing", missing);
  // These need nothing that a container refuses.
  for (const char* name :
       {"environment", "common end", "descriptors", "rlimits", "stack size"}) {
    EXPECT_TRUE(Has(reached, name)) << name << " is not in " << reached;
    EXPECT_FALSE(Has(missing, name)) << name << " is in " << missing;
  }
  const bool may_have = level != "crash";
  EXPECT_EQ(Has(reached, "seccomp"), may_have) << reached;
  EXPECT_EQ(Has(missing, "seccomp"), !may_have) << missing;
  if (!may_have) {
    EXPECT_FALSE(HasLandlock()) << "the suite does not refuse it";
  }
  EXPECT_EQ(Has(reached, "Landlock"), HasLandlock()) << reached;
  EXPECT_EQ(Has(missing, "Landlock"), !HasLandlock()) << missing;
}

TEST(IsolatedLevel, ThatIsDemandedAndNotReachedRefusesTheLoadByName) {
  alloy::BridgeOptions options = isolated::Options();
  options.demand = ALLOY_RESTRICT_LANDLOCK | ALLOY_RESTRICT_SECCOMP;
  alloy::Bridge bridge(support::TestHost(), options);
  const auto status = bridge.SetImplLib(support::BackendPath("tests/crash"));
  if (Level() != "crash" && HasLandlock()) {
    EXPECT_TRUE(status.ok()) << status;
    return;
  }
  EXPECT_EQ(status.code(), ALLOY_UNSUPPORTED) << status;
  EXPECT_TRUE(Contains(status, "Landlock: ")) << status;
  EXPECT_EQ(Contains(status, "seccomp: "), Level() == "crash") << status;
  EXPECT_TRUE(Contains(status, "arrowalloy doctor")) << status;
}

// What the level crash still promises.
TEST(IsolatedLevel, ContainsACrashAndAHangAtAnyLevel) {
  alloy::Bridge bridge =
      support::Load("tests/crash", support::TestHost(), isolated::Options());
  alloy::BoundCall call = isolated::Bind(bridge);
  for (const int way : {WAY_SEGV, WAY_ABORT, WAY_OVERFLOW, WAY_KILLED}) {
    EXPECT_EQ(call.Run(isolated::Input(way)).status().code(), ALLOY_LOST) << way;
    const auto next = call.Run(isolated::Input(WAY_WELL));
    ASSERT_TRUE(next.ok()) << next.status();
    isolated::ExpectDoubled(*next);
  }
  EXPECT_EQ(
      call.Run(isolated::Input(WAY_LOOP), {.timeout = std::chrono::milliseconds(50)})
          .status()
          .code(),
      ALLOY_TIMEOUT);
  EXPECT_TRUE(call.Run(isolated::Input(WAY_WELL)).ok());
}

}  // namespace
