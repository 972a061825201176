// SPDX-License-Identifier: MIT
#include "scale.h"

#include <cmath>
#include <concepts>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "alloy/block.hpp"
#include "decimal_text.h"
#include "names.h"
#include "number_text.h"
#include "quotient.h"
#include "types.h"

namespace aggregate {
namespace {

using alloy::Decimal128;

// What is multiplied, for errors.
struct Subject {
  std::string column;
  std::string type;    // of the column
  std::string factor;  // as it was given
};

alloy::Failure NoFactor(const Subject& subject) {
  return Invalid("option factor: " + Quoted(subject.factor) + " is no number that " +
                 subject.column + ", " + subject.type + ", can be multiplied with");
}

// The product, if there is one of the type.
template <typename T>
bool Multiply(T value, T by, T* product) {
  if constexpr (std::floating_point<T>) {
    *product = value * by;
    return true;
  } else if constexpr (std::same_as<T, Decimal128>) {
    constexpr Unsigned128 kLimit = PowerOfTen(38);
    return !__builtin_mul_overflow(value, by, product) && Magnitude(*product) < kLimit;
  } else {
    return !__builtin_mul_overflow(value, by, product);
  }
}

// A batch of which one column is new and the others are moved.
template <typename T>
void GiveWith(alloy::Output<T> column, int64_t index, ArrowArray* batch,
              ArrowArray* output) {
  using Block = alloy::Block<alloy::Output<T>>;
  const int64_t columns = batch->n_children;
  auto block =
      Block::Make(1 + columns, 1 + alloy::Output<T>::kBuffers, std::move(column));
  if (!block) throw std::bad_alloc();
  ArrowArray root{};
  block.Init(&root, {.length = batch->length, .n_buffers = 1, .n_children = columns});
  block.owner().Init(block, root.children[index]);
  for (int64_t i = 0; i < columns; ++i) {
    if (i != index) Block::Adopt(root.children[i], batch->children[i]);
  }
  block.Finish();
  *output = root;
}

template <typename T>
class ProductOf final : public Scale::Product {
 public:
  ProductOf(T by, std::string column, std::string type)
      : by_(by), column_(std::move(column)), type_(std::move(type)) {}

  void Give(const alloy::Scope& scope, const ArrowSchema& schema, ArrowArray* batch,
            int64_t index, ArrowArray* output) const override {
    const alloy::Column<T> values(*schema.children[index], *batch->children[index]);
    alloy::Output<T> products(scope.services().resize);
    if (!(values.HasNulls() ? MultiplySome(values, &products)
                            : MultiplyAll(values, &products))) {
      scope.Fail("column " + column_ + ", row " + std::to_string(FirstOver(values)) +
                 " of the batch: the product overflows " + type_);
    }
    GiveWith(std::move(products), index, batch, output);
  }

 private:
  // False: a product overflows. Which one is looked for when that is known, so that the
  // loop goes on without a branch.
  bool MultiplyAll(const alloy::Column<T>& values, alloy::Output<T>* products) const {
    const std::span<T> all = products->Extend(values.size());
    bool fit = true;
    for (int64_t row = 0; row < values.size(); ++row) {
      fit &= Multiply(values[row], by_, &all[static_cast<size_t>(row)]);
    }
    return fit;
  }

  bool MultiplySome(const alloy::Column<T>& values, alloy::Output<T>* products) const {
    products->Reserve(values.size());
    for (const auto value : values) {
      T product{};
      if (value && !Multiply(*value, by_, &product)) return false;
      value ? products->Append(product) : products->AppendNull();
    }
    return true;
  }

  int64_t FirstOver(const alloy::Column<T>& values) const {
    T product{};
    int64_t row = 0;
    while (values.IsNull(row) || Multiply(values[row], by_, &product)) ++row;
    return row;
  }

  T by_;
  std::string column_;
  std::string type_;  // of the products
};

// The type of the products, and the factor as a whole number.
std::pair<Type, Decimal128> Scaled(const Subject& subject, alloy::DecimalType digits) {
  constexpr int32_t kMost = 38;
  const auto by = Decimal::Parse(subject.factor);
  if (!by) throw NoFactor(subject);
  if (digits.scale + by->scale > kMost) {
    throw Invalid("option factor: " + subject.factor + " has too many digits for " +
                  subject.column + ", " + subject.type);
  }
  return {DecimalOf({.precision = kMost, .scale = digits.scale + by->scale}), by->digits};
}

template <typename T>
std::unique_ptr<Scale::Product> MakeProduct(const Subject& subject, Type* type) {
  if constexpr (std::same_as<T, Decimal128>) {
    auto [scaled, by] = Scaled(subject, type->decimal);
    *type = std::move(scaled);
    return std::make_unique<ProductOf<T>>(by, subject.column, type->name);
  } else {
    const auto by = ParseNumber<T>(subject.factor);
    if (!by) throw NoFactor(subject);
    if constexpr (std::floating_point<T>) {
      if (!std::isfinite(*by)) throw NoFactor(subject);
    }
    return std::make_unique<ProductOf<T>>(*by, subject.column, type->name);
  }
}

}  // namespace

Scale::Scale(alloy::Scope&, const alloy::Options& options,
             std::span<const ArrowSchema> inputs)
    : index_(IndexOf("column", inputs[0], options["column"])),
      schema_(alloy::Schema::Copy(inputs[0])) {
  Type type = TypeOf(*inputs[0].children[index_]);
  const Subject subject{.column = options["column"],
                        .type = type.name,
                        .factor = std::string(Trimmed(options["factor"]))};
  if (type.meaning != Meaning::kInteger && type.meaning != Meaning::kFloat &&
      type.meaning != Meaning::kDecimal) {
    throw Invalid("option column: " + subject.column + " is " + type.name +
                  "; integers, floats and decimal128 can be scaled");
  }
  product_ = WithNumber(type.storage, [&](auto tag) {
    return MakeProduct<typename decltype(tag)::Type>(subject, &type);
  });
  schema_.SetFormat(index_, type.format);
}

void Scale::Run(alloy::Scope& scope, std::span<ArrowArray> inputs,
                ArrowArray* output) const {
  scope.ThrowIfCancelled();
  product_->Give(scope, *schema_, &inputs[0], index_, output);
}

}  // namespace aggregate
