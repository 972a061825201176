// SPDX-License-Identifier: MIT
//
// Reads one bit of an Arrow bitmap, by the helper of the public headers.
//
// Threads  shared.
#ifndef ALLOY_SRC_BASE_BITS_H_
#define ALLOY_SRC_BASE_BITS_H_

#include "alloy/detail/bits.hpp"

namespace alloy::core {

using alloy::detail::BitAt;

}  // namespace alloy::core

#endif  // ALLOY_SRC_BASE_BITS_H_
