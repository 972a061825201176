// SPDX-License-Identifier: MIT
#include "engine/channel/local_channel.h"

#include <string>
#include <utility>

#include "base/guard.h"
#include "engine/channel/log.h"

namespace alloy::core {
namespace {

class LocalChannel final : public Channel {
 public:
  explicit LocalChannel(std::shared_ptr<const BackendTable> table)
      : table_(std::move(table)) {}

  const std::shared_ptr<const BackendTable>& table() const override { return table_; }

  alloy_code Bind(const alloy_function& function, Scope& scope, const ArrowSchema* inputs,
                  int32_t n_inputs, const char* const* values, ArrowSchema* output,
                  void** state) override {
    return Enter(function, "bind", scope, [&] {
      return function.bind(function.self, &scope, inputs, n_inputs, values, output,
                           state);
    });
  }

  alloy_code Run(const alloy_function& function, void* state, Scope& scope,
                 ArrowArray* inputs, int32_t n_inputs, ArrowArray* output) override {
    return Enter(function, "run", scope,
                 [&] { return function.run(state, &scope, inputs, n_inputs, output); });
  }

  alloy_code Open(const alloy_function& function, void* state, Scope& scope,
                  ArrowArrayStream* inputs, int32_t n_inputs,
                  ArrowArrayStream* output) override {
    return Enter(function, "open", scope,
                 [&] { return function.open(state, &scope, inputs, n_inputs, output); });
  }

  std::string Unbind(const alloy_function& function, void* state) override {
    std::string thrown;
    if (function.unbind == nullptr) return thrown;
    EnterForeign(&thrown, [&] { function.unbind(state); });
    return thrown;
  }

  // The backend polls the control itself, through its scope.
  void Interrupt(RunControl&) noexcept override {}

 private:
  // An exception out of the backend is its failure.
  template <typename Body>
  alloy_code Enter(const alloy_function& function, const char* entry, Scope& scope,
                   Body&& body) const {
    alloy_code code = ALLOY_INTERNAL;
    std::string text;
    try {
      if (EnterForeign(&text, [&] { code = body(); })) return code;
    } catch (abi::__forced_unwind&) {
      if (scope.log_context() != nullptr) {
        Warn(*scope.log_context(),
             std::string("the thread was ended inside ") + entry + " of " +
                 function.name + " of " + table_->backend().name +
                 ", by pthread_exit or pthread_cancel; the call has no result");
      }
      throw;
    }
    scope.SetError(ALLOY_FAILED, std::move(text));
    return ALLOY_FAILED;
  }

  const std::shared_ptr<const BackendTable> table_;
};

class LocalOpener final : public ChannelOpener {
 public:
  explicit LocalOpener(LoadFrom from) : loader_(from) {}

  Status CheckUsable() const override { return loader_.CheckUsable(); }

  Result<std::shared_ptr<Channel>> Open(Cleared library, LoadedCode* code) override {
    const std::string path = library.path() + ": ";
    if (code->init == nullptr) {
      auto mapped = loader_.Map(std::move(library));
      if (!mapped.ok()) return mapped.status().WithPrefix(path);
      *code = *mapped;
    }
    Scope scope(nullptr);
    auto table = InitialiseBackend(*code, &Services(), &scope);
    if (table.ok()) return MakeLocalChannel(*std::move(table));
    const Status status = table.status();
    // A backend that returned no table explains why with the service `fail`.
    const std::string reported = scope.TakeErrorText();
    if (status.reason() == ALLOY_REASON_INIT && !reported.empty()) {
      return Fail(ALLOY_REFUSED, ALLOY_REASON_INIT,
                  path + "alloy_backend_init failed: " + reported);
    }
    return status.WithPrefix(path);
  }

 private:
  Loader loader_;
};

}  // namespace

std::shared_ptr<Channel> MakeLocalChannel(std::shared_ptr<const BackendTable> table) {
  return std::make_shared<LocalChannel>(std::move(table));
}

std::unique_ptr<ChannelOpener> MakeLocalOpener(LoadFrom from) {
  return std::make_unique<LocalOpener>(from);
}

}  // namespace alloy::core
