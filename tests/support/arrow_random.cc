// SPDX-License-Identifier: MIT
#include "tests/support/arrow_random.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

namespace support {
namespace {

using arrow::Type;

constexpr int64_t kSpan = 12;  // child values of a list view

void Append(std::vector<uint8_t>* bytes, int width, int64_t value) {
  // Little-endian, like all of Alloy.
  const size_t at = bytes->size();
  bytes->resize(at + static_cast<size_t>(width));
  std::memcpy(bytes->data() + at, &value, static_cast<size_t>(width));
}

std::shared_ptr<arrow::Buffer> Own(const std::vector<uint8_t>& bytes) {
  return arrow::Buffer::FromString(std::string(bytes.begin(), bytes.end()));
}

bool IsNull(const arrow::DataType& type) {
  if (type.id() != Type::EXTENSION) return type.id() == Type::NA;
  return IsNull(*static_cast<const arrow::ExtensionType&>(type).storage_type());
}

}  // namespace

std::shared_ptr<arrow::DataType> RandomArrays::Type(int depth) {
  return depth > 0 && Below(3) > 0 ? Nested(depth - 1) : Flat();
}

std::shared_ptr<arrow::DataType> RandomArrays::Flat() {
  const auto unit =
      Pick<arrow::TimeUnit::type>({arrow::TimeUnit::SECOND, arrow::TimeUnit::MILLI,
                                   arrow::TimeUnit::MICRO, arrow::TimeUnit::NANO});
  const auto zone = Pick<std::string>({"", "UTC", "+01:00", "Europe/Stockholm"});
  const auto scale = static_cast<int32_t>(Below(9) - 4);
  const auto within = [this](int64_t most) {
    return static_cast<int32_t>(Below(most) + 1);
  };
  return Pick<TypePtr>({arrow::null(),
                        arrow::boolean(),
                        arrow::int8(),
                        arrow::uint8(),
                        arrow::int16(),
                        arrow::uint16(),
                        arrow::int32(),
                        arrow::uint32(),
                        arrow::int64(),
                        arrow::uint64(),
                        arrow::float16(),
                        arrow::float32(),
                        arrow::float64(),
                        arrow::date32(),
                        arrow::date64(),
                        arrow::time32(arrow::TimeUnit::SECOND),
                        arrow::time32(arrow::TimeUnit::MILLI),
                        arrow::time64(arrow::TimeUnit::MICRO),
                        arrow::time64(arrow::TimeUnit::NANO),
                        arrow::timestamp(unit, zone),
                        arrow::duration(unit),
                        arrow::month_interval(),
                        arrow::day_time_interval(),
                        arrow::month_day_nano_interval(),
                        arrow::decimal32(within(9), scale),
                        arrow::decimal64(within(18), scale),
                        arrow::decimal128(within(38), scale),
                        arrow::decimal256(within(76), scale),
                        arrow::fixed_size_binary(static_cast<int32_t>(Below(20))),
                        arrow::utf8(),
                        arrow::large_utf8(),
                        arrow::utf8_view(),
                        arrow::binary(),
                        arrow::large_binary(),
                        arrow::binary_view()});
}

std::shared_ptr<arrow::DataType> RandomArrays::Nested(int depth) {
  switch (Below(12)) {
    case 0:
      return arrow::list(Field("item", depth));
    case 1:
      return arrow::large_list(Field("", depth));
    case 2:
      return arrow::list_view(Field("ö", depth));
    case 3:
      return arrow::large_list_view(Field("item", depth));
    case 4:
      return arrow::fixed_size_list(Field("item", depth), static_cast<int32_t>(Below(4)));
    case 5:
      return arrow::struct_(Fields(Below(4), depth));
    case 6:
      return Map(depth);
    case 7:
      return Union(depth, /*dense=*/false);
    case 8:
      return Union(depth, /*dense=*/true);
    case 9:
      return arrow::dictionary(
          Pick<TypePtr>({arrow::int8(), arrow::uint8(), arrow::int16(), arrow::uint16(),
                         arrow::int32(), arrow::uint32(), arrow::int64(),
                         arrow::uint64()}),
          Type(depth), /*ordered=*/Below(2) == 0);
    case 10:
      return arrow::run_end_encoded(
          Pick<TypePtr>({arrow::int16(), arrow::int32(), arrow::int64()}), Type(depth));
    default: {
      TypePtr storage = Type(depth);
      while (storage->id() == Type::EXTENSION) storage = Type(depth);
      return std::make_shared<NamedType>(std::move(storage));
    }
  }
}

std::shared_ptr<arrow::Field> RandomArrays::Field(const std::string& name, int depth) {
  auto field = arrow::field(name, Type(depth), /*nullable=*/Below(4) > 0);
  if (Below(4) > 0) return field;
  return field->WithMetadata(
      arrow::key_value_metadata({"key", "empty", ""}, {"value", "", "ö"}));
}

arrow::FieldVector RandomArrays::Fields(int64_t count, int depth) {
  arrow::FieldVector fields;
  for (int64_t i = 0; i < count; ++i) fields.push_back(Field(std::to_string(i), depth));
  return fields;
}

std::shared_ptr<arrow::DataType> RandomArrays::Union(int depth, bool dense) {
  std::vector<int8_t> codes = {5, 127, 0};
  codes.resize(static_cast<size_t>(Below(3) + 1));
  const arrow::FieldVector fields = Fields(static_cast<int64_t>(codes.size()), depth);
  return dense ? arrow::dense_union(fields, codes) : arrow::sparse_union(fields, codes);
}

std::shared_ptr<arrow::DataType> RandomArrays::Map(int depth) {
  TypePtr key = Type(depth);
  while (IsNull(*key)) key = Type(depth);  // keys have values
  return arrow::map(std::move(key), Field("value", depth), /*keys_sorted=*/Below(2) == 0);
}

std::shared_ptr<arrow::RecordBatch> RandomArrays::Batch(int columns, int depth) {
  const int64_t rows = Below(24);
  arrow::ArrayVector arrays;
  const arrow::FieldVector fields = Fields(columns, depth);
  for (const auto& field : fields) {
    arrays.push_back(Array(field->type(), rows, field->nullable()));
  }
  return arrow::RecordBatch::Make(
      arrow::schema(fields, arrow::key_value_metadata({"of"}, {"schema"})), rows, arrays);
}

std::shared_ptr<arrow::Array> RandomArrays::Array(const TypePtr& type, int64_t length,
                                                  bool nulls) {
  const bool part = Below(2) == 0;
  const int64_t before = part ? Below(18) : 0;
  const int64_t behind = part ? Below(3) : 0;
  const auto whole = arrow::MakeArray(Data(type, before + length + behind, nulls));
  return part ? whole->Slice(before, length) : whole;
}

std::shared_ptr<arrow::ArrayData> RandomArrays::Child(const arrow::Field& field,
                                                      int64_t rows) {
  const int64_t more = std::max<int64_t>(0, Below(6) - 3);
  return Array(field.type(), rows + more, field.nullable())->data();
}

std::shared_ptr<arrow::ArrayData> RandomArrays::Make(const TypePtr& type, int64_t length,
                                                     bool nulls,
                                                     const std::vector<Bytes>& buffers,
                                                     std::vector<DataPtr> children) {
  arrow::BufferVector all = {nullptr};
  int64_t null_count = 0;
  if (nulls && Below(4) > 0) {
    Bytes bitmap = RandomBytes((length + 7) / 8);
    const int64_t kind = Below(6);
    if (kind < 2) std::fill(bitmap.begin(), bitmap.end(), kind == 0 ? 0 : 0xFF);
    all[0] = Own(bitmap);
    null_count = arrow::kUnknownNullCount;
  }
  for (const Bytes& buffer : buffers) all.push_back(Own(buffer));
  auto data = arrow::ArrayData::Make(type, length, std::move(all), std::move(children),
                                     null_count);
  if (Below(2) == 0) data->GetNullCount();  // so that it is already counted
  return data;
}

std::shared_ptr<arrow::ArrayData> RandomArrays::Data(const TypePtr& type, int64_t length,
                                                     bool nulls) {
  const auto child = [&](int i) -> const arrow::Field& { return *type->field(i); };
  std::vector<Bytes> buffers;
  int64_t end = 0;
  switch (type->id()) {
    case Type::NA:
      return arrow::ArrayData::Make(type, length, {nullptr}, length);
    case Type::BOOL:
      return Make(type, length, nulls, {RandomBytes((length + 7) / 8)});
    case Type::STRING:
    case Type::BINARY:
      buffers = {Offsets(length, 4, &end)};
      buffers.push_back(Text(end));
      return Make(type, length, nulls, buffers);
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY:
      buffers = {Offsets(length, 8, &end)};
      buffers.push_back(Text(end));
      return Make(type, length, nulls, buffers);
    case Type::STRING_VIEW:
    case Type::BINARY_VIEW:
      return Views(type, length, nulls);
    case Type::LIST:
      buffers = {Offsets(length, 4, &end)};
      return Make(type, length, nulls, buffers, {Child(child(0), end)});
    case Type::LARGE_LIST:
      buffers = {Offsets(length, 8, &end)};
      return Make(type, length, nulls, buffers, {Child(child(0), end)});
    case Type::LIST_VIEW:
    case Type::LARGE_LIST_VIEW:
      Spans(length, type->id() == Type::LIST_VIEW ? 4 : 8, &buffers);
      return Make(type, length, nulls, buffers, {Child(child(0), kSpan)});
    case Type::MAP: {
      buffers = {Offsets(length, 4, &end)};
      const auto& map = static_cast<const arrow::MapType&>(*type);
      auto entries = Make(
          map.value_type(), end, /*nulls=*/false, {},
          {Data(map.key_type(), end, /*nulls=*/false), Child(*map.item_field(), end)});
      return Make(type, length, nulls, buffers, {std::move(entries)});
    }
    case Type::FIXED_SIZE_LIST: {
      const auto size = static_cast<const arrow::FixedSizeListType&>(*type).list_size();
      return Make(type, length, nulls, {}, {Child(child(0), length * size)});
    }
    case Type::STRUCT: {
      std::vector<DataPtr> children;
      for (int i = 0; i < type->num_fields(); ++i) {
        children.push_back(Child(child(i), length));
      }
      return Make(type, length, nulls, {}, std::move(children));
    }
    case Type::SPARSE_UNION:
    case Type::DENSE_UNION:
      return UnionData(type, length);
    case Type::DICTIONARY: {
      const auto& dictionary = static_cast<const arrow::DictionaryType&>(*type);
      const int64_t count = Below(9) + 1;
      auto data =
          Make(type, length, nulls, {Numbers(length, dictionary.bit_width() / 8, count)});
      data->dictionary = Array(dictionary.value_type(), count)->data();
      return data;
    }
    case Type::RUN_END_ENCODED:
      return Runs(type, length);
    case Type::EXTENSION: {
      const auto& extension = static_cast<const arrow::ExtensionType&>(*type);
      auto data = Data(extension.storage_type(), length, nulls)->Copy();
      data->type = type;
      return data;
    }
    default:
      return Make(type, length, nulls, {Fixed(*type, length)});
  }
}

namespace {
constexpr uint8_t kNoByte = 0;
}

std::shared_ptr<arrow::ArrayData> RandomArrays::Views(const TypePtr& type, int64_t length,
                                                      bool nulls) {
  arrow::BinaryViewBuilder builder;
  builder.SetBlockSize(64);  // for several buffers
  for (int64_t i = 0; i < length; ++i) {
    const Bytes text = Text(Pick<int64_t>({0, 3, 12, 13, 40}));
    const auto size = static_cast<int64_t>(text.size());
    (void)(nulls && Below(4) == 0
               ? builder.AppendNull()
               // Never NULL, because the builder copies from it.
               : builder.Append(size == 0 ? &kNoByte : text.data(), size));
  }
  auto data = (*builder.Finish())->data()->Copy();
  data->type = type;
  return data;
}

// The offsets into one child of a dense union must not decrease.
std::shared_ptr<arrow::ArrayData> RandomArrays::UnionData(const TypePtr& type,
                                                          int64_t length) {
  const auto& codes = static_cast<const arrow::UnionType&>(*type).type_codes();
  std::map<int8_t, int64_t> next;
  std::vector<Bytes> buffers(1);
  Bytes offsets;
  for (int64_t i = 0; i < length; ++i) {
    const int8_t code = Pick(codes);
    Append(buffers.data(), 1, code);
    Append(&offsets, 4, next[code]);
    next[code] += Below(2);
  }
  if (type->id() == Type::DENSE_UNION) buffers.push_back(offsets);
  std::vector<DataPtr> children;
  for (const auto& field : type->fields()) children.push_back(Child(*field, length));
  return Make(type, length, /*nulls=*/false, buffers, std::move(children));
}

std::shared_ptr<arrow::ArrayData> RandomArrays::Runs(const TypePtr& type,
                                                     int64_t length) {
  const auto& runs = static_cast<const arrow::RunEndEncodedType&>(*type);
  const int width = runs.run_end_type()->bit_width() / 8;
  Bytes ends;
  int64_t count = 0;
  for (int64_t end = 0; end < length || count == 0; ++count) {
    end += Below(4) + 1;
    Append(&ends, width, end);
  }
  return Make(type, length, /*nulls=*/false, {},
              {Make(runs.run_end_type(), count, /*nulls=*/false, {ends}),
               Child(*runs.field(1), count)});
}

RandomArrays::Bytes RandomArrays::Fixed(const arrow::DataType& type, int64_t length) {
  const int width = static_cast<const arrow::FixedWidthType&>(type).bit_width() / 8;
  switch (type.id()) {
    case Type::DECIMAL32:
    case Type::DECIMAL64:
    case Type::DECIMAL128:
    case Type::DECIMAL256: {
      Bytes bytes;  // of any precision, and of both signs
      for (int64_t i = 0; i < length; ++i) {
        const int64_t value = Below(19) - 9;
        for (int at = 0; at < width; at += 4)
          Append(&bytes, 4, at == 0 ? value : value >> 32);
      }
      return bytes;
    }
    case Type::DATE64: {
      Bytes bytes;
      for (int64_t i = 0; i < length; ++i) Append(&bytes, 8, Below(30000) * 86400000);
      return bytes;
    }
    case Type::TIME32:
    case Type::TIME64:
      return Numbers(length, width, 86400);
    default:
      return RandomBytes(length * width);
  }
}

RandomArrays::Bytes RandomArrays::RandomBytes(int64_t count) {
  Bytes bytes(static_cast<size_t>(count));
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random_());
  return bytes;
}

RandomArrays::Bytes RandomArrays::Text(int64_t count) {
  Bytes bytes(static_cast<size_t>(count));
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>('a' + Below(26));
  return bytes;
}

// Offsets need not begin at 0.
RandomArrays::Bytes RandomArrays::Offsets(int64_t length, int width, int64_t* end) {
  Bytes bytes;
  *end = Below(4);
  Append(&bytes, width, *end);
  for (int64_t i = 0; i < length; ++i) {
    *end += std::max<int64_t>(0, Below(7) - 2);
    Append(&bytes, width, *end);
  }
  return bytes;
}

RandomArrays::Bytes RandomArrays::Numbers(int64_t length, int width, int64_t below) {
  Bytes bytes;
  for (int64_t i = 0; i < length; ++i) Append(&bytes, width, Below(below));
  return bytes;
}

// Offsets and sizes within this many values, in any order.
void RandomArrays::Spans(int64_t length, int width, std::vector<Bytes>* buffers) {
  buffers->resize(2);
  for (int64_t i = 0; i < length; ++i) {
    const int64_t offset = Below(kSpan + 1);
    Append(&(*buffers)[0], width, offset);
    Append(&(*buffers)[1], width, Below(kSpan - offset + 1));
  }
}

}  // namespace support
