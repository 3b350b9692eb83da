#include "admin/operations.hpp"

namespace turbine::admin {

Task<HttpResponse> get_config(ArrayControl& array, HttpRequest) {
  HttpResponse answer;
  answer.body = CO_TRY(co_await array.config_backup());
  co_return answer;
}

}  // namespace turbine::admin
