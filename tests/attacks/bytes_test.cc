// SPDX-License-Identifier: MIT
//
// Attacks 31 to 33, 37 to 40 and 43: files that are not what was signed, or no files, and
// what can be done to the copy that was loaded.
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "tests/attacks/attack_support.h"

namespace attacks {
namespace {

class BytesAttackTest : public AttackTest {};

// Where a section of a library that a linker made lies in its file.
size_t SectionAt(const std::string& library, std::string_view name) {
  const auto at = [&](uint64_t offset, auto value) {
    std::memcpy(&value, library.data() + offset, sizeof(value));
    return value;
  };
  const auto header = at(0, Elf64_Ehdr());
  const auto section = [&](uint64_t i) {
    return at(header.e_shoff + i * sizeof(Elf64_Shdr), Elf64_Shdr());
  };
  const auto names = section(header.e_shstrndx).sh_offset;
  for (uint64_t i = 0; i < header.e_shnum; ++i) {
    if (library.c_str() + names + section(i).sh_name == name) return section(i).sh_offset;
  }
  ADD_FAILURE() << "no section " << name;
  return 0;
}

TEST_F(BytesAttackTest, Attack31OneFlippedBitAnywhere) {
  const std::string good = SampleBytes("victim.so");
  std::vector<size_t> places = {0, good.size() - 1};
  for (const char* name : {".text", ".init_array", ".dynamic", ".rodata", ".dynsym"}) {
    places.push_back(SectionAt(good, name));
  }
  for (size_t at = 0; at < good.size(); at += 509) places.push_back(at);
  const std::string library = PutVictim();
  for (const size_t at : places) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    signing::WriteFile(library, bad);
    ExpectReason(Load(library), ALLOY_REASON_DIGEST);
  }
}

TEST_F(BytesAttackTest, Attack32AppendedBytes) {
  const std::string library = PutVictim();
  signing::WriteFile(library, SampleBytes("victim.so") + "x");
  ExpectReason(Load(library), ALLOY_REASON_SIZE);
}

TEST_F(BytesAttackTest, Attack33StrippedAfterSigning) {
  const std::string library = PutVictim();
  ASSERT_EQ(RunProgram("strip", {library}).exit_code, 0);
  ExpectReason(Load(library), ALLOY_REASON_SIZE);
}

// The descriptors of this process that hold sealed libraries.
std::vector<int> SealedFiles() {
  std::vector<int> found;
  for (int fd = 3; fd < 256; ++fd) {
    std::error_code error;
    const auto target =
        fs::read_symlink("/proc/self/fd/" + std::to_string(fd), error).string();
    if (target.starts_with("/memfd:alloy-backend")) found.push_back(fd);
  }
  return found;
}

// Everything that another process of this user can try on the copy.
void ExpectUntouchable(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) {
    EXPECT_EQ(errno, EACCES);
    return;
  }
  EXPECT_EQ(::pwrite(fd, "x", 1, 0), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(::ftruncate(fd, 0), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(::ftruncate(fd, 1 << 24), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(::fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), -1);
  ::close(fd);
}

TEST_F(BytesAttackTest, Attack37TheLoadedCopyCannotBeChangedThroughProc) {
  MayRun();
  // With workers the copy stays only as long as its bridge.
  alloy::Bridge bridge = support::NewBridge(alloy::Host(alloy::HostOptions{}));
  ASSERT_TRUE(bridge.SetImplLib(PutVictim(), Pinned().cert.Base64()).ok());
  const auto files = SealedFiles();
  ASSERT_FALSE(files.empty());
  for (const int fd : files) {
    ExpectUntouchable("/proc/" + std::to_string(::getpid()) + "/fd/" +
                      std::to_string(fd));
  }
}

// Maps a copy for writing while it is being made; the file is large, so that this takes
// a while.
class EarlyMapper {
 public:
  EarlyMapper() : before_(SealedFiles()), thread_([this] { Run(); }) {
    while (!ready_) std::this_thread::yield();
  }
  ~EarlyMapper() {
    stop_ = true;
    thread_.join();
  }
  bool mapped() const { return mapped_; }

 private:
  void Run() {
    ready_ = true;
    while (!stop_ && !mapped_) {
      for (const int fd : SealedFiles()) {
        if (std::ranges::find(before_, fd) != before_.end()) continue;
        const int copy =
            ::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDWR | O_CLOEXEC);
        if (copy < 0) continue;
        void* mapping =
            ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, copy, 0);
        ::close(copy);
        mapped_ = mapped_ || mapping != MAP_FAILED;  // and it stays
      }
    }
  }

  std::atomic<bool> ready_ = false, stop_ = false, mapped_ = false;
  const std::vector<int> before_;
  std::thread thread_;
};

TEST_F(BytesAttackTest, Attack38AMappingThatIsHeldBeforeTheSeal) {
  const std::string library = PutVictim();
  fs::resize_file(library, size_t{128} << 20);
  auto statement = TrueStatement(SampleBytes("victim.so"));
  statement.size = std::to_string(size_t{128} << 20);
  PutSidecar(library, Pinned().Sidecar(statement.Text()));
  EarlyMapper mapper;
  const alloy::Status status = Load(library);
  ASSERT_TRUE(mapper.mapped()) << status;
  ExpectReason(status, ALLOY_REASON_CANNOT_SEAL);
}

TEST_F(BytesAttackTest, Attack39AReusedDescriptorNeverGivesTheOldLibrary) {
  MayRun();
  const ProgramEnd end = RunProgram(
      Loader(), {"reuse", PutVictim(),
                 PutSigned("other.so", SampleBytes("other.so"), Pinned(), "2.0.0"),
                 Pinned().cert.Base64()});
  EXPECT_EQ(end.exit_code, 0) << end.output;
  // The first, then the second or a refusal.
  EXPECT_TRUE(end.output.starts_with("loaded 1.0.0\n")) << end.output;
  EXPECT_TRUE(end.output.ends_with("\nrefused IDENTITY\n") ||
              end.output.ends_with("\nloaded 2.0.0\n"))
      << end.output;
}

TEST_F(BytesAttackTest, Attack40TheSameLibraryTwiceIsLoadedOnce) {
  MayRun();
  const alloy::Host host{alloy::HostOptions{}};
  alloy::Bridge one = support::NewBridge(host), two = support::NewBridge(host);
  ASSERT_TRUE(one.SetImplLib(PutVictim(), Pinned().cert.Base64()).ok());
  // The same bytes under another name, by another signer.
  const signing::Signer another("P-256", Valid());
  const std::string copy = PutSigned("copy.so", SampleBytes("victim.so"), another);
  ASSERT_TRUE(two.SetImplLib(copy, another.cert.Base64()).ok());
  const alloy_backend *first = nullptr, *second = nullptr;
  ASSERT_EQ(alloy_bridge_backend(one.get(), &first, nullptr), ALLOY_OK);
  ASSERT_EQ(alloy_bridge_backend(two.get(), &second, nullptr), ALLOY_OK);
  EXPECT_STREQ(first->version, second->version);
  // Each bridge has workers of its own.
  if (!support::IsIsolated()) {
    EXPECT_EQ(first, second);
  }
}

TEST_F(BytesAttackTest, Attack43WhatIsNoFileIsToldWithoutWaiting) {
  const std::string sidecar =
      Pinned().Sidecar(TrueStatement(SampleBytes("victim.so")).Text());
  const auto path = [&](const char* name) {
    const std::string at = folder_ / name;
    PutSidecar(at, sidecar);
    return at;
  };
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  ExpectReason(Load(folder_ / "pipe"), ALLOY_REASON_NOT_A_FILE);
  fs::create_directory(path("folder"));
  ExpectReason(Load(folder_ / "folder"), ALLOY_REASON_NOT_A_FILE);
  fs::create_symlink("/dev/zero", path("zero"));
  ExpectReason(Load(folder_ / "zero"), ALLOY_REASON_NOT_A_FILE);
  fs::create_symlink(folder_ / "loop", path("loop"));
  ExpectReason(Load(folder_ / "loop"), ALLOY_REASON_CANNOT_OPEN);
  signing::WriteFile(path("empty"), "");
  ExpectReason(Load(folder_ / "empty"), ALLOY_REASON_TOO_SMALL);
  signing::WriteFile(path("sparse"), "");
  std::error_code error;
  fs::resize_file(folder_ / "sparse", uintmax_t{10} << 40, error);
  // Where a file system has no files of 10 TiB, the largest that it has.
  for (int shift = 39; error && shift > 30; --shift) {
    fs::resize_file(folder_ / "sparse", (uintmax_t{1} << shift) + 1, error);
  }
  ASSERT_FALSE(error) << error.message();
  ExpectReason(Load(folder_ / "sparse"), ALLOY_REASON_TOO_LARGE);
  // And in the sidecar's place.
  const std::string library = PutVictim();
  fs::remove(library + ".alloysig");
  ASSERT_EQ(::mkfifo((library + ".alloysig").c_str(), 0600), 0);
  ExpectReason(Load(library), ALLOY_REASON_NO_SIDECAR);
}

// Eight kilobytes on the disk.
TEST_F(BytesAttackTest, Attack83ASparseFileIsRefusedAtOnce) {
  const std::string library = PutSigned("sparse.so", SampleBytes("victim.so"));
  for (const int64_t size : {int64_t{256} << 20U, int64_t{1} << 30U}) {
    fs::resize_file(library, static_cast<uintmax_t>(size));
    const auto start = std::chrono::steady_clock::now();
    ExpectReason(Load(library), ALLOY_REASON_TOO_LARGE, "holes");
    const alloy::Host host({.allow_unsigned = true});
    alloy_error error;
    EXPECT_EQ(alloy_inspect(host.get(), library.c_str(), "", nullptr, 0, nullptr, &error),
              ALLOY_REFUSED);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  }
  // What linkers leave between segments.
  MayRun();
  std::string bytes = SampleBytes("victim.so");
  const std::string small = Put("small.so", bytes);
  fs::resize_file(small, bytes.size() + (size_t{8} << 20U));
  EXPECT_TRUE(Load(PutSigned("small.so", signing::ReadFile(small))).ok());
}

}  // namespace
}  // namespace attacks
