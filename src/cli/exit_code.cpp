#include "cli/exit_code.hpp"

namespace turbine::cli {

int exit_code(Errc code) {
  switch (code) {
    case Errc::ok:
      return kOk;
    case Errc::not_found:
    case Errc::stale:
      return kNotFound;
    case Errc::exists:
    case Errc::not_empty:
    case Errc::conflict:
    case Errc::precondition_failed:
      return kConflict;
    case Errc::denied:
      return kDenied;
    case Errc::unavailable:
    case Errc::timeout:
      return kUnreachable;
    case Errc::invalid:
    case Errc::name_too_long:
      return kUsage;
    default:
      return kFailure;
  }
}

}  // namespace turbine::cli
