// SPDX-License-Identifier: MIT
#include "gather.h"

#include <concepts>
#include <new>
#include <utility>
#include <vector>

#include "alloy/block.hpp"
#include "alloy/detail/mirror.hpp"
#include "text_column.h"
#include "types.h"

namespace aggregate {
namespace {

using alloy::detail::OwnedArray;

// The rows of a column; of a dictionary its indices.
alloy::AnyOutput GatherColumn(const ArrowSchema& schema, const ArrowArray& column,
                              std::span<const int64_t> rows,
                              alloy::detail::Resize resize) {
  const Type type = TypeOf(std::string_view(schema.format));
  if (type.storage == Storage::kText) {
    const alloy::Strings texts(schema, column);
    return TextColumn(type, rows.size(), resize,
                      [&](size_t i) { return texts.Get(rows[i]); });
  }
  return WithFixed(type.storage, [&](auto tag) -> alloy::AnyOutput {
    using T = typename decltype(tag)::Type;
    const alloy::Column<T> values(schema, column);
    alloy::Output<T> gathered(resize);
    if constexpr (!std::same_as<T, bool>) {
      if (!values.HasNulls()) {
        T* to = gathered.Extend(static_cast<int64_t>(rows.size())).data();
        for (const int64_t row : rows) *to++ = values[row];
        return gathered;
      }
    }
    gathered.Reserve(static_cast<int64_t>(rows.size()));
    for (const int64_t row : rows) gathered.Append(values.Get(row));
    return gathered;
  });
}

// Memory that structs of a batch refer to.
struct Kept {
  OwnedArray gathered;
  std::vector<OwnedArray> columns;  // whose dictionaries are shared
};

// The gathered columns, with the dictionaries of those of `batch` below them.
void GiveWithDictionaries(OwnedArray gathered, ArrowArray* batch, ArrowArray* output) {
  Kept kept;
  alloy::detail::TreeSize size;
  size.Add(*gathered);
  const int64_t columns = batch->n_children;
  std::vector<const ArrowArray*> dictionaries(static_cast<size_t>(columns));
  for (int64_t i = 0; i < columns; ++i) {
    if (batch->children[i]->dictionary == nullptr) continue;
    kept.columns.emplace_back(batch->children[i]);
    const ArrowArray* dictionary = kept.columns.back()->dictionary;
    dictionaries[static_cast<size_t>(i)] = dictionary;
    size.Add(*dictionary);
  }
  const OwnedArray& whole = kept.gathered = std::move(gathered);
  const ArrowArray source = *whole;
  auto block = alloy::Block<Kept>::Make(size.nodes, size.buffers, std::move(kept));
  if (!block) throw std::bad_alloc();
  ArrowArray root{};
  block.Init(&root, {.length = source.length, .n_buffers = 1, .n_children = columns});
  for (int64_t i = 0; i < columns; ++i) {
    alloy::detail::Mirror(block, root.children[i], *source.children[i],
                          dictionaries[static_cast<size_t>(i)]);
  }
  block.Finish();
  *output = root;
}

}  // namespace

bool CanGather(const ArrowSchema& column) {
  if (column.dictionary != nullptr) return true;
  const Type type = TypeOf(column);
  return type.is_fixed() || type.storage == Storage::kText;
}

void Gather(const alloy::Scope& scope, const ArrowSchema& schema,
            std::span<const int64_t> rows, ArrowArray* batch, ArrowArray* output) {
  std::vector<alloy::AnyOutput> columns;
  bool has_dictionaries = false;
  for (int64_t i = 0; i < batch->n_children; ++i) {
    columns.push_back(GatherColumn(*schema.children[i], *batch->children[i], rows,
                                   scope.services().resize));
    has_dictionaries |= schema.children[i]->dictionary != nullptr;
  }
  OwnedArray gathered;
  alloy::GiveBatch(gathered.get(), std::move(columns));
  if (has_dictionaries) {
    GiveWithDictionaries(std::move(gathered), batch, output);
  } else {
    gathered.MoveTo(output);
  }
}

}  // namespace aggregate
