// SPDX-License-Identifier: MIT
#include "gather.h"

#include <algorithm>
#include <concepts>
#include <new>
#include <utility>
#include <vector>

#include "alloy/block.hpp"
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

struct TreeSize {
  int64_t nodes = 0;
  int64_t buffers = 0;
  void Add(const ArrowArray& array) {
    ++nodes;
    buffers += array.n_buffers;
    for (int64_t i = 0; i < array.n_children; ++i) Add(*array.children[i]);
    if (array.dictionary != nullptr) Add(*array.dictionary);
  }
};

// Fill a slot with the same struct over the same memory, and with `dictionary` below it.
void Mirror(alloy::Block<Kept>& block, const ArrowArray& array,
            const ArrowArray* dictionary, ArrowArray* slot) {
  block.Init(slot, {.length = array.length,
                    .null_count = array.null_count,
                    .offset = array.offset,
                    .n_buffers = array.n_buffers,
                    .n_children = array.n_children,
                    .dictionary = dictionary != nullptr});
  std::copy_n(array.buffers, array.n_buffers, slot->buffers);
  for (int64_t i = 0; i < array.n_children; ++i) {
    Mirror(block, *array.children[i], array.children[i]->dictionary, slot->children[i]);
  }
  if (dictionary == nullptr) return;
  Mirror(block, *dictionary, dictionary->dictionary, slot->dictionary);
}

// The gathered columns, with the dictionaries of those of `batch` below them.
void GiveWithDictionaries(OwnedArray gathered, ArrowArray* batch, ArrowArray* output) {
  Kept kept;
  TreeSize size;
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
    Mirror(block, *source.children[i], dictionaries[static_cast<size_t>(i)],
           root.children[i]);
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
