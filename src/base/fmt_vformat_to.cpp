// The one copy of fmt's formatting loop; every other source finds it declared in base/pch.hpp.
#include "base/pch.hpp"

#if FMT_VERSION < 100000
template void fmt::detail::vformat_to<char>(buffer<char>& out, string_view format,
                                            basic_format_args<buffer_context<char>> arguments,
                                            locale_ref locale);
#endif
