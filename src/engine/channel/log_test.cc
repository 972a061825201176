// SPDX-License-Identifier: MIT
#include "engine/channel/log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "alloy/backend.h"
#include "port/fd.h"
#include "tests/support/hostile_texts.h"

namespace alloy::core {
namespace {

std::vector<std::string> LinesOf(const Fd& fd) {
  std::ifstream file("/proc/self/fd/" + std::to_string(fd.get()));
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

TEST(LogTest, WritesTimeLevelLanguageTabText) {
  Fd fd;
  ASSERT_EQ(CreateSealable("log", 0, &fd), 0);
  ProcessMark mark;
  Log log(fd.get(), nullptr, nullptr, mark);
  log.Write(ALLOY_LOG_INFO, "Go", "Hello\nworld\t!");
  log.Write(ALLOY_LOG_ERROR, "Rust", "");
  const auto lines = LinesOf(fd);
  ASSERT_EQ(lines.size(), 2u);
  // Digits become 9, so that the time has one shape.
  std::string shape = lines[0];
  for (char& c : shape) c = c >= '0' && c <= '9' ? '9' : c;
  EXPECT_EQ(shape, "[9999-99-99 99:99:99] [INFO] [Go]\tHello world !");
  EXPECT_TRUE(lines[1].ends_with("[ERROR] [Rust]\t"));
}

TEST(LogTest, NoTextControlsATerminalOrForgesALine) {
  Fd fd;
  ASSERT_EQ(CreateSealable("log", 0, &fd), 0);
  ProcessMark mark;
  Log log(fd.get(), nullptr, nullptr, mark);
  std::vector<std::string> got;
  const auto keep = [](void* lines, int32_t, const char* language, const char* text,
                       int64_t length) {
    EXPECT_TRUE(support::IsSafeToPrint(language));
    static_cast<std::vector<std::string>*>(lines)->emplace_back(
        text, static_cast<size_t>(length));
  };
  Log called(0, keep, &got, mark);
  for (const std::string_view text : support::kHostileTexts) {
    log.Write(ALLOY_LOG_INFO, text, text);
    called.Write(ALLOY_LOG_INFO, text, text);
  }
  const auto lines = LinesOf(fd);
  ASSERT_EQ(lines.size(), std::size(support::kHostileTexts));
  ASSERT_EQ(got.size(), lines.size());
  for (std::string line : lines) {
    const size_t tab = line.find('\t');
    ASSERT_NE(tab, line.npos);
    EXPECT_TRUE(support::IsSafeToPrint(line.erase(tab, 1))) << line;
  }
  for (const std::string& text : got) EXPECT_TRUE(support::IsSafeToPrint(text)) << text;
  log.Write(ALLOY_LOG_INFO, "C", std::string(size_t{1} << 20U, 'x'));
  EXPECT_LT(LinesOf(fd).back().size(), 66'000U);
}

TEST(LogTest, LinesOfManyThreadsDoNotMix) {
  Fd fd;
  ASSERT_EQ(CreateSealable("log", 0, &fd), 0);
  ProcessMark mark;
  Log log(fd.get(), nullptr, nullptr, mark);
  std::vector<std::thread> threads;
  for (char c = 'a'; c < 'i'; ++c) {
    threads.emplace_back([&log, c] {
      for (int i = 0; i < 200; ++i) log.Write(ALLOY_LOG_INFO, "C++", std::string(200, c));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto lines = LinesOf(fd);
  ASSERT_EQ(lines.size(), 1600u);
  for (const std::string& line : lines) {
    const std::string text = line.substr(line.find('\t') + 1);
    EXPECT_EQ(text, std::string(200, text[0]));
  }
}

TEST(LogTest, TheCallbackIsNeverEnteredTwiceAtOnceAndMissesNothing) {
  struct Seen {
    std::atomic<int> inside{0};
    int count = 0;
    bool overlapped = false;
    Log* log = nullptr;
  } seen;
  ProcessMark mark;
  Log log(
      -1,
      [](void* context, int32_t level, const char* language, const char* text,
         int64_t length) {
        auto* self = static_cast<Seen*>(context);
        if (++self->inside != 1) self->overlapped = true;
        EXPECT_EQ(level, ALLOY_LOG_WARN);
        EXPECT_STREQ(language, "C");
        // From inside, another line: it must neither recurse nor wait for itself.
        if (std::string(text, static_cast<size_t>(length)) == "first") {
          self->log->Write(ALLOY_LOG_WARN, "C", "second");
        }
        ++self->count;
        --self->inside;
      },
      &seen, mark);
  seen.log = &log;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&log] {
      for (int i = 0; i < 500; ++i) log.Write(ALLOY_LOG_WARN, "C", "first");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(seen.overlapped);
  EXPECT_EQ(seen.count, 4000);
}

TEST(LogTest, ACallbackThatThrowsStopsNoOtherLine) {
  int count = 0;
  ProcessMark mark;
  Log log(
      -1,
      [](void* context, int32_t, const char*, const char*, int64_t) {
        if (++*static_cast<int*>(context) == 1) throw 7;
      },
      &count, mark);
  log.Write(ALLOY_LOG_INFO, "C", "one");
  log.Write(ALLOY_LOG_INFO, "C", "two");
  EXPECT_EQ(count, 2);
}

TEST(LogTest, TheLineCallbackGetsTheOriginAndIsCalledByEachThreadItself) {
  ProcessMark mark;
  static thread_local int mine = 0;
  const auto callback = [](void*, const alloy_log_line* line) {
    EXPECT_EQ(line->struct_size, sizeof(alloy_log_line));
    EXPECT_EQ(line->level, ALLOY_LOG_WARN);
    EXPECT_STREQ(line->language, "C");
    EXPECT_EQ(std::string(line->text, static_cast<size_t>(line->length)), "one line");
    EXPECT_STREQ(line->backend, "acme.score");
    EXPECT_STREQ(line->function, "score");
    EXPECT_EQ(line->call_context, &mine);
    ++mine;
  };
  const auto unused = [](void*, int32_t, const char*, const char*, int64_t) { FAIL(); };
  Log log(2, unused, nullptr, mark, callback);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      CallLog call;
      call.function = "score";
      call.context = &mine;
      for (int n = 1; n < 100; ++n) {
        log.Write(ALLOY_LOG_WARN, "C", "one\nline", "acme.score", &call);
        EXPECT_EQ(mine, n);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(LogTest, LinesBelowTheLevelOfTheirCallAreNotWanted) {
  LogContext context;
  CallLog call;
  EXPECT_FALSE(context.Logs(ALLOY_LOG_ERROR, nullptr));
  context.enabled = true;
  EXPECT_TRUE(context.Logs(ALLOY_LOG_DEBUG, nullptr));
  EXPECT_TRUE(context.Logs(ALLOY_LOG_DEBUG, &call));
  call.level = ALLOY_LOG_WARN;
  EXPECT_FALSE(context.Logs(ALLOY_LOG_INFO, &call));
  EXPECT_TRUE(context.Logs(ALLOY_LOG_WARN, &call));
}

}  // namespace
}  // namespace alloy::core
