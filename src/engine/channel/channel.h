// SPDX-License-Identifier: MIT
//
// The seam between the engine and a running backend.
//
// Above it, everything is the same for every channel: admission, the list of what a host
// has loaded, the gate, projections, tickets, deadlines, idle states, the rules of streams.
// Below it is how a library is loaded and a backend is entered. The local channel, the only
// one yet, calls dlopen and entry points in this process. The worker channel of the
// isolated mode will load the library in worker processes and pass records to them.
//
// Every channel keeps these promises:
//
//   Inputs    When Run returns, the channel no longer reads the inputs, except those that
//             the backend moved out. Open's inputs are pulled until its output is released.
//   Results   Every buffer of a result is as long as its struct implies, and the buffers
//             that the gate follows (offsets, views, indices, type ids, run ends) cannot
//             change any more. The gate above checks all else.
//   Errors    The returned code is the backend's own; its text is in the scope.
//   Stops     The engine first writes a stop to the RunControl, then calls Interrupt.
//             Progress goes the other way: the channel writes it to scope.control().
//   States    A state is the channel's token for one bind. Only this channel reads it.
//   Lifetime  A result of Run may outlive the channel; see Open for streams.
//
// In process, the C data interface carries no sizes, so the local channel has to trust the
// backend for the second promise. A worker's memory can change at any time, but its records
// carry sizes. So the worker channel keeps this promise by work: it checks each record
// against its segment, copies the followed buffers, and compares the largest position in
// them with the size of the buffer that they point into. It needs the layout of the output
// for that, which it knows from the schema that its own Bind returned. So no size has to
// cross this interface, the gate needs no second entry, and a local call pays nothing.
//
// What the worker channel will add to this interface, and where:
//
//   Opening   The opener of a bridge gets the limits of its workers (max_workers and the
//             fields after it in alloy_bridge_options). It keeps the sealed copy of the
//             library, since each new worker loads it again. So a host needs a second list
//             of libraries (open/libraries.h), with its own opener.
//   Lost      A worker that died is neither a success nor a code of the backend. The scope
//             gets a Status of the channel itself, which Failure (call/call_core.h) returns
//             in place of the backend's code; BackendFault keeps turning ALLOY_LOST and
//             ALLOY_BUSY from a backend into ALLOY_FAILED. Only failures read it.
//   Grace     Interrupt sets the worker's cancel flag, wakes the thread that waits in Run,
//             and starts the grace time (alloy_bridge_options.grace_ns). When it is over,
//             the worker is killed and Run returns: lost, or late by the deadline. Neither
//             the engine nor Interrupt waits for that.
//   Table     A worker's table has no entry points, which BackendTable::Make demands. It
//             needs a second way to be made, from a description.
//   Binds     A worker that starts later knows none of the earlier binds. So a state keeps
//             what its Bind was given, and is bound again in the worker that needs it.
//   Busy      A stream holds a worker until its release. When all workers are held, a new
//             stream fails with BUSY and its inputs stay with the caller. So the channel
//             has to be asked before inputs are taken, in Call::Use.
#ifndef ALLOY_SRC_ENGINE_CHANNEL_CHANNEL_H_
#define ALLOY_SRC_ENGINE_CHANNEL_CHANNEL_H_

#include <memory>
#include <optional>
#include <string>

#include "alloy/backend.h"
#include "engine/channel/scope.h"
#include "load/load.h"
#include "port/cleared.h"
#include "port/restrict.h"

namespace alloy::core {

// Threads  shared; a state is serial.
class Channel {
 public:
  virtual ~Channel() = default;

  // Shared, since hosts keep pointers into it for as long as their bridge lives.
  virtual const std::shared_ptr<const BackendTable>& table() const = 0;

  // What the processes of the backend have given up; nullopt: it is in this process.
  virtual std::optional<Restrictions> restrictions() const { return std::nullopt; }

  // The next four are the entries of alloy_function, with their contracts. `function` is
  // one of the table's.
  virtual alloy_code Bind(const alloy_function& function, Scope& scope,
                          const ArrowSchema* inputs, int32_t n_inputs,
                          const char* const* values, ArrowSchema* output,
                          void** state) = 0;
  virtual alloy_code Run(const alloy_function& function, void* state, Scope& scope,
                         ArrowArray* inputs, int32_t n_inputs, ArrowArray* output) = 0;
  // For a stream that is about to be opened: keep what it needs as long as the returned
  // object lives, or until Open takes it over.
  //   Fails  BUSY: nothing is free.
  virtual Result<std::shared_ptr<void>> Reserve(void* /*state*/) { return {nullptr}; }
  // `state`, `scope` and the channel outlive `output`.
  virtual alloy_code Open(const alloy_function& function, void* state, Scope& scope,
                          ArrowArrayStream* inputs, int32_t n_inputs,
                          ArrowArrayStream* output) = 0;
  // Returns what it threw, for people; empty: nothing.
  virtual std::string Unbind(const alloy_function& function, void* state) = 0;

  // Runs that use `control` may have to stop: a ticket was cancelled, or a deadline has
  // passed. A hint: it may come when no such run is inside, and more than once.
  //
  // Any thread. It must not wait, nor take a lock that a run holds.
  virtual void Interrupt(RunControl& control) noexcept = 0;
};

// How a library becomes a running backend. There is one opener for each way to run one;
// what it takes has passed admission, whichever way that is.
//
// Threads  shared.
class ChannelOpener {
 public:
  virtual ~ChannelOpener() = default;

  // Load the library, initialise its backend, and check the backend's table.
  //
  // `code` is empty, or what an earlier Open left there for the same bytes: the loader
  // mapped them, and a later step failed. They are initialised again, and not mapped
  // twice, since nothing is ever unloaded.
  //   Takes  library, whatever the outcome.
  //   Fails  REFUSED; the text names the file.
  virtual Result<std::shared_ptr<Channel>> Open(Cleared library, LoadedCode* code) = 0;

  // Whether it may open anything more.
  //   Fails  REFUSED
  virtual Status CheckUsable() const = 0;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_CHANNEL_CHANNEL_H_
