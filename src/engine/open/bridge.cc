// SPDX-License-Identifier: MIT
#include "engine/open/bridge.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "engine/call/select.h"
#include "engine/channel/echo.h"
#include "engine/open/options.h"
#include "port/clock.h"

namespace alloy::core {
namespace {

Status CheckLevel(uint32_t level, const char* field) {
  if (level <= static_cast<uint32_t>(Level::kFull)) return Status();
  return Fail(ALLOY_INVALID, std::string("alloy_bridge_options.") + field + " is " +
                                 std::to_string(level) + "; it is 0 to 3");
}

// 0 means the default.
Level LevelOr(Level default_level, uint32_t level) {
  return level == 0 ? default_level : static_cast<Level>(level);
}
// Of the struct before it had a sidecar.
constexpr size_t kFirstSize = offsetof(alloy_bridge_options, sidecar);

Status CheckBridgeOptions(const alloy_bridge_options& options) {
  if (!IsPlausibleSize(options, kFirstSize)) {
    return Fail(ALLOY_INVALID, "alloy_bridge_options.struct_size is " +
                                   std::to_string(options.struct_size) +
                                   "; set it to sizeof(alloy_bridge_options)");
  }
  if (!TailIsZero(options)) {
    return Fail(ALLOY_UNSUPPORTED,
                "alloy_bridge_options has a field that this engine does not know; the "
                "program is newer than the engine");
  }
  if (options.isolated > 2) {
    return Fail(ALLOY_INVALID, "alloy_bridge_options.isolated is " +
                                   std::to_string(options.isolated) +
                                   "; it is 0, 1 or 2");
  }
  if (options.isolated != 0) {
    return Fail(ALLOY_UNSUPPORTED,
                "alloy_bridge_options.isolated: there is no isolated mode yet");
  }
  ALLOY_TRY(CheckLevel(options.check_inputs, "check_inputs"));
  ALLOY_TRY(CheckLevel(options.check_results, "check_results"));
  return Status();
}

}  // namespace

Result<std::shared_ptr<Bridge>> Bridge::Make(std::shared_ptr<Host> host,
                                             const alloy_bridge_options& options) {
  ALLOY_TRY(CheckBridgeOptions(options));
  std::shared_ptr<Bridge> bridge(new Bridge(std::move(host), Completed(options)));
  ALLOY_ASSIGN_OR_RETURN(auto echo, BackendTable::Make(&EchoBackend()));
  bridge->tables_.push_back(echo);
  bridge->service_ = bridge->Serve(std::move(echo));
  return bridge;
}

Bridge::Bridge(std::shared_ptr<Host> host, const alloy_bridge_options& options)
    : host_(std::move(host)),
      wanted_name_(options.name != nullptr ? options.name : ""),
      check_inputs_(LevelOr(Level::kShape, options.check_inputs)),
      check_results_(LevelOr(Level::kSafe, options.check_results)),
      sidecar_(options.sidecar != nullptr ? options.sidecar : ""),
      min_sequence_(options.min_sequence) {}

std::shared_ptr<Service> Bridge::Serve(std::shared_ptr<const BackendTable> table) const {
  const alloy_backend& backend = table->backend();
  auto service = std::make_shared<Service>();
  service->voice = {.log = &host_->log(),
                    .speaks = host_->SpeaksFor(backend.name),
                    .host_language = host_->language(),
                    .backend_language = backend.language};
  service->channel = MakeLocalChannel(std::move(table));
  return service;
}

Status Bridge::CheckUnsigned(const std::string& library) const {
  if (!host_->allows_unsigned()) return NoCertificate(library);
  if (min_sequence_ != 0) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_UNSIGNED,
                library + ": the bridge wants a signed sequence of at least " +
                    std::to_string(min_sequence_) +
                    " (min_sequence), and no certificate is given; give the one of its "
                    "signer (`arrowalloy cert-base64 FILE` prints it)");
  }
  return Status();
}

Result<std::shared_ptr<const BackendTable>> Bridge::Open(const std::string& library,
                                                         const char* certificate) const {
  if (library.empty()) return Fail(ALLOY_INVALID, "the library is not named");
  Admission admission{.certificate = certificate != nullptr ? certificate : "",
                      .sidecar = sidecar_,
                      .name = wanted_name_,
                      .min_sequence = min_sequence_,
                      .now = UnixSeconds()};
  if (admission.certificate.empty()) ALLOY_TRY(CheckUnsigned(library));
  ALLOY_ASSIGN_OR_RETURN(LoadedLibrary loaded,
                         host_->libraries().Load(library, admission));
  const char* name = loaded.table->backend().name;
  if (!wanted_name_.empty() && wanted_name_ != name) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_NAME,
                library + ": this is the backend " + name + ", and the bridge wants " +
                    wanted_name_);
  }
  if (loaded.verified) {
    for (const std::string& warning : WarningsOf(*loaded.verified, admission.now)) {
      host_->Warn(library + ": " + warning);
    }
  }
  if (host_->loads_plainly()) {
    host_->Warn(library +
                ": loaded by its path, for debuggers (ALLOY_LOAD_PLAINLY); what runs is "
                "what the file holds, verified or not");
  }
  return loaded.table;
}

// The failure that sticks when a load is left by an exception.
class Bridge::Failing {
 public:
  explicit Failing(Bridge& bridge) : bridge_(bridge) {}
  ~Failing() {
    if (dismissed_) return;
    const std::lock_guard lock(bridge_.mutex_);
    if (bridge_.condition_.load(std::memory_order_relaxed) == kClosed) return;
    bridge_.failure_ = bridge_.exhausted_;
    bridge_.condition_.store(kFailed, std::memory_order_release);
  }
  Failing(const Failing&) = delete;
  Failing& operator=(const Failing&) = delete;
  void Dismiss() { dismissed_ = true; }

 private:
  Bridge& bridge_;
  bool dismissed_ = false;
};

void Bridge::KeepTable(const std::shared_ptr<const BackendTable>& table) {
  if (std::ranges::find(tables_, table) == tables_.end()) tables_.push_back(table);
}

Status Bridge::Load(const std::string& library, const char* certificate) {
  if (condition_.load(std::memory_order_acquire) == kClosed) return Trouble();
  Failing failing(*this);
  auto opened = Open(library, certificate);
  std::shared_ptr<Service> service = opened.ok() ? Serve(*opened) : nullptr;
  // What it replaces ends after the lock: its states go back to foreign code.
  const std::lock_guard lock(mutex_);
  if (condition_.load(std::memory_order_relaxed) == kClosed) {
    failing.Dismiss();
    return Fail(ALLOY_CLOSED, "the bridge is closed; open another");
  }
  if (opened.ok()) KeepTable(*opened);
  failing.Dismiss();  // nothing below throws
  if (!opened.ok()) {
    failure_ = opened.status();
    condition_.store(kFailed, std::memory_order_release);
    return failure_;
  }
  service_.swap(service);
  condition_.store(kOpen, std::memory_order_release);
  return Status();
}

void Bridge::Close() {
  std::shared_ptr<Service> gone;
  const std::lock_guard lock(mutex_);
  condition_.store(kClosed, std::memory_order_release);
  gone.swap(service_);
}

Status Bridge::Trouble() const {
  const std::lock_guard lock(mutex_);
  switch (condition_.load(std::memory_order_relaxed)) {
    case kFailed:
      return failure_;
    case kClosed:
      return Fail(ALLOY_CLOSED, "the bridge is closed; open another");
    default:
      return Status();  // mended between the two looks
  }
}

Result<std::shared_ptr<Service>> Bridge::Current() const {
  ALLOY_TRY(Condition());
  const std::lock_guard lock(mutex_);
  if (service_ == nullptr)
    return Fail(ALLOY_CLOSED, "the bridge is closed; open another");
  return service_;
}

Result<const alloy_backend*> Bridge::Backend() {
  ALLOY_ASSIGN_OR_RETURN(const std::shared_ptr<Service> service, Current());
  return &service->channel->table().shown();
}

Result<BoundFunction> Bridge::Bind(const std::string& function, const ArrowSchema* inputs,
                                   int32_t n_inputs, const char* const* options) {
  ALLOY_ASSIGN_OR_RETURN(std::shared_ptr<Service> service, Current());
  ALLOY_ASSIGN_OR_RETURN(const std::string key,
                         BindingKey(function, inputs, n_inputs, options));
  if (auto binding = service->bindings.Find(key); binding != nullptr) {
    ALLOY_ASSIGN_OR_RETURN(void* state, binding->TakeState(service->voice));
    return BoundFunction{std::move(service), Lease(std::move(binding), state)};
  }
  ALLOY_ASSIGN_OR_RETURN(Lease lease,
                         SelectFunction(*service, function, inputs, n_inputs, options));
  service->bindings.Insert(key, lease.binding());
  return BoundFunction{std::move(service), std::move(lease)};
}

}  // namespace alloy::core
