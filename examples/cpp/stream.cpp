// SPDX-License-Identifier: MIT
#include <iostream>
#include <optional>

#include "alloy/alloy.hpp"

int main(int argc, char** argv) {
  if (argc != 3) return std::cerr << "stream_cpp LIBRARY CERTIFICATE\n", 2;
  alloy::Bridge bridge;
  (void)bridge.SetImplLib(argv[1], argv[2]);  // a failure sticks: Stream tells it
  auto batch = [](int64_t x) {
    return alloy::MakeBatch({{"x", alloy::MakeArray<int64_t>({x, x + 1})}});
  };
  int64_t made = 0;  // one batch at a time, when the function asks for it
  auto numbers =
      alloy::Stream::From(alloy::Schema::Copy(batch(0)->schema()),
                          [&]() -> alloy::Result<std::optional<alloy::Batch>> {
                            if (made == 3) return std::optional<alloy::Batch>();
                            return std::optional<alloy::Batch>(*batch(10 * made++));
                          });
  auto totals = bridge.Stream("totals", std::move(numbers));
  if (!totals.ok()) return std::cerr << totals.status() << '\n', 1;
  for (;;) {
    auto next = totals->Next();
    if (!next.ok()) return std::cerr << next.status() << '\n', 1;
    if (!next->has_value()) return 0;
    std::cout << **next << '\n';  // {total: Int64[1]}, then 22 and 63
  }
}
