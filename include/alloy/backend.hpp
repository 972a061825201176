// SPDX-License-Identifier: MIT
//
// Write a backend in C++. You write only the function, and need no Arrow library. The
// whole of examples/cpp/score_backend.cpp:
//
//   #include "alloy/backend.hpp"
//
//   ALLOY_BACKEND("acme.score", "0.1.0",
//                 alloy::Rows("score", {"x", "y"},
//                  [](double x, int64_t y) { return x * static_cast<double>(y); }))
//
// The parameters declare the columns. The engine finds x and y by name in any batch,
// and refuses a batch in which they have other types. Choose the form of a function by
// what it needs:
//
//   alloy::Rows      one value for each row                          function.hpp
//   alloy::Function  whole columns, several outputs, options, scope  function.hpp
//   alloy::Raw       ArrowArrays in and out                          function.hpp
//   alloy::Streams   streams of batches in and out                   stream_function.hpp
//
// Read columns through Column<T> and AnyColumn (column.hpp), Strings (strings.hpp) or
// Column<List<T>> (list.hpp). Make them with Output<T> (output.hpp, nested_output.hpp), or
// AnyOutput if their types are known only at run time (any_output.hpp). types.hpp has the
// types of dates, times, decimals and structs. In Raw and Streams, use Reads to declare the columns that
// the function reads. The caller gets any exception as an error with its what() as text.
//
// Link with the version script cmake/alloy_backend.map, as the CMake target
// alloy::backend does: a backend exports only alloy_backend_init.
//
// Threads  a function may run on two threads at the same time, each with its own state.
//          What it captures is shared between them.
#ifndef ALLOY_BACKEND_HPP_
#define ALLOY_BACKEND_HPP_

#include <memory>

#include "alloy/any_output.hpp"
#include "alloy/backend.h"
#include "alloy/column.hpp"
#include "alloy/detail/table.hpp"
#include "alloy/failure.hpp"
#include "alloy/function.hpp"
#include "alloy/input.hpp"
#include "alloy/list.hpp"
#include "alloy/made_type.hpp"
#include "alloy/nested_output.hpp"
#include "alloy/output.hpp"
#include "alloy/outputs.hpp"
#include "alloy/owned.hpp"
#include "alloy/schema.hpp"
#include "alloy/scope.hpp"
#include "alloy/stream_function.hpp"
#include "alloy/strings.hpp"
#include "alloy/types.hpp"

// Define the one export of a backend: ALLOY_BACKEND(name, version, function, ...). The
// table is made once and lives as long as the process.
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
