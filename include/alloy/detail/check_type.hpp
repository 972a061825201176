// SPDX-License-Identifier: MIT
//
// The declared types of a result against those of the columns that a function has made.
#ifndef ALLOY_DETAIL_CHECK_TYPE_HPP_
#define ALLOY_DETAIL_CHECK_TYPE_HPP_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "alloy/arrow_abi.h"
#include "alloy/backend.h"
#include "alloy/block.hpp"
#include "alloy/detail/format_of.hpp"
#include "alloy/failure.hpp"
#include "alloy/schema.hpp"

namespace alloy::detail {

// What an Output<T> makes. The nested types of nested_output.hpp have their own.
template <typename T>
struct MadeType {
  static std::string Text() {
    if constexpr (FixedWidth<T>) return std::string(AcceptsOf<T>());
    return std::string(FormatOf<T>());
  }

  // Whether a column of this schema may have the memory of an Output<T>.
  static bool Is(const ArrowSchema& declared) {
    if (declared.dictionary != nullptr || declared.n_children != 0) return false;
    const std::string_view format = declared.format;
    if constexpr (std::is_same_v<T, std::string>) return format == "u" || format == "z";
    if constexpr (std::is_same_v<T, LargeText>) return format == "U" || format == "Z";
    if constexpr (std::is_same_v<T, TextView>) return format == "vu" || format == "vz";
    if constexpr (std::is_same_v<T, Decimal128>) {
      return DecimalType::Parse(format).has_value();
    }
    if constexpr (FixedWidth<T>) {
      return AcceptsFormat(AcceptsOf<T>(), format) || IsInMemory(format);
    }
    return false;
  }

 private:
  // Types without a C++ type of their own, whose values are integers.
  static bool IsInMemory(std::string_view format) {
    const bool decimal = format.starts_with("d:");
    if constexpr (std::is_same_v<T, uint16_t>) return format == "e";
    if constexpr (std::is_same_v<T, int32_t>) {
      return AcceptsFormat("tdD tts ttm tiM", format) ||
             (decimal && format.ends_with(",32"));
    }
    if constexpr (std::is_same_v<T, int64_t>) {
      return AcceptsFormat("tdm ttu ttn ts* tD*", format) ||
             (decimal && format.ends_with(",64"));
    }
    return false;
  }
};

// One column: fills `made` with the type of the output and returns false if it does not
// have the declared type.
using TypeCheck = bool (*)(const ArrowSchema& declared, std::string* made);

template <typename T>
bool CheckType(const ArrowSchema& declared, std::string* made) {
  if (MadeType<T>::Is(declared)) return true;
  *made = MadeType<T>::Text();
  return false;
}

inline std::string CheckTypes(const ArrowSchema& declared,
                              std::span<const TypeCheck> checks) {
  const auto n_columns = static_cast<int64_t>(checks.size());
  if (declared.n_children != n_columns) {
    return "the function declares " + std::to_string(declared.n_children) +
           " columns of results, and makes " + std::to_string(n_columns);
  }
  std::string made;
  for (int64_t i = 0; i < n_columns; ++i) {
    const ArrowSchema& column = *declared.children[i];
    if (checks[static_cast<size_t>(i)](column, &made)) continue;
    const char* name = column.name == nullptr ? "" : column.name;
    return "column '" + std::string(name) + "' of the result is declared as '" +
           column.format + "', and the function makes '" + made + "'";
  }
  return {};
}

// Compares batches that GiveBatch has made with the schema that a function declares. The
// types of a batch that was made in another way are not known.
class GivenTypes {
 public:
  // Throws Failure if they differ. `function` is asked for its schema once; at bind, the
  // engine has checked that it is well-formed.
  void Check(const auto& function, const ArrowArray& given) {
    if (given.release != &ReleaseBlockNode) return;
    const auto* header = static_cast<const BlockHeader*>(given.private_data);
    if (header->check == nullptr) return;
    if (!declared_) declared_ = function.OutputSchema();
    std::string fault = header->check(header, *declared_);
    if (!fault.empty()) throw Failure(ALLOY_INTERNAL, std::move(fault));
  }

 private:
  Schema declared_;
};

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_CHECK_TYPE_HPP_
