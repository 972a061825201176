// SPDX-License-Identifier: MIT
//
// Runs a stream function of a backend on a Parquet file, and writes the result as an Arrow
// IPC file:
//
//   query_cpp build/backends/tpch_cpp.so q1 lineitem.parquet out.arrow
//
// It reads only the columns that the function declares, batch by batch. With --isolated as
// its first word the backend runs in a worker process, and cannot take this program down.
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <iostream>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alloy/arrow.hpp"

namespace {

using Names = std::vector<std::string>;

constexpr int64_t kBatchRows = 64 << 10;

// The columns that the function declares for its first input. Nothing: it reads all.
arrow::Result<std::optional<Names>> Declared(alloy::Bridge& bridge,
                                             const std::string& name) {
  const auto functions = bridge.Functions();
  if (!functions.ok()) return alloy::arrow::ToArrow(functions.status());
  for (const auto& function : *functions) {
    if (function.name != name || function.columns.empty()) continue;
    Names names;
    for (const auto& column : function.columns[0]) names.push_back(column.name);
    return names;
  }
  return std::nullopt;
}

void AddLeaves(const parquet::arrow::SchemaField& field, std::vector<int>* leaves) {
  if (field.is_leaf()) leaves->push_back(field.column_index);
  for (const auto& child : field.children) AddLeaves(child, leaves);
}

// The Parquet columns below the Arrow columns with these names. A name that the file does
// not have is an error later, when the function is bound to the schema.
std::vector<int> LeavesOf(const parquet::arrow::SchemaManifest& manifest,
                          const std::optional<Names>& names) {
  std::vector<int> leaves;
  for (const auto& field : manifest.schema_fields) {
    const std::string& name = field.field->name();
    if (!names || std::find(names->begin(), names->end(), name) != names->end()) {
      AddLeaves(field, &leaves);
    }
  }
  return leaves;
}

arrow::Result<std::unique_ptr<parquet::arrow::FileReader>> Open(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path));
  // A row group is read through a window, so that memory stays bounded.
  parquet::ReaderProperties window;
  window.enable_buffered_stream();
  window.set_buffer_size(int64_t{1} << 20);
  parquet::ArrowReaderProperties properties(/*use_threads=*/true);
  properties.set_batch_size(kBatchRows);
  properties.set_pre_buffer(false);
  parquet::arrow::FileReaderBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Open(std::move(file), window));
  return builder.properties(properties)->Build();
}

arrow::Status Write(const std::string& path, arrow::RecordBatchReader& results) {
  ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::FileOutputStream::Open(path));
  ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeFileWriter(file, results.schema()));
  for (;;) {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(results.ReadNext(&batch));
    if (batch == nullptr) break;
    ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(*batch));
  }
  ARROW_RETURN_NOT_OK(writer->Close());
  return file->Close();
}

arrow::Status Run(alloy::Isolation isolated, const std::string& library,
                  const std::string& function, const std::string& path,
                  const std::string& out) {
  alloy::Bridge bridge(alloy::Host({.allow_unsigned = true}), {.isolated = isolated});
  if (const auto status = bridge.SetImplLib(library); !status.ok()) {
    return alloy::arrow::ToArrow(status);
  }
  ARROW_ASSIGN_OR_RAISE(const auto names, Declared(bridge, function));
  ARROW_ASSIGN_OR_RAISE(const auto file, Open(path));  // must outlive its batches
  std::vector<int> groups(static_cast<size_t>(file->num_row_groups()));
  std::iota(groups.begin(), groups.end(), 0);
  ARROW_ASSIGN_OR_RAISE(
      alloy::arrow::ReaderPtr batches,
      file->GetRecordBatchReader(groups, LeavesOf(file->manifest(), names)));
  ARROW_ASSIGN_OR_RAISE(const auto results,
                        alloy::arrow::Stream(bridge, function, batches));
  return Write(out, *results);
}

}  // namespace

int main(int argc, char** argv) {
  const bool isolated = argc > 1 && std::string_view(argv[1]) == "--isolated";
  char** const words = argv + (isolated ? 2 : 1);
  if (argc != (isolated ? 6 : 5)) {
    std::cerr << "query_cpp [--isolated] LIBRARY FUNCTION FILE.parquet OUT.arrow\n";
    return 2;
  }
  try {
    const arrow::Status status =
        Run(isolated ? alloy::Isolation::kWorkers : alloy::Isolation::kNone, words[0],
            words[1], words[2], words[3]);
    if (status.ok()) return 0;
    std::cerr << "query_cpp: " << status.message() << '\n';
  } catch (const std::exception& error) {  // the reader of Parquet throws
    std::cerr << "query_cpp: " << error.what() << '\n';
  }
  return 1;
}
