// SPDX-License-Identifier: MIT
//
// Types in the notation of the option --cast.
#ifndef ARROWALLOY_RUN_CAST_H_
#define ARROWALLOY_RUN_CAST_H_

#include <arrow/type_fwd.h>

#include <memory>
#include <string>

namespace arrowalloy::run {

// `int64`, `float64`, `utf8`, `string_view`, `date32`, `timestamp[us]`,
// `timestamp[ms,UTC]`, `decimal128(15,2)`, ...: the notation in which Arrow prints types.
//   Throws  E0002, which names the column.
std::shared_ptr<arrow::DataType> TypeOf(const std::string& text,
                                        const std::string& column);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_CAST_H_
