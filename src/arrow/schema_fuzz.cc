// SPDX-License-Identifier: MIT
//
// Parses, copies, names and compares schemas of any format strings, names and nesting. No
// read may leave the schema, and a copy must equal its original.
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <string>
#include <vector>

#include "arrow/fuzz_bytes.h"
#include "arrow/layout.h"
#include "arrow/match_columns.h"
#include "arrow/schema.h"
#include "arrow/type_name.h"

namespace alloy::core {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

// A schema whose strings are allocations of exactly their size.
class Tree {
 public:
  explicit Tree(fuzz::Bytes* bytes) : bytes_(*bytes) { Make(0); }
  const ArrowSchema& schema() const { return nodes_.front().schema; }

 private:
  struct Node {
    ArrowSchema schema{};
    std::vector<ArrowSchema*> children;
    std::vector<char> format, name;
  };

  ArrowSchema* Make(int depth) {
    static const char* const kKnown[] = {
        "+s",    "+l",  "+L",   "+vl",  "+w:3", "+us:0,1", "+ud:5", "+r", "+m",
        "d:9,2", "w:4", "tsu:", "tdD",  "tin",  "i",       "l",     "s",  "u",
        "vu",    "n",   "c",    "+us:", "+us",  "d:39,1",  "w:-1",  ""};
    Node& node = nodes_.emplace_back();
    const size_t known = bytes_.Below(32);
    node.format = Exactly(known < std::size(kKnown) ? kKnown[known]
                                                    : bytes_.Text(bytes_.Below(24)));
    node.name = Exactly(bytes_.Text(bytes_.Below(6)));
    const uint8_t odd = bytes_.Byte();
    node.schema.format = odd == 255 ? nullptr : node.format.data();
    node.schema.name = odd == 254 ? nullptr : node.name.data();
    node.schema.flags = odd % 8;
    node.schema.release = [](ArrowSchema* schema) { schema->release = nullptr; };
    if (odd == 253) node.schema.release = nullptr;
    const size_t children = depth < 70 && nodes_.size() < 200 ? bytes_.Below(4) : 0;
    for (size_t i = 0; i < children; ++i) node.children.push_back(Make(depth + 1));
    node.schema.n_children = static_cast<int64_t>(children);
    node.schema.children = node.children.data();
    if (odd == 252 && children > 0) node.children[0] = nullptr;
    if (odd == 251)
      node.schema.n_children = bytes_.Number<int64_t>() | (int64_t{1} << 40);
    if (odd > 230 && odd < 245) node.schema.dictionary = Make(depth + 1);
    return &node.schema;
  }

  static std::vector<char> Exactly(const std::string& text) {
    std::vector<char> bytes(text.c_str(), text.c_str() + text.size() + 1);
    bytes.shrink_to_fit();
    return bytes;
  }

  fuzz::Bytes& bytes_;
  std::deque<Node> nodes_;
};

}  // namespace
}  // namespace alloy::core

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace alloy::core;  // NOLINT(google-build-using-namespace)
  fuzz::Bytes bytes({data, size});
  const Tree tree(&bytes);
  const auto layout = Layout::Of(tree.schema());
  Require(!TypeName(tree.schema()).empty());
  std::string key;
  const bool walks = AppendFingerprint(tree.schema(), &key).ok();
  // A schema with a layout can always be walked.
  Require(walks || !layout.ok());
  const alloy_column wanted[] = {{"a", nullptr, "i u +l*"}, {}};
  (void)MatchColumns(wanted, tree.schema());
  auto copy = CopySchema(tree.schema());
  Require(copy.ok() == walks);
  if (!copy.ok()) return 0;
  std::string key_of_copy;
  Require(AppendFingerprint(**copy, &key_of_copy).ok() && key_of_copy == key);
  const auto layout_of_copy = Layout::Of(**copy);
  Require(layout_of_copy.ok() == layout.ok());
  if (layout.ok()) {
    Require(layout_of_copy->nodes().size() == layout->nodes().size());
    for (size_t i = 1; i < layout->nodes().size(); ++i) {
      Require(!layout->Path(static_cast<int32_t>(i) - 1).empty());
    }
  }
  return 0;
}
