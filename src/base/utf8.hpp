#pragma once

#include <string_view>

namespace turbine {

/// No overlong forms, surrogates, or code points above U+10FFFF.
bool is_valid_utf8(std::string_view text);

}  // namespace turbine
