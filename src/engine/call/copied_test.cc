// SPDX-License-Identifier: MIT
//
// Backends that copy a struct of an input instead of moving it. Whatever they copy and
// however the run ends, each struct is released once.
#include "gate/copied.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <string>

#include "engine/test_backend.h"

namespace alloy::core {
namespace {

// A batch of int64 columns as most exporters make it: each struct has an owner of its own,
// and a release that does not look at the struct's fields. Releases are counted, and harmless.
class Exported {
 public:
  enum Owner { kOwn, kShared, kNone };

  Exported(int columns, Owner owner) : nodes_(static_cast<size_t>(columns) + 1) {
    for (Node& node : nodes_) {
      node.array = {.length = 3,
                    .null_count = 0,
                    .offset = 0,
                    .n_buffers = 2,
                    .n_children = 0,
                    .buffers = node.buffers,
                    .children = nullptr,
                    .dictionary = nullptr,
                    .release = owner == kOwn ? &Release : &Forget,
                    .private_data = owner == kOwn      ? static_cast<void*>(&node)
                                    : owner == kShared ? static_cast<void*>(this)
                                                       : nullptr};
      node.buffers[1] = values_;
      node.all = &nodes_;
    }
    for (size_t i = 1; i < nodes_.size(); ++i) children_.push_back(&nodes_[i].array);
    ArrowArray& root = nodes_[0].array;
    root.n_buffers = 1;
    root.n_children = columns;
    root.children = children_.data();
  }
  Exported(const Exported&) = delete;
  Exported& operator=(const Exported&) = delete;
  ~Exported() {
    for (const Node& node : nodes_) EXPECT_LE(node.releases, 1);
  }

  ArrowArray Move() {
    ArrowArray moved = nodes_[0].array;
    nodes_[0].array.release = nullptr;
    return moved;
  }
  int releases(int node) const { return nodes_[static_cast<size_t>(node)].releases; }

 private:
  struct Node {
    ArrowArray array;
    const void* buffers[2] = {nullptr, nullptr};
    std::deque<Node>* all = nullptr;
    int releases = 0;
  };
  static void Release(ArrowArray* array) {
    auto* node = static_cast<Node*>(array->private_data);
    array->release = nullptr;
    ++node->releases;
    if (node != &node->all->front()) return;
    for (Node& other : *node->all) {
      if (&other != node && other.array.release != nullptr)
        other.array.release(&other.array);
    }
  }
  static void Forget(ArrowArray* array) { array->release = nullptr; }

  std::deque<Node> nodes_;
  std::vector<ArrowArray*> children_;
  int64_t values_[3] = {1, 2, 3};
};

class CopiedTest : public EngineTest {
 protected:
  using Body = std::function<alloy_code(alloy_scope*, ArrowArray*, ArrowArray*)>;

  Status Run(Exported::Owner owner, const Body& body, int n_inputs = 1) {
    served_.reset();
    lambdas_.bind = [](alloy_scope*, const ArrowSchema* inputs, int32_t,
                       const char* const*, ArrowSchema* output) {
      (*CopySchema(inputs[0])).MoveTo(output);
      return ALLOY_OK;
    };
    lambdas_.run = [&](alloy_scope* scope, ArrowArray* inputs, int32_t,
                       ArrowArray* output) { return body(scope, inputs, output); };
    auto call = Make(std::vector<Names>(static_cast<size_t>(n_inputs), {"a", "b"}));
    std::deque<Exported> exported;
    std::vector<ArrowArray> inputs;
    for (int i = 0; i < n_inputs; ++i) {
      inputs.push_back(exported.emplace_back(2, owner).Move());
    }
    ArrowArray output;
    const Status status = call->Run(inputs.data(), &output, 0, 0);
    EXPECT_EQ(output.release != nullptr, status.ok());
    if (output.release != nullptr) output.release(&output);
    if (owner == Exported::kOwn) {
      released_.clear();
      for (const Exported& one : exported) released_.push_back(one.releases(0));
    }
    return status;
  }

  static void ExpectCopied(const Status& status, const char* text = "") {
    EXPECT_EQ(status.code(), ALLOY_BAD_DATA);
    EXPECT_EQ(status.reason(), ALLOY_REASON_COPIED);
    if (status.ok()) return;
    EXPECT_EQ(status.fault().side, ALLOY_SIDE_BACKEND);
    EXPECT_NE(status.fault().text.find(text), std::string::npos) << status.fault().text;
    EXPECT_NE(status.fault().text.find("of test.lambdas"), std::string::npos);
  }

  std::vector<int> released_;  // how often the root of each input was, with kOwn
};

constexpr Exported::Owner kOwners[] = {Exported::kOwn, Exported::kShared,
                                       Exported::kNone};

TEST_F(CopiedTest, ACopyIsFoundWhateverItChanges) {
  const std::pair<const char*, std::function<void(ArrowArray*)>> changes[] = {
      {"nothing", [](ArrowArray*) {}},
      {"a slice",
       [](ArrowArray* array) {
         array->offset = 1;
         array->length = 2;
       }},
      {"the null count", [](ArrowArray* array) { array->null_count = -1; }},
      {"no rows", [](ArrowArray* array) { array->length = 0; }},
      {"fewer children", [](ArrowArray* array) { array->n_children = 1; }},
      {"other children",
       [](ArrowArray* array) {
         static ArrowArray* none[2] = {nullptr, nullptr};
         array->children = none;
       }},
      {"other buffers",
       [](ArrowArray* array) {
         static const void* none[1] = {nullptr};
         array->buffers = none;
       }},
  };
  for (const auto owner : kOwners) {
    for (const auto& [name, change] : changes) {
      SCOPED_TRACE(std::to_string(owner) + " " + name);
      ExpectCopied(Run(owner, [&](alloy_scope*, ArrowArray* inputs, ArrowArray* output) {
        *output = inputs[0];
        change(output);
        return ALLOY_OK;
      }));
      if (owner == Exported::kOwn) {
        EXPECT_EQ(released_, std::vector<int>{1});
      }
    }
  }
}

TEST_F(CopiedTest, ARunThatFailsAfterTheCopyIsReleasedOnceAndKeepsItsText) {
  for (const auto owner : kOwners) {
    ExpectCopied(Run(owner,
                     [](alloy_scope* scope, ArrowArray* inputs, ArrowArray* output) {
                       *output = inputs[0];
                       return scope->services->fail(scope, ALLOY_RETRY, "then it broke",
                                                    -1);
                     }),
                 "then it broke");
    if (owner == Exported::kOwn) {
      EXPECT_EQ(released_, std::vector<int>{1});
    }
  }
  // An exception is a failure too.
  ExpectCopied(
      Run(Exported::kOwn,
          [](alloy_scope*, ArrowArray* inputs, ArrowArray* output) -> alloy_code {
            *output = inputs[0];
            throw std::runtime_error("boom");
          }),
      "boom");
  EXPECT_EQ(released_, std::vector<int>{1});
}

// A root of the backend's own, over columns that are copies.
struct OwnRoot {
  ArrowArray columns[2] = {};
  ArrowArray* children[2] = {&columns[0], &columns[1]};
  const void* buffers[1] = {nullptr};
  int releases = 0;

  void Give(ArrowArray* output) {
    *output = {.length = 3,
               .null_count = 0,
               .offset = 0,
               .n_buffers = 1,
               .n_children = 2,
               .buffers = buffers,
               .children = children,
               .dictionary = nullptr,
               .release = &Release,
               .private_data = this};
  }
  static void Release(ArrowArray* array) {
    auto* self = static_cast<OwnRoot*>(array->private_data);
    ++self->releases;
    for (ArrowArray* child : self->children) {
      if (child->release != nullptr) child->release(child);
    }
    array->release = nullptr;
  }
};

TEST_F(CopiedTest, ACopiedColumnIsFoundBelowARootOfTheBackend) {
  for (const auto owner : kOwners) {
    for (const bool fails : {false, true}) {
      OwnRoot root;
      ExpectCopied(Run(owner, [&](alloy_scope*, ArrowArray* inputs, ArrowArray* output) {
        root.Give(output);
        root.columns[0] = *inputs[0].children[0];
        inputs[0].children[0]->release = nullptr;  // moved, as it should be
        root.columns[1] = *inputs[0].children[1];  // copied
        root.columns[1].length = 2;
        return fails ? ALLOY_FAILED : ALLOY_OK;
      }));
      EXPECT_EQ(root.releases, 1) << "what is the backend's own is released";
      if (owner == Exported::kOwn) {
        EXPECT_EQ(released_, std::vector<int>{1});
      }
    }
  }
}

TEST_F(CopiedTest, AResultThatPointsToColumnsOfAnInputIsFound) {
  OwnRoot root;
  ExpectCopied(
      Run(Exported::kOwn, [&](alloy_scope*, ArrowArray* inputs, ArrowArray* output) {
        root.Give(output);
        root.children[0] = inputs[0].children[0];
        root.children[1] = inputs[0].children[1];
        return ALLOY_OK;
      }));
  EXPECT_EQ(released_, std::vector<int>{1});
}

TEST_F(CopiedTest, AnInputThatIsOverwrittenByACopyOfAnotherIsFound) {
  for (const auto owner : {Exported::kOwn, Exported::kShared}) {
    ExpectCopied(Run(
                     owner,
                     [](alloy_scope*, ArrowArray* inputs, ArrowArray* output) {
                       inputs[1] = inputs[0];
                       *output = Int64Batch({{1}, {2}}, nullptr);
                       return ALLOY_OK;
                     },
                     2),
                 "overwrote input 1");
    if (owner == Exported::kOwn) {
      EXPECT_EQ(released_[0], 1);
    }
  }
}

TEST_F(CopiedTest, WhatWasMovedIsAllowed) {
  for (const auto owner : kOwners) {
    SCOPED_TRACE(owner);
    // All of an input, next to another of the same producer.
    EXPECT_TRUE(Run(
                    owner,
                    [](alloy_scope*, ArrowArray* inputs, ArrowArray* output) {
                      OwnedArray(&inputs[1]).MoveTo(output);
                      return ALLOY_OK;
                    },
                    2)
                    .ok());
    // The inputs change places.
    EXPECT_TRUE(Run(
                    owner,
                    [](alloy_scope*, ArrowArray* inputs, ArrowArray* output) {
                      std::swap(inputs[0], inputs[1]);
                      *output = Int64Batch({{1}, {2}}, nullptr);
                      return ALLOY_OK;
                    },
                    2)
                    .ok());
    // Columns, of which the moved struct is cleared as a whole, or only its release.
    for (const bool clears : {false, true}) {
      OwnRoot root;
      EXPECT_TRUE(Run(owner, [&](alloy_scope*, ArrowArray* inputs, ArrowArray* output) {
                    root.Give(output);
                    for (size_t i = 0; i < 2; ++i) {
                      ArrowArray* column = inputs[0].children[i];
                      root.columns[i] = *column;
                      if (clears) *column = ArrowArray{};
                      column->release = nullptr;
                    }
                    return ALLOY_OK;
                  }).ok());
    }
    // A root over columns of an input that it owns.
    EXPECT_TRUE(Run(owner, [](alloy_scope*, ArrowArray* inputs, ArrowArray* output) {
                  OwnedArray(&inputs[0]).MoveTo(output);
                  output->length = 2;
                  return ALLOY_OK;
                }).ok());
  }
}

TEST_F(CopiedTest, TwoExportsOfOneObjectMayPass) {
  // Both inputs have the same owner, the same parts and one count.
  Exported shared(2, Exported::kShared);
  const ArrowArray first = shared.Move();
  served_.reset();
  lambdas_.bind = [](alloy_scope*, const ArrowSchema* inputs, int32_t, const char* const*,
                     ArrowSchema* output) {
    (*CopySchema(inputs[0])).MoveTo(output);
    return ALLOY_OK;
  };
  for (const bool moves : {false, true}) {
    lambdas_.run = [&](alloy_scope*, ArrowArray* inputs, int32_t, ArrowArray* output) {
      if (moves) {
        OwnedArray(&inputs[0]).MoveTo(output);
      } else {
        *output = Int64Batch({{1}, {2}}, nullptr);
      }
      return ALLOY_OK;
    };
    auto call = Make({{"a", "b"}, {"a", "b"}});
    ArrowArray inputs[] = {first, first}, output;
    const Status status = call->Run(inputs, &output, 0, 0);
    EXPECT_TRUE(status.ok()) << status.fault().text;
    if (status.ok()) output.release(&output);
  }
}

TEST_F(CopiedTest, ASchemaThatBindCopiesIsFoundAndReleasedOnce) {
  const std::pair<const char*,
                  std::function<alloy_code(const ArrowSchema*, ArrowSchema*)>>
      binds[] = {
          {"the root",
           [](const ArrowSchema* inputs, ArrowSchema* output) {
             *output = inputs[0];
             return ALLOY_OK;
           }},
          {"the root, then an error",
           [](const ArrowSchema* inputs, ArrowSchema* output) {
             *output = inputs[0];
             return ALLOY_NO_MATCH;
           }},
          {"fewer columns",
           [](const ArrowSchema* inputs, ArrowSchema* output) {
             *output = inputs[0];
             output->n_children = 1;
             return ALLOY_OK;
           }},
          {"the columns",
           [](const ArrowSchema* inputs, ArrowSchema* output) {
             *output = inputs[0];
             output->release = [](ArrowSchema* schema) {
               for (int64_t i = 0; i < schema->n_children; ++i) {
                 schema->children[i]->release(schema->children[i]);
               }
               schema->release = nullptr;
             };
             output->private_data = nullptr;
             return ALLOY_OK;
           }},
  };
  for (const auto& [name, bind] : binds) {
    SCOPED_TRACE(name);
    served_.reset();
    lambdas_.bind = [&](alloy_scope*, const ArrowSchema* inputs, int32_t,
                        const char* const*,
                        ArrowSchema* output) { return bind(inputs, output); };
    const int unbinds = lambdas_.unbinds;
    const int binds_before = lambdas_.binds;
    const auto selected = Select({{"a", "b"}});
    ASSERT_FALSE(selected.ok());
    ExpectCopied(selected.status(), "schema of input 0");
    EXPECT_EQ(lambdas_.binds, binds_before + 1);
    EXPECT_LE(lambdas_.unbinds, unbinds + 1);
  }
}

}  // namespace
}  // namespace alloy::core
