// SPDX-License-Identifier: MIT
//
// Arrow C++ arrays of every type and nesting from a seed: with nulls, at offsets, over
// children that are longer than they need to be.
//
// Threads  serial.
#ifndef ALLOY_TESTS_SUPPORT_ARROW_RANDOM_H_
#define ALLOY_TESTS_SUPPORT_ARROW_RANDOM_H_

#include <arrow/api.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace support {

// An extension type over any other.
class NamedType : public arrow::ExtensionType {
 public:
  explicit NamedType(std::shared_ptr<arrow::DataType> storage)
      : ExtensionType(std::move(storage)) {}
  std::string extension_name() const override { return "alloy.test.named"; }
  bool ExtensionEquals(const ExtensionType& other) const override {
    return other.extension_name() == extension_name() &&
           storage_type()->Equals(*other.storage_type());
  }
  std::shared_ptr<arrow::Array> MakeArray(
      std::shared_ptr<arrow::ArrayData> data) const override {
    return std::make_shared<arrow::ExtensionArray>(data);
  }
  arrow::Result<std::shared_ptr<arrow::DataType>> Deserialize(
      std::shared_ptr<arrow::DataType> storage, const std::string&) const override {
    return std::make_shared<NamedType>(std::move(storage));
  }
  std::string Serialize() const override { return "by a test"; }
};

class RandomArrays {
 public:
  explicit RandomArrays(uint64_t seed) : random_(seed) {}

  // Any type, with at most `depth` levels of nesting.
  std::shared_ptr<arrow::DataType> Type(int depth);
  // An array of this length; sometimes a slice of a longer one.
  std::shared_ptr<arrow::Array> Array(const std::shared_ptr<arrow::DataType>& type,
                                      int64_t length, bool nulls = true);
  // A batch of this many columns, of any types.
  std::shared_ptr<arrow::RecordBatch> Batch(int columns, int depth);

 private:
  using DataPtr = std::shared_ptr<arrow::ArrayData>;
  using TypePtr = std::shared_ptr<arrow::DataType>;
  using Bytes = std::vector<uint8_t>;

  int64_t Below(int64_t end) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(end));
  }
  template <typename T>
  const T& Pick(const std::vector<T>& from) {
    return from[static_cast<size_t>(Below(static_cast<int64_t>(from.size())))];
  }
  TypePtr Flat();
  TypePtr Nested(int depth);
  std::shared_ptr<arrow::Field> Field(const std::string& name, int depth);
  arrow::FieldVector Fields(int64_t count, int depth);
  TypePtr Union(int depth, bool dense);
  TypePtr Map(int depth);

  DataPtr Data(const TypePtr& type, int64_t length, bool nulls = true);
  DataPtr Make(const TypePtr& type, int64_t length, bool nulls,
               const std::vector<Bytes>& buffers, std::vector<DataPtr> children = {});
  DataPtr Child(const arrow::Field& field, int64_t rows);
  DataPtr Views(const TypePtr& type, int64_t length, bool nulls);
  DataPtr UnionData(const TypePtr& type, int64_t length);
  DataPtr Runs(const TypePtr& type, int64_t length);
  Bytes Fixed(const arrow::DataType& type, int64_t length);
  Bytes RandomBytes(int64_t count);
  Bytes Text(int64_t count);
  Bytes Offsets(int64_t length, int width, int64_t* end);
  Bytes Numbers(int64_t length, int width, int64_t below);
  void Spans(int64_t length, int width, std::vector<Bytes>* buffers);

  std::mt19937_64 random_;
};

}  // namespace support

#endif  // ALLOY_TESTS_SUPPORT_ARROW_RANDOM_H_
