// SPDX-License-Identifier: MIT
//
// The commands, in the order of the help. Each has a function Add in the namespace
// arrowalloy::NAME.
#ifndef ARROWALLOY_COMMANDS_H_
#define ARROWALLOY_COMMANDS_H_

// clang-format off
#define ARROWALLOY_COMMANDS(X) \
  X(doctor) \
  X(new_backend) \
  X(keygen) \
  X(sign) \
  X(verify) \
  X(inspect) \
  X(link) \
  X(cert_base64) \
  X(read_table) \
  X(test) \
  X(test_function) \
  X(run) \
  X(completion) \
  X(manual)
// clang-format on

namespace arrowalloy {

class Program;

#define ARROWALLOY_DECLARE(name) \
  namespace name {               \
  void Add(Program& program);    \
  }
ARROWALLOY_COMMANDS(ARROWALLOY_DECLARE)
#undef ARROWALLOY_DECLARE

}  // namespace arrowalloy

#endif  // ARROWALLOY_COMMANDS_H_
