// SPDX-License-Identifier: MIT
//
// The table of a backend, made from its functions, and the entry points in it.
//
// Threads  made once, then constant.
#ifndef ALLOY_DETAIL_TABLE_HPP_
#define ALLOY_DETAIL_TABLE_HPP_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "alloy/backend.h"
#include "alloy/detail/fail.hpp"
#include "alloy/detail/state.hpp"
#include "alloy/function.hpp"
#include "alloy/scope.hpp"

namespace alloy::detail {

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
    return ReportException(raw_scope);
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
    return ReportException(raw_scope);
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
    return ReportException(raw_scope);
  }
}

inline void UnbindFunction(void* state) noexcept {
  const std::unique_ptr<State> owned(static_cast<State*>(state));
}

// A function with the C structs that describe it to the engine.
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
  std::vector<std::vector<alloy_column>> columns_;  // one list for each input
  std::vector<const alloy_column*> column_lists_;   // the same, then NULL
  alloy_function table_{};
};

// The table of a backend, and everything it points to.
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
      Report(scope, ALLOY_UNSUPPORTED,
             "the engine is older than the header this was built with");
      return nullptr;
    }
    return make()->backend();
  } catch (...) {
    ReportException(scope);
    return nullptr;
  }
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_TABLE_HPP_
