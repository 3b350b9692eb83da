// Errors of the admin API: RFC 9457 problem details.
#pragma once

#include "admin/http.hpp"
#include "base/result.hpp"

namespace turbine::admin {

/// HTTP status for an error code.
int http_status(Errc code);
/// {"type","title","status","detail","code","hint"}; `code` is errc_name() as
/// one word, `hint` what to do.
HttpResponse problem(const Error& error);
/// With a status of its own: 401 when it is not known who asks, 405 for a method.
HttpResponse problem(const Error& error, int status);

}  // namespace turbine::admin
