// SPDX-License-Identifier: MIT
//
// Runs a piece of a test in a child process, for what a process cannot take back.
#ifndef ALLOY_TESTS_SUPPORT_IN_CHILD_H_
#define ALLOY_TESTS_SUPPORT_IN_CHILD_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>

#include "port/fd.h"

namespace alloy::core {

// Returns the text that `act` returns, or "signal 11" if that signal ended the child.
inline std::string InChild(const std::function<std::string()>& act) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  Fd reading(ends[0]), writing(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    reading.Close();
    // A number that a worker keeps.
    ::dup2(writing.get(), 2);
    ::signal(SIGSEGV, SIG_DFL);  // sanitizers handle it
    WriteLine(2, act());
    ::_exit(0);
  }
  writing.Close();
  std::string text;
  char chunk[512];
  for (ssize_t n; (n = ::read(reading.get(), chunk, sizeof(chunk))) > 0;) {
    text.append(chunk, static_cast<size_t>(n));
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  if (WIFSIGNALED(status)) {
    text += "signal " + std::to_string(WTERMSIG(status));
    if (WCOREDUMP(status)) text += " with core";
  }
  return text;
}

}  // namespace alloy::core

#endif  // ALLOY_TESTS_SUPPORT_IN_CHILD_H_
