// SPDX-License-Identifier: BSL-1.0
#include "totora/log/segmented/segment_index.hpp"

#include "support/log_entries.hpp"
#include "totora/core/values/types.hpp"
#include "totora/log/segmented/segment_record.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::test::segment_index_tests
{

using boost::unit_test::label;

namespace
{

constexpr auto place = std::uint64_t{8192};

SegmentSeed seed_of(std::uint64_t generation) { return segment_seed(identity_of_first(), generation); }

/// The entries 11 to 15 in two rows and two terms, of which one is a configuration.
SegmentIndex sample()
{
    auto index = SegmentIndex{};
    index.batch = 9;
    index.first = Index{11};
    index.rows = {{248, 2}, {456, 3}};
    index.terms = {{Index{11}, Term{3}}, {Index{14}, Term{5}}};
    index.configurations = {Index{13}};
    index.sizes = {50, 60, 70, 40, 90};
    return index;
}

/// Whether an index with this change is taken back as it was written.
bool is_taken(std::function<void(SegmentIndex&)> const& change)
{
    auto index = sample();
    change(index);
    auto const decoded = decode_segment_index(encode_segment_index(index, seed_of(7), place), seed_of(7), place);
    return decoded and *decoded == index;
}

} // namespace

BOOST_AUTO_TEST_SUITE(segment_index)

BOOST_AUTO_TEST_CASE(an_index_is_read_as_it_was_written)
{
    auto const bytes = encode_segment_index(sample(), seed_of(7), place);

    BOOST_TEST(bytes.size() % 8 == 0U);
    BOOST_TEST(segment_index_size(bytes) == bytes.size());
    BOOST_TEST((decode_segment_index(bytes, seed_of(7), place) == sample()));
    BOOST_TEST(sample().last().value == 15U);
}

BOOST_AUTO_TEST_CASE(an_index_counts_only_in_the_segment_and_at_the_place_it_was_written_for)
{
    auto const bytes = encode_segment_index(sample(), seed_of(7), place);

    BOOST_TEST((decode_segment_index(bytes, seed_of(8), place) == std::nullopt));
    BOOST_TEST((decode_segment_index(bytes, seed_of(7), place + 8) == std::nullopt));
}

BOOST_AUTO_TEST_CASE(an_index_with_a_flipped_bit_or_without_its_end_is_none, *label("case_65"))
{
    auto const bytes = encode_segment_index(sample(), seed_of(7), place);
    for (auto bit = std::size_t{0}; bit < 8 * bytes.size(); ++bit) {
        auto damaged = bytes;
        damaged[bit / 8] ^= std::byte{1} << bit % 8;
        BOOST_TEST((decode_segment_index(damaged, seed_of(7), place) == std::nullopt), "bit " << bit);
    }
    for (auto size = std::size_t{0}; size < bytes.size(); ++size)
        BOOST_TEST((decode_segment_index(std::span{bytes}.first(size), seed_of(7), place) == std::nullopt));
}

/// A right checksum is no proof that what is claimed can be: it would lead a start out of its bounds.
BOOST_AUTO_TEST_CASE(an_index_that_contradicts_itself_is_none)
{
    BOOST_TEST(is_taken([](SegmentIndex&) {}));
    BOOST_TEST(is_taken([](SegmentIndex& index) { index.configurations.clear(); }));
    BOOST_TEST(not is_taken([](SegmentIndex& index) { index.sizes.pop_back(); }));
    BOOST_TEST(not is_taken([](SegmentIndex& index) { index.sizes.push_back(40); }));
    BOOST_TEST(not is_taken([](SegmentIndex& index) { index.rows.back().count = 4; }));
    BOOST_TEST(not is_taken([](SegmentIndex& index) { index.rows.back().offset = 357; }));
    BOOST_TEST(not is_taken([](SegmentIndex& index) { index.rows.back().offset = 8000; }));
    BOOST_TEST(not is_taken([](SegmentIndex& index) { index.terms.clear(); }));
    BOOST_TEST(not is_taken([](SegmentIndex& index) { index.terms.front().first = Index{12}; }));
    BOOST_TEST(not is_taken([](SegmentIndex& index) { index.terms.back().first = Index{16}; }));
    BOOST_TEST(not is_taken([](SegmentIndex& index) { index.terms.back().term = Term{3}; }));
    BOOST_TEST(not is_taken([](SegmentIndex& index) { index.configurations = {Index{10}}; }));
    BOOST_TEST(not is_taken([](SegmentIndex& index) { index.configurations = {Index{13}, Index{13}}; }));
    BOOST_TEST(not is_taken([](SegmentIndex& index) { index.configurations = {Index{16}}; }));
    BOOST_TEST(not is_taken([](SegmentIndex& index) { index.first = Index{}; }));
    BOOST_TEST(not is_taken([](SegmentIndex& index) { index = SegmentIndex{}; }));
}

/// What a later version writes there needs not be understood: the records are read instead.
BOOST_AUTO_TEST_CASE(an_index_of_a_later_version_is_none)
{
    auto bytes = encode_segment_index(sample(), seed_of(7), place);
    bytes[8] = std::byte{1};
    put(bytes.data(), segment_index_guard(bytes, seed_of(7), place));

    BOOST_TEST((decode_segment_index(bytes, seed_of(7), place) == std::nullopt));
}

BOOST_AUTO_TEST_CASE(the_index_of_an_image_has_the_entries_of_its_last_segment)
{
    auto image = LogImage{};
    for (auto entry = std::uint64_t{1}; entry <= 20; ++entry) {
        auto const in_second = entry > 10;
        auto const between = std::uint32_t{entry > 13 ? 56U : 0U};
        auto const offset = static_cast<std::uint32_t>(200 + 50 * (entry - (in_second ? 11 : 1)));
        image.index.append(50, {in_second ? 4U : 3U, offset + between});
        image.runs.append({Term{entry < 15 ? 1U : 2U}, Index{entry}, 1});
    }
    image.configurations = {Index{2}, Index{12}};

    auto const index = index_of_last_segment(image, 33);

    auto expected = SegmentIndex{};
    expected.batch = 33;
    expected.first = Index{11};
    expected.rows = {{200, 3}, {406, 7}};
    expected.terms = {{Index{11}, Term{1}}, {Index{15}, Term{2}}};
    expected.configurations = {Index{12}};
    expected.sizes = std::vector<std::uint32_t>(10, 50);
    BOOST_TEST((index == expected));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::segment_index_tests
