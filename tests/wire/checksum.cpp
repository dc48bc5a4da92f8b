// SPDX-License-Identifier: BSL-1.0
#include "totora/data/checksum.hpp"

#include "totora/testing/prng.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace totora::test::checksum_tests
{

using totora::testing::SplitMix;

namespace
{

/// The check value of CRC32C: that of "123456789".
constexpr auto nine_digits = [] {
    auto bytes = std::array<std::byte, 9>{};
    for (auto at = std::size_t{0}; at < bytes.size(); ++at)
        bytes[at] = static_cast<std::byte>('1' + at);
    return bytes;
}();

static_assert(crc32c(nine_digits) == 0xE3069283U);
static_assert(crc32c(std::span{nine_digits}.subspan(4), crc32c(std::span{nine_digits}.first(4))) == 0xE3069283U);

} // namespace

BOOST_AUTO_TEST_CASE(bits_tables_and_the_processor_agree_on_every_length)
{
    BOOST_TEST(crc32c(nine_digits) == 0xE3069283U);

    auto random = SplitMix{1};
    auto bytes = std::vector<std::byte>{};
    for (auto size = std::size_t{0}; size < 100; ++size) {
        auto const state = static_cast<std::uint32_t>(random.below(std::uint64_t{1} << 32U));
        auto const expected = crc32c_by_bits(state, bytes);
        BOOST_TEST(crc32c_by_tables(state, bytes) == expected, "tables, " << size << " bytes");
        BOOST_TEST(~crc32c(bytes, ~state) == expected, "what this processor does, " << size << " bytes");
        bytes.push_back(static_cast<std::byte>(random.below(256)));
    }
}

} // namespace totora::test::checksum_tests
