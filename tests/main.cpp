// SPDX-License-Identifier: BSL-1.0
// The one translation unit with Boost.Test's main; every test program links it. No test stands here.
#define BOOST_TEST_MODULE totora
#if defined(TOTORA_BOOST_TEST_LIBRARY) // It is installed as a library, too.
#include <boost/test/unit_test.hpp>
#else
#include <boost/test/included/unit_test.hpp>
#endif
