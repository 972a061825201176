// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_PORT_SYSTEM_CALL_FILTER_H_
#define ALLOY_SRC_PORT_SYSTEM_CALL_FILTER_H_

namespace alloy::core {

// Refuse, for all threads of this process, the system calls by which a library could reach
// other processes, the network or the settings of the machine, or get memory that no limit
// counts. The list is in the source. A refused call returns EPERM.
//
// Threads and what a program needs for itself still work. New processes are refused: they
// would outlive the worker and the host, each would have limits of its own, and one could
// write into segments after the worker has ended.
//
// Needs no_new_privs, or CAP_SYS_ADMIN. Returns 0 or an errno.
int RestrictSystemCalls();

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_SYSTEM_CALL_FILTER_H_
