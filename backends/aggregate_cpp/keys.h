// SPDX-License-Identifier: MIT
//
// The columns by which rows are told apart.
//
// The keys of a row become words that lie in a row: of each column its value, or the
// number of its text, and for several columns a bit each that says whether there is a
// value. So rows of any types are told apart by a comparison of words. Dictionaries count
// by their values, whatever their indices; of floats there is one zero and one NaN.
//
// Threads  Keys: constant. Groups: serial.
#ifndef AGGREGATE_CPP_KEYS_H_
#define AGGREGATE_CPP_KEYS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "alloy/backend.hpp"
#include "key_table.h"
#include "texts.h"
#include "types.h"

namespace aggregate {

struct Key {
  int64_t index = 0;  // of the column
  Type type;          // of its values
  size_t at = 0;      // where in the bytes of a packed key
};

class Keys {
 public:
  // Keys of the columns `names` of a batch. Throws Failure when one is missing, or of a
  // type that is no key.
  Keys(const ArrowSchema& batch, const std::vector<std::string_view>& names);

  bool empty() const { return keys_.empty(); }
  size_t size() const { return keys_.size(); }
  const Key& operator[](size_t i) const { return keys_[i]; }
  // The columns that come out: of dictionaries the values.
  std::vector<alloy::Field> Fields(const ArrowSchema& batch) const;
  // How many words a packed key has.
  size_t words() const {
    return (bits_at_ + (size() > 1 ? (size() + 7) / 8 : 0) + 7) / 8;
  }
  // Where the bits are that say which values there are.
  size_t bits_at() const { return bits_at_; }

 private:
  std::vector<Key> keys_;
  size_t bits_at_ = 0;
};

// The different keys of a stream, numbered as they come.
class Groups {
 public:
  // Without keys there is one group from the start.
  explicit Groups(const Keys& keys);

  size_t size() const;
  // The number of each row of a batch, in `numbers`.
  void Number(const ArrowSchema& schema, const ArrowArray& batch,
              std::vector<uint32_t>* numbers);
  // The keys of all groups, as columns.
  std::vector<alloy::AnyOutput> Columns(alloy::detail::Resize resize) const;

 private:
  bool IsOneText() const { return keys_->size() == 1 && texts_[0] != nullptr; }
  void Pack(const ArrowSchema& schema, const ArrowArray& batch);
  void PackOne(const Key& key, size_t i, const ArrowSchema& schema,
               const ArrowArray& batch);
  alloy::AnyOutput Column(size_t i, alloy::detail::Resize resize) const;

  const Keys* keys_;
  std::vector<std::unique_ptr<Texts>> texts_;  // for each key that is text
  KeyTable table_;
  std::vector<uint64_t> packed_;  // the keys of a batch
  std::vector<uint8_t> has_value_;
  std::vector<uint32_t> codes_;
};

}  // namespace aggregate

#endif  // AGGREGATE_CPP_KEYS_H_
