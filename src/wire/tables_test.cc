// SPDX-License-Identifier: MIT
#include "wire/tables.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "alloy/reason.h"
#include "wire/protocol.h"

namespace alloy::core {
namespace {

// A table with functions that are all the same.
struct Table {
  alloy_function function{};
  std::vector<const alloy_function*> list;
  alloy_backend backend{};

  explicit Table(size_t n) {
    function.struct_size = sizeof(function);
    function.name = "score";
    list.assign(n, &function);
    list.push_back(nullptr);
    backend = {.struct_size = sizeof(backend),
               .abi = ALLOY_ABI,
               .name = "test.many",
               .version = "1.0.0",
               .language = "C",
               .functions = list.data()};
  }
};

TEST(Tables, FunctionsAreAsManyAsFitInAMessage) {
  const Table table(20'000);
  std::vector<std::byte> bytes(kMessageBytes);
  ByteWriter out(bytes);
  ASSERT_TRUE(CheckCrosses(table.backend).ok());
  WriteTable(table.backend, out);
  ASSERT_FALSE(out.full());
  ByteReader in({bytes.data(), out.used()});
  const auto read = DescribedTable::Read(in);
  ASSERT_TRUE(read.ok()) << read.status().fault().text;
  const alloy_function* const* functions = (*read)->backend().functions;
  size_t n = 0;
  for (; functions[n] != nullptr; ++n) EXPECT_STREQ(functions[n]->name, "score");
  EXPECT_EQ(n, 20'000U);
}

// The number of functions may be anything. What is not there ends the list.
TEST(Tables, ANumberOfFunctionsThatIsALieIsRefused) {
  const Table table(3);
  std::vector<std::byte> bytes(1024);
  ByteWriter out(bytes);
  WriteTable(table.backend, out);
  const size_t at = sizeof(uint32_t) + 3 * sizeof(uint64_t) + 9 + 5 + 1;
  for (const uint32_t lie : {4U, 4097U, UINT32_MAX}) {
    std::memcpy(bytes.data() + at, &lie, sizeof(lie));
    ByteReader in({bytes.data(), out.used()});
    const auto read = DescribedTable::Read(in);
    EXPECT_EQ(read.status().reason(), ALLOY_REASON_TABLE) << lie;
  }
}

TEST(Tables, ALongListOfOptionsIsNamedBeforeItCrosses) {
  Table table(1);
  std::vector<alloy_option> options(4097, {"o", nullptr, nullptr});
  options.push_back({});
  table.function.options = options.data();
  const Status status = CheckCrosses(table.backend);
  EXPECT_EQ(status.code(), ALLOY_REFUSED) << status.fault().text;
  EXPECT_EQ(status.reason(), ALLOY_REASON_TABLE) << status.fault().text;
  EXPECT_EQ(status.fault().text,
            "the backend's table: function score has 4097 options; the isolated mode "
            "allows 4096");
  options.erase(options.begin());
  table.function.options = options.data();
  EXPECT_TRUE(CheckCrosses(table.backend).ok());
}

}  // namespace
}  // namespace alloy::core
