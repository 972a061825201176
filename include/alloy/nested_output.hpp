// SPDX-License-Identifier: MIT
//
// Builders of columns of lists, structs and dictionaries. Their schema follows from the
// C++ type: see SchemaOf in made_type.hpp.
//
// Threads  serial.
#ifndef ALLOY_NESTED_OUTPUT_HPP_
#define ALLOY_NESTED_OUTPUT_HPP_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "alloy/arrow_abi.h"
#include "alloy/backend.h"
#include "alloy/detail/buffer.hpp"
#include "alloy/detail/check_type.hpp"
#include "alloy/failure.hpp"
#include "alloy/list.hpp"
#include "alloy/output.hpp"
#include "alloy/types.hpp"

namespace alloy {
namespace detail {

// The T of the Output<T> that makes a column of this type: every kind of text is made of
// std::string.
template <typename T>
struct OutputValue {
  using Type = T;
};
template <>
struct OutputValue<std::string_view> {
  using Type = std::string;
};
template <>
struct OutputValue<const char*> {
  using Type = std::string;
};
// A std::vector of values, or of std::optional, is a list.
template <typename T>
struct OutputValue<std::vector<T>> {
  using Type = List<typename OutputValue<T>::Type>;
};
template <typename T>
struct OutputValue<std::vector<std::optional<T>>> {
  using Type = List<typename OutputValue<T>::Type>;
};
template <typename T>
using OutputFor = Output<typename OutputValue<T>::Type>;

template <Name name, typename... Members>
constexpr size_t MemberAt() {
  constexpr bool kIs[] = {Members::kName == name...};
  for (size_t i = 0; i < sizeof...(Members); ++i) {
    if (kIs[i]) return i;
  }
  return sizeof...(Members);
}

}  // namespace detail

// A column of lists that is being made. Append whole lists; or append to items(), and end
// each list with Close.
template <typename T>
class Output<List<T>> : public detail::OutputBase {
 public:
  using Items = detail::OutputFor<T>;
  static constexpr int64_t kNodes = 1 + Items::kNodes;
  static constexpr int64_t kBuffers = 2 + Items::kBuffers;

  explicit Output(detail::Resize resize)
      : OutputBase(resize), offsets_(resize), items_(resize) {}

  void Reserve(int64_t rows) { offsets_.Reserve((rows + 1) * int64_t{sizeof(int32_t)}); }
  Items& items() { return items_; }
  void Close() { End(true); }
  void AppendNull() { End(false); }
  void Append(std::nullopt_t) { AppendNull(); }
  // Any range of values or of std::optional.
  template <std::ranges::input_range Range>
  void Append(const Range& list) {
    for (const auto& item : list) items_.Append(item);
    Close();
  }
  template <std::ranges::input_range Range>
  void Append(const std::optional<Range>& list) {
    list ? Append(*list) : AppendNull();
  }

  void Init(auto& block, ArrowArray* array) {
    Reserve(size_);
    offsets_.as<int32_t>()[0] = 0;
    InitNode(array, block, 2, 1);
    array->buffers[1] = offsets_.as<void>();
    items_.Init(block, array->children[0]);
  }

 private:
  void End(bool valid) {
    if (items_.size() > std::numeric_limits<int32_t>::max()) {
      throw std::length_error("more than 2^31 - 1 items of lists in one column");
    }
    Reserve(size_ + 1);
    offsets_.as<int32_t>()[size_ + 1] = static_cast<int32_t>(items_.size());
    validity_.Append(size_++, valid);
  }

  detail::Buffer offsets_;
  Items items_;
};

// A column of structs that is being made. Append whole rows; or append to each field, and
// end each row with Close.
template <typename... Members>
class Output<Struct<Members...>> : public detail::OutputBase {
 public:
  using Fields = std::tuple<detail::OutputFor<typename Members::Type>...>;
  static constexpr int64_t kNodes =
      1 + (detail::OutputFor<typename Members::Type>::kNodes + ...);
  static constexpr int64_t kBuffers =
      1 + (detail::OutputFor<typename Members::Type>::kBuffers + ...);

  explicit Output(detail::Resize resize)
      : OutputBase(resize),
        fields_(detail::OutputFor<typename Members::Type>(resize)...) {}

  void Reserve(int64_t rows) {
    std::apply([rows](auto&... fields) { (fields.Reserve(rows), ...); }, fields_);
  }
  template <Name name>
  auto& field() {
    constexpr size_t kAt = detail::MemberAt<name, Members...>();
    static_assert(kAt < sizeof...(Members), "the Struct has no Member of this name");
    // Otherwise any field, so that one error remains.
    return std::get<(kAt < sizeof...(Members) ? kAt : 0)>(fields_);
  }
  void Close() { validity_.Append(size_++, true); }
  void Append(const Struct<Members...>& row) {
    [&]<size_t... I>(std::index_sequence<I...>) {
      (std::get<I>(fields_).Append(std::get<I>(row.values)), ...);
    }(std::index_sequence_for<Members...>());
    Close();
  }
  void AppendNull() {
    std::apply([](auto&... fields) { (fields.AppendNull(), ...); }, fields_);
    validity_.Append(size_++, false);
  }
  void Append(const std::optional<Struct<Members...>>& row) {
    row ? Append(*row) : AppendNull();
  }
  void Append(std::nullopt_t) { AppendNull(); }

  void Init(auto& block, ArrowArray* array) {
    InitNode(array, block, 1, int64_t{sizeof...(Members)});
    ArrowArray** child = array->children;
    std::apply(
        [&](auto&... fields) {
          if (((fields.size() != size_) || ...)) {
            throw Failure(ALLOY_INTERNAL, "the fields of a struct differ in length");
          }
          (fields.Init(block, *child++), ...);
        },
        fields_);
  }

 private:
  Fields fields_;
};

// A column with a dictionary that is being made.
template <typename T, typename Index>
class Output<Dictionary<T, Index>> : public detail::OutputBase {
 public:
  using Values = detail::OutputFor<T>;
  // How a value is passed.
  using Value = std::conditional_t<detail::kIsText<T>, std::string_view, T>;
  static_assert(std::is_integral_v<Index> && !std::is_same_v<Index, bool>);
  static_assert(detail::kIsText<T> || detail::FixedWidth<T>,
                "a dictionary of std::string or of a type of one width");
  static constexpr int64_t kNodes = 1 + Values::kNodes;
  static constexpr int64_t kBuffers = 2 + Values::kBuffers;

  explicit Output(detail::Resize resize)
      : OutputBase(resize), indices_(resize), values_(resize) {}

  void Reserve(int64_t rows) { indices_.Reserve(rows * int64_t{sizeof(Index)}); }
  void Append(Value value) { Put(IndexOf(value), true); }
  void Append(const Dictionary<T, Index>& row) { Append(Value(row.value)); }
  void AppendNull() { Put(0, false); }
  void Append(std::nullopt_t) { AppendNull(); }
  template <typename Row>
  void Append(const std::optional<Row>& row) {
    row ? Append(*row) : AppendNull();
  }

  void Init(auto& block, ArrowArray* array) {
    Reserve(1);
    InitNode(array, block, 2, 0, true);
    array->buffers[1] = indices_.template as<void>();
    values_.Init(block, array->dictionary);
  }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  // Values are the same if their bytes are.
  static std::string_view BytesOf(const Value& value) {
    if constexpr (detail::kIsText<T>) {
      return value;
    } else {
      return {reinterpret_cast<const char*>(&value), sizeof(value)};
    }
  }
  Index IndexOf(const Value& value) {
    const auto found = places_.find(BytesOf(value));
    if (found != places_.end()) return found->second;
    if (std::cmp_greater(values_.size(), std::numeric_limits<Index>::max())) {
      throw std::length_error("a dictionary has more values than its index can count");
    }
    const auto index = static_cast<Index>(values_.size());
    places_.emplace(BytesOf(value), index);
    values_.Append(value);
    return index;
  }
  void Put(Index index, bool valid) {
    Reserve(size_ + 1);
    indices_.template as<Index>()[size_] = index;
    validity_.Append(size_++, valid);
  }

  detail::Buffer indices_;
  Values values_;
  std::unordered_map<std::string, Index, Hash, std::equal_to<>> places_;
};

namespace detail {

template <typename T>
struct MadeType<List<T>> {
  using Item = MadeType<typename OutputValue<T>::Type>;
  static std::string Text() { return "+l of " + Item::Text(); }
  static bool Is(const ArrowSchema& declared) {
    return std::string_view(declared.format) == "+l" && declared.n_children == 1 &&
           declared.dictionary == nullptr && Item::Is(*declared.children[0]);
  }
};

template <typename... Members>
struct MadeType<Struct<Members...>> {
  static std::string Text() {
    std::string text;
    ((text += (text.empty() ? "+s of " : ", ") +
              MadeType<typename OutputValue<typename Members::Type>::Type>::Text()),
     ...);
    return text;
  }
  static bool Is(const ArrowSchema& declared) {
    if (std::string_view(declared.format) != "+s" || declared.dictionary != nullptr ||
        declared.n_children != int64_t{sizeof...(Members)}) {
      return false;
    }
    ArrowSchema** child = declared.children;
    return (MadeType<typename OutputValue<typename Members::Type>::Type>::Is(**child++) &&
            ...);
  }
};

template <typename T, typename Index>
struct MadeType<Dictionary<T, Index>> {
  using Values = MadeType<typename OutputValue<T>::Type>;
  static std::string Text() {
    return std::string(FormatOf<Index>()) + " with a dictionary of " + Values::Text();
  }
  static bool Is(const ArrowSchema& declared) {
    return declared.format == FormatOf<Index>() && declared.dictionary != nullptr &&
           Values::Is(*declared.dictionary);
  }
};

}  // namespace detail
}  // namespace alloy

#endif  // ALLOY_NESTED_OUTPUT_HPP_
