// SPDX-License-Identifier: MIT
#ifndef ARROWALLOY_BASE_DESCRIPTOR_H_
#define ARROWALLOY_BASE_DESCRIPTOR_H_

#include <unistd.h>

namespace arrowalloy {

// Owns a file descriptor; a negative number stands for a failed open. Standard input and outputs stay open.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ > STDERR_FILENO) close(fd_);
  }
  int get() const { return fd_; }

 private:
  const int fd_;
};

}  // namespace arrowalloy

#endif  // ARROWALLOY_BASE_DESCRIPTOR_H_
