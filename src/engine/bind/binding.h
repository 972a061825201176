// SPDX-License-Identifier: MIT
//
// The result of a bind, and the cache that keeps it, so that the same bind is not parsed
// twice.
#ifndef ALLOY_SRC_ENGINE_BIND_BINDING_H_
#define ALLOY_SRC_ENGINE_BIND_BINDING_H_

#include <array>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "arrow/layout.h"
#include "arrow/owned.h"
#include "arrow/project.h"
#include "engine/channel/channel.h"
#include "port/fork_guarded.h"

namespace alloy::core {

// A function, bound to schemas and options. Only its pool of idle states changes.
//
// Threads  shared. Fixed in place, since calls share it.
class Binding {
 public:
  struct Input {
    OwnedSchema schema;     // of the batch that the host passes
    Layout layout;          // the same, for the gate
    Projection projection;  // from that batch to the columns that the function reads
  };

  // Borrows mark, as long as this lives.
  Binding(std::shared_ptr<Channel> channel, const alloy_function& function,
          ProcessMark& mark)
      : channel_(std::move(channel)), function_(function), idle_(mark) {}
  ~Binding();
  Binding(const Binding&) = delete;
  Binding& operator=(const Binding&) = delete;

  // Bind for the first time: read the schemas, pick the columns, ask the backend. Returns
  // the backend's state.
  Result<void*> BindFirst(const LogContext& log_context, const ArrowSchema* inputs,
                          int32_t n_inputs, std::vector<std::string> values);

  // A state that nobody else uses: an idle one, or a new one.
  Result<void*> TakeState(const LogContext& log_context);
  // Put the state back into the pool, or give it to the backend when the pool is full.
  void ReturnState(void* state);

  Channel& channel() const { return *channel_; }
  const alloy_function& function() const { return function_; }
  const std::vector<Input>& inputs() const { return inputs_; }
  // The schema of what the function reads of an input.
  const ArrowSchema& read_schema(size_t input) const { return schemas_[input]; }
  const ArrowSchema& output() const { return *output_; }
  const Layout& output_layout() const { return *output_layout_; }
  bool is_from_chunks() const;
  bool is_stream() const { return (function_.flags & ALLOY_STREAM) != 0; }

 private:
  struct BackendBinding {
    OwnedSchema output;
    void* state = nullptr;
  };
  Result<BackendBinding> BindBackend(const LogContext& log_context);
  std::string FunctionName() const;
  void Unbind(void* state);

  const std::shared_ptr<Channel> channel_;
  const alloy_function& function_;
  const LogContext* log_context_ = nullptr;  // for warnings; NULL: not bound yet
  std::vector<Input> inputs_;
  // What the function reads, as the array that `bind` takes: plain copies of the structs
  // in owned_.
  std::vector<ArrowSchema> schemas_;
  std::vector<OwnedSchema> owned_;
  std::vector<std::string> values_;
  OwnedSchema output_;
  std::unique_ptr<Layout> output_layout_;
  std::string output_key_;

  // States that nobody uses. In a place of its own size, so that to return one cannot fail.
  struct Idle {
    std::array<void*, 16> states{};
    size_t n = 0;
  };
  ForkGuarded<Idle> idle_;
};

// A binding, and a state of it for one user. The state goes back when this ends.
class Lease {
 public:
  Lease(std::shared_ptr<Binding> binding, void* state)
      : binding_(std::move(binding)), state_(state) {}
  Lease(Lease&& other) noexcept = default;
  Lease& operator=(Lease&& other) = delete;
  ~Lease() {
    if (binding_ != nullptr) binding_->ReturnState(state_);
  }

  const std::shared_ptr<Binding>& binding() const { return binding_; }
  void* state() const { return state_; }

  // Leave the state as it is: its user has not come back.
  void Abandon() { binding_.reset(); }

 private:
  std::shared_ptr<Binding> binding_;  // NULL: moved from, or abandoned
  void* state_;
};

// A bounded cache of bindings; the least recently used one leaves first. Calls keep the
// bindings that they use.
//
// Threads  shared.
class BindingCache {
 public:
  // Borrows mark, as long as this lives.
  explicit BindingCache(ProcessMark& mark) : kept_(mark) {}

  std::shared_ptr<Binding> Find(const std::string& key);
  void Insert(const std::string& key, std::shared_ptr<Binding> binding);

  ProcessMark& mark() const { return kept_.mark(); }

 private:
  using Entry = std::pair<std::string, std::shared_ptr<Binding>>;
  using Entries = std::list<Entry>;

  struct Kept {
    Entries entries;  // the most recently used one first
    std::unordered_map<std::string_view, Entries::iterator> index;  // views into entries
  };
  ForkGuarded<Kept> kept_;
};

// The error of a backend that returned `code`. Codes that only the engine may use become
// FAILED.
Status BackendFault(const BackendTable& table, const alloy_function& function,
                    alloy_code code, std::string text);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_BIND_BINDING_H_
