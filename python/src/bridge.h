// SPDX-License-Identifier: MIT
//
// The types Host and Bridge of the binding: the policy of a process, and an open backend.
#ifndef ALLOY_PYTHON_SRC_BRIDGE_H_
#define ALLOY_PYTHON_SRC_BRIDGE_H_

#include <atomic>
#include <memory>

#include "alloy/alloy.h"
#include "python.h"
#include "state.h"

namespace alloy::python {

struct FreeEngineObject {
  void operator()(alloy_host* host) const { alloy_host_free(host); }
  void operator()(alloy_bridge* bridge) const { alloy_bridge_free(bridge); }
  void operator()(alloy_call* call) const { alloy_call_free(call); }
};

// A host as its bridges share it, with the descriptor of its log if that is its own.
struct HostHandle {
  HostHandle() = default;
  HostHandle(const HostHandle&) = delete;
  HostHandle& operator=(const HostHandle&) = delete;
  ~HostHandle();

  std::unique_ptr<alloy_host, FreeEngineObject> host;
  int own_fd = -1;  // closed after the last line that the engine may write
};

// A bridge as its functions share it. Threads  shared.
struct BridgeHandle {
  std::shared_ptr<HostHandle> host;  // outlives the bridge
  std::unique_ptr<alloy_bridge, FreeEngineObject> bridge;
  // Larger after each load: calls that were bound before belong to the previous backend.
  std::atomic<uint64_t> generation{0};
  std::atomic<bool> closed{false};
};

struct HostObject {
  PyObject head;
  State* state;
  std::shared_ptr<HostHandle> handle;
};
struct BridgeObject {
  PyObject head;
  State* state;
  std::shared_ptr<BridgeHandle> handle;
};

void AddBridgeTypes(PyObject* module, State& state);
PyObject* MakeHost(PyObject* module, PyObject* args);
PyObject* MakeBridge(PyObject* module, PyObject* args);
PyObject* Inspect(PyObject* module, PyObject* args);
PyObject* Link(PyObject* module, PyObject* args);

State& StateOf(PyObject* module);

}  // namespace alloy::python

#endif  // ALLOY_PYTHON_SRC_BRIDGE_H_
