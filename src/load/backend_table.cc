// SPDX-License-Identifier: MIT
#include "load/backend_table.h"

#include <string>
#include <string_view>

namespace alloy::core {
namespace {

Status BadTable(std::string text) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_TABLE,
              "the backend's table: " + std::move(text));
}

// Names appear in log lines, statements and command lines: printable ASCII, no blanks.
bool IsName(const char* name) {
  if (name == nullptr || *name == '\0') return false;
  size_t length = 0;
  for (; name[length] != '\0'; ++length) {
    if (name[length] <= ' ' || name[length] > '~' || length >= 128) return false;
  }
  return true;
}

Status CheckOptions(const alloy_function& function, const std::string& where) {
  if (function.options == nullptr) return Status();
  for (const alloy_option* option = function.options; option->name != nullptr; ++option) {
    if (!IsName(option->name))
      return BadTable(where + ": the name of an option is malformed");
    for (const alloy_option* before = function.options; before != option; ++before) {
      if (std::string_view(before->name) == option->name) {
        return BadTable(where + ": option " + option->name + " is listed twice");
      }
    }
  }
  return Status();
}

enum class Entries : uint8_t { kHere, kElsewhere };

Status CheckFunction(const alloy_function& function, Entries entries,
                     const std::string& place) {
  if (function.struct_size < sizeof(alloy_function)) {
    return BadTable(place + ": struct_size is " + std::to_string(function.struct_size) +
                    ", expected at least " + std::to_string(sizeof(alloy_function)));
  }
  if (!IsName(function.name))
    return BadTable(place + ": the name is missing or malformed");
  const std::string where = std::string("function ") + function.name;
  const bool is_here = entries == Entries::kHere;
  if (is_here && function.bind == nullptr) return BadTable(where + ": bind is NULL");
  const bool is_stream = (function.flags & ALLOY_STREAM) != 0;
  if (is_here && (is_stream ? function.open == nullptr : function.run == nullptr)) {
    return BadTable(where + (is_stream ? ": open is NULL" : ": run is NULL"));
  }
  if (function.min_inputs < 0 ||
      (function.max_inputs != -1 && function.max_inputs < function.min_inputs)) {
    return BadTable(where + ": min_inputs is " + std::to_string(function.min_inputs) +
                    " and max_inputs is " + std::to_string(function.max_inputs) +
                    "; expected 0 <= min_inputs <= max_inputs, or max_inputs -1");
  }
  if ((function.flags & ALLOY_ROWWISE) != 0 && function.max_inputs != 1) {
    return BadTable(where + ": is declared ROWWISE, so max_inputs must be 1");
  }
  return CheckOptions(function, where);
}

Status CheckBackendTable(const alloy_backend* table, Entries entries) {
  if (table->abi != ALLOY_ABI) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_ABI,
                "the backend has ABI " + std::to_string(table->abi) +
                    ", but this engine has ABI " + std::to_string(ALLOY_ABI) +
                    "; build it with this engine's headers");
  }
  if (table->struct_size < sizeof(alloy_backend)) {
    return BadTable("struct_size is " + std::to_string(table->struct_size) +
                    ", expected at least " + std::to_string(sizeof(alloy_backend)));
  }
  if (!IsName(table->name)) return BadTable("the name is missing or malformed");
  if (!IsName(table->version)) return BadTable("the version is missing or malformed");
  if (!IsName(table->language)) return BadTable("the language is missing or malformed");
  if (table->functions == nullptr) return BadTable("the list of functions is NULL");
  for (size_t i = 0; table->functions[i] != nullptr; ++i) {
    ALLOY_TRY(CheckFunction(*table->functions[i], entries,
                            "function number " + std::to_string(i)));
  }
  return Status();
}

}  // namespace

Result<std::shared_ptr<const BackendTable>> BackendTable::Make(
    const alloy_backend* table) {
  ALLOY_TRY(CheckBackendTable(table, Entries::kHere));
  return std::shared_ptr<const BackendTable>(new BackendTable(table));
}

Result<std::shared_ptr<const BackendTable>> BackendTable::MakeDescribed(
    std::shared_ptr<const DescribedTable> described) {
  ALLOY_TRY(CheckBackendTable(&described->backend(), Entries::kElsewhere));
  const std::shared_ptr<BackendTable> table(new BackendTable(&described->backend()));
  table->described_ = std::move(described);
  return std::shared_ptr<const BackendTable>(table);
}

BackendTable::BackendTable(const alloy_backend* table) : table_(table), shown_(*table) {
  for (size_t i = 0; table->functions[i] != nullptr; ++i) {
    alloy_function function = *table->functions[i];
    function.struct_size = sizeof(alloy_function);
    function.self = nullptr;
    function.bind = nullptr;
    function.run = nullptr;
    function.open = nullptr;
    function.unbind = nullptr;
    functions_.push_back(function);
  }
  for (const alloy_function& function : functions_) list_.push_back(&function);
  list_.push_back(nullptr);
  shown_.struct_size = sizeof(alloy_backend);
  shown_.functions = list_.data();
}

}  // namespace alloy::core
