// SPDX-License-Identifier: MIT
//
// Batches of some of the rows of another.
#ifndef AGGREGATE_CPP_GATHER_H_
#define AGGREGATE_CPP_GATHER_H_

#include <cstdint>
#include <span>

#include "alloy/backend.hpp"

namespace aggregate {

// Whether Gather takes columns of this type.
bool CanGather(const ArrowSchema& column);

// Make `output` a batch of these rows of `batch`. What the result shares with it, its
// dictionaries, is moved out of it.
void Gather(const alloy::Scope& scope, const ArrowSchema& schema,
            std::span<const int64_t> rows, ArrowArray* batch, ArrowArray* output);

}  // namespace aggregate

#endif  // AGGREGATE_CPP_GATHER_H_
