#include "admin/problem.hpp"

#include <boost/json.hpp>

namespace turbine::admin {

namespace {

std::string_view hint(Errc code, int status) {
  if (status == 401) {
    return "Send `Authorization: Bearer TOKEN`; TURBINE_TOKEN in DIR/env holds the token.";
  }
  switch (code) {
    case Errc::not_found:
      return "List what exists and check the spelling.";
    case Errc::exists:
      return "Choose another name, or use the existing one.";
    case Errc::not_empty:
      return "Delete what is inside first.";
    case Errc::denied:
    case Errc::not_permitted:
      return "The token is right; what it asks for is never done.";
    case Errc::wrong_primary:
      return "Ask the admin port of the manager that leads.";
    case Errc::unavailable:
    case Errc::timeout:
    case Errc::stale_epoch:
    case Errc::busy:
      return "Try again; `turbine status` shows blades that are down, `turbine blade start N` "
             "starts one.";
    case Errc::no_space:
      return "Delete data or add capacity.";
    case Errc::quota_exceeded:
      return "Delete data or raise the quota.";
    case Errc::invalid:
    case Errc::name_too_long:
    case Errc::too_large:
    case Errc::out_of_range:
    case Errc::cross_device:
    case Errc::too_many_links:
      return "Correct the request.";
    case Errc::conflict:
    case Errc::precondition_failed:
      return "Look at the current state and decide again.";
    case Errc::unsupported:
      return "This version does not have it.";
    case Errc::ok:
    case Errc::not_directory:
    case Errc::is_directory:
    case Errc::corrupt:
    case Errc::io:
    case Errc::stale:
    case Errc::closed:
      break;
  }
  return "The manager's log says more.";
}

/// "already exists" → "already_exists": a word that programs compare.
std::string code_word(Errc code) {
  std::string out;
  for (const char c : errc_name(code)) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter) {
      out += static_cast<char>(c | 0x20);
    } else if (!out.empty() && out.back() != '_') {
      out += '_';
    }
  }
  return out;
}

}  // namespace

int http_status(Errc code) {
  switch (code) {
    case Errc::ok:
      return 200;
    case Errc::not_found:
    case Errc::stale:
      return 404;
    case Errc::exists:
    case Errc::not_empty:
    case Errc::not_directory:
    case Errc::is_directory:
    case Errc::conflict:
    case Errc::cross_device:
    case Errc::too_many_links:
      return 409;
    case Errc::invalid:
    case Errc::name_too_long:
    case Errc::out_of_range:
      return 400;
    case Errc::denied:
    case Errc::not_permitted:
      return 403;
    case Errc::precondition_failed:
      return 412;
    case Errc::too_large:
      return 413;
    case Errc::unsupported:
      return 501;
    case Errc::unavailable:
    case Errc::timeout:
    case Errc::wrong_primary:
    case Errc::stale_epoch:
    case Errc::busy:
    case Errc::closed:
      return 503;
    case Errc::no_space:
    case Errc::quota_exceeded:
      return 507;
    case Errc::corrupt:
    case Errc::io:
      return 500;
  }
  return 500;
}

HttpResponse problem(const Error& error) {
  return problem(error, http_status(error.code));
}

HttpResponse problem(const Error& error, int status) {
  boost::json::object body;
  body["type"] = "about:blank";
  body["title"] = errc_name(error.code);
  body["status"] = status;
  body["detail"] = error.context;
  body["code"] = code_word(error.code);
  body["hint"] = hint(error.code, status);
  return {status, "application/problem+json", boost::json::serialize(body)};
}

}  // namespace turbine::admin
