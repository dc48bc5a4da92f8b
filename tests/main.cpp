// The one translation unit that compiles Boost.Test itself; every test program links it. No test stands here.
#define BOOST_TEST_MODULE totora
#include <boost/test/included/unit_test.hpp>
