#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace turbine {

void check_failed(const char* what, const char* file, int line) {
  std::fprintf(stderr, "turbine: internal error: CHECK(%s) failed at %s:%d\n", what, file, line);
  std::abort();
}

}  // namespace turbine
