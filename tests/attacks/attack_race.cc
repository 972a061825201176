// SPDX-License-Identifier: MIT
//
// Loads a signed library again and again, each time in a process that has loaded none,
// while another process does its worst to the file, or to the copy.
//
//   attack_race swap|write|truncate|copy COUNT LIBRARY CERTIFICATE GOOD EVIL
//
// LIBRARY is the file that is attacked, with its sidecar; GOOD and EVIL are the bytes
// that were signed and those that were not, of one size. Writes `verified N, refused N,
// wrong N, other N`: a load ran the verified bytes (and still does when it was asked
// again), was refused for a reason of such an attack, ran anything else, or ended in any
// other way.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <fstream>
#include <iterator>
#include <new>
#include <random>
#include <string>

#include "alloy/alloy.hpp"
#include "tests/attacks/mode.h"

namespace {

enum Outcome : int { kVerified, kRefused, kWrong, kOther };

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Attacker {
 public:
  Attacker(std::string kind, std::string library, const std::string& good,
           const std::string& evil, const std::atomic<pid_t>* loader)
      : kind_(std::move(kind)),
        library_(std::move(library)),
        good_(Read(good)),
        evil_(Read(evil)),
        loader_(loader) {
    fd_ = ::open(library_.c_str(), O_RDWR | O_CLOEXEC);
  }

  [[noreturn]] void Run() {
    for (;;) {
      if (kind_ == "swap") Swap();
      if (kind_ == "write") Write();
      if (kind_ == "truncate") Truncate();
      if (kind_ == "copy") AttackCopy();
      Wait();
    }
  }

 private:
  // A while that differs: a rhythm would always meet the same place.
  void Wait() {
    std::atomic<uint64_t> passed = 0;
    for (const uint64_t most = random_() % 5000; passed < most;) ++passed;
  }

  void PutInPlace(const std::string& bytes) const {
    const std::string next = library_ + ".next";
    std::ofstream(next, std::ios::binary | std::ios::trunc) << bytes;
    ::rename(next.c_str(), library_.c_str());
  }
  void Swap() {
    PutInPlace(evil_);
    Wait();
    PutInPlace(good_);
  }
  void Overwrite(const std::string& bytes) const {
    if (::pwrite(fd_, bytes.data(), bytes.size(), 0) < 0) ::_exit(1);
  }
  void Write() {
    Overwrite(evil_);
    Wait();
    Overwrite(good_);
  }
  void Truncate() {
    if (::ftruncate(fd_, static_cast<off_t>(random_() % good_.size())) != 0) ::_exit(1);
    Wait();
    Overwrite(good_);
  }

  // Through /proc: written while it is made, mapped before it is sealed.
  void AttackCopy() const {
    const std::string folder = "/proc/" + std::to_string(loader_->load()) + "/fd/";
    for (int fd = 3; fd < 16; ++fd) {
      const std::string path = folder + std::to_string(fd);
      std::array<char, 64> target{};
      if (::readlink(path.c_str(), target.data(), target.size() - 1) < 0) continue;
      if (!std::string_view(target.data()).starts_with("/memfd:alloy-backend")) continue;
      const int copy = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
      if (copy < 0) continue;
      (void)!::pwrite(copy, evil_.data(), evil_.size(), 0);
      (void)!::ftruncate(copy, 0);
      void* mapping =
          ::mmap(nullptr, evil_.size(), PROT_READ | PROT_WRITE, MAP_SHARED, copy, 0);
      if (mapping != MAP_FAILED) ::munmap(mapping, evil_.size());
      ::close(copy);
    }
  }

  const std::string kind_, library_, good_, evil_;
  const std::atomic<pid_t>* loader_;
  int fd_ = -1;
  std::mt19937_64 random_{20221017};
};

bool IsOfAnAttack(const alloy::Status& status) {
  switch (status.reason()) {
    case ALLOY_REASON_CANNOT_OPEN:  // between the two steps of a swap
    case ALLOY_REASON_TOO_SMALL:
    case ALLOY_REASON_CHANGED:
    case ALLOY_REASON_CANNOT_SEAL:
    case ALLOY_REASON_SIZE:
    case ALLOY_REASON_DIGEST:
      return true;
    default:
      return false;
  }
}

Outcome LoadOnce(const alloy::Host& host, const std::string& library,
                 const std::string& certificate, const alloy::Batch& batch) {
  alloy::Bridge bridge = attacks::NewBridge(host);
  if (const alloy::Status status = bridge.SetImplLib(library, certificate);
      !status.ok()) {
    if (IsOfAnAttack(status)) return kRefused;
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return kOther;
  }
  for (int i = 0; i < 3; ++i) {
    const auto answer = bridge.Call("answer", batch);
    if (!answer.ok()) return kOther;
    if (answer->rows() != 1) return kWrong;
  }
  return kVerified;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) return ::puts("see the head of attack_race.cc"), 2;
  const std::string library = argv[3], certificate = argv[4];
  const int count = std::stoi(argv[2]);
  void* shared =
      ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 1;
  auto* const loader = new (shared) std::atomic<pid_t>(0);

  // What takes long, and is no part of a load: libcrypto is there before the first fork.
  const alloy::Host host{alloy::HostOptions{}};
  (void)alloy::Bridge(host).SetImplLib("/nothing", certificate);
  const auto batch = alloy::MakeBatch({{"x", alloy::MakeArray<int64_t>({1})}});

  const pid_t attacker = ::fork();
  if (attacker == 0) Attacker(argv[1], library, argv[5], argv[6], loader).Run();
  std::array<int, 4> outcomes{};
  for (int i = 0; i < count; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      loader->store(::getpid());
      ::_exit(LoadOnce(host, library, certificate, *batch));
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    const bool known = WIFEXITED(status) && WEXITSTATUS(status) <= kOther;
    if (!known) std::fprintf(stderr, "status %d\n", status);
    ++outcomes[known ? static_cast<size_t>(WEXITSTATUS(status)) : size_t{kOther}];
  }
  ::kill(attacker, SIGKILL);
  ::waitpid(attacker, nullptr, 0);
  std::printf("verified %d, refused %d, wrong %d, other %d\n", outcomes[kVerified],
              outcomes[kRefused], outcomes[kWrong], outcomes[kOther]);
  return 0;
}
