// SPDX-License-Identifier: MIT
//
// What a query is made of, on the typed views of alloy/backend.hpp alone: group, filter,
// scale. The options, the results and what is refused are those of aggregate_rust, which
// has sort and join as well.
#include "alloy/backend.hpp"
#include "filter.h"
#include "group_by.h"
#include "scale.h"

ALLOY_BACKEND(
    "alloy.aggregate", "0.1.0",
    alloy::Streams<aggregate::GroupBy>("group_by")
        .Summary("One row for each different set of keys, with aggregates of its rows.")
        .Option("keys", "",
                "Columns with commas between, such as: city,year. None: one row for all.")
        .Option("aggregates", "count",
                "Such as: count,sum(x),min(y),max(y),mean(z) as average.")
        .Flags(ALLOY_IDEMPOTENT),
    alloy::Raw<aggregate::Filter>("filter")
        .Summary("The rows of which a comparison is true.")
        .RequiredOption("column", "What to look at.")
        .Option("op", "=", "=, !=, <, <=, >, >=, is null, is not null.")
        .Option("value", "", "What to compare with, read as the type of the column.")
        .Flags(ALLOY_IDEMPOTENT),
    alloy::Raw<aggregate::Scale>("scale")
        .Summary("The batch with one column of numbers multiplied.")
        .RequiredOption("column", "What to multiply.")
        .RequiredOption("factor",
                        "By how much: a whole number for integers, any for the others.")
        .Flags(ALLOY_IDEMPOTENT | ALLOY_ROWWISE))
