// SPDX-License-Identifier: MIT
//
// Sizes and offsets of everything that crosses, against the text in layout.txt. A
// difference is a change of the ABI.
#include <gtest/gtest.h>

#include <cstddef>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "alloy/alloy.h"

namespace {

std::string LayoutAsText() {
  std::ostringstream out;
#define SIZE(type) out << #type << " " << sizeof(type) << "\n"
#define FIELD(type, field) out << "  " << #field << " " << offsetof(type, field) << "\n"
  SIZE(alloy_error);
  FIELD(alloy_error, code);
  FIELD(alloy_error, reason);
  FIELD(alloy_error, input);
  FIELD(alloy_error, column);
  FIELD(alloy_error, side);
  FIELD(alloy_error, length);
  FIELD(alloy_error, text);
  SIZE(alloy_log_line);
  FIELD(alloy_log_line, struct_size);
  FIELD(alloy_log_line, level);
  FIELD(alloy_log_line, language);
  FIELD(alloy_log_line, text);
  FIELD(alloy_log_line, length);
  FIELD(alloy_log_line, backend);
  FIELD(alloy_log_line, function);
  FIELD(alloy_log_line, call_context);
  SIZE(alloy_host_options);
  FIELD(alloy_host_options, struct_size);
  FIELD(alloy_host_options, flags);
  FIELD(alloy_host_options, worker);
  FIELD(alloy_host_options, may_need);
  FIELD(alloy_host_options, language);
  FIELD(alloy_host_options, log_mode);
  FIELD(alloy_host_options, log_fd);
  FIELD(alloy_host_options, log);
  FIELD(alloy_host_options, log_context);
  FIELD(alloy_host_options, log_line);
  SIZE(alloy_bridge_options);
  FIELD(alloy_bridge_options, struct_size);
  FIELD(alloy_bridge_options, isolated);
  FIELD(alloy_bridge_options, check_inputs);
  FIELD(alloy_bridge_options, check_results);
  FIELD(alloy_bridge_options, max_workers);
  FIELD(alloy_bridge_options, retries);
  FIELD(alloy_bridge_options, input_bytes);
  FIELD(alloy_bridge_options, output_bytes);
  FIELD(alloy_bridge_options, heap_bytes);
  FIELD(alloy_bridge_options, grace_ns);
  FIELD(alloy_bridge_options, name);
  FIELD(alloy_bridge_options, min_sequence);
  FIELD(alloy_bridge_options, sidecar);
  FIELD(alloy_bridge_options, sha256);
  FIELD(alloy_bridge_options, demand);
  FIELD(alloy_bridge_options, setup_ms);
  SIZE(alloy_origin);
  FIELD(alloy_origin, struct_size);
  FIELD(alloy_origin, library);
  FIELD(alloy_origin, sha256);
  FIELD(alloy_origin, signer);
  FIELD(alloy_origin, signer_sha256);
  FIELD(alloy_origin, sequence);
  SIZE(alloy_scope);
  FIELD(alloy_scope, services);
  SIZE(alloy_services);
  FIELD(alloy_services, struct_size);
  FIELD(alloy_services, abi);
  FIELD(alloy_services, fail);
  FIELD(alloy_services, cancelled);
  FIELD(alloy_services, progress);
  FIELD(alloy_services, resize);
  FIELD(alloy_services, log);
  FIELD(alloy_services, logging);
  FIELD(alloy_services, describe);
  SIZE(alloy_option);
  FIELD(alloy_option, name);
  FIELD(alloy_option, summary);
  FIELD(alloy_option, fallback);
  SIZE(alloy_column);
  FIELD(alloy_column, name);
  FIELD(alloy_column, summary);
  FIELD(alloy_column, accepts);
  SIZE(alloy_function);
  FIELD(alloy_function, struct_size);
  FIELD(alloy_function, flags);
  FIELD(alloy_function, name);
  FIELD(alloy_function, summary);
  FIELD(alloy_function, options);
  FIELD(alloy_function, self);
  FIELD(alloy_function, min_inputs);
  FIELD(alloy_function, max_inputs);
  FIELD(alloy_function, columns);
  FIELD(alloy_function, bind);
  FIELD(alloy_function, run);
  FIELD(alloy_function, open);
  FIELD(alloy_function, unbind);
  SIZE(alloy_backend);
  FIELD(alloy_backend, struct_size);
  FIELD(alloy_backend, abi);
  FIELD(alloy_backend, name);
  FIELD(alloy_backend, version);
  FIELD(alloy_backend, language);
  FIELD(alloy_backend, functions);
  SIZE(ArrowSchema);
  SIZE(ArrowArray);
  SIZE(ArrowArrayStream);
#undef FIELD
#undef SIZE
  return out.str();
}

TEST(LayoutTest, SizesAndOffsetsAreTheFrozenOnes) {
  std::ifstream file(ALLOY_ABI_LAYOUT);
  ASSERT_TRUE(file) << ALLOY_ABI_LAYOUT;
  const std::string frozen{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(LayoutAsText(), frozen);
}

TEST(LayoutTest, NumbersOfCodesAreTheFrozenOnes) {
  EXPECT_EQ(ALLOY_ABI, 1u);
  const char* const names[] = {"OK",        "INVALID", "BAD_DATA",    "NO_MATCH",
                               "NOT_FOUND", "REFUSED", "FAILED",      "RETRY",
                               "CANCELLED", "TIMEOUT", "LOST",        "EXHAUSTED",
                               "BUSY",      "CLOSED",  "UNSUPPORTED", "INTERNAL"};
  for (int32_t code = 0; code < 16; ++code)
    EXPECT_STREQ(alloy_code_name(code), names[code]);
  EXPECT_STREQ(alloy_code_name(16), "UNKNOWN");
  EXPECT_STREQ(alloy_code_name(-1), "UNKNOWN");
}

TEST(LayoutTest, EveryReasonHasItsName) {
#define EXPECT_NAME(name, number, text)           \
  EXPECT_STREQ(alloy_reason_name(number), #name); \
  EXPECT_STRNE(text, "");
  ALLOY_REASONS(EXPECT_NAME)
#undef EXPECT_NAME
  EXPECT_STREQ(alloy_reason_name(999), "UNKNOWN");
}

}  // namespace
