// SPDX-License-Identifier: BSL-1.0
// Without exceptions, Boost asks the program what to do instead of throwing.
#include <boost/config.hpp>

#if defined(BOOST_NO_EXCEPTIONS)
#include <boost/assert/source_location.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace boost
{

void throw_exception(std::exception const& thrown);
void throw_exception(std::exception const& thrown, source_location const& where);

void throw_exception(std::exception const& thrown)
{
    std::fprintf(stderr, "Boost would throw: %s\n", thrown.what());
    std::abort();
}

void throw_exception(std::exception const& thrown, source_location const&) { throw_exception(thrown); }

} // namespace boost
#endif
