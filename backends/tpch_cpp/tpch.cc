// SPDX-License-Identifier: MIT
//
// TPC-H Q1 and Q6 over a stream of lineitem, with the types and the digits of DuckDB.
//
// Each function declares the columns that it reads, so that whoever reads a file for it
// reads no others.
#include "alloy/backend.hpp"
#include "pricing.h"
#include "revenue.h"

namespace {

constexpr const char* kMoney = "d:15,2";
constexpr const char* kFlag = "u U vu";
constexpr const char* kDay = "tdD";

}  // namespace

ALLOY_BACKEND(
    "alloy.tpch", "0.1.0",
    alloy::Streams<tpch::Pricing>("q1")
        .Summary("The pricing summary report: sums and averages by return flag and line "
                 "status.")
        .Flags(ALLOY_IDEMPOTENT)
        .Reads({{"l_quantity", kMoney},
                {"l_extendedprice", kMoney},
                {"l_discount", kMoney},
                {"l_tax", kMoney},
                {"l_returnflag", kFlag},
                {"l_linestatus", kFlag},
                {"l_shipdate", kDay}}),
    alloy::Streams<tpch::Revenue>("q6")
        .Summary("The forecast of revenue change: what the discounts of a year cost.")
        .Flags(ALLOY_IDEMPOTENT)
        .Reads({{"l_quantity", kMoney},
                {"l_extendedprice", kMoney},
                {"l_discount", kMoney},
                {"l_shipdate", kDay}}))
