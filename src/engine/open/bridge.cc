// SPDX-License-Identifier: MIT
#include "engine/open/bridge.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "base/text.h"
#include "engine/channel/local_channel.h"
#include "engine/isolated/worker_channel.h"
#include "engine/open/echo.h"
#include "engine/open/options.h"
#include "port/clock.h"
#include "port/system_library.h"

namespace alloy::core {
namespace {

Status CheckLevel(uint32_t level, const char* field) {
  if (level <= ALLOY_CHECK_FULL) return Status();
  if (level == ALLOY_CHECK_UNSAFE_SHAPE) {
    return Fail(ALLOY_INVALID, std::string("alloy_bridge_options.") + field +
                                   " is ALLOY_CHECK_UNSAFE_SHAPE, which exists only for "
                                   "check_inputs; set it to 0, 1, 2 or 3");
  }
  return Fail(ALLOY_INVALID, std::string("alloy_bridge_options.") + field + " is " +
                                 std::to_string(level) + "; set it to 0, 1, 2 or 3");
}

Status CheckDigestOption(const char* sha256) {
  constexpr std::string_view kDigits = "0123456789abcdefABCDEF";
  if (sha256 == nullptr) return Status();
  const std::string_view text(sha256);
  if (text.size() == 64 && text.find_first_not_of(kDigits) == text.npos) return Status();
  return Fail(ALLOY_INVALID, "alloy_bridge_options.sha256 is " + Quoted(text) +
                                 "; set it to 64 hexadecimal digits, or to NULL");
}

// 0 in the options means the default.
Level LevelOr(Level default_level, uint32_t level) {
  return level == 0 ? default_level : static_cast<Level>(level);
}

Status CheckWorkerLimits(const alloy_bridge_options& options) {
  const auto negative = [](const char* field) {
    return Fail(ALLOY_INVALID,
                std::string("alloy_bridge_options.") + field +
                    " is negative; set it to a number of bytes or nanoseconds, or to 0");
  };
  if (options.input_bytes < 0) return negative("input_bytes");
  if (options.output_bytes < 0) return negative("output_bytes");
  if (options.heap_bytes < 0) return negative("heap_bytes");
  if (options.grace_ns < 0) return negative("grace_ns");
  if ((options.demand & ~uint32_t{ALLOY_RESTRICT_ALL}) != 0) {
    return Fail(ALLOY_INVALID, "alloy_bridge_options.demand has an unknown bit");
  }
  constexpr uint32_t kMostWorkers = 64;
  if (options.max_workers <= kMostWorkers) return Status();
  return Fail(ALLOY_INVALID, "alloy_bridge_options.max_workers is " +
                                 std::to_string(options.max_workers) +
                                 "; set it to 1 to 64, or to 0");
}

WorkerLimits LimitsOf(const alloy_bridge_options& options, const Host& host,
                      Waiting waiting) {
  WorkerLimits limits;
  const auto set = [](auto& limit, auto value) {
    if (value != 0) limit = value;
  };
  set(limits.max_workers, options.max_workers);
  set(limits.input_bytes, options.input_bytes);
  set(limits.output_bytes, options.output_bytes);
  set(limits.heap_bytes, options.heap_bytes);
  set(limits.grace_ns, options.grace_ns);
  if (options.setup_ms != 0) limits.setup_ns = int64_t{options.setup_ms} * 1'000'000;
  limits.retries = options.retries;
  limits.demanded = options.demand;
  limits.copies_results = options.isolated == 2;
  limits.program = host.worker();
  limits.waiting = waiting;
  return limits;
}

WorkerMemory MemoryOf(const alloy_bridge_options& options) {
  if (options.isolated == 0) return {};
  const WorkerLimits defaults;
  return WorkerMemory::Make(
      options.input_bytes != 0 ? options.input_bytes : defaults.input_bytes,
      options.output_bytes != 0 ? options.output_bytes : defaults.output_bytes);
}

// What workers return is checked at level safe at least: see docs/isolation.md.
Level ResultLevel(const alloy_bridge_options& options) {
  const Level level = LevelOr(Level::kSafe, options.check_results);
  return options.isolated != 0 ? std::max(level, Level::kSafe) : level;
}

// The size of the struct before it had a sidecar.
constexpr size_t kFirstSize = offsetof(alloy_bridge_options, sidecar);

Status CheckBridgeOptions(const alloy_bridge_options& options) {
  if (!IsPlausibleSize(options, kFirstSize)) {
    return Fail(ALLOY_INVALID, "alloy_bridge_options.struct_size is " +
                                   std::to_string(options.struct_size) +
                                   "; set it to sizeof(alloy_bridge_options)");
  }
  if (!TailIsZero(options)) {
    return Fail(ALLOY_UNSUPPORTED,
                "alloy_bridge_options has a field that this engine does not know: the "
                "program is newer than the engine; use a newer engine");
  }
  if (options.isolated > 2) {
    return Fail(ALLOY_INVALID, "alloy_bridge_options.isolated is " +
                                   std::to_string(options.isolated) +
                                   "; set it to 0, 1 or 2");
  }
  if (options.isolated != 0) ALLOY_TRY(CheckWorkerLimits(Completed(options)));
  if (options.check_inputs != ALLOY_CHECK_UNSAFE_SHAPE) {
    ALLOY_TRY(CheckLevel(options.check_inputs, "check_inputs"));
  }
  ALLOY_TRY(CheckLevel(options.check_results, "check_results"));
  return CheckDigestOption(Completed(options).sha256);
}

std::string LowerCase(std::string text) {
  for (char& c : text) c = 'A' <= c && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

Status Closed() { return Fail(ALLOY_CLOSED, "the bridge is closed; open another"); }

// In a child of fork, of which another thread of the parent was changing the backend.
Status LostByFork() {
  return Fail(ALLOY_CLOSED,
              "the process was forked while another thread loaded a library into this "
              "bridge; load the library again");
}

}  // namespace

Result<std::shared_ptr<Bridge>> Bridge::Make(std::shared_ptr<Host> host,
                                             const alloy_bridge_options& options,
                                             Waiting waiting) {
  ALLOY_TRY(CheckBridgeOptions(options));
  std::shared_ptr<Bridge> bridge(
      new Bridge(std::move(host), Completed(options), waiting));
  ALLOY_ASSIGN_OR_RETURN(auto echo, BackendTable::Make(&EchoBackend()));
  const auto serving = bridge->serving_.Write();
  serving->Keep(echo);
  serving->backend = bridge->Serve(MakeLocalChannel(std::move(echo)));
  return bridge;
}

Bridge::Bridge(std::shared_ptr<Host> host, const alloy_bridge_options& options,
               Waiting waiting)
    : host_(std::move(host)),
      wanted_name_(options.name != nullptr ? options.name : ""),
      check_inputs_(options.check_inputs == ALLOY_CHECK_UNSAFE_SHAPE
                        ? Level::kShape
                        : LevelOr(Level::kShape, options.check_inputs)),
      unsafe_inputs_(options.check_inputs == ALLOY_CHECK_UNSAFE_SHAPE),
      check_results_(ResultLevel(options)),
      sidecar_(options.sidecar != nullptr ? options.sidecar : ""),
      min_sequence_(options.min_sequence),
      wanted_sha256_(LowerCase(options.sha256 != nullptr ? options.sha256 : "")),
      memory_(MemoryOf(options)),
      isolated_(options.isolated == 0
                    ? nullptr
                    : std::make_unique<Libraries>(
                          MakeWorkerOpener(LimitsOf(options, *host_, waiting), memory_,
                                           host_->loads_plainly(), host_->may_need()),
                          host_->may_need().Elsewhere(), host_->mark())),
      serving_(host_->mark()) {}

// A level that a host asks for never takes away what the function relies on. A flag that
// this engine does not know may mean that the function relies on more than it says.
Checks Bridge::check_inputs(uint32_t function_flags) const {
  constexpr uint32_t kTrustsNothing = ALLOY_IDEMPOTENT | ALLOY_ROWWISE | ALLOY_STREAM;
  const bool trusts = (function_flags & ~kTrustsNothing) != 0;
  return {check_inputs_, trusts && !unsafe_inputs_};
}

std::shared_ptr<ServedBackend> Bridge::Serve(std::shared_ptr<Channel> channel) const {
  const alloy_backend& backend = channel->table()->backend();
  LogContext log_context{.log = &host_->log(),
                         .enabled = host_->LogsCallsTo(backend.name),
                         .is_echo = std::string_view(backend.name) == kEchoName,
                         .warns = host_->warns(),
                         .host_language = host_->language(),
                         .backend_language = backend.language,
                         .backend_name = backend.name};
  return std::make_shared<ServedBackend>(std::move(channel), std::move(log_context),
                                         host_->mark());
}

Result<LoadedLibrary> Bridge::Open(const std::string& library,
                                   const char* certificate) const {
  if (library.empty()) return Fail(ALLOY_INVALID, "the path of the library is empty");
  if (isolated_ == nullptr) ALLOY_TRY(CheckHasLoader());
  const Policy policy{.library = library,
                      .certificate = certificate != nullptr ? certificate : "",
                      .sidecar = sidecar_,
                      .allows_unsigned = host_->allows_unsigned(),
                      .name = wanted_name_,
                      .min_sequence = min_sequence_,
                      .sha256 = wanted_sha256_,
                      .allows_go_runtime = isolated_ != nullptr,
                      .now = UnixSeconds()};
  ALLOY_ASSIGN_OR_RETURN(LoadedLibrary loaded, libraries().Load(policy));
  for (const std::string& warning : loaded.warnings) {
    host_->Warn(library + ": " + warning);
  }
  if (host_->loads_plainly()) {
    host_->Warn(
        library +
        ": loaded by its path, for debuggers (ALLOY_LOAD_PLAINLY): the file runs as "
        "it is now, and may differ from the bytes that were verified");
  }
  return loaded;
}

// Makes the bridge fail when a load ends by an exception: then the library that was asked
// for does not serve it.
class Bridge::FailUnlessDone {
 public:
  explicit FailUnlessDone(Bridge& bridge) : bridge_(bridge) {}
  ~FailUnlessDone() {
    if (done_) return;
    const auto serving = bridge_.serving_.Write();
    if (bridge_.state_.load(std::memory_order_relaxed) == kClosed) return;
    serving->sticky_error = bridge_.exhausted_;
    bridge_.state_.store(kFailed, std::memory_order_release);
  }
  FailUnlessDone(const FailUnlessDone&) = delete;
  FailUnlessDone& operator=(const FailUnlessDone&) = delete;
  void Done() { done_ = true; }

 private:
  Bridge& bridge_;
  bool done_ = false;
};

void Bridge::Serving::Keep(const std::shared_ptr<const BackendTable>& table) {
  if (std::ranges::find(tables, table) == tables.end()) tables.push_back(table);
}

std::shared_ptr<Bridge::Origin> Bridge::Serving::Keep(std::shared_ptr<Origin> one) {
  const auto found = std::ranges::find_if(origins, [&](const auto& kept) {
    return kept->library == one->library && kept->file == one->file;
  });
  if (found != origins.end()) return *found;
  origins.push_back(one);
  return one;
}

Status Bridge::Load(const char* library, const char* certificate) {
  if (state_.load(std::memory_order_acquire) == kClosed) return ErrorOfState();
  FailUnlessDone guard(*this);
  auto opened = Open(library, certificate);
  std::shared_ptr<ServedBackend> served;
  std::shared_ptr<Origin> origin;
  if (opened.ok()) {
    served = Serve(opened->channel);
    origin = std::make_shared<Origin>(
        Origin{.library = library, .file = std::move(opened->file)});
  }
  // The backend that this one replaces ends after the lock, which is declared later: its
  // states go back to foreign code.
  const auto serving = serving_.Write();
  if (state_.load(std::memory_order_relaxed) == kClosed) {
    guard.Done();
    return Closed();
  }
  if (opened.ok()) {
    serving->Keep(opened->channel->table());
    origin = serving->Keep(std::move(origin));
  }
  guard.Done();  // nothing below throws
  if (!opened.ok()) {
    serving->sticky_error = opened.status();
    state_.store(kFailed, std::memory_order_release);
    return serving->sticky_error;
  }
  serving->backend.swap(served);
  serving->origin = std::move(origin);
  state_.store(kOpen, std::memory_order_release);
  return Status();
}

void Bridge::Close() {
  std::shared_ptr<ServedBackend> gone;  // ends after the lock, as in Load
  const auto serving = serving_.Write();
  state_.store(kClosed, std::memory_order_release);
  gone.swap(serving->backend);
}

Status Bridge::ErrorOfState() const {
  const auto serving = serving_.Read();
  switch (state_.load(std::memory_order_relaxed)) {
    case kFailed:
      return serving->sticky_error.ok() ? LostByFork() : serving->sticky_error;
    case kClosed:
      return Closed();
    default:
      return Status();  // another thread's load succeeded since the caller looked
  }
}

Result<std::shared_ptr<ServedBackend>> Bridge::Current() const {
  ALLOY_TRY(CheckOpen());
  const auto serving = serving_.Read();
  if (serving->backend != nullptr) return serving->backend;
  return state_.load(std::memory_order_relaxed) == kClosed ? Closed() : LostByFork();
}

Result<const alloy_backend*> Bridge::Backend() {
  ALLOY_ASSIGN_OR_RETURN(const std::shared_ptr<ServedBackend> served, Current());
  return &served->channel->table()->shown();
}

std::shared_ptr<Bridge::Origin> Bridge::OriginWithDigest() {
  std::shared_ptr<Origin> origin;
  {
    const auto serving = serving_.Read();
    origin = serving->origin;
    if (origin == nullptr || !origin->sha256.empty()) return origin;
  }
  // Outside of the lock, since it takes a while: without a certificate nobody has needed
  // the digest yet.
  std::string sha256 = host_->libraries().admitter().Sha256(origin->file);
  const auto serving = serving_.Write();
  if (origin->sha256.empty()) origin->sha256 = std::move(sha256);
  return origin;
}

Result<std::string> Bridge::Identity() {
  ALLOY_ASSIGN_OR_RETURN(const std::shared_ptr<ServedBackend> served, Current());
  const std::shared_ptr<Origin> origin = OriginWithDigest();
  const alloy_backend& backend = served->channel->table()->backend();
  if (origin == nullptr) return IdentityAsJson(backend, "", "", nullptr, std::nullopt);
  return IdentityAsJson(backend, origin->library, origin->sha256, &origin->file,
                        served->channel->restrictions());
}

Status Bridge::GetOrigin(alloy_origin* out) {
  ALLOY_TRY(CheckOpen());
  const std::shared_ptr<Origin> origin = OriginWithDigest();
  if (origin == nullptr) return Status();  // the echo
  const auto text = [](const std::string& from) {
    return from.empty() ? nullptr : from.c_str();
  };
  out->library = text(origin->library);
  out->sha256 = text(origin->sha256);
  out->signer = text(origin->file.signer);
  out->signer_sha256 = text(origin->file.signer_sha256);
  out->sequence = origin->file.sequence;
  return Status();
}

Result<BoundFunction> Bridge::Bind(const std::string& function, const ArrowSchema* inputs,
                                   int32_t n_inputs, const char* const* options) {
  ALLOY_ASSIGN_OR_RETURN(std::shared_ptr<ServedBackend> served, Current());
  return BindFunction(std::move(served), function, inputs, n_inputs, options);
}

}  // namespace alloy::core
