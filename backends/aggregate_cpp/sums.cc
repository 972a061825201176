// SPDX-License-Identifier: MIT
//
// Sums and means.
#include <concepts>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "quotient.h"
#include "state.h"

namespace aggregate {
namespace {

using alloy::Decimal128;

alloy::Failure Overflow(const Type& sum) {
  return alloy::Failure("the sum overflows " + sum.name +
                        "; make the column a wider type");
}

// Sums of integers and decimals, exact: integers of 64 bits fill no 128 bits in fewer
// than 2^63 rows, decimals are watched. So what fits in the end fits, whatever the order.
template <typename T>
class WholeSums final : public State {
 public:
  WholeSums(const Type& of, bool is_mean)
      : type_(*OutputOf(What::kSum, of)), is_mean_(is_mean) {}

  void Grow(size_t groups) override { slots_.resize(groups); }

  void Add(const Cells& cells, std::span<const uint32_t> numbers) override {
    bool overflowed = false;
    ForEachValue<T>(cells, [&](int64_t row, T value) {
      Slot& slot = slots_[numbers[static_cast<size_t>(row)]];
      Decimal128 sum = slot.Sum();
      overflowed |= __builtin_add_overflow(sum, static_cast<Decimal128>(value), &sum);
      slot.Set(sum);
      ++slot.count;
    });
    if (overflowed) throw Overflow(type_);
  }

  alloy::AnyOutput Finish(alloy::detail::Resize resize) override {
    if (is_mean_) {
      return Filled<double>(resize, [this](const Slot& slot) {
        return MeanOf(slot.Sum(), slot.count, type_.decimal.scale);
      });
    }
    if constexpr (std::same_as<T, Decimal128>) {
      constexpr Unsigned128 kLimit = PowerOfTen(38);
      return Filled<Decimal128>(resize, [this](const Slot& slot) {
        if (Magnitude(slot.Sum()) >= kLimit) throw Overflow(type_);
        return slot.Sum();
      });
    } else {
      using Wide = std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>;
      return Filled<Wide>(resize, [this](const Slot& slot) {
        const auto sum = static_cast<Wide>(slot.Sum());
        if (sum != slot.Sum()) throw Overflow(type_);
        return sum;
      });
    }
  }

 private:
  // In 24 bytes: a Decimal128 would be aligned to 16.
  struct Slot {
    Decimal128 Sum() const {
      Decimal128 sum;
      std::memcpy(&sum, halves, sizeof(sum));
      return sum;
    }
    void Set(Decimal128 sum) { std::memcpy(halves, &sum, sizeof(sum)); }

    uint64_t halves[2] = {0, 0};
    uint64_t count = 0;
  };

  template <typename Out, typename Value>
  alloy::Output<Out> Filled(alloy::detail::Resize resize, Value value) const {
    alloy::Output<Out> column(resize);
    column.Reserve(static_cast<int64_t>(slots_.size()));
    for (const Slot& slot : slots_) {
      slot.count > 0 ? column.Append(value(slot)) : column.AppendNull();
    }
    return column;
  }

  Type type_;  // of the sum
  bool is_mean_;
  std::vector<Slot> slots_;
};

// Sums of floats, in the order in which they come.
template <std::floating_point T>
class FloatSums final : public State {
 public:
  explicit FloatSums(bool is_mean) : is_mean_(is_mean) {}

  void Grow(size_t groups) override { slots_.resize(groups); }

  void Add(const Cells& cells, std::span<const uint32_t> numbers) override {
    ForEachValue<T>(cells, [&](int64_t row, T value) {
      Slot& slot = slots_[numbers[static_cast<size_t>(row)]];
      slot.sum += double{value};
      ++slot.count;
    });
  }

  alloy::AnyOutput Finish(alloy::detail::Resize resize) override {
    alloy::Output<double> column(resize);
    column.Reserve(static_cast<int64_t>(slots_.size()));
    for (const auto& [sum, count] : slots_) {
      if (count == 0) {
        column.AppendNull();
      } else {
        column.Append(is_mean_ ? sum / static_cast<double>(count) : sum);
      }
    }
    return column;
  }

 private:
  struct Slot {
    double sum = 0;
    uint64_t count = 0;
  };

  bool is_mean_;
  std::vector<Slot> slots_;
};

}  // namespace

std::unique_ptr<State> MakeSum(const Type& of, bool is_mean) {
  return WithNumber(of.storage, [&](auto tag) -> std::unique_ptr<State> {
    using T = typename decltype(tag)::Type;
    if constexpr (std::floating_point<T>) {
      return std::make_unique<FloatSums<T>>(is_mean);
    } else {
      return std::make_unique<WholeSums<T>>(of, is_mean);
    }
  });
}

}  // namespace aggregate
