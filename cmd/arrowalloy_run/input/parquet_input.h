// SPDX-License-Identifier: MIT
//
// Parquet. Row groups are read in pieces, so that memory stays bounded.
#ifndef ARROWALLOY_RUN_INPUT_PARQUET_INPUT_H_
#define ARROWALLOY_RUN_INPUT_PARQUET_INPUT_H_

#include <functional>
#include <memory>
#include <string>

#include "opened_file.h"
#include "source.h"

namespace arrowalloy::run {

// A timestamp of 96 bits is read as timestamp[us], which holds every year. `in_nanoseconds`
// asks for columns that shall become timestamp[ns]. In both cases a value that does not fit
// is an error.
//   Throws  E0101.
std::unique_ptr<OpenedFile> OpenParquet(
    Source source, int64_t batch_rows,
    const std::function<bool(const std::string&)>& in_nanoseconds);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INPUT_PARQUET_INPUT_H_
