// SPDX-License-Identifier: MIT
#include "tests/attacks/attack_support.h"

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <random>

#include "tests/support/signed_copy.h"

namespace attacks {
namespace {

constexpr std::array<const char*, 2> kMarkers = {ALLOY_ATTACK_MARKER ".constructor",
                                                 ALLOY_ATTACK_MARKER ".resolver"};

std::string Quoted(const std::string& word) { return "'" + word + "' "; }

}  // namespace

signing::CertificateSpec Valid(signing::CertificateSpec spec) {
  spec.not_before = kYear2000;
  spec.not_after = kYear2100;
  return spec;
}

const signing::Signer& Pinned() {
  static const signing::Signer signer("ed25519", Valid());
  return signer;
}

std::string SamplePath(std::string_view name) {
  return std::string(ALLOY_TEST_BUILD "/tests/attacks/").append(name);
}

std::string SampleBytes(std::string_view name) {
  return signing::ReadFile(SamplePath(name));
}

std::string ElfSampleBytes(std::string_view name) {
  return signing::ReadFile(std::string(ALLOY_TEST_BUILD "/tests/elf/").append(name));
}

signing::StatementSpec TrueStatement(std::string_view library) {
  signing::StatementSpec statement = signing::StatementFor(library);
  statement.name = "acme.victim";
  statement.version = "1.0.0";
  statement.not_before = "2000-01-01T00:00:00Z";
  // What is no library of ours needs nothing that could be read.
  if (library.starts_with("\x7f"
                          "ELF\x02\x01")) {
    statement.needed = support::NeededOf(std::string(library));
  }
  return statement;
}

ProgramEnd RunProgram(const std::string& program,
                      const std::vector<std::string>& arguments,
                      const std::vector<std::string>& settings) {
  std::string command = "env ";
  for (const std::string& setting : settings) command += Quoted(setting);
  command += Quoted(program);
  for (const std::string& argument : arguments) command += Quoted(argument);
  ProgramEnd end;
  std::FILE* pipe = ::popen((command + "2>&1").c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  std::array<char, 4096> chunk;
  size_t got = 0;
  while ((got = std::fread(chunk.data(), 1, chunk.size(), pipe)) > 0) {
    end.output.append(chunk.data(), got);
  }
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  return end;
}

void AttackTest::SetUp() {
  folder_ = fs::path(::testing::TempDir()) /
            ("alloy_attack_" + std::to_string(std::random_device()()));
  fs::create_directories(folder_);
  for (const char* marker : kMarkers) fs::remove(marker);
}

void AttackTest::TearDown() {
  EXPECT_TRUE(may_run_ || !Ran()) << "code of a refused library ran";
  for (const char* marker : kMarkers) fs::remove(marker);
  fs::remove_all(folder_);
}

bool AttackTest::Ran() { return fs::exists(kMarkers[0]) || fs::exists(kMarkers[1]); }

std::string AttackTest::Put(std::string_view name, std::string_view bytes) const {
  const std::string path = folder_ / name;
  signing::WriteFile(path, bytes);
  return path;
}

std::string AttackTest::PutSigned(std::string_view name, std::string_view bytes,
                                  const signing::Signer& signer,
                                  const std::string& version) const {
  const std::string path = Put(name, bytes);
  auto statement = TrueStatement(bytes);
  statement.version = version;
  PutSidecar(path, signer.Sidecar(statement.Text()));
  return path;
}

alloy::Status AttackTest::Load(const std::string& library,
                               const std::string& certificate) {
  alloy::Bridge bridge = support::NewBridge(alloy::Host(alloy::HostOptions{}));
  return bridge.SetImplLib(library, certificate);
}

void AttackTest::ExpectReason(const alloy::Status& status, int32_t reason,
                              std::string_view part) {
  EXPECT_EQ(status.code(), ALLOY_REFUSED) << status;
  EXPECT_EQ(alloy_reason_name(status.reason()), std::string(alloy_reason_name(reason)))
      << status;
  EXPECT_NE(std::string(status.text()).find(part), std::string::npos) << status;
}

}  // namespace attacks
