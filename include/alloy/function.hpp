// SPDX-License-Identifier: MIT
//
// A function of a backend, made from a C++ callable: its parameters declare the columns
// that it reads and makes.
//
// Threads  a Function is constant once its table is made; each bound state is serial.
#ifndef ALLOY_FUNCTION_HPP_
#define ALLOY_FUNCTION_HPP_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "alloy/backend.h"
#include "alloy/detail/over_columns.hpp"
#include "alloy/detail/parameters.hpp"
#include "alloy/detail/state.hpp"
#include "alloy/failure.hpp"
#include "alloy/schema.hpp"
#include "alloy/scope.hpp"

namespace alloy {

// The type that alloy::Raw takes. One object is made for each bind. Its constructor
// throws Failure with ALLOY_NO_MATCH to refuse the schemas.
template <typename T>
concept RawFunction =
    requires(T state, const T& bound, Scope& scope, const Options& options,
             std::span<const ArrowSchema> schemas, std::span<ArrowArray> inputs,
             ArrowArray* output) {
      T(scope, options, schemas);
      { bound.OutputSchema() } -> std::same_as<Schema>;
      state.Run(scope, inputs, output);
    };

// A column that a function declares to read.
struct ReadColumn {
  std::string name;
  // The accepted formats, as in alloy_column: "d:15,2", "u U vu", "d:*". Empty: any type.
  std::string accepts = {};
  std::string summary = {};
};

// A function, for the table that ALLOY_BACKEND makes.
class Function {
 public:
  // A function of columns. Each Column<T>, Strings or AnyColumn among the parameters of
  // `body` is the next of `columns`, and each Output<T>& the next of `outputs`. Scope&
  // and const Options& may be anywhere.
  template <typename Body>
  Function(std::string name, std::vector<std::string> columns,
           std::vector<std::string> outputs, Body body)
      : name_(std::move(name)) {
    // The rest of an ill-formed callable is not compiled, so that one error remains.
    if constexpr (detail::CheckSignature<Body>()) {
      Read<Body>(std::move(columns), std::move(outputs), std::move(body));
    }
  }

  Function(std::string name, int32_t min_inputs, int32_t max_inputs,
           std::unique_ptr<detail::Binder> binder)
      : name_(std::move(name)),
        min_inputs_(min_inputs),
        max_inputs_(max_inputs),
        binder_(std::move(binder)) {}

  Function Summary(std::string text) && {
    summary_ = std::move(text);
    return std::move(*this);
  }
  // An option with its default value.
  Function Option(std::string name, std::string fallback, std::string summary = "") && {
    options_.push_back({.name = std::move(name),
                        .summary = std::move(summary),
                        .fallback = std::move(fallback)});
    return std::move(*this);
  }
  // An option that the caller must give.
  Function RequiredOption(std::string name, std::string summary = "") && {
    options_.push_back({.name = std::move(name),
                        .summary = std::move(summary),
                        .fallback = "",
                        .required = true});
    return std::move(*this);
  }
  // Declare the columns that the function reads of its next input. Call it once for
  // each input, in their order; the function gets all columns of an input without a
  // list. The engine finds the columns by name, in any order, ignores extra ones, and
  // passes them in the listed order. A reader of files can skip the rest. A function of
  // columns needs no Reads.
  Function Reads(std::vector<ReadColumn> columns) && {
    if (max_inputs_ >= 0 && reads_.size() >= static_cast<size_t>(max_inputs_)) {
      throw Failure(ALLOY_INTERNAL,
                    "function '" + name_ +
                        "' declares the columns of more inputs than the " +
                        std::to_string(max_inputs_) + " that it takes");
    }
    reads_.push_back(std::move(columns));
    return std::move(*this);
  }
  // ALLOY_IDEMPOTENT, ALLOY_ROWWISE, ALLOY_TRUSTS_VALUES.
  Function Flags(uint32_t flags) && {
    flags_ |= flags;
    return std::move(*this);
  }
  // Promise that a Raw function checks each value that it follows, or follows none. Then
  // the gate need not check them first: see ALLOY_TRUSTS_VALUES.
  Function TrustsNoValues() && {
    flags_ &= ~ALLOY_TRUSTS_VALUES;
    return std::move(*this);
  }

  const std::string& name() const { return name_; }
  const std::string& summary() const { return summary_; }
  uint32_t flags() const { return flags_; }
  int32_t min_inputs() const { return min_inputs_; }
  int32_t max_inputs() const { return max_inputs_; }
  const std::vector<alloy::Option>& options() const { return options_; }
  const std::vector<std::vector<ReadColumn>>& reads() const { return reads_; }
  const detail::Binder& binder() const { return *binder_; }

 private:
  template <typename Body>
  void Read(std::vector<std::string> columns, std::vector<std::string> outputs,
            Body body) {
    using Shape = detail::ColumnsBody<Body>;
    static_assert(Shape::kOutputs > 0, "a function of columns has an Output<T>&");
    if (columns.size() != Shape::kColumns || outputs.size() != Shape::kOutputs) {
      throw Failure(ALLOY_INTERNAL, "function '" + name_ + "' names " +
                                        std::to_string(columns.size()) + " columns and " +
                                        std::to_string(outputs.size()) +
                                        " outputs, and its parameters are others");
    }
    if (!columns.empty()) {
      reads_.push_back(ReadsOf<Shape>(std::move(columns),
                                      std::make_index_sequence<Shape::kParameters>()));
    }
    binder_ = std::make_unique<detail::ColumnsBinder<Body>>(std::move(body),
                                                            std::move(outputs));
  }

  template <typename Shape, size_t... I>
  static std::vector<ReadColumn> ReadsOf(std::vector<std::string> names,
                                         std::index_sequence<I...>) {
    std::vector<ReadColumn> reads;
    (AddRead<typename Shape::template Parameter<I>>(names, &reads), ...);
    return reads;
  }
  template <typename Parameter>
  static void AddRead(std::vector<std::string>& names, std::vector<ReadColumn>* reads) {
    using Plain = std::decay_t<Parameter>;
    if constexpr (detail::kIsColumn<Plain>) {
      const char* accepts = Plain::kAccepts;
      reads->push_back({.name = std::move(names[reads->size()]),
                        .accepts = accepts == nullptr ? "" : accepts});
    }
  }

  std::string name_;
  std::string summary_;
  uint32_t flags_ = 0;
  int32_t min_inputs_ = 1;
  int32_t max_inputs_ = 1;
  std::vector<alloy::Option> options_;
  std::vector<std::vector<ReadColumn>> reads_;  // one list for each of the first inputs
  std::unique_ptr<detail::Binder> binder_;
};

// A function of rows: one value for each column in, one value out. A value is a number, a
// bool, a type of types.hpp, or std::string_view; it may also be a List<T> as a parameter,
// and a std::string, a std::vector, a Struct or a Dictionary as a result. The output column
// has the name of the function. If a column is null, the result is null, unless the parameter
// is a std::optional.
template <typename Body>
Function Rows(std::string name, std::vector<std::string> columns, Body body) {
  std::vector<std::string> outputs{name};
  // The rest of an ill-formed callable is not compiled, so that one error remains.
  if constexpr (detail::CheckSignature<Body>()) {
    using Signature = detail::Signature<Body>;
    using Result = std::decay_t<typename Signature::Result>;
    using Pointer = typename detail::Undecayed<
        typename Signature::Parameters>::template Pointer<Result>;
    return Function(std::move(name), std::move(columns), std::move(outputs),
                    detail::OverColumns(std::move(body), Pointer{}))
        .Flags(ALLOY_ROWWISE);
  } else {
    return Function(std::move(name), 1, 1, nullptr);
  }
}

// A function on the Arrow structs themselves. It may pass them to a library that trusts
// what it reads, such as Arrow C++, so it has the flag ALLOY_TRUSTS_VALUES: the gate
// checks all values first. TrustsNoValues removes the flag.
template <RawFunction T>
Function Raw(std::string name, int32_t min_inputs = 1, int32_t max_inputs = 1) {
  return Function(std::move(name), min_inputs, max_inputs,
                  std::make_unique<detail::RawBinder<T>>())
      .Flags(ALLOY_TRUSTS_VALUES);
}

}  // namespace alloy

#endif  // ALLOY_FUNCTION_HPP_
