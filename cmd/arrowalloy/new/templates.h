// SPDX-License-Identifier: MIT
//
// The files of templates/, compiled into the program.
#ifndef ARROWALLOY_NEW_TEMPLATES_H_
#define ARROWALLOY_NEW_TEMPLATES_H_

#include <span>
#include <string_view>

namespace arrowalloy {

struct Template {
  std::string_view set;   // the folder below templates/
  std::string_view path;  // inside the new folder, without .in
  std::string_view text;  // with @PLACEHOLDERS@
};

std::span<const Template> Templates();

}  // namespace arrowalloy

#endif  // ARROWALLOY_NEW_TEMPLATES_H_
