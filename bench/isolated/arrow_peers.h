// SPDX-License-Identifier: MIT
//
// What people use today to pass batches to another process: Arrow Flight, and the IPC format
// through pipes. The other process returns each batch.
#ifndef ALLOY_BENCH_ISOLATED_ARROW_PEERS_H_
#define ALLOY_BENCH_ISOLATED_ARROW_PEERS_H_

#include <memory>

#include "bench/isolated/data.h"

namespace alloy::bench {

// Threads  serial. The other process ends with it.
class ArrowPeer {
 public:
  virtual ~ArrowPeer() = default;
  ArrowPeer() = default;
  ArrowPeer(const ArrowPeer&) = delete;
  ArrowPeer& operator=(const ArrowPeer&) = delete;

  // Begin with a type and its data. The data is borrowed until the next Begin.
  virtual void Begin(const Data& data) = 0;
  virtual void RoundTrip() = 0;
  // Read every value of the last result.
  virtual void Check(const Data& data) = 0;
};

std::unique_ptr<ArrowPeer> MakeFlightPeer(bool unix_socket);
std::unique_ptr<ArrowPeer> MakePipePeer();

// The other processes are this program with these arguments. Returns whether they were
// meant, after the work is done.
bool ServeArrowPeer(int argc, char** argv);

}  // namespace alloy::bench

#endif  // ALLOY_BENCH_ISOLATED_ARROW_PEERS_H_
