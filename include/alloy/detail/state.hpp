// SPDX-License-Identifier: MIT
//
// A function of a backend that is bound to schemas and options: a C++ callable over
// columns, one over rows, or a type over Arrow structs.
//
// Threads  a Binder is constant; a State is serial.
#ifndef ALLOY_DETAIL_STATE_HPP_
#define ALLOY_DETAIL_STATE_HPP_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "alloy/backend.h"
#include "alloy/column.hpp"
#include "alloy/detail/check_type.hpp"
#include "alloy/detail/parameters.hpp"
#include "alloy/failure.hpp"
#include "alloy/made_type.hpp"
#include "alloy/output.hpp"
#include "alloy/schema.hpp"
#include "alloy/scope.hpp"

namespace alloy::detail {

// A function bound to schemas and options.
class State {
 public:
  virtual ~State() = default;
  virtual Schema OutputSchema() const = 0;
  virtual void Run(Scope& scope, std::span<ArrowArray> inputs, ArrowArray* output) = 0;
  // Only for stream functions: see open_stream.hpp.
  virtual void Open(Scope& scope, std::span<ArrowArrayStream>, ArrowArrayStream*) {
    scope.Fail(ALLOY_INTERNAL, "the function has no streams");
  }
};

// Makes states.
class Binder {
 public:
  virtual ~Binder() = default;
  virtual std::unique_ptr<State> Bind(Scope& scope, const Options& options,
                                      std::span<const ArrowSchema> inputs) const = 0;
};

template <typename Body>
struct ColumnsBody {
  using Parameters = typename Signature<Body>::Parameters;
  using Outputs = typename OutputsOf<Parameters>::Type;
  static constexpr size_t kParameters = std::tuple_size_v<Parameters>;
  static constexpr size_t kOutputs = std::tuple_size_v<Outputs>;
  static constexpr size_t kColumns = Count<Parameters, kParameters>::kColumns;
  template <size_t I>
  using Parameter = std::tuple_element_t<I, Parameters>;
};

template <typename Body>
class ColumnsState final : public State {
 public:
  using Shape = ColumnsBody<Body>;

  ColumnsState(const Body& body, const std::vector<std::string>& names, Options options,
               const ArrowSchema& input)
      : body_(body),
        names_(names),
        options_(std::move(options)),
        input_(Schema::Copy(input)) {
    DeclineOthers(std::make_index_sequence<Shape::kParameters>());
  }

  Schema OutputSchema() const override {
    return [this]<size_t... I>(std::index_sequence<I...>) {
      using Outputs = typename Shape::Outputs;
      const std::span<const ArrowSchema> inputs(input_.get(), 1);
      std::vector<Schema> columns;
      (columns.push_back(
           SchemaOf<typename ValueOf<std::tuple_element_t<I, Outputs>>::Type>(names_[I],
                                                                              inputs)),
       ...);
      return Schema::Batch(std::move(columns));
    }(std::make_index_sequence<Shape::kOutputs>());
  }

  void Run(Scope& scope, std::span<ArrowArray> inputs, ArrowArray* output) override {
    RunWith(scope, inputs[0], output, std::make_index_sequence<Shape::kParameters>(),
            std::make_index_sequence<Shape::kOutputs>());
  }

 private:
  // A declared pattern may accept more than the view: it cannot name a width of decimals.
  template <size_t... P>
  void DeclineOthers(std::index_sequence<P...>) const {
    (DeclineOther<P>(*input_), ...);
  }
  template <size_t P>
  static void DeclineOther(const ArrowSchema& input) {
    using Plain = std::decay_t<typename Shape::template Parameter<P>>;
    if constexpr (kIsColumn<Plain>) {
      const ArrowSchema& column =
          *input.children[Count<typename Shape::Parameters, P>::kColumns];
      if (!Plain::Accepts(column)) {
        throw Failure(ALLOY_NO_MATCH, Mismatch<Plain>(column));
      }
    }
  }

  template <size_t... P, size_t... O>
  void RunWith(Scope& scope, const ArrowArray& batch, ArrowArray* output,
               std::index_sequence<P...>, std::index_sequence<O...>) {
    using Outputs = typename Shape::Outputs;
    const Resize resize = scope.services().resize;
    Outputs outputs{std::tuple_element_t<O, Outputs>(resize)...};
    (std::get<O>(outputs).Reserve(batch.length), ...);
    body_(Argument<P>(scope, batch, outputs)...);

    const int64_t rows = std::get<0>(outputs).size();
    if (((std::get<O>(outputs).size() != rows) || ...)) {
      scope.Fail(ALLOY_INTERNAL, "the function made columns of different lengths");
    }
    GiveBatch(output, std::move(outputs));
  }

  template <size_t P>
  decltype(auto) Argument(Scope& scope, const ArrowArray& batch,
                          typename Shape::Outputs& outputs) {
    using Type = typename Shape::template Parameter<P>;
    using Plain = std::decay_t<Type>;
    if constexpr (std::is_same_v<Plain, Scope>) {
      return static_cast<Scope&>(scope);
    } else if constexpr (std::is_same_v<Plain, Options>) {
      return static_cast<const Options&>(options_);
    } else if constexpr (kIsOutput<Plain>) {
      static_assert(std::is_same_v<Type, Plain&>, "an output is taken by reference");
      constexpr size_t kAt = Count<typename Shape::Parameters, P>::kOutputs;
      return static_cast<Plain&>(std::get<kAt>(outputs));
    } else {
      static_assert(kIsColumn<Plain>,
                    "a parameter is a Column<T>, Strings, AnyColumn, Output<T>&, Scope& "
                    "or const Options&");
      constexpr auto kAt =
          static_cast<int64_t>(Count<typename Shape::Parameters, P>::kColumns);
      return Plain{*input_->children[kAt], *batch.children[kAt]};
    }
  }

  const Body& body_;
  const std::vector<std::string>& names_;
  Options options_;
  Schema input_;
};

template <typename Body>
class ColumnsBinder final : public Binder {
 public:
  ColumnsBinder(Body body, std::vector<std::string> outputs)
      : body_(std::move(body)), outputs_(std::move(outputs)) {}

  std::unique_ptr<State> Bind(Scope&, const Options& options,
                              std::span<const ArrowSchema> inputs) const override {
    return std::make_unique<ColumnsState<Body>>(body_, outputs_, options, inputs[0]);
  }

 private:
  Body body_;
  std::vector<std::string> outputs_;
};

template <typename T>
class RawState final : public State {
 public:
  RawState(Scope& scope, const Options& options, std::span<const ArrowSchema> inputs)
      : state_(scope, options, inputs) {}
  Schema OutputSchema() const override { return state_.OutputSchema(); }
  void Run(Scope& scope, std::span<ArrowArray> inputs, ArrowArray* output) override {
    state_.Run(scope, inputs, output);
    types_.Check(state_, *output);
  }

 private:
  T state_;
  GivenTypes types_;
};

template <typename T>
class RawBinder final : public Binder {
 public:
  std::unique_ptr<State> Bind(Scope& scope, const Options& options,
                              std::span<const ArrowSchema> inputs) const override {
    return std::make_unique<RawState<T>>(scope, options, inputs);
  }
};

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_STATE_HPP_
