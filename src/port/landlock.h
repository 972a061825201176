// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_PORT_LANDLOCK_H_
#define ALLOY_SRC_PORT_LANDLOCK_H_

#include <string>
#include <vector>

namespace alloy::core {

// Let this thread, and those that it starts, open only these files and what is in these
// folders, and only for reading. Files in memory (memfd) stay open to all who have a
// descriptor or its path in /proc. What the kernel can refuse besides, it refuses: TCP from
// Linux 6.7, abstract sockets and signals to others from 6.12.
//
// Needs no_new_privs, or CAP_SYS_ADMIN. Returns 0 and the version of Landlock, or an errno:
// ENOSYS is a kernel without Landlock, EOPNOTSUPP one that was started without it.
int RestrictFiles(const std::vector<std::string>& readable, int* version);

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_LANDLOCK_H_
