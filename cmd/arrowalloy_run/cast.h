// SPDX-License-Identifier: MIT
//
// Types as people write them, and batches brought to them.
#ifndef ARROWALLOY_RUN_CAST_H_
#define ARROWALLOY_RUN_CAST_H_

#include <arrow/type_fwd.h>

#include <memory>
#include <string>

namespace arrowalloy::run {

// `int64`, `float64`, `utf8`, `string_view`, `date32`, `timestamp[us]`,
// `timestamp[ms,UTC]`, `decimal128(15,2)`, ...: as Arrow prints its types.
//   Throws  E0002, naming the column.
std::shared_ptr<arrow::DataType> TypeOf(const std::string& text,
                                        const std::string& column);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_CAST_H_
