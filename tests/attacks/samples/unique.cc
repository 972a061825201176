// SPDX-License-Identifier: MIT
//
// A static member of a template: a GNU_UNIQUE export, where no version script hides it.
template <typename T>
struct Unique {
  static int value;
};
template <typename T>
int Unique<T>::value = 0;

extern "C" int alloy_backend_init() { return ++Unique<int>::value; }
