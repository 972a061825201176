// SPDX-License-Identifier: MIT
#include "threads.h"

#include <arrow/io/interfaces.h>
#include <arrow/util/thread_pool.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <system_error>

#include "../arrowalloy/base/failure.h"

namespace arrowalloy::run {
namespace {

// Tasks of a pool wait here until there is one on each of its threads.
struct Gathering {
  std::mutex mutex;
  std::condition_variable all;
  int missing = 0;
};

void Fill(arrow::internal::ThreadPool* pool) {
  const int threads = pool->GetCapacity();
  const auto gathering = std::make_shared<Gathering>();
  gathering->missing = threads;
  const auto task = [gathering] {
    std::unique_lock lock(gathering->mutex);
    if (--gathering->missing == 0) gathering->all.notify_all();
    gathering->all.wait(lock, [&] { return gathering->missing <= 0; });
  };
  for (int i = 0; i < threads; ++i) {
    try {
      if (pool->Spawn(task).ok()) continue;
      throw std::system_error(EAGAIN, std::generic_category());
    } catch (const std::system_error&) {
      const std::lock_guard lock(gathering->mutex);
      gathering->missing = 0;
      gathering->all.notify_all();
      throw;
    }
  }
  std::unique_lock lock(gathering->mutex);
  gathering->all.wait(lock, [&] { return gathering->missing <= 0; });
}

}  // namespace

void ReserveThreads(size_t inputs) {
  try {
    // Each input may wait for its pipe on a thread of this pool.
    const int least = static_cast<int>(std::min<size_t>(inputs, 100)) + 2;
    if (arrow::io::GetIOThreadPoolCapacity() < least) {
      static_cast<void>(arrow::io::SetIOThreadPoolCapacity(least));
    }
    Fill(arrow::internal::GetCpuThreadPool());
    Fill(dynamic_cast<arrow::internal::ThreadPool*>(
        arrow::io::default_io_context().executor()));
  } catch (const std::system_error& error) {
    throw Failure(Exit::kMachine, kMemoryCode,
                  fmt::format("cannot start the threads of the run: {}",
                              std::generic_category().message(error.code().value())),
                  "",
                  "raise the limit of threads (ulimit -u) or of memory (ulimit -v), or "
                  "end other programs");
  }
}

}  // namespace arrowalloy::run
