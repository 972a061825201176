// SPDX-License-Identifier: MIT
//
// From a type and the keys of rows to an array. A key stands for the whole value of a
// row, nested ones included, so the same keys give the same values wherever they lie.
#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "form.h"
#include "values.h"
#include "watched.h"

namespace alloy::testing {
namespace {

using Keys = std::vector<uint64_t>;

// What a key decides, each from numbers of its own.
enum Salt : uint64_t {
  kIsNull = 101,
  kValue,
  kLength,
  kChoice,
  kRow,
  kBefore,
  kItem = 1000
};

class Filler {
 public:
  Filler(const Spec& batch, const SampleOptions& options, WatchedTree* tree)
      : batch_(batch), options_(options), tree_(*tree) {}

  // A node of these rows, behind as many others as the options say.
  WatchedNode& Fill(const Spec& spec, const Keys& keys) {
    return FillBehind(spec, keys, options_.before);
  }

  WatchedNode& FillBehind(const Spec& spec, const Keys& keys, int64_t before) {
    WatchedNode& node = tree_.Add();
    node.array.length = static_cast<int64_t>(keys.size());
    node.array.offset = before;
    Keys all;
    for (int64_t i = 0; i < before; ++i) {
      all.push_back(Mix(options_.seed, Mix(kBefore, static_cast<uint64_t>(i))));
    }
    all.insert(all.end(), keys.begin(), keys.end());
    const Form form = FormOf(spec.format);
    if (HasValidity(form.kind)) PutValidity(spec, all, &node);
    if (form.kind == Kind::kNull) node.array.null_count = node.array.length;
    SpoilUnread(spec, form, before, &all);
    PutValues(spec, form, all, &node);
    return node;
  }

  // A column of the batch, with the values of the table.
  void FillGiven(const Spec& spec, const std::vector<SampleTable::Text>& texts,
                 const Keys& keys, WatchedNode* node) {
    given_ = &texts;
    given_nulls_.clear();
    given_texts_.clear();
    for (int64_t i = -options_.before; i < options_.rows; ++i) {
      const int64_t row = std::max<int64_t>(options_.first_row + i, 0);
      const auto n = static_cast<int64_t>(texts.size());
      const SampleTable::Text& text = texts[static_cast<size_t>(row % n)];
      given_nulls_.push_back(!text.has_value());
      given_texts_.push_back(text.has_value() ? &*text : AnyText(texts));
    }
    // A column of nulls has no values to give.
    if (given_texts_.empty() || given_texts_[0] == nullptr) given_ = nullptr;
    AddChild(spec, keys, node);
    given_ = nullptr;
  }

 private:
  static const std::string* AnyText(const std::vector<SampleTable::Text>& texts) {
    for (const SampleTable::Text& text : texts) {
      if (text.has_value()) return &*text;
    }
    return nullptr;
  }

  // Rows are counted from the start of the buffers.
  bool IsNull(const Spec& spec, uint64_t key, size_t row) const {
    if (!spec.nullable()) return false;
    // Between all and none, the table decides.
    if (given_ != nullptr && options_.null_share > 0 && options_.null_share < 1) {
      return given_nulls_[row];
    }
    return static_cast<double>(Mix(key, kIsNull) % 1000) < 1000 * options_.null_share;
  }

  void SpoilUnread(const Spec& spec, const Form& form, int64_t before, Keys* keys) const {
    if (options_.garbage == 0 || given_ != nullptr) return;
    for (size_t i = 0; i < keys->size(); ++i) {
      const bool is_null = HasValidity(form.kind) && IsNull(spec, (*keys)[i], i);
      if (is_null || static_cast<int64_t>(i) < before) {
        (*keys)[i] = Mix((*keys)[i], options_.garbage);
      }
    }
  }

  // Of bytes and views.
  std::string BytesAt(const Form& form, const Keys& keys, size_t row) const {
    return given_ != nullptr ? *given_texts_[row]
                             : BytesOf(form.text, Mix(keys[row], kValue));
  }

  void PutValidity(const Spec& spec, const Keys& keys, WatchedNode* node) {
    const auto n = static_cast<int64_t>(keys.size());
    Buffer bits(n / 8 + 1);
    int64_t nulls = 0;
    for (int64_t i = 0; i < n; ++i) {
      if (!IsNull(spec, keys[static_cast<size_t>(i)], static_cast<size_t>(i))) {
        bits.data()[i / 8] = static_cast<uint8_t>(bits.data()[i / 8] | 1u << (i % 8));
      } else if (i >= node->array.offset) {
        ++nulls;
      }
    }
    node->array.null_count = nulls;
    if (nulls == 0) return node->pointers.push_back(nullptr);
    Keep(std::move(bits), node);
  }

  static void Keep(Buffer buffer, WatchedNode* node) {
    node->buffers.push_back(std::move(buffer));
    node->pointers.push_back(node->buffers.back().data());
  }

  WatchedNode& AddChild(const Spec& spec, const Keys& keys, WatchedNode* node) {
    WatchedNode& child = Fill(spec, keys);
    node->children.push_back(&child.array);
    return child;
  }

  void PutValues(const Spec& spec, const Form& form, const Keys& keys,
                 WatchedNode* node) {
    if (!spec.dictionary.empty()) return PutDictionary(spec, form, keys, node);
    switch (form.kind) {
      case Kind::kNull:
        return;
      case Kind::kBool:
        return PutBits(keys, node);
      case Kind::kFixed:
        return PutNumbers(spec, form, keys, node);
      case Kind::kBytes:
        return form.width == 4 ? PutBytes<int32_t>(form, keys, node)
                               : PutBytes<int64_t>(form, keys, node);
      case Kind::kView:
        return PutViews(form, keys, node);
      case Kind::kList:
        return form.width == 4 ? PutLists<int32_t>(spec, keys, node)
                               : PutLists<int64_t>(spec, keys, node);
      case Kind::kListView:
        return form.width == 4 ? PutListViews<int32_t>(spec, keys, node)
                               : PutListViews<int64_t>(spec, keys, node);
      case Kind::kFixedList:
        return PutFixedLists(spec, form, keys, node);
      case Kind::kStruct:
      case Kind::kSparseUnion:
        return PutFields(spec, form, keys, node);
      case Kind::kDenseUnion:
        return PutDense(spec, form, keys, node);
      case Kind::kRunEnd:
        return PutRuns(spec, keys, node);
    }
  }

  void PutBits(const Keys& keys, WatchedNode* node) const {
    Buffer bits(static_cast<int64_t>(keys.size()) / 8 + 1);
    for (size_t i = 0; i < keys.size(); ++i) {
      const uint64_t bit = given_ != nullptr ? (*given_texts_[i] == "true" ? 1 : 0)
                                             : Mix(keys[i], kValue) % 2;
      bits.data()[i / 8] = static_cast<uint8_t>(bits.data()[i / 8] | bit << (i % 8));
    }
    Keep(std::move(bits), node);
  }

  void PutNumbers(const Spec& spec, const Form& form, const Keys& keys,
                  WatchedNode* node) const {
    Buffer values(static_cast<int64_t>(keys.size()) * form.width);
    uint8_t* out = values.data();
    for (size_t i = 0; i < keys.size(); ++i) {
      // A text that does not fit was reported before: see SampleTable::CheckAgainst.
      if (given_ == nullptr ||
          !WriteText(spec.format, *given_texts_[i], form.width, out)) {
        PutFixed(spec.format, form, Mix(keys[i], kValue), out);
      }
      out += form.width;
    }
    Keep(std::move(values), node);
  }

  template <typename Offset>
  void PutBytes(const Form& form, const Keys& keys, WatchedNode* node) const {
    Buffer offsets(static_cast<int64_t>((keys.size() + 1) * sizeof(Offset)));
    std::string all;
    for (size_t i = 0; i < keys.size(); ++i) {
      all += BytesAt(form, keys, i);
      offsets.as<Offset>()[i + 1] = static_cast<Offset>(all.size());
    }
    Keep(std::move(offsets), node);
    KeepBytes(all, node);
  }

  static void KeepBytes(const std::string& bytes, WatchedNode* node) {
    Buffer data(static_cast<int64_t>(bytes.size()));
    std::memcpy(data.data(), bytes.data(), bytes.size());
    Keep(std::move(data), node);
  }

  // Two variadic buffers, taken in turn ("Columnar format", "Variable-size binary view").
  void PutViews(const Form& form, const Keys& keys, WatchedNode* node) const {
    Buffer views(static_cast<int64_t>(keys.size()) * 16);
    std::string data[2];
    for (size_t i = 0; i < keys.size(); ++i) {
      const std::string bytes = BytesAt(form, keys, i);
      int32_t view[4] = {static_cast<int32_t>(bytes.size()), 0, 0, 0};
      if (bytes.size() <= 12) {
        std::memcpy(&view[1], bytes.data(), bytes.size());
      } else {
        std::string& buffer = data[i % 2];
        std::memcpy(&view[1], bytes.data(), 4);
        view[2] = static_cast<int32_t>(i % 2);
        view[3] = static_cast<int32_t>(buffer.size());
        buffer += bytes;
      }
      std::memcpy(views.data() + 16 * i, view, sizeof(view));
    }
    Keep(std::move(views), node);
    KeepBytes(data[0], node);
    KeepBytes(data[1], node);
    Buffer sizes(2 * sizeof(int64_t));
    sizes.as<int64_t>()[0] = static_cast<int64_t>(data[0].size());
    sizes.as<int64_t>()[1] = static_cast<int64_t>(data[1].size());
    Keep(std::move(sizes), node);
  }

  static Keys ItemsOf(uint64_t key, uint64_t n) {
    Keys items;
    for (uint64_t j = 0; j < n; ++j) items.push_back(Mix(key, kItem + j));
    return items;
  }

  template <typename Offset>
  void PutLists(const Spec& spec, const Keys& keys, WatchedNode* node) {
    Buffer offsets(static_cast<int64_t>((keys.size() + 1) * sizeof(Offset)));
    Keys items;
    for (size_t i = 0; i < keys.size(); ++i) {
      const Keys own = ItemsOf(keys[i], Mix(keys[i], kLength) % 4);
      items.insert(items.end(), own.begin(), own.end());
      offsets.as<Offset>()[i + 1] = static_cast<Offset>(items.size());
    }
    Keep(std::move(offsets), node);
    AddChild(spec.children[0], items, node);
  }

  // The lists lie in the child the other way round, which a list could not do.
  template <typename Offset>
  void PutListViews(const Spec& spec, const Keys& keys, WatchedNode* node) {
    const auto bytes = static_cast<int64_t>(keys.size() * sizeof(Offset));
    Buffer offsets(bytes), sizes(bytes);
    Keys items;
    for (size_t i = keys.size(); i-- > 0;) {
      const Keys own = ItemsOf(keys[i], Mix(keys[i], kLength) % 4);
      offsets.as<Offset>()[i] = static_cast<Offset>(items.size());
      sizes.as<Offset>()[i] = static_cast<Offset>(own.size());
      items.insert(items.end(), own.begin(), own.end());
    }
    Keep(std::move(offsets), node);
    Keep(std::move(sizes), node);
    AddChild(spec.children[0], items, node);
  }

  void PutFixedLists(const Spec& spec, const Form& form, const Keys& keys,
                     WatchedNode* node) {
    Keys items;
    for (const uint64_t key : keys) {
      const Keys own = ItemsOf(key, static_cast<uint64_t>(form.width));
      items.insert(items.end(), own.begin(), own.end());
    }
    AddChild(spec.children[0], items, node);
  }

  static size_t ChoiceOf(const Form& form, uint64_t key) {
    return Mix(key, kChoice) % form.type_ids.size();
  }

  void PutFields(const Spec& spec, const Form& form, const Keys& keys,
                 WatchedNode* node) {
    if (form.kind == Kind::kSparseUnion) {
      Buffer ids(static_cast<int64_t>(keys.size()));
      for (size_t i = 0; i < keys.size(); ++i) {
        ids.as<int8_t>()[i] = form.type_ids[ChoiceOf(form, keys[i])];
      }
      Keep(std::move(ids), node);
    }
    for (size_t c = 0; c < spec.children.size(); ++c) {
      Keys own;
      for (const uint64_t key : keys) own.push_back(Mix(key, kItem + c));
      const Spec& column = spec.children[c];
      // The first struct is the batch.
      const auto* texts = options_.table != nullptr && &spec == &batch_
                              ? options_.table->Find(column.name)
                              : nullptr;
      if (texts != nullptr && column.children.empty() && column.dictionary.empty()) {
        FillGiven(column, *texts, own, node);
      } else {
        AddChild(column, own, node);
      }
    }
  }

  void PutDense(const Spec& spec, const Form& form, const Keys& keys, WatchedNode* node) {
    Buffer ids(static_cast<int64_t>(keys.size()));
    Buffer offsets(static_cast<int64_t>(keys.size() * sizeof(int32_t)));
    std::vector<Keys> own(spec.children.size());
    for (size_t i = 0; i < keys.size(); ++i) {
      const size_t choice = ChoiceOf(form, keys[i]);
      ids.as<int8_t>()[i] = form.type_ids[choice];
      offsets.as<int32_t>()[i] = static_cast<int32_t>(own[choice].size());
      own[choice].push_back(Mix(keys[i], kItem));
    }
    Keep(std::move(ids), node);
    Keep(std::move(offsets), node);
    for (size_t c = 0; c < own.size(); ++c) AddChild(spec.children[c], own[c], node);
  }

  // A few values that come again, so that there are runs.
  void PutRuns(const Spec& spec, const Keys& keys, WatchedNode* node) {
    Keys values;
    std::vector<int64_t> ends;
    for (size_t i = 0; i < keys.size(); ++i) {
      const uint64_t value = Mix(options_.seed, Mix(keys[i], kChoice) % 3);
      if (values.empty() || values.back() != value) {
        values.push_back(value);
        ends.push_back(0);
      }
      ends.back() = static_cast<int64_t>(i) + 1;
    }
    PutRunEnds(spec.children[0], ends, node);
    AddChild(spec.children[1], values, node);
  }

  void PutRunEnds(const Spec& spec, const std::vector<int64_t>& ends, WatchedNode* node) {
    WatchedNode& child = tree_.Add();
    node->children.push_back(&child.array);
    child.array.length = static_cast<int64_t>(ends.size());
    child.pointers.push_back(nullptr);
    const int64_t width = FormOf(spec.format).width;
    Buffer values(child.array.length * width);
    for (size_t i = 0; i < ends.size(); ++i) {
      std::memcpy(values.data() + i * static_cast<size_t>(width), &ends[i],
                  static_cast<size_t>(width));
    }
    Keep(std::move(values), &child);
  }

  void PutDictionary(const Spec& spec, const Form& form, const Keys& keys,
                     WatchedNode* node) {
    constexpr uint64_t kEntries = 5;
    Buffer indices(static_cast<int64_t>(keys.size()) * form.width);
    for (size_t i = 0; i < keys.size(); ++i) {
      indices.data()[i * static_cast<size_t>(form.width)] =
          static_cast<uint8_t>(Mix(keys[i], kChoice) % kEntries);
    }
    Keep(std::move(indices), node);
    node->dictionary = &Fill(spec.dictionary[0], ItemsOf(options_.seed, kEntries)).array;
  }

  const Spec& batch_;
  const SampleOptions options_;
  WatchedTree& tree_;
  // The column that is filled from the table, if one is; its rows, hidden ones included.
  const std::vector<SampleTable::Text>* given_ = nullptr;
  std::vector<bool> given_nulls_;
  std::vector<const std::string*> given_texts_;
};

}  // namespace

void FillBatch(const Spec& batch, const SampleOptions& options, WatchedTree* tree) {
  Keys keys;
  for (int64_t i = 0; i < options.rows; ++i) {
    const auto row = static_cast<uint64_t>(options.first_row + i);
    keys.push_back(Mix(options.seed, Mix(kRow, row)));
  }
  // A batch has neither an offset nor nulls of its own; its columns have.
  Filler(batch, options, tree).FillBehind(batch, keys, 0);
  tree->Finish();
}

}  // namespace alloy::testing
