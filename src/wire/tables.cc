// SPDX-License-Identifier: MIT
#include "wire/tables.h"

#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace alloy::core {
namespace {

// Of one list of options or columns: the host compares the options of a function with each
// other. Functions are as many as fit in a message.
constexpr uint32_t kMostEntries = 4096;

// A text that may be missing.
void PutOptional(const char* text, ByteWriter& out) {
  out.Put(static_cast<uint8_t>(text != nullptr));
  if (text != nullptr) out.PutText(text);
}

template <typename Entry>
uint32_t CountOf(const Entry* list) {
  uint32_t n = 0;
  while (list != nullptr && list[n].name != nullptr) ++n;
  return n;
}

uint32_t CountLists(const alloy_column* const* lists) {
  uint32_t n = 0;
  while (lists != nullptr && lists[n] != nullptr) ++n;
  return n;
}

Status CheckCount(uint32_t n, const alloy_function& function, const char* what) {
  if (n <= kMostEntries) return Status();
  return Fail(ALLOY_REFUSED, ALLOY_REASON_TABLE,
              std::string("the backend's table: function ") + function.name + " has " +
                  std::to_string(n) + " " + what + "; the isolated mode allows " +
                  std::to_string(kMostEntries));
}

void WriteColumns(const alloy_column* list, ByteWriter& out) {
  const uint32_t n = CountOf(list);
  out.Put(n);
  for (uint32_t i = 0; i < n; ++i) {
    out.PutText(list[i].name);
    PutOptional(list[i].summary, out);
    PutOptional(list[i].accepts, out);
  }
}

void WriteFunction(const alloy_function& function, ByteWriter& out) {
  out.Put(function.flags);
  out.Put(function.min_inputs);
  out.Put(function.max_inputs);
  out.PutText(function.name);
  PutOptional(function.summary, out);
  const uint32_t n_options = CountOf(function.options);
  out.Put(n_options);
  for (uint32_t i = 0; i < n_options; ++i) {
    out.PutText(function.options[i].name);
    PutOptional(function.options[i].summary, out);
    PutOptional(function.options[i].fallback, out);
  }
  const uint32_t n_lists = CountLists(function.columns);
  out.Put(n_lists);
  for (uint32_t i = 0; i < n_lists; ++i) WriteColumns(function.columns[i], out);
}

}  // namespace

Status CheckCrosses(const alloy_backend& backend) {
  for (uint32_t i = 0; backend.functions[i] != nullptr; ++i) {
    const alloy_function& function = *backend.functions[i];
    ALLOY_TRY(CheckCount(CountOf(function.options), function, "options"));
    const uint32_t n_lists = CountLists(function.columns);
    ALLOY_TRY(CheckCount(n_lists, function, "lists of columns"));
    for (uint32_t list = 0; list < n_lists; ++list) {
      ALLOY_TRY(CheckCount(CountOf(function.columns[list]), function, "columns"));
    }
  }
  return Status();
}

void WriteTable(const alloy_backend& backend, ByteWriter& out) {
  out.Put(backend.abi);
  out.PutText(backend.name);
  out.PutText(backend.version);
  out.PutText(backend.language);
  uint32_t n = 0;
  while (backend.functions[n] != nullptr) ++n;
  out.Put(n);
  for (uint32_t i = 0; i < n; ++i) WriteFunction(*backend.functions[i], out);
}

struct DescribedTable::Parts {
  alloy_backend backend{};
  std::deque<alloy_function> functions;
  std::vector<const alloy_function*> list;
  // One for each function, and for each list of columns.
  std::deque<std::vector<alloy_option>> options;
  std::deque<std::vector<alloy_column>> columns;
  std::deque<std::vector<const alloy_column*>> column_lists;
  std::deque<std::string> texts;

  const char* Text(ByteReader& in) {
    const std::string_view text = in.GetText();
    // A NUL inside would end it early, so it is no text of a table.
    if (text.find('\0') != std::string_view::npos) in.Fail();
    return texts.emplace_back(text).c_str();
  }
  const char* Optional(ByteReader& in) {
    return in.Get<uint8_t>() != 0 ? Text(in) : nullptr;
  }
  static uint32_t Count(ByteReader& in) {
    const auto n = in.Get<uint32_t>();
    if (n > kMostEntries) in.Fail();
    return in.ok() ? n : 0;
  }

  const alloy_column* Columns(ByteReader& in) {
    auto& list_of_one = columns.emplace_back();
    for (uint32_t n = Count(in); n > 0 && in.ok(); --n) {
      alloy_column column{};
      column.name = Text(in);
      column.summary = Optional(in);
      column.accepts = Optional(in);
      list_of_one.push_back(column);
    }
    list_of_one.push_back({});
    return list_of_one.data();
  }

  void Function(ByteReader& in) {
    alloy_function function{};
    function.struct_size = sizeof(alloy_function);
    function.flags = in.Get<uint32_t>();
    function.min_inputs = in.Get<int32_t>();
    function.max_inputs = in.Get<int32_t>();
    function.name = Text(in);
    function.summary = Optional(in);
    auto& its_options = options.emplace_back();
    for (uint32_t n = Count(in); n > 0 && in.ok(); --n) {
      alloy_option option{};
      option.name = Text(in);
      option.summary = Optional(in);
      option.fallback = Optional(in);
      its_options.push_back(option);
    }
    if (!its_options.empty()) {
      its_options.push_back({});
      function.options = its_options.data();
    }
    auto& lists = column_lists.emplace_back();
    for (uint32_t n = Count(in); n > 0 && in.ok(); --n) lists.push_back(Columns(in));
    if (!lists.empty()) {
      lists.push_back(nullptr);
      function.columns = lists.data();
    }
    functions.push_back(function);
  }
};

DescribedTable::DescribedTable(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
DescribedTable::~DescribedTable() = default;

const alloy_backend& DescribedTable::backend() const { return parts_->backend; }

Result<std::shared_ptr<const DescribedTable>> DescribedTable::Read(ByteReader& in) {
  auto parts = std::make_unique<Parts>();
  alloy_backend& backend = parts->backend;
  backend.struct_size = sizeof(alloy_backend);
  backend.abi = in.Get<uint32_t>();
  backend.name = parts->Text(in);
  backend.version = parts->Text(in);
  backend.language = parts->Text(in);
  // Each takes some bytes of the message, so its size is their limit.
  for (auto n = in.Get<uint32_t>(); n > 0 && in.ok(); --n) parts->Function(in);
  if (!in.ok()) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_TABLE,
                "the table of the backend did not arrive whole from its worker");
  }
  for (const alloy_function& function : parts->functions) {
    parts->list.push_back(&function);
  }
  parts->list.push_back(nullptr);
  backend.functions = parts->list.data();
  return std::shared_ptr<const DescribedTable>(
      std::make_shared<const DescribedTable>(std::move(parts)));
}

}  // namespace alloy::core
