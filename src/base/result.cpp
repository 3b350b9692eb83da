#include "base/result.hpp"

namespace turbine {

std::string_view errc_name(Errc code) {
  switch (code) {
    case Errc::ok:
      return "ok";
    case Errc::not_found:
      return "not found";
    case Errc::exists:
      return "already exists";
    case Errc::not_empty:
      return "not empty";
    case Errc::not_directory:
      return "not a directory";
    case Errc::is_directory:
      return "is a directory";
    case Errc::invalid:
      return "invalid";
    case Errc::name_too_long:
      return "name too long";
    case Errc::denied:
      return "denied";
    case Errc::conflict:
      return "conflict";
    case Errc::precondition_failed:
      return "precondition failed";
    case Errc::no_space:
      return "no space";
    case Errc::quota_exceeded:
      return "quota exceeded";
    case Errc::corrupt:
      return "corrupt";
    case Errc::io:
      return "I/O error";
    case Errc::unavailable:
      return "unavailable";
    case Errc::timeout:
      return "timed out";
    case Errc::wrong_primary:
      return "wrong primary";
    case Errc::stale_epoch:
      return "stale epoch";
    case Errc::stale:
      return "stale";
    case Errc::too_large:
      return "too large";
    case Errc::busy:
      return "busy";
    case Errc::unsupported:
      return "not implemented";
    case Errc::closed:
      return "closed";
    case Errc::out_of_range:
      return "out of range";
    case Errc::not_permitted:
      return "not permitted";
    case Errc::cross_device:
      return "in another bucket";
    case Errc::too_many_links:
      return "too many links";
  }
  return "unknown error";
}

}  // namespace turbine
