// SPDX-License-Identifier: MIT
//
// What a file is, by its first bytes.
#ifndef ARROWALLOY_RUN_INPUT_RECOGNISE_H_
#define ARROWALLOY_RUN_INPUT_RECOGNISE_H_

#include <arrow/util/type_fwd.h>

#include <optional>
#include <string>
#include <string_view>

#include "../format.h"

namespace arrowalloy::run {

struct Recognised {
  std::string name;  // for people: `Parquet`, `a zip archive`
  // What `run` reads: a format, or a compressed file that holds one. Neither: other data.
  std::optional<Format> format;
  std::optional<arrow::Compression::type> compression;
  std::string help;  // what to do with other data; may be empty
};

// CSV has no mark of its own: any text is taken for it.
Recognised Recognise(std::string_view first);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INPUT_RECOGNISE_H_
