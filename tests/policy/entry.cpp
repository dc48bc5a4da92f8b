// SPDX-License-Identifier: BSL-1.0
#include "totora/data/entry.hpp"
#include "totora/node/clients/staging.hpp"

#include <range/v3/algorithm/equal.hpp>
#include <range/v3/range/access.hpp>
#include <range/v3/range/concepts.hpp>
#include <range/v3/range/operations.hpp>
#include <range/v3/range/primitives.hpp>
#include <range/v3/view/filter.hpp>
#include <range/v3/view/join.hpp>
#include <range/v3/view/transform.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <string_view>

namespace totora::test::entry_tests
{
namespace
{

static_assert(ranges::forward_range<Entries>, "a range of entries can be used with range-v3");

[[nodiscard]] Entries commands(Index first, std::initializer_list<std::string_view> texts)
{
    auto staging = Staging{};
    for (auto const text : texts)
        staging.add(std::as_bytes(std::span{text}));
    return staging.seal({Term{3}, first, texts.size()}, EntryKind::command);
}

BOOST_AUTO_TEST_CASE(entries_are_read_in_place_and_composed_with_range_v3)
{
    auto       entries = commands(Index{5}, {"a", "bb", ""});
    auto const more = commands(Index{8}, {"cc"});
    entries.add(more.slice(0), 1);

    auto const two_bytes = [](EntryView const& entry) { return entry.payload.size() == 2; };
    auto const index = [](EntryView const& entry) { return entry.index.value; };
    auto       found = entries | ranges::views::filter(two_bytes) | ranges::views::transform(index);

    BOOST_TEST(ranges::equal(found, std::array<std::uint64_t, 2>{6, 8}));
    BOOST_TEST(entries.count() == 4U);
    for (auto const entry : entries)
        BOOST_TEST(is_intact(entry));
}

BOOST_AUTO_TEST_CASE(slices_are_the_memory_of_the_entries_in_order)
{
    auto       entries = commands(Index{5}, {"a", "bb", ""});
    auto const more = commands(Index{8}, {"cc"});
    entries.add(more.slice(0), 1);

    // Values, not the members of entries that exist only while they are looked at.
    auto const bytes = [](EntrySlice const& slice) { return slice.bytes; };
    auto const encoding = [](EntryView const& entry) { return entry.encoded; };
    auto       encoded = entries | ranges::views::transform(encoding) | ranges::views::join;
    auto       whole = entries.slices() | ranges::views::transform(bytes) | ranges::views::join;

    BOOST_TEST(ranges::distance(entries.slices()) == 2);
    BOOST_TEST(ranges::equal(encoded, whole));
    BOOST_TEST(ranges::empty(Entries{}.slices()));
}

BOOST_AUTO_TEST_CASE(a_cut_of_entries_holds_exactly_the_indexes_requested)
{
    auto entries = commands(Index{5}, {"a", "bb", ""});
    entries.add(commands(Index{8}, {"cc", "d"}).slice(0), 2);

    for (auto first = std::uint64_t{3}; first <= 11; ++first)
        for (auto last = first; last <= 11; ++last) {
            auto       expected = first < 5 ? std::uint64_t{5} : first;
            auto const cut = entries.between(Index{first}, Index{last});
            for (auto const entry : cut)
                BOOST_TEST(entry.index.value == expected++);
            BOOST_TEST(expected == std::max(expected, std::min<std::uint64_t>(last, 9) + 1));
        }
}

BOOST_AUTO_TEST_CASE(every_bit_of_an_entry_is_covered_by_its_checksum)
{
    auto const entries = commands(Index{5}, {"payload"});
    auto       bytes = std::vector<std::byte>(entries.slice(0).bytes.begin(), entries.slice(0).bytes.end());
    for (auto bit = std::size_t{0}; bit < bytes.size() * 8; ++bit) {
        bytes[bit / 8] ^= std::byte{1} << (bit % 8);
        auto const entry = view_entry(bytes);
        BOOST_TEST((not entry or not is_intact(*entry)), "bit " << bit);
        bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    }
}

} // namespace
} // namespace totora::test::entry_tests
