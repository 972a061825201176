// SPDX-License-Identifier: MIT
#include "port/process_mark.h"

#include <sys/mman.h>
#include <unistd.h>

#include <new>

namespace alloy::core {
namespace {

constexpr uint32_t kNumbers = (uint32_t{1} << 30) - 1;

size_t PageSize() { return static_cast<size_t>(::sysconf(_SC_PAGESIZE)); }

}  // namespace

ProcessMark::ProcessMark() {
  void* page = ::mmap(nullptr, PageSize(), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return;
  if (::madvise(page, PageSize(), MADV_WIPEONFORK) != 0) {
    ::munmap(page, PageSize());
    return;
  }
  page_ = ::new (page) std::atomic<uint32_t>(1);
}

ProcessMark::~ProcessMark() {
  if (page_ != nullptr) ::munmap(page_, PageSize());
}

// The parent is alive when the child begins, so their process ids differ.
uint32_t ProcessMark::ProcessId() { return static_cast<uint32_t>(::getpid()); }

// The first look in this process. Several threads may come here at once.
uint32_t ProcessMark::NextNumber() {
  const uint32_t mine = last_.fetch_add(1, std::memory_order_relaxed) % kNumbers + 1;
  uint32_t seen = 0;
  return page_->compare_exchange_strong(seen, mine, std::memory_order_acq_rel) ? mine
                                                                               : seen;
}

}  // namespace alloy::core
