// SPDX-License-Identifier: MIT
//
// select sum(l_extendedprice * l_discount) as revenue from lineitem where l_shipdate >=
// date '1994-01-01' and l_shipdate < date '1995-01-01' and l_discount between 0.05 and
// 0.07 and l_quantity < 24
#ifndef ALLOY_BACKENDS_TPCH_CPP_REVENUE_H_
#define ALLOY_BACKENDS_TPCH_CPP_REVENUE_H_

#include <span>

#include "alloy/backend.hpp"

namespace tpch {

class Revenue {
 public:
  Revenue(alloy::Scope&, const alloy::Options&, std::span<const ArrowSchema>) {}

  static alloy::Schema OutputSchema();
  bool Next(alloy::Scope& scope, std::span<alloy::Input> inputs, ArrowArray* output);

 private:
  bool done_ = false;
};

}  // namespace tpch

#endif  // ALLOY_BACKENDS_TPCH_CPP_REVENUE_H_
