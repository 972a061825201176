// SPDX-License-Identifier: MIT
//
// Tells a process from the process that forked it, at the cost of one load.
//
// A fork copies the memory of all threads and only the calling thread. So what belongs to
// other threads must not be used in the child: a lock that one of them held, a thread
// object, the waiters of a condition variable. Objects that have such parts keep a number
// from here next to them, and compare.
//
// Threads  shared.
#ifndef ALLOY_SRC_PORT_PROCESS_MARK_H_
#define ALLOY_SRC_PORT_PROCESS_MARK_H_

#include <atomic>
#include <cstdint>

namespace alloy::core {

class ProcessMark {
 public:
  ProcessMark();
  ~ProcessMark();
  ProcessMark(const ProcessMark&) = delete;
  ProcessMark& operator=(const ProcessMark&) = delete;

  // From 1 to 2^30 - 1. A child of fork gets another number than its parent, and keeps it.
  uint32_t Number() {
    if (page_ == nullptr) [[unlikely]]
      return ProcessId();
    const uint32_t number = page_->load(std::memory_order_acquire);
    return number != 0 ? number : NextNumber();
  }

 private:
  static uint32_t ProcessId();
  uint32_t NextNumber();

  // In a page that the kernel fills with zeros in a child. NULL: this kernel cannot, and
  // each look costs a system call.
  std::atomic<uint32_t>* page_ = nullptr;
  std::atomic<uint32_t> last_{1};  // the last number that was given; a child inherits it
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_PROCESS_MARK_H_
