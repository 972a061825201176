// SPDX-License-Identifier: MIT
//
// The decimal digits of a floating-point number: the fewest that parse to the same number.
//
// std::to_chars finds them too, but brings 130 KB of code and tables into every program that
// contains the engine. This is slower, and only texts for people need it.
//
// Threads  shared.
#ifndef ALLOY_ARROW_SHORTEST_H_
#define ALLOY_ARROW_SHORTEST_H_

#include <string>

namespace alloy::core {

// The number 0.d1d2d3… times 10 to the power of `point`.
struct ShortestDigits {
  std::string digits;  // no zero at either end; "0" for 0
  int point;
};

// The digits of a finite number that is not negative. Of several shortest ones it takes those
// that are nearest to the number.
ShortestDigits Shortest(double value);
ShortestDigits Shortest(float value);

}  // namespace alloy::core

#endif  // ALLOY_ARROW_SHORTEST_H_
