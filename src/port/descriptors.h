// SPDX-License-Identifier: MIT
//
// Pass open files to another process, over a pair of sockets. Errors are numbers of
// <cerrno>; 0 is success.
#ifndef ALLOY_SRC_PORT_DESCRIPTORS_H_
#define ALLOY_SRC_PORT_DESCRIPTORS_H_

#include "port/fd.h"

namespace alloy::core {

// Two ends of a connection, closed on exec.
int MakeSocketPair(Fd* one, Fd* other);

// The process that made the pair of sockets; 0 if this one cannot see it.
int MakerOf(const Fd& socket);

// Never waits: EAGAIN if the other side has not taken what it was sent before.
int SendDescriptor(const Fd& socket, const Fd& file);
// Waits until one comes. ECONNRESET: the other side is gone, or sent something else.
int ReceiveDescriptor(const Fd& socket, Fd* out);

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_DESCRIPTORS_H_
