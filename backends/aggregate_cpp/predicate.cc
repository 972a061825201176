// SPDX-License-Identifier: MIT
#include "predicate.h"

#include <concepts>
#include <optional>
#include <string>
#include <utility>

#include "names.h"
#include "order.h"
#include "types.h"
#include "value_text.h"

namespace aggregate {
namespace {

enum class Op : uint8_t { kEqual, kUnequal, kLess, kLessEqual, kGreater, kGreaterEqual };

constexpr std::pair<std::string_view, Op> kOps[] = {
    {"=", Op::kEqual},    {"==", Op::kEqual},       {"!=", Op::kUnequal},
    {"<>", Op::kUnequal}, {"<", Op::kLess},         {"<=", Op::kLessEqual},
    {">", Op::kGreater},  {">=", Op::kGreaterEqual}};

template <Op op, typename T>
bool Holds(const T& one, const T& other) {
  if constexpr (op == Op::kEqual) return !IsLess(one, other) && !IsLess(other, one);
  if constexpr (op == Op::kUnequal) return IsLess(one, other) || IsLess(other, one);
  if constexpr (op == Op::kLess) return IsLess(one, other);
  if constexpr (op == Op::kLessEqual) return !IsLess(other, one);
  if constexpr (op == Op::kGreater) return IsLess(other, one);
  if constexpr (op == Op::kGreaterEqual) return !IsLess(one, other);
}

// Call `visit` with the operator as a constant, so that a loop holds one comparison.
template <typename Visit>
auto WithOp(Op op, Visit visit) {
  switch (op) {
    case Op::kEqual:
      return visit.template operator()<Op::kEqual>();
    case Op::kUnequal:
      return visit.template operator()<Op::kUnequal>();
    case Op::kLess:
      return visit.template operator()<Op::kLess>();
    case Op::kLessEqual:
      return visit.template operator()<Op::kLessEqual>();
    case Op::kGreater:
      return visit.template operator()<Op::kGreater>();
    default:
      return visit.template operator()<Op::kGreaterEqual>();
  }
}

// Rows that are kept one after the other.
class Selection {
 public:
  explicit Selection(int64_t most) : rows_(static_cast<size_t>(most)) {}
  // Without a branch: whether a row is kept nobody can foresee.
  void Offer(int64_t row, bool is_kept) {
    rows_[kept_] = row;
    kept_ += is_kept ? 1 : 0;
  }
  std::vector<int64_t> Take() && {
    rows_.resize(kept_);
    return std::move(rows_);
  }

 private:
  std::vector<int64_t> rows_;
  size_t kept_ = 0;
};

template <typename T>
class Compare final : public Predicate {
 public:
  Compare(Op op, T value) : op_(op), value_(value) {}

  std::vector<int64_t> Select(const Cells& cells) const override {
    Selection selection(cells.size());
    WithOp(op_, [&]<Op op> {
      ForEachValue<T>(cells, [&](int64_t row, T value) {
        selection.Offer(row, Holds<op>(value, value_));
      });
    });
    return std::move(selection).Take();
  }

 private:
  Op op_;
  T value_;
};

class CompareText final : public Predicate {
 public:
  CompareText(Op op, std::string value) : op_(op), value_(std::move(value)) {}

  std::vector<int64_t> Select(const Cells& cells) const override {
    Selection selection(cells.size());
    const std::string_view value = value_;
    WithOp(op_, [&]<Op op> {
      ForEachText(cells, [&](int64_t row, std::string_view text) {
        selection.Offer(row, Holds<op>(text, value));
      });
    });
    return std::move(selection).Take();
  }

 private:
  Op op_;
  std::string value_;
};

class IsNull final : public Predicate {
 public:
  explicit IsNull(bool wanted) : wanted_(wanted) {}

  std::vector<int64_t> Select(const Cells& cells) const override {
    std::vector<bool> is_null(static_cast<size_t>(cells.size()), true);
    ForEachRow(cells, [&](int64_t row) { is_null[static_cast<size_t>(row)] = false; });
    Selection selection(cells.size());
    for (int64_t row = 0; row < cells.size(); ++row) {
      selection.Offer(row, is_null[static_cast<size_t>(row)] == wanted_);
    }
    return std::move(selection).Take();
  }

 private:
  bool wanted_;
};

Op OpOf(std::string_view text) {
  for (const auto& [name, op] : kOps) {
    if (name == text) return op;
  }
  throw Invalid("option op: " + Quoted(text) +
                " is none; there are =, !=, <, <=, >, >=, is null, is not null");
}

}  // namespace

std::unique_ptr<const Predicate> Predicate::Parse(std::string_view name,
                                                  const ArrowSchema& column,
                                                  std::string_view op,
                                                  std::string_view value) {
  op = Trimmed(op);
  if (op == "is null") return std::make_unique<IsNull>(true);
  if (op == "is not null") return std::make_unique<IsNull>(false);
  const Op wanted = OpOf(op);
  const Type type = ValueTypeOf(column);
  if (type.storage == Storage::kText) {
    return std::make_unique<CompareText>(wanted, std::string(value));
  }
  if (!type.is_fixed() || type.meaning == Meaning::kTime) {
    throw Invalid(
        "option column: " + std::string(name) + " is " + type.name +
        ", which compares with no text; integers, floats, decimal128, booleans, "
        "strings and dates do");
  }
  return WithFixed(type.storage, [&](auto tag) -> std::unique_ptr<const Predicate> {
    using T = typename decltype(tag)::Type;
    const auto read = ReadValue<T>(type, value);
    if (!read) {
      throw Invalid("option value: " + Quoted(value) + " is no " + type.name + " like " +
                    std::string(name));
    }
    return std::make_unique<Compare<T>>(wanted, *read);
  });
}

}  // namespace aggregate
