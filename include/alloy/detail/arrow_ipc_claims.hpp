// SPDX-License-Identifier: MIT
//
// The sizes that a message of Arrow IPC claims for its compressed buffers. Arrow allocates
// a claimed size before it decompresses, so each claim is checked first: no codec can make
// that many bytes of so few.
//
// Threads  values.
#ifndef ALLOY_DETAIL_ARROW_IPC_CLAIMS_HPP_
#define ALLOY_DETAIL_ARROW_IPC_CLAIMS_HPP_

#include <arrow/buffer.h>
#include <arrow/ipc/message.h>
#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/util/key_value_metadata.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

namespace alloy::arrow::detail {

// A table of a flatbuffer. A field that lies outside the bytes is absent.
class FlatTable {
 public:
  FlatTable() = default;
  static FlatTable Root(std::span<const uint8_t> bytes) {
    const FlatTable before(bytes, 0);
    return {bytes, before.Load<uint32_t>(0).value_or(0)};
  }

  explicit operator bool() const { return at_ != 0; }

  template <typename T>
  T Get(int field, T otherwise) const {
    const size_t place = Place(field);
    return place == 0 ? otherwise : Load<T>(place).value_or(otherwise);
  }
  FlatTable Table(int field) const { return {bytes_, Target(field)}; }
  // The elements of a vector of structs of `size` bytes.
  std::span<const uint8_t> Vector(int field, size_t size) const {
    const size_t at = Target(field);
    const auto count = at == 0 ? std::nullopt : Load<uint32_t>(at);
    if (!count || uint64_t{*count} * size > bytes_.size() - at - 4) return {};
    return bytes_.subspan(at + 4, *count * size);
  }

 private:
  FlatTable(std::span<const uint8_t> bytes, size_t at) : bytes_(bytes), at_(at) {}

  template <typename T>
  std::optional<T> Load(size_t at) const {
    static_assert(std::endian::native == std::endian::little);
    T value;
    if (at > bytes_.size() || bytes_.size() - at < sizeof value) return std::nullopt;
    std::memcpy(&value, bytes_.data() + at, sizeof value);
    return value;
  }
  // Where a field begins; 0: absent.
  size_t Place(int field) const {
    const auto back = at_ == 0 ? std::nullopt : Load<int32_t>(at_);
    if (!back) return 0;
    const int64_t vtable = static_cast<int64_t>(at_) - *back;
    if (vtable < 0) return 0;
    const auto start = static_cast<size_t>(vtable);
    const size_t slot = 4 + 2 * static_cast<size_t>(field);
    if (slot + 2 > Load<uint16_t>(start).value_or(0)) return 0;
    const uint16_t offset = Load<uint16_t>(start + slot).value_or(0);
    return offset == 0 ? 0 : at_ + offset;
  }
  size_t Target(int field) const {
    const size_t place = Place(field);
    const auto offset = place == 0 ? std::nullopt : Load<uint32_t>(place);
    return offset && place + *offset < bytes_.size() ? place + *offset : 0;
  }

  std::span<const uint8_t> bytes_;
  size_t at_ = 0;
};

// What the metadata of a batch, or of a dictionary, says about its buffers.
struct IpcLayout {
  struct Range {
    int64_t offset = 0;
    int64_t length = 0;
  };
  int64_t rows = 0;
  bool compressed = false;
  int64_t most_per_byte = 0;   // what one compressed byte can become, at most
  std::vector<Range> buffers;  // empty if nothing is compressed

  // Message.fbs: the numbers are those of its fields.
  static IpcLayout Of(const ::arrow::ipc::Message& message) {
    IpcLayout layout;
    const auto metadata = message.metadata();
    FlatTable batch =
        FlatTable::Root({metadata->data(), static_cast<size_t>(metadata->size())})
            .Table(2);
    if (message.type() == ::arrow::ipc::MessageType::DICTIONARY_BATCH) {
      batch = batch.Table(1);
    } else if (message.type() != ::arrow::ipc::MessageType::RECORD_BATCH) {
      return layout;
    }
    layout.rows = batch.Get<int64_t>(0, 0);
    const FlatTable compression = batch.Table(3);
    // Before version 0.17.1, Arrow named the codec in the metadata of the message.
    const auto& custom = message.custom_metadata();
    const bool experimental =
        custom != nullptr && custom->FindKey("ARROW:experimental_compression") >= 0;
    layout.compressed = compression || experimental;
    if (!layout.compressed) return layout;
    // LZ4 counts a match in bytes of at most 255. Zstandard has blocks of at most 128 KiB,
    // and the smallest takes 4 bytes.
    const bool lz4 = !experimental && compression.Get<int8_t>(0, 0) == 0;
    layout.most_per_byte = lz4 ? 255 : (int64_t{128} << 10) / 4;
    const auto raw = batch.Vector(2, sizeof(Range));
    layout.buffers.resize(raw.size() / sizeof(Range));
    if (!raw.empty()) std::memcpy(layout.buffers.data(), raw.data(), raw.size());
    return layout;
  }

  // `claim`: the first 8 bytes of the buffer; -1: it is not compressed.
  ::arrow::Status CheckClaim(size_t buffer, int64_t claim) const {
    const int64_t bytes = buffers[buffer].length - 8;
    if (claim == -1) return {};
    // The quotient, because the product may not fit.
    if (claim >= 0 && claim / most_per_byte <= bytes) return {};
    return ::arrow::Status::Invalid("buffer ", buffer, " claims ", claim, " bytes in ",
                                    bytes, " compressed bytes, which is not possible");
  }
};

// Check the claims of a message that is in memory.
inline ::arrow::Status CheckClaims(const ::arrow::ipc::Message& message) {
  const IpcLayout layout = IpcLayout::Of(message);
  const auto body = message.body();
  const int64_t size = body == nullptr ? 0 : body->size();
  for (size_t i = 0; i < layout.buffers.size(); ++i) {
    const auto [offset, length] = layout.buffers[i];
    // Arrow itself refuses ranges outside the body.
    if (length < 8 || offset < 0 || offset > size - 8) continue;
    int64_t claim = 0;
    std::memcpy(&claim, body->data() + offset, sizeof claim);
    ARROW_RETURN_NOT_OK(layout.CheckClaim(i, claim));
  }
  return {};
}

}  // namespace alloy::arrow::detail

#endif  // ALLOY_DETAIL_ARROW_IPC_CLAIMS_HPP_
