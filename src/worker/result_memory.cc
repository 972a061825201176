// SPDX-License-Identifier: MIT
#include "worker/result_memory.h"

namespace alloy::core {

Arena& ResultMemory() {
  // Never destroyed: threads of the backend may use it until the process ends.
  static Arena* const arena = new Arena();
  return *arena;
}

}  // namespace alloy::core
