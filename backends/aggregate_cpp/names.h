// SPDX-License-Identifier: MIT
//
// What options say: lists, names of columns, and what there is instead.
//
// Threads  plain functions.
#ifndef AGGREGATE_CPP_NAMES_H_
#define AGGREGATE_CPP_NAMES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alloy/backend.hpp"

namespace aggregate {

// An error of what the caller asked for.
alloy::Failure Invalid(std::string text);

// The text without the blanks around it.
std::string_view Trimmed(std::string_view text);

// The text in double quotes, for errors.
std::string Quoted(std::string_view text);

// The items of a list with commas between. A comma inside of parentheses or of double
// quotes separates nothing. Throws Failure when an item is empty, or what was opened is
// not closed.
std::vector<std::string_view> Items(std::string_view option, std::string_view list);

// A name without the double quotes around it, if there are any.
std::string_view Unquoted(std::string_view name);

// The place of a column of a batch. Throws Failure when there is none of the name, or
// more than one.
int64_t IndexOf(std::string_view option, const ArrowSchema& batch, std::string_view name);

// Refuse columns that are called as one before them.
void CheckApart(std::string_view option, const std::vector<alloy::Field>& fields);

}  // namespace aggregate

#endif  // AGGREGATE_CPP_NAMES_H_
