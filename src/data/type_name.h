// SPDX-License-Identifier: MIT
//
// Names of format strings by themselves, for tables of what a function accepts.
//
// Threads  shared.
#ifndef ALLOY_SRC_DATA_TYPE_NAME_H_
#define ALLOY_SRC_DATA_TYPE_NAME_H_

#include <string>
#include <string_view>

namespace alloy::core {

// The name of one format of an alloy_column's `accepts`, without its children:
// `Timestamp(us, UTC)`, `List`, `Timestamp(us, *)` for `tsu:*`, `Dictionary(*, Utf8)` for
// `?:u`. What has no name stands as it is, in quotes.
std::string AcceptedName(std::string_view pattern);

}  // namespace alloy::core

#endif  // ALLOY_SRC_DATA_TYPE_NAME_H_
