// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/test/unit_test.hpp>

namespace totora::test
{

/// Not constexpr: a proof that comes here does not compile, and the compiler quotes the call with its text.
inline void proof_failed(char const* what) { BOOST_ERROR(what); }

/// States what must hold at this point of a proof.
constexpr void require(bool holds, char const* what)
{
    if (not holds)
        proof_failed(what);
}

} // namespace totora::test

#define TOTORA_LABEL_1(a) *boost::unit_test::label(a)
#define TOTORA_LABEL_2(a, b) TOTORA_LABEL_1(a) * boost::unit_test::label(b)
#define TOTORA_LABEL_3(a, b, c) TOTORA_LABEL_2(a, b) * boost::unit_test::label(c)
#define TOTORA_LABEL_PICK(a, b, c, chosen, ...) chosen
#define TOTORA_LABELS(...)                                                                                             \
    TOTORA_LABEL_PICK(__VA_ARGS__, TOTORA_LABEL_3, TOTORA_LABEL_2, TOTORA_LABEL_1, none)(__VA_ARGS__)

/// Proves `name`, a captureless constexpr lambda, at compile time and runs it at run time. One to three labels: a section of
/// the paper ("5.4.1"), "dissertation 9.6", "case_14".
#define TOTORA_PROVE(name, ...)                                                                                        \
    static_assert((name(), true));                                                                                     \
    BOOST_AUTO_TEST_CASE(name##_at_run_time, TOTORA_LABELS(__VA_ARGS__)) { name(); }
