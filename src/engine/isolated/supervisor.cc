// SPDX-License-Identifier: MIT
#include "engine/isolated/supervisor.h"

#include <array>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>

#include "port/child.h"
#include "port/fd.h"
#include "port/futex.h"
#include "port/watcher.h"
#include "wire/protocol.h"

namespace alloy::core {
namespace {

// What a program cannot be for another reason than a lack of resources.
Status NotStarted(const std::string& program, const Status& status) {
  if (status.code() != ALLOY_UNSUPPORTED) return status;
  return Fail(ALLOY_REFUSED, ALLOY_REASON_WORKER,
              "the worker program " + program + ": " + status.fault().text +
                  "; install alloy-worker next to the engine, or set `worker`");
}

// What is there to read, but not more than a pipe holds: a worker that writes without end
// may neither keep the thread nor fill the memory of the host. Returns false at the end.
bool ReadSome(const Fd& pipe, std::string* out) {
  constexpr size_t kMost = size_t{64} << 10;
  std::array<std::byte, 4096> chunk;
  while (out->size() < kMost) {
    size_t done = 0;
    const int error = ReadFully(pipe, chunk, &done);
    out->append(reinterpret_cast<const char*>(chunk.data()), done);
    if (error != 0) return true;  // nothing more at the moment
    if (done < chunk.size()) return false;
  }
  return true;
}

}  // namespace

// The thread of one process, and the workers that it watches over.
struct Supervisor::Thread {
  Thread(uint32_t number, Watcher made) : process(number), watcher(std::move(made)) {}

  struct Job {
    std::shared_ptr<Worker> worker;
    const WorkerProgram* program = nullptr;
    Status* status = nullptr;
    bool* done = nullptr;
  };
  struct Ward {
    std::shared_ptr<Worker> worker;
    std::shared_ptr<Child> child;
    bool is_read = true;  // its standard error is still open
  };

  void Loop();
  Status Start(const Job& job);
  void See(uint64_t key);
  void Read(Ward& ward);
  void Show(const std::string& text);

  const uint32_t process;
  Watcher watcher;
  std::mutex mutex;
  std::condition_variable done;
  std::deque<Job> jobs;   // guarded by mutex
  bool stopping = false;  // guarded by mutex
  // Of the thread alone. Each ward has two keys: 2n of its process, 2n + 1 of its pipe.
  std::unordered_map<uint64_t, Ward> wards;
  uint64_t last_key = 0;
  uint64_t unshown = 0;  // bytes that standard error did not take
  std::thread thread;
};

void Supervisor::Thread::Loop() {
  for (;;) {
    std::array<uint64_t, 32> ready;
    for (const uint64_t key : watcher.Wait(ready, kNoDeadline)) See(key);
    std::unique_lock lock(mutex);
    while (!jobs.empty()) {
      const Job job = std::move(jobs.front());
      jobs.pop_front();
      lock.unlock();
      Status status;
      try {
        status = Start(job);
      } catch (const std::bad_alloc&) {
        status = Fail(ALLOY_EXHAUSTED, "out of memory while a worker was started");
      }
      lock.lock();
      *job.status = std::move(status);
      *job.done = true;
      done.notify_all();
    }
    if (stopping) break;
  }
  // Each child is killed and reaped when its ward ends.
  for (auto& [key, ward] : wards) ward.worker->Kill();
  for (auto& [key, ward] : wards) {
    ward.child.reset();
    ward.worker->Ended(DeathCause::kSignal, 9);
  }
  wards.clear();
}

Status Supervisor::Thread::Start(const Job& job) {
  ProgramStart start{.program = job.program->path,
                     .image = nullptr,
                     .arguments = {job.program->path, kWorkerArgument},
                     .environment = {},
                     .hand_over = {&job.worker->control_file(), &job.worker->far_socket(),
                                   job.program->library}};
  auto child = Child::Start(start);
  if (!child.ok()) return NotStarted(job.program->path, child.status());
  Ward ward{.worker = job.worker, .child = std::make_shared<Child>(*std::move(child))};
  const uint64_t key = ++last_key;
  ALLOY_TRY(watcher.Add(ward.child->handle(), 2 * key));
  if (Status status = watcher.Add(ward.child->output(), 2 * key + 1); !status.ok()) {
    watcher.Remove(ward.child->handle());
    return status;
  }
  job.worker->Started(ward.child);
  wards.emplace(key, std::move(ward));
  return Status();
}

// A backend in process writes to standard error too. But a reader that does not read must
// not keep this thread, which starts workers and notices their ends.
void Supervisor::Thread::Show(const std::string& text) {
  constexpr int kStandardError = 2;
  if (unshown > 0) {
    const std::string note =
        "[alloy] standard error was full: " + std::to_string(unshown) +
        " bytes that workers wrote are lost\n";
    if (WriteWithoutWaiting(kStandardError, note) == 0) {
      unshown += text.size();
      return;
    }
    unshown = 0;
  }
  unshown += text.size() - WriteWithoutWaiting(kStandardError, text);
}

void Supervisor::Thread::Read(Ward& ward) {
  if (!ward.is_read) return;
  bool more = true;
  try {
    std::string text;
    more = ReadSome(ward.child->output(), &text);
    if (!text.empty()) {
      ward.worker->Wrote(text);
      Show(text);
    }
  } catch (const std::bad_alloc&) {
    // Without memory the words are lost. What is left is read later.
  }
  if (!more) {
    watcher.Remove(ward.child->output());
    ward.is_read = false;
  }
}

void Supervisor::Thread::See(uint64_t key) {
  const auto found = wards.find(key / 2);
  if (found == wards.end()) return;
  Ward& ward = found->second;
  Read(ward);
  if (key % 2 != 0) return;
  const auto end = ward.child->TryReap();
  if (!end.has_value()) return;
  Read(ward);  // what it wrote just before
  watcher.Remove(ward.child->handle());
  if (ward.is_read) watcher.Remove(ward.child->output());
  if (end->signal != 0) {
    ward.worker->Ended(DeathCause::kSignal, end->signal);
  } else if (end->is_known()) {
    ward.worker->Ended(DeathCause::kExit, end->exit_code);
  } else {
    ward.worker->Ended(DeathCause::kUnknown, 0);
  }
  wards.erase(found);
}

Status Supervisor::Start(const std::shared_ptr<Worker>& worker,
                         const WorkerProgram& program) {
  Thread* thread = thread_.load(std::memory_order_acquire);
  if (thread == nullptr) {
    ALLOY_ASSIGN_OR_RETURN(Watcher watcher, Watcher::Make());
    auto made = std::make_unique<Thread>(mark_->Number(), std::move(watcher));
    if (thread_.compare_exchange_strong(thread, made.get(), std::memory_order_acq_rel)) {
      thread = made.release();
      const std::scoped_lock lock(thread->mutex);
      try {
        thread->thread = std::thread([thread] { thread->Loop(); });
      } catch (const std::system_error&) {
        thread->stopping = true;  // for ever: this host has no thread for it
      }
    }
  }
  Status status;
  bool done = false;
  std::unique_lock lock(thread->mutex);
  if (thread->stopping) {
    return Fail(ALLOY_EXHAUSTED,
                "the thread that watches over workers could not be started; raise the "
                "limit of threads (ulimit -u)");
  }
  thread->jobs.push_back({worker, &program, &status, &done});
  thread->watcher.Wake();
  thread->done.wait(lock, [&done] { return done; });
  return status;
}

Supervisor::~Supervisor() {
  Thread* const thread = thread_.load(std::memory_order_acquire);
  // In a child of fork there is no thread to end, and its workers are the parent's.
  if (thread == nullptr || thread->process != mark_->Number()) return;
  const std::unique_ptr<Thread> owner(thread);
  {
    const std::scoped_lock lock(thread->mutex);
    thread->stopping = true;
  }
  thread->watcher.Wake();
  if (thread->thread.joinable()) thread->thread.join();
}

}  // namespace alloy::core
