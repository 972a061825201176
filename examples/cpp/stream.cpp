// SPDX-License-Identifier: MIT
#include <iostream>
#include <optional>
#include <utility>

#include "alloy/alloy.hpp"

static int Fail(const alloy::Status& status) {
  std::cerr << status << '\n';
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 3) return std::cerr << "stream_cpp LIBRARY CERTIFICATE\n", 2;
  alloy::Bridge bridge;
  auto loaded = bridge.SetImplLib(argv[1], argv[2]);
  if (!loaded.ok()) return Fail(loaded);

  // A stream of three batches; each is made when the function asks for it.
  int64_t made = 0;
  auto next = [&made]() -> alloy::Result<std::optional<alloy::Batch>> {
    if (made == 3) return std::optional<alloy::Batch>();
    const int64_t x = 10 * made++;
    auto batch = alloy::MakeBatch({{"x", alloy::MakeArray<int64_t>({x, x + 1})}});
    if (!batch.ok()) return batch.status();
    return std::optional<alloy::Batch>(std::move(*batch));
  };
  auto schema =
      alloy::Schema::Batch(std::vector<alloy::Field>{{.name = "x", .format = "l"}});
  auto totals =
      bridge.Stream("totals", alloy::Stream::From(std::move(schema), std::move(next)));
  if (!totals.ok()) return Fail(totals.status());
  for (;;) {
    auto batch = totals->Next();
    if (!batch.ok()) return Fail(batch.status());
    if (!batch->has_value()) return 0;
    std::cout << **batch << '\n';  // {total: Int64[1]}, then 22 and 63
  }
}
