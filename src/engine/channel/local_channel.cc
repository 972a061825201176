// SPDX-License-Identifier: MIT
#include "engine/channel/local_channel.h"

#include <string>
#include <utility>

#include "base/guard.h"

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
    return Enter(scope, [&] {
      return function.bind(function.self, &scope, inputs, n_inputs, values, output,
                           state);
    });
  }

  alloy_code Run(const alloy_function& function, void* state, Scope& scope,
                 ArrowArray* inputs, int32_t n_inputs, ArrowArray* output) override {
    return Enter(scope,
                 [&] { return function.run(state, &scope, inputs, n_inputs, output); });
  }

  alloy_code Open(const alloy_function& function, void* state, Scope& scope,
                  ArrowArrayStream* inputs, int32_t n_inputs,
                  ArrowArrayStream* output) override {
    return Enter(scope,
                 [&] { return function.open(state, &scope, inputs, n_inputs, output); });
  }

  void Unbind(const alloy_function& function, void* state) override {
    if (function.unbind == nullptr) return;
    std::string ignored;  // unbind cannot fail, so an exception has no reader
    EnterForeign(&ignored, [&] { function.unbind(state); });
  }

  // The backend polls the control itself, through its scope.
  void Interrupt(RunControl&) noexcept override {}

 private:
  // An exception out of the backend is its failure.
  template <typename Body>
  static alloy_code Enter(Scope& scope, Body&& body) {
    alloy_code code = ALLOY_INTERNAL;
    std::string text;
    if (EnterForeign(&text, [&] { code = body(); })) return code;
    scope.SetError(ALLOY_FAILED, std::move(text));
    return ALLOY_FAILED;
  }

  const std::shared_ptr<const BackendTable> table_;
};

class LocalOpener final : public ChannelOpener {
 public:
  explicit LocalOpener(LoadFrom from) : from_(from) {}

  Result<std::shared_ptr<Channel>> Open(Cleared library) override {
    const std::string path = library.path() + ": ";
    Scope scope(nullptr);
    auto table = LoadBackend(std::move(library), from_, &Services(), &scope);
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
  const LoadFrom from_;
};

}  // namespace

std::shared_ptr<Channel> MakeLocalChannel(std::shared_ptr<const BackendTable> table) {
  return std::make_shared<LocalChannel>(std::move(table));
}

std::unique_ptr<ChannelOpener> MakeLocalOpener(LoadFrom from) {
  return std::make_unique<LocalOpener>(from);
}

}  // namespace alloy::core
