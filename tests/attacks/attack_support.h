// SPDX-License-Identifier: MIT
//
// What the tests of attacks share: a folder of their own, the victim in it and a signer
// who may vouch for it, and the files that code leaves when it runs.
//
// Names begin with the number of the attack, as the design of trust counts them.
#ifndef ALLOY_TESTS_ATTACKS_ATTACK_SUPPORT_H_
#define ALLOY_TESTS_ATTACKS_ATTACK_SUPPORT_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "alloy/alloy.hpp"
#include "tests/support/signing.h"
#include "tests/support/support.h"

namespace attacks {

namespace fs = std::filesystem;

// Certificates and statements of these tests hold whatever the clock says.
inline constexpr int64_t kYear2000 = 946684800, kYear2100 = 4102444800;
signing::CertificateSpec Valid(signing::CertificateSpec spec = {});

// A signer whose certificate is its own anchor.
const signing::Signer& Pinned();

// What was built for these tests: `victim.so`, and the like.
std::string SamplePath(std::string_view name);
std::string SampleBytes(std::string_view name);
std::string ElfSampleBytes(std::string_view name);  // of the tests of admit

// The statement that is true of these bytes, about the victim.
signing::StatementSpec TrueStatement(std::string_view library);

// How a program ended, and what it wrote.
struct ProgramEnd {
  int exit_code = -1;  // -1: by a signal
  std::string output;
};
// Settings are `NAME=value`, for this program alone.
ProgramEnd RunProgram(const std::string& program,
                      const std::vector<std::string>& arguments,
                      const std::vector<std::string>& settings = {});
inline std::string Loader() { return ALLOY_TEST_BUILD "/tests/attack_loader"; }

class AttackTest : public ::testing::Test {
 protected:
  void SetUp() override;
  // Fails unless nothing of a victim ran, or the test said that it may.
  void TearDown() override;

  void MayRun() { may_run_ = true; }
  static bool Ran();

  // A file of the folder.
  std::string Put(std::string_view name, std::string_view bytes) const;
  // The victim, in the folder, and its sidecar beside it, all as it should be.
  std::string PutSigned(std::string_view name, std::string_view bytes,
                        const signing::Signer& signer = Pinned(),
                        const std::string& version = "1.0.0") const;
  std::string PutVictim(const signing::Signer& signer = Pinned()) const {
    return PutSigned("victim.so", SampleBytes("victim.so"), signer);
  }
  // A sidecar of any text for a library that is there.
  static void PutSidecar(const std::string& library, std::string_view text) {
    signing::WriteFile(library + ".alloysig", text);
  }

  // A load by a host that allows nothing unsigned.
  static alloy::Status Load(const std::string& library, const std::string& certificate);
  static alloy::Status Load(const std::string& library) {
    return Load(library, Pinned().cert.Base64());
  }
  static void ExpectReason(const alloy::Status& status, int32_t reason,
                           std::string_view part = "");

  fs::path folder_;

 private:
  bool may_run_ = false;
};

}  // namespace attacks

#endif  // ALLOY_TESTS_ATTACKS_ATTACK_SUPPORT_H_
