// SPDX-License-Identifier: MIT
#include "wire/load_order.h"

namespace alloy::core {
namespace {

void PutTexts(const std::vector<std::string>& texts, ByteWriter& out) {
  out.Put(static_cast<uint32_t>(texts.size()));
  for (const std::string& text : texts) out.PutText(text);
}

std::vector<std::string> GetTexts(ByteReader& in) {
  std::vector<std::string> texts;
  for (auto n = in.Get<uint32_t>(); n > 0 && in.ok(); --n)
    texts.emplace_back(in.GetText());
  return texts;
}

}  // namespace

void LoadOrder::Write(ByteWriter& out) const {
  out.PutText(library);
  out.Put(is_linked);
  out.Put(plainly);
  out.Put(heap_bytes);
  out.Put(demanded);
  PutTexts(files, out);
  PutTexts(sonames, out);
}

Result<LoadOrder> LoadOrder::Read(ByteReader& in) {
  LoadOrder order;
  order.library = in.GetText();
  order.is_linked = in.Get<uint8_t>() != 0;
  order.plainly = in.Get<uint8_t>() != 0;
  order.heap_bytes = in.Get<int64_t>();
  order.demanded = in.Get<uint64_t>();
  order.files = GetTexts(in);
  order.sonames = GetTexts(in);
  if (!in.ok()) return Fail(ALLOY_INTERNAL, "the order to load a library is cut");
  return order;
}

}  // namespace alloy::core
