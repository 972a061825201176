// SPDX-License-Identifier: MIT
//
// Steps that fail, for the tests of Thund. Run them only in workers.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "alloy/backend.hpp"

namespace {

bool g_has_run = false;  // in this worker

void Die() { std::raise(SIGSEGV); }

// Kills its worker at each tenth batch, unless it is the first batch of the worker: so the
// same batch passes when it is tried again. The batch is known by its first value.
void Once(const alloy::Options& options, const alloy::Column<int64_t>& id,
          alloy::Output<int64_t>& out) {
  const auto rows = options.Get<int64_t>("rows");
  if (!id.empty() && g_has_run && (*id.Get(0) / rows) % 10 == 9) Die();
  g_has_run = true;
  for (int64_t row = 0; row < id.size(); ++row) out.Append(*id.Get(row));
}

int64_t Poison(int64_t id) {
  if (id == 7 || id == 50000 || id == 99999) Die();
  return id;
}

int64_t Refuse(int64_t id) {
  if (id == 500) throw std::runtime_error("500 is refused");
  return id;
}

// Says why before it dies.
int64_t Tell(int64_t id) {
  if (id == 500) {
    std::fputs("id 500 has no meter\n", stderr);
    Die();
  }
  return id;
}

// Takes as many milliseconds as its value.
int64_t Slow(int64_t id) {
  std::this_thread::sleep_for(std::chrono::milliseconds(id));
  return id;
}

int64_t Hang(int64_t id) {
  const volatile bool hangs = id == 500;
  while (hangs) std::this_thread::sleep_for(std::chrono::seconds(1));
  return id;
}

// Ends its worker as a program that gives up.
int64_t Leave(int64_t id) {
  if (id == 500) _exit(7);
  return id;
}

// Takes all memory, and dies of it.
int64_t Hoard(int64_t id) {
  constexpr size_t kPiece = 1 << 20;
  while (id == 500) {
    void* piece = malloc(kPiece);
    if (piece == nullptr) {
      perror(
          "malloc");  // the last words by which a worker that is out of memory is known
      abort();
    }
    memset(piece, 1, kPiece);
  }
  return id;
}

constexpr uint32_t kRetried = ALLOY_IDEMPOTENT | ALLOY_ROWWISE;

}  // namespace

ALLOY_BACKEND(
    "thund.faulty", "0.1.0",
    alloy::Function("once", {"id"}, {"id"}, &Once).Option("rows", "100").Flags(kRetried),
    alloy::Rows("poison", {"id"}, &Poison).Flags(kRetried),
    alloy::Rows("refuse", {"id"}, &Refuse).Flags(kRetried),
    alloy::Rows("tell", {"id"}, &Tell).Flags(kRetried),
    alloy::Rows("effect", {"id"}, &Poison),
    alloy::Rows("slow", {"id"}, &Slow).Flags(kRetried),
    alloy::Rows("hang", {"id"}, &Hang).Flags(kRetried),
    alloy::Rows("leave", {"id"}, &Leave).Flags(kRetried),
    alloy::Rows("hoard", {"id"}, &Hoard).Flags(kRetried))
