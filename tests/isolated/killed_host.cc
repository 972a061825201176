// SPDX-License-Identifier: MIT
//
// A host that uses workers until it is killed: calls and streams, and bridges that come and
// go. It writes one byte when its first call has succeeded.
//   isolated_killed_host LIBRARY
#include <unistd.h>

#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "alloy/alloy.hpp"

namespace {

alloy::Batch Some() {
  return *alloy::MakeBatch(
      {{"x", alloy::MakeArray<int64_t>(std::vector<int64_t>(5000, 7))}});
}

alloy::Bridge Open(const char* library) {
  alloy::Bridge bridge(alloy::Host({.allow_unsigned = true}),
                       {.isolated = alloy::Isolation::kWorkers});
  if (!bridge.SetImplLib(library).ok()) ::_exit(3);
  return bridge;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  alloy::Bridge bridge = Open(argv[1]);
  if (!bridge.Call("double", Some()).ok()) return 4;
  if (::write(1, "r", 1) != 1) return 5;
  const std::jthread calls([&] {
    for (;;) (void)bridge.Call("double", Some());
  });
  const std::jthread streams([&] {
    for (;;) {
      std::vector<alloy::Batch> batches;
      for (int i = 0; i < 10; ++i) batches.push_back(Some());
      auto stream = bridge.Stream("pass", alloy::Stream::Of(std::move(batches)));
      while (stream.ok()) {
        const auto batch = stream->Next();
        if (!batch.ok() || !batch->has_value()) break;
      }
    }
  });
  for (;;) (void)Open(argv[1]).Call("double", Some());
}
