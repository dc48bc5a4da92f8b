// SPDX-License-Identifier: BSL-1.0
#include "../../docs/examples/kv/machine/values.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace kv::values_tests
{
namespace
{

/// The keys from a position on, to the end of a scan that nothing disturbs.
std::vector<std::string> keys_from(Values const& values, std::uint64_t position)
{
    auto keys = std::vector<std::string>{};
    do {
        position = values.walk(position, [&](std::string const& key, std::string const&) {
            keys.push_back(key);
            return true;
        });
    } while (position != 0);
    return keys;
}

/// Keys whose hashes are all the same, as anybody can compute them: the last step of the hash of 16 bytes is undone.
std::vector<std::string> colliding_keys(std::uint64_t count)
{
    constexpr auto factor = std::uint64_t{0xC6A4A7935BD1E995U};
    auto           inverse = factor; // Each round of Newton's doubles the bits that are right, 3 at first.
    for (auto round = 0; round < 5; ++round)
        inverse *= 2 - factor * inverse;
    auto keys = std::vector<std::string>{};
    for (auto first = std::uint64_t{0}; first < count; ++first) {
        auto mixed = first * factor;
        mixed = (mixed ^ mixed >> 47U) * factor;
        auto const hash = (16 * factor ^ mixed) * factor;
        auto       second = (hash ^ 0x1234567890U) * inverse;
        second = (second ^ second >> 47U) * inverse;
        auto key = std::string{};
        for (auto const word : {first, second})
            for (auto byte = 0U; byte < 8; ++byte)
                key.push_back(static_cast<char>(word >> 8 * byte & 0xFFU));
        keys.push_back(key);
    }
    return keys;
}

std::string key_of(std::uint64_t number) { return "key:" + std::to_string(number); }

} // namespace

BOOST_AUTO_TEST_SUITE(values)

BOOST_AUTO_TEST_CASE(a_table_holds_what_a_map_holds)
{
    auto random = std::mt19937_64{1};
    auto table = Values{};
    auto map = std::map<std::string, std::string>{};
    for (auto round = 0; round < 100'000; ++round) {
        auto const key = key_of(random() % 5'000);
        if (random() % 3 == 0) {
            BOOST_REQUIRE(table.erase(key) == (map.erase(key) == 1));
        } else {
            table.put(key, std::to_string(round));
            map[key] = std::to_string(round);
        }
        BOOST_REQUIRE(table.size() == map.size());
    }
    for (auto number = std::uint64_t{0}; number < 5'000; ++number) {
        auto const        found = map.find(key_of(number));
        auto const* const value = table.find(key_of(number));
        BOOST_REQUIRE((value != nullptr) == (found != map.end()));
        BOOST_REQUIRE((value == nullptr or *value == found->second));
    }
    BOOST_TEST(keys_from(table, 0).size() == map.size());
}

/// Whatever is written meanwhile, and however early its visitor stops.
BOOST_AUTO_TEST_CASE(a_scan_finds_each_key_that_stays_once)
{
    auto random = std::mt19937_64{2};
    for (auto round = 0; round < 200; ++round) {
        auto table = Values{};
        auto staying = std::set<std::string>{};
        for (auto number = 1 + random() % 1'000; number > 0; --number) {
            staying.insert(key_of(number));
            table.put(key_of(number), "");
        }
        auto found = std::map<std::string, int>{};
        auto position = std::uint64_t{0};
        auto visits = std::size_t{0};
        do {
            position = table.walk(position, [&](std::string const& key, std::string const&) {
                ++found[key];
                ++visits;
                return random() % 2 == 0;
            });
            BOOST_REQUIRE(position < Values::positions);
            for (auto writes = random() % 8; writes > 0; --writes) {
                auto const passing = "passing:" + std::to_string(random() % 4'000);
                if (random() % 3 == 0)
                    static_cast<void>(table.erase(passing));
                else
                    table.put(passing, "");
            }
        } while (position != 0);

        for (auto const& key : staying)
            BOOST_REQUIRE_MESSAGE(found[key] == 1, key << " was found " << found[key] << " times");
        BOOST_REQUIRE(visits >= staying.size());
    }
}

/// A client goes on with its cursor at another server, which perhaps holds other keys besides.
BOOST_AUTO_TEST_CASE(a_scan_goes_on_at_another_server)
{
    auto one = Values{};
    auto other = Values{};
    for (auto number = 0U; number < 1'000; ++number) {
        one.put(key_of(number), "");
        other.put(key_of(999 - number), "");
    }
    for (auto number = 1'000U; number < 50'000; ++number)
        other.put(key_of(number), "");
    auto found = std::set<std::string>{};
    auto position = std::uint64_t{0};
    for (auto steps = 0; steps < 300; ++steps)
        position = one.walk(position, [&](std::string const& key, std::string const&) {
            found.insert(key);
            return true;
        });
    BOOST_TEST(found.size() > 100U);
    BOOST_TEST(found.size() < 900U);

    for (auto const& key : keys_from(other, position))
        found.insert(key);

    for (auto number = 0U; number < 1'000; ++number)
        BOOST_TEST(found.contains(key_of(number)));
}

/// What positions are made of is the same in every version and on every machine: cursors travel.
BOOST_AUTO_TEST_CASE(the_order_of_a_scan_never_changes)
{
    auto table = Values{};
    for (auto const* const key : {"", "a", "b", "key:1", "12345678", "a key of more than eight bytes", "\xFF\x80"})
        table.put(key, "");

    auto const order = keys_from(table, 0);

    auto const expected =
        std::vector<std::string>{"", "key:1", "12345678", "a", "\xFF\x80", "a key of more than eight bytes", "b"};
    BOOST_TEST(order == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(all_keys_are_removed_at_once_and_their_memory_is_freed_in_parts)
{
    auto table = Values{};
    for (auto number = 0U; number < 10'000; ++number)
        table.put(key_of(number), "value");

    table.clear();

    BOOST_TEST(table.size() == 0U);
    BOOST_TEST(table.buckets() == 1U);
    BOOST_TEST(table.find(key_of(1)) == nullptr);
    BOOST_TEST(keys_from(table, 0).empty());
    table.put(key_of(1), "new");
    auto parts = 0;
    while (table.sweep(1'000))
        ++parts;
    BOOST_TEST(parts >= 10);
    BOOST_TEST(*table.find(key_of(1)) == "new");
    BOOST_TEST(table.size() == 1U);
    BOOST_TEST(not table.sweep(1));
}

BOOST_AUTO_TEST_CASE(no_write_moves_more_than_a_small_part_of_the_keys)
{
    constexpr auto count = std::size_t{100'000};
    auto           table = Values{};
    for (auto key = std::size_t{0}; key < count; ++key) {
        auto const buckets = table.buckets();
        table.put(key_of(key), "value");
        BOOST_REQUIRE(table.buckets() <= buckets + 1); // One is split.
    }

    BOOST_TEST(table.size() == count);
    BOOST_TEST(table.largest_bucket() < count / 1000);
}

/// With lists in the buckets, 20,000 such keys cost their leader its office: one EXISTS of them took longer than an election timeout.
BOOST_AUTO_TEST_CASE(keys_chosen_to_collide_are_found_in_a_few_steps)
{
    constexpr auto count = std::size_t{20'000};
    auto const     keys = colliding_keys(count);
    auto           table = Values{};

    for (auto const& key : keys)
        table.put(key, "value");

    BOOST_TEST(table.largest_bucket() == count);
    BOOST_TEST(table.deepest_bucket() < 100U);
    for (auto const& key : keys)
        BOOST_REQUIRE(table.find(key) != nullptr);
    BOOST_TEST(keys_from(table, 0).size() == count);
    for (auto at = std::size_t{0}; at < count; at += 2)
        BOOST_REQUIRE(table.erase(keys[at]));
    BOOST_TEST(table.deepest_bucket() < 100U);
    for (auto at = std::size_t{0}; at < count; ++at)
        BOOST_REQUIRE((table.find(keys[at]) != nullptr) == (at % 2 == 1));
}

BOOST_AUTO_TEST_CASE(keys_that_collide_are_freed_in_parts)
{
    auto table = Values{};
    for (auto const& key : colliding_keys(10'000))
        table.put(key, "value");

    table.clear();

    auto parts = 0;
    while (table.sweep(1'000))
        ++parts;
    BOOST_TEST(parts >= 10);
    BOOST_TEST(parts <= 40);
}

/// Servers arrange a bucket differently; a scan must not show it.
BOOST_AUTO_TEST_CASE(a_scan_of_keys_that_collide_has_the_same_order_on_every_server)
{
    auto const keys = colliding_keys(500);
    auto       one = Values{};
    auto       other = Values{};
    for (auto at = std::size_t{0}; at < keys.size(); ++at) {
        one.put(keys[at], "");
        one.put(key_of(at), "");
        other.put(keys[keys.size() - 1 - at], "");
        other.put(key_of(keys.size() - 1 - at), "");
    }

    auto const order = keys_from(one, 0);

    BOOST_TEST(order.size() == 2 * keys.size());
    BOOST_TEST((order == keys_from(other, 0)));
}

BOOST_AUTO_TEST_CASE(a_table_of_keys_that_collide_holds_what_a_map_holds)
{
    auto const keys = colliding_keys(300);
    auto       random = std::mt19937_64{3};
    auto       table = Values{};
    auto       map = std::map<std::string, std::string>{};
    for (auto round = 0; round < 50'000; ++round) {
        auto const& key = keys[random() % keys.size()];
        if (random() % 2 == 0) {
            BOOST_REQUIRE(table.erase(key) == (map.erase(key) == 1));
        } else {
            table.put(key, std::to_string(round));
            map[key] = std::to_string(round);
        }
        BOOST_REQUIRE(table.size() == map.size());
    }
    for (auto const& key : keys) {
        auto const        found = map.find(key);
        auto const* const value = table.find(key);
        BOOST_REQUIRE((value != nullptr) == (found != map.end()));
        BOOST_REQUIRE((value == nullptr or *value == found->second));
    }
}

/// The keys and values that a capture has.
std::map<std::string, std::string> contents(Values::Capture const& capture)
{
    auto found = std::map<std::string, std::string>{};
    for (auto bucket = std::size_t{0}; bucket < capture.buckets(); ++bucket)
        capture.walk(bucket, [&](std::string const& key, std::string const& value) {
            BOOST_REQUIRE(found.emplace(key, value).second);
        });
    return found;
}

/// One of the keys that collide, or of others; in some rounds all are removed.
void change(Values& table, std::map<std::string, std::string>& map, std::mt19937_64& random,
            std::vector<std::string> const& colliding)
{
    auto const key = random() % 2 == 0 ? colliding[random() % colliding.size()] : key_of(random() % 2'000);
    if (random() % 5'000 == 0) {
        table.clear();
        map.clear();
    } else if (random() % 3 == 0) {
        static_cast<void>(table.erase(key));
        map.erase(key);
    } else if (auto* const value = random() % 2 == 0 ? table.find_to_change(key) : nullptr; value != nullptr) {
        value->append("x");
        map[key].append("x");
    } else {
        table.put(key, std::to_string(random()));
        map[key] = *table.find(key);
    }
}

BOOST_AUTO_TEST_CASE(a_capture_stays_as_it_is_while_the_table_changes)
{
    struct Taken
    {
        Values::Capture                    capture;
        std::map<std::string, std::string> contents;
    };
    auto const colliding = colliding_keys(100);
    auto       random = std::mt19937_64{4};
    auto       table = Values{};
    auto       map = std::map<std::string, std::string>{};
    auto       taken = std::vector<Taken>{};
    for (auto round = 0; round < 60'000; ++round) {
        change(table, map, random, colliding);
        if (random() % 1'000 == 0)
            taken.push_back({table.capture(), map});
        if (taken.size() > 3) {
            auto const at = random() % taken.size();
            BOOST_TEST(taken[at].capture.size() == taken[at].contents.size());
            BOOST_TEST((contents(taken[at].capture) == taken[at].contents));
            std::swap(taken[at], taken.back());
            taken.pop_back();
        }
        if (random() % 10 == 0)
            static_cast<void>(table.sweep(random() % 50));
        BOOST_REQUIRE(table.size() == map.size());
    }

    BOOST_TEST((contents(table.capture()) == map));
    BOOST_TEST(table.deepest_bucket() < 60U);
}

BOOST_AUTO_TEST_CASE(a_capture_is_read_on_another_thread_and_outlives_its_table)
{
    auto       table = std::make_optional<Values>();
    auto       map = std::map<std::string, std::string>{};
    auto const colliding = colliding_keys(200);
    auto       random = std::mt19937_64{5};
    for (auto round = 0; round < 20'000; ++round)
        change(*table, map, random, colliding);
    auto       read = std::map<std::string, std::string>{};
    auto const expected = map;

    auto reader = std::thread{[&read, capture = table->capture()] { read = contents(capture); }};
    for (auto round = 0; round < 20'000; ++round)
        change(*table, map, random, colliding);
    auto last = std::optional{table->capture()};
    table.reset();
    reader.join();

    BOOST_TEST((read == expected));
    BOOST_TEST((contents(*last) == map));
    last.reset();
}

BOOST_AUTO_TEST_CASE(what_only_a_capture_had_is_freed_in_parts)
{
    auto table = Values{};
    for (auto number = 0U; number < 10'000; ++number)
        table.put(key_of(number), "value");
    auto capture = std::optional{table.capture()};
    for (auto number = 0U; number < 10'000; ++number)
        table.put(key_of(number), "another");
    BOOST_TEST(not table.sweep(1'000));

    capture.reset();

    auto parts = 0;
    while (table.sweep(1'000))
        ++parts;
    BOOST_TEST(parts >= 10);
    BOOST_TEST(*table.find(key_of(1)) == "another");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kv::values_tests
