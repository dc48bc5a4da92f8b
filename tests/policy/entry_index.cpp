// SPDX-License-Identifier: BSL-1.0
#include "totora/log/segmented/entry_index.hpp"

#include "totora/core/values/types.hpp"
#include "totora/testing/prng.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace totora::test::entry_index_tests
{

using totora::testing::SplitMix;

namespace
{

/// An index, and the same as a list of places and sizes.
struct IndexAndList
{
    /// Appends an entry, mostly right after the last one, now and then far from it or in the next segment.
    void append(SplitMix& random)
    {
        auto const chance = random.below(100);
        if (chance == 0)
            place = {place.segment + 1, 200};
        else if (chance < 20)
            place.offset += 48 + static_cast<std::uint32_t>(random.below(60));
        else if (chance < 22)
            place.offset += 65'500 + static_cast<std::uint32_t>(random.below(80));
        auto const size = static_cast<std::uint32_t>(40 + random.below(300));
        index.append(size, place);
        list.emplace_back(place, size);
        place.offset += size;
    }

    void truncate(std::uint64_t from)
    {
        index.truncate(Index{from});
        list.resize(static_cast<std::size_t>(from - 1));
    }

    EntryIndex                                        index;
    std::vector<std::pair<EntryPlace, std::uint32_t>> list;
    EntryPlace                                        place{1, 200};
};

} // namespace

BOOST_AUTO_TEST_SUITE(entry_index)

BOOST_AUTO_TEST_CASE(places_and_sizes_are_those_that_were_appended)
{
    for (auto seed = std::uint64_t{1}; seed <= 30; ++seed) {
        auto random = SplitMix{seed};
        auto both = IndexAndList{};
        for (auto step = 0; step < 3000; ++step) {
            both.append(random);
            if (random.below(500) == 0)
                both.truncate(1 + random.below(both.list.size()));
        }

        BOOST_REQUIRE(both.index.last().value == both.list.size());
        for (auto at = std::size_t{0}; at < both.list.size(); ++at) {
            BOOST_REQUIRE((both.index.place(Index{at + 1}) == both.list[at].first));
            BOOST_REQUIRE(both.index.bytes(Index{at + 1}, Index{at + 1}) == both.list[at].second);
        }
        auto const from = 1 + random.below(both.list.size());
        auto       visited = std::vector<std::pair<EntryPlace, std::uint32_t>>{};
        both.index.visit(Index{from},
                         [&](EntryPlace const& place, std::uint32_t size) { visited.emplace_back(place, size); });
        auto const rest = both.list.begin() + static_cast<std::ptrdiff_t>(from - 1);
        BOOST_TEST((visited == std::vector(rest, both.list.end())));
    }
}

BOOST_AUTO_TEST_CASE(the_first_entry_in_the_segment_of_the_last_one_is_known)
{
    auto index = EntryIndex{Index{7}};
    BOOST_TEST(index.last_segment() == 0U);
    for (auto entry = std::uint32_t{0}; entry < 300; ++entry)
        index.append(40, {3, 200 + 40 * entry});
    BOOST_TEST(index.first_of_last_segment().value == 8U);
    for (auto entry = std::uint32_t{0}; entry < 700; ++entry)
        index.append(40, {5, 200 + 40 * entry});

    BOOST_TEST(index.last_segment() == 5U);
    BOOST_TEST(index.first_of_last_segment().value == 308U);
}

BOOST_AUTO_TEST_CASE(what_is_compacted_is_forgotten_and_the_rest_is_as_it_was)
{
    for (auto seed = std::uint64_t{1}; seed <= 30; ++seed) {
        auto random = SplitMix{seed};
        auto both = IndexAndList{};
        auto base = std::uint64_t{0};
        for (auto step = 0; step < 3000; ++step) {
            both.append(random);
            if (random.below(100) == 0)
                both.index.compact(Index{base += random.below(both.list.size() - base + 1)});
            if (random.below(200) == 0)
                both.truncate(base + 1 + random.below(both.list.size() - base + 1));
            BOOST_REQUIRE(both.index.last().value == both.list.size());
        }
        BOOST_REQUIRE(both.index.base().value == base);
        auto bytes = std::uint64_t{0};
        for (auto at = static_cast<std::size_t>(base); at < both.list.size(); ++at) {
            BOOST_REQUIRE((both.index.place(Index{at + 1}) == both.list[at].first));
            bytes += both.list[at].second;
            BOOST_REQUIRE(both.index.bytes(Index{1}, Index{at + 1}) == bytes);
        }
        auto visited = std::vector<std::pair<EntryPlace, std::uint32_t>>{};
        both.index.visit(Index{base + 1},
                         [&](EntryPlace const& place, std::uint32_t size) { visited.emplace_back(place, size); });
        BOOST_TEST((visited == std::vector(both.list.begin() + static_cast<std::ptrdiff_t>(base), both.list.end())));
        if (base < both.list.size())
            BOOST_TEST(both.index.first_of_last_segment() > both.index.base());
    }
}

BOOST_AUTO_TEST_CASE(entries_in_memory_have_sizes_and_no_places)
{
    auto index = EntryIndex{};
    for (auto entry = std::uint64_t{1}; entry <= 1000; ++entry)
        index.append(static_cast<std::size_t>(40 + entry));

    BOOST_TEST(index.bytes(Index{1}, Index{1000}) == 40 * 1000U + 500 * 1001U);
    BOOST_TEST(index.bytes(Index{17}, Index{17}) == 57U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::entry_index_tests
