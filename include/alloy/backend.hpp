// SPDX-License-Identifier: MIT
//
// Write a backend in C++: the function, and nothing else.
//
//   #include "alloy/backend.hpp"
//
//   ALLOY_BACKEND("acme.score", "0.1.0",
//                 alloy::Rows("score", {"x", "y"}, [](double x, int64_t y) {
//                   return x * static_cast<double>(y);
//                 }))
//
// The parameters declare the columns: the engine finds x and y by name in any batch and
// refuses a batch in which they have other types. alloy::Rows is for a value a row;
// alloy::Function for whole columns, several outputs, options and the scope; alloy::Raw
// for ArrowArray in and out; alloy::Streams for streams of batches in and out. Whatever
// is thrown becomes an error of the caller with its what().
//
// Columns are seen through Column<T> (numbers, bool, Date32, Decimal128), Strings and
// AnyColumn, and made with Output<T> (of std::string, LargeText and TextView as well);
// columns that are chosen at run time go into AnyOutput. alloy::Raw and alloy::Streams
// declare what they read by name and format:
//
//   alloy::Streams<Revenue>("revenue").Reads({{"price", "d:*"}, {"day", "tdD"}})
//
// Needs no Arrow library. Link with the version script cmake/alloy_backend.map (the CMake
// target alloy::backend carries it): a backend exports alloy_backend_init and nothing
// else.
//
// Threads  a function may run on two threads at the same time, each with a state of its
//          own; what it captures is shared between them.
#ifndef ALLOY_BACKEND_HPP_
#define ALLOY_BACKEND_HPP_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alloy/backend.h"
#include "alloy/detail/any_output.hpp"
#include "alloy/detail/function.hpp"
#include "alloy/detail/say.hpp"
#include "alloy/detail/stream_function.hpp"
#include "alloy/detail/text_output.hpp"

namespace alloy {
namespace detail {

inline alloy_code BindFunction(void* self, alloy_scope* raw_scope,
                               const ArrowSchema* inputs, int32_t n_inputs,
                               const char* const* values, ArrowSchema* output,
                               void** state) noexcept {
  try {
    const auto& function = *static_cast<const Function*>(self);
    Scope scope(raw_scope);
    auto bound = function.binder().Bind(scope, Options(function.options(), values),
                                        {inputs, static_cast<size_t>(n_inputs)});
    bound->OutputSchema().MoveTo(output);
    *state = bound.release();
    return ALLOY_OK;
  } catch (...) {
    return SayException(raw_scope);
  }
}

inline alloy_code RunFunction(void* state, alloy_scope* raw_scope, ArrowArray* inputs,
                              int32_t n_inputs, ArrowArray* output) noexcept {
  try {
    Scope scope(raw_scope);
    static_cast<State*>(state)->Run(scope, {inputs, static_cast<size_t>(n_inputs)},
                                    output);
    return ALLOY_OK;
  } catch (...) {
    return SayException(raw_scope);
  }
}

inline alloy_code OpenFunction(void* state, alloy_scope* raw_scope,
                               ArrowArrayStream* inputs, int32_t n_inputs,
                               ArrowArrayStream* output) noexcept {
  try {
    Scope scope(raw_scope);
    static_cast<State*>(state)->Open(scope, {inputs, static_cast<size_t>(n_inputs)},
                                     output);
    return ALLOY_OK;
  } catch (...) {
    return SayException(raw_scope);
  }
}

inline void UnbindFunction(void* state) noexcept {
  const std::unique_ptr<State> owned(static_cast<State*>(state));
}

// A function with the C structs that tell the engine of it.
class Entry {
 public:
  explicit Entry(Function function) : function_(std::move(function)) {
    for (const Option& option : function_.options()) {
      options_.push_back({option.name.c_str(), option.summary.c_str(),
                          option.required ? nullptr : option.fallback.c_str()});
    }
    options_.push_back({});
    for (const auto& input : function_.reads()) {
      std::vector<alloy_column> list;
      list.reserve(input.size() + 1);
      for (const ReadColumn& column : input) {
        list.push_back({column.name.c_str(), column.summary.c_str(),
                        column.accepts.empty() ? nullptr : column.accepts.c_str()});
      }
      list.push_back({});
      columns_.push_back(std::move(list));
    }
    for (const auto& list : columns_) column_lists_.push_back(list.data());
    column_lists_.push_back(nullptr);
    table_ = {.struct_size = sizeof(alloy_function),
              .flags = function_.flags(),
              .name = function_.name().c_str(),
              .summary = function_.summary().c_str(),
              .options = function_.options().empty() ? nullptr : options_.data(),
              .self = &function_,
              .min_inputs = function_.min_inputs(),
              .max_inputs = function_.max_inputs(),
              .columns = columns_.empty() ? nullptr : column_lists_.data(),
              .bind = &BindFunction,
              .run = &RunFunction,
              .open = &OpenFunction,
              .unbind = &UnbindFunction};
  }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  const alloy_function* table() const { return &table_; }

 private:
  Function function_;
  std::vector<alloy_option> options_;
  std::vector<std::vector<alloy_column>> columns_;  // a list for each input
  std::vector<const alloy_column*> column_lists_;   // the same, then NULL
  alloy_function table_{};
};

// The table of a backend, with all it points to.
class Table {
 public:
  template <typename... Functions>
  Table(std::string name, std::string version, Functions&&... functions)
      : name_(std::move(name)), version_(std::move(version)) {
    (entries_.push_back(std::make_unique<Entry>(std::forward<Functions>(functions))),
     ...);
    for (const auto& entry : entries_) list_.push_back(entry->table());
    list_.push_back(nullptr);
    backend_ = {.struct_size = sizeof(alloy_backend),
                .abi = ALLOY_ABI,
                .name = name_.c_str(),
                .version = version_.c_str(),
                .language = "C++",
                .functions = list_.data()};
  }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  const alloy_backend* backend() const { return &backend_; }

 private:
  std::string name_;
  std::string version_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::vector<const alloy_function*> list_;
  alloy_backend backend_{};
};

template <typename MakeTable>
const alloy_backend* InitBackend(const alloy_services* services, alloy_scope* scope,
                                 MakeTable make) noexcept {
  try {
    if (services->struct_size < sizeof(alloy_services) || services->abi != ALLOY_ABI) {
      Say(scope, ALLOY_UNSUPPORTED,
          "the engine is older than the header this was built with");
      return nullptr;
    }
    return make()->backend();
  } catch (...) {
    SayException(scope);
    return nullptr;
  }
}

}  // namespace detail
}  // namespace alloy

// The one entry of a backend: ALLOY_BACKEND(name, version, function, ...). The table is
// made once, and lives as long as the process.
#define ALLOY_BACKEND(name, version, ...)                                             \
  extern "C" const alloy_backend* alloy_backend_init(const alloy_services* services_, \
                                                     alloy_scope* scope_) {           \
    return ::alloy::detail::InitBackend(services_, scope_, [] {                       \
      static const auto* const table_ =                                               \
          std::make_unique<const ::alloy::detail::Table>(name, version, __VA_ARGS__)  \
              .release();                                                             \
      return table_;                                                                  \
    });                                                                               \
  }

#endif  // ALLOY_BACKEND_HPP_
