// SPDX-License-Identifier: MIT
//
// Reads the table of a backend from the bytes of a hostile worker, as the host does, and an
// order to load from the same bytes, as a worker does. No read may leave the bytes. What is
// accepted is written and read again, and must be the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "load/backend_table.h"
#include "wire/load_order.h"
#include "wire/tables.h"

namespace alloy::core {
namespace {

using Bytes = std::vector<std::byte>;

void Require(bool condition) {
  if (!condition) std::abort();
}

// A text that is missing is empty here. Reads all of it.
size_t Length(const char* text) { return text == nullptr ? 0 : std::strlen(text); }

size_t LengthOf(const alloy_backend& backend) {
  size_t bytes =
      Length(backend.name) + Length(backend.version) + Length(backend.language);
  for (size_t i = 0; backend.functions[i] != nullptr; ++i) {
    const alloy_function& function = *backend.functions[i];
    bytes += Length(function.name) + Length(function.summary);
    for (const alloy_option* option = function.options;
         option != nullptr && option->name != nullptr; ++option) {
      bytes += Length(option->name) + Length(option->summary) + Length(option->fallback);
    }
    for (const alloy_column* const* list = function.columns;
         list != nullptr && *list != nullptr; ++list) {
      for (const alloy_column* column = *list; column->name != nullptr; ++column) {
        bytes += Length(column->name) + Length(column->summary) + Length(column->accepts);
      }
    }
  }
  return bytes;
}

// What `write` writes, which needs no more room than what it was read from.
template <typename Write>
Bytes Written(size_t size, Write&& write) {
  Bytes bytes(size);
  ByteWriter out(bytes);
  write(out);
  Require(!out.full());
  bytes.resize(out.used());
  return bytes;
}

void FuzzTable(const Bytes& bytes) {
  ByteReader in(bytes);
  const auto described = DescribedTable::Read(in);
  if (!described.ok()) {
    Require(described.status().reason() == ALLOY_REASON_TABLE);
    return;
  }
  const size_t texts = LengthOf((*described)->backend());
  Require(texts <= bytes.size());
  const auto write = [](const auto& table) {
    return [&table](ByteWriter& out) { WriteTable(table.backend(), out); };
  };
  const Bytes again = Written(bytes.size(), write(**described));
  ByteReader in_again(again);
  const auto read = DescribedTable::Read(in_again);
  Require(read.ok() && in_again.AtEnd());
  Require(Written(again.size(), write(**read)) == again);
  const auto table = BackendTable::MakeDescribed(*described);
  if (!table.ok()) {
    Require(table.status().code() == ALLOY_REFUSED && table.status().reason() != 0);
    return;
  }
  Require(LengthOf((*table)->shown()) == texts);
  for (size_t i = 0; (*table)->shown().functions[i] != nullptr; ++i) {
    const alloy_function& function = *(*table)->shown().functions[i];
    Require(function.run == nullptr && function.open == nullptr);
    Require(function.bind == nullptr && function.self == nullptr);
  }
}

void FuzzOrder(const Bytes& bytes) {
  ByteReader in(bytes);
  const auto order = LoadOrder::Read(in);
  if (!order.ok()) return;
  const Bytes again = Written(bytes.size(), [&](ByteWriter& out) { order->Write(out); });
  ByteReader in_again(again);
  const auto read = LoadOrder::Read(in_again);
  Require(read.ok() && in_again.AtEnd());
  Require(read->library == order->library && read->files == order->files &&
          read->sonames == order->sonames && read->heap_bytes == order->heap_bytes);
}

void Fuzz(std::span<const uint8_t> data) {
  // A copy, so that nothing lies behind its end.
  const Bytes bytes(reinterpret_cast<const std::byte*>(data.data()),
                    reinterpret_cast<const std::byte*>(data.data()) + data.size());
  FuzzTable(bytes);
  FuzzOrder(bytes);
}

}  // namespace
}  // namespace alloy::core

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  alloy::core::Fuzz({data, size});
  return 0;
}
