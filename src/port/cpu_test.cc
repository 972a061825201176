// SPDX-License-Identifier: MIT
#include "port/cpu.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <climits>
#include <filesystem>
#include <fstream>
#include <thread>

namespace alloy::core {
namespace {

class CpuTest : public testing::Test {
 protected:
  CpuTest() : root_(testing::TempDir() + "alloy_cpu_test") {
    std::filesystem::remove_all(root_);
  }
  ~CpuTest() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_ + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }

  std::string root_;
};

TEST_F(CpuTest, TakesTheSmallestQuotaOnTheWayToTheRoot) {
  Write("/cpu.max", "max 100000\n");
  Write("/a/cpu.max", "250000 100000\n");
  Write("/a/b/cpu.max", "900000 100000\n");
  EXPECT_EQ(CpusOfQuota("0::/a/b\n", root_), 2);
  EXPECT_EQ(CpusOfQuota("0::/\n", root_), INT_MAX);
  EXPECT_EQ(CpusOfQuota("0::/other\n", root_), INT_MAX);
}

TEST_F(CpuTest, FindsTheQuotaAtTheRootOfAContainer) {
  Write("/cpu.max", "150000 100000\n");
  EXPECT_EQ(CpusOfQuota("0::/docker/0123\n", root_), 1);
  EXPECT_EQ(CpusOfQuota("0::/\n", root_), 1);
}

TEST_F(CpuTest, ReadsTheFirstVersionOfCgroups) {
  Write("/cpu/a/cpu.cfs_quota_us", "400000\n");
  Write("/cpu/a/cpu.cfs_period_us", "100000\n");
  Write("/cpu/b/cpu.cfs_quota_us", "-1\n");
  Write("/cpu/b/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(CpusOfQuota("4:memory:/a\n2:cpuacct,cpu:/a\n0::/\n", root_), 4);
  EXPECT_EQ(CpusOfQuota("2:cpu:/b\n", root_), INT_MAX);
  EXPECT_EQ(CpusOfQuota("2:cpuset:/a\n", root_), INT_MAX);
}

TEST_F(CpuTest, AQuotaBelowOneProcessorIsOne) {
  Write("/cpu.max", "5000 100000\n");
  EXPECT_EQ(CpusOfQuota("0::/\n", root_), 1);
}

TEST_F(CpuTest, IgnoresWhatItCannotRead) {
  Write("/cpu.max", "lots\n");
  for (const char* groups : {"", "\n", "0::/", "0:", "0::", "x", "0::a", "::/a\n\n"}) {
    EXPECT_EQ(CpusOfQuota(groups, root_), INT_MAX) << groups;
  }
}

TEST_F(CpuTest, CountsOnlyTheProcessorsThatTheThreadMayUse) {
  EXPECT_GE(UsableCpus(), 1);
  int usable = 0;
  std::thread([&] {
    cpu_set_t one, all;
    ASSERT_EQ(::sched_getaffinity(0, sizeof(all), &all), 0);
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu) {
      if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &one);
    }
    ASSERT_EQ(::sched_setaffinity(0, sizeof(one), &one), 0);
    usable = UsableCpus();
  }).join();
  EXPECT_EQ(usable, 1);
}

}  // namespace
}  // namespace alloy::core
