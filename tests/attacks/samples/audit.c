// SPDX-License-Identifier: MIT
//
// What a program with LD_AUDIT set to this gets in place of sealed memory: the library
// that the variable ATTACK_EVIL names.
#define _GNU_SOURCE
#include <link.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN __attribute__((visibility("default")))

SHOWN unsigned la_version(unsigned version) { return version; }

SHOWN char* la_objsearch(const char* name, uintptr_t* cookie, unsigned flag) {
  (void)cookie, (void)flag;
  char* evil = getenv("ATTACK_EVIL");
  const int is_sealed = strncmp(name, "/proc/", 6) == 0 && strstr(name, "/fd/") != NULL;
  return is_sealed && evil != NULL ? evil : (char*)name;
}
