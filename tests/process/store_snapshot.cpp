// SPDX-License-Identifier: BSL-1.0
// What a snapshot of the store holds, and what is restored from bytes that are none.
#include "../../docs/examples/kv/machine/key_value.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace kv::store_snapshot_tests
{
namespace
{

struct Sink final : totora::SnapshotSink
{
    void write(std::span<std::byte const> more) override { bytes.insert(bytes.end(), more.begin(), more.end()); }

    std::vector<std::byte> bytes;
};

struct Source final : totora::SnapshotSource
{
    Source(std::span<std::byte const> all, std::uint32_t format) : SnapshotSource(format), left(all) {}

    [[nodiscard]] std::size_t read(std::span<std::byte> into) override
    {
        auto const taken = std::min(into.size(), left.size());
        std::copy_n(left.begin(), taken, into.begin());
        left = left.subspan(taken);
        return taken;
    }

    std::span<std::byte const> left;
};

[[nodiscard]] std::optional<std::string>
restore(KeyValue& store, std::span<std::byte const> bytes, std::uint32_t format = store_format)
{
    auto source = Source{bytes, format};
    return store.restore(source);
}

struct Store
{
    void apply(Operation operation, std::initializer_list<std::string_view> words)
    {
        auto payload = std::vector<std::byte>{};
        encode_command(payload, operation, 0, std::vector<std::string_view>{words});
        apply(payload);
    }

    void announce(totora::ServerId server, std::string_view address)
    {
        auto payload = std::vector<std::byte>{};
        encode_announcement(payload, server, address);
        apply(payload);
    }

    void apply(std::vector<std::byte> const& payload)
    {
        index = next(index);
        auto entry = totora::EntryView{};
        entry.index = index;
        entry.payload = payload;
        machine().apply({&entry, 1}, answers);
    }

    [[nodiscard]] std::vector<std::byte> snapshot() const
    {
        auto sink = Sink{};
        machine().capture().write(sink);
        return sink.bytes;
    }

    [[nodiscard]] KeyValue& machine() const { return *made; }

    std::unique_ptr<KeyValue> made = std::make_unique<KeyValue>();
    totora::Index             index;
    std::vector<Answer>       answers;
};

/// All keys with their values, in the order of a scan.
[[nodiscard]] std::vector<std::string> contents(KeyValue const& store)
{
    auto all = std::vector<std::string>{};
    auto position = std::uint64_t{0};
    do {
        position = store.walk(position, [&](std::string const& key, std::string const& value) {
            all.push_back(key + "=" + value);
            return true;
        });
    } while (position != 0);
    return all;
}

[[nodiscard]] Store store_of(int keys)
{
    auto made = Store{};
    for (auto number = 0; number < keys; ++number)
        made.apply(Operation::set,
                   {"key:" + std::to_string(number), std::string(static_cast<std::size_t>(number % 100), 'v')});
    made.apply(Operation::set, {"", "the empty key"});
    made.apply(Operation::set, {"counter", "41"});
    made.announce(totora::ServerId{1}, "one.example:6001");
    made.announce(totora::ServerId{2}, "two.example:6002");
    return made;
}

} // namespace

BOOST_AUTO_TEST_SUITE(store_snapshot)

BOOST_AUTO_TEST_CASE(a_store_that_was_restored_goes_on_as_the_one_that_was_captured)
{
    auto one = store_of(20'000);
    auto other = store_of(7);
    other.apply(Operation::set, {"only here", "1"});
    other.announce(totora::ServerId{3}, "three.example:6003");

    BOOST_REQUIRE(not restore(other.machine(), one.snapshot()));

    BOOST_TEST((contents(other.machine()) == contents(one.machine())));
    BOOST_TEST(other.machine().size() == one.machine().size());
    BOOST_TEST(other.machine().client_address(totora::ServerId{2}) == "two.example:6002");
    BOOST_TEST(other.machine().client_address(totora::ServerId{3}).empty());
    for (auto* const store : {&one, &other}) {
        store->answers.clear();
        store->apply(Operation::increment, {"counter"});
        BOOST_TEST(std::get<Number>(store->answers.back()).value == 42);
        store->apply(Operation::remove, {"key:5", "only here"});
        BOOST_TEST(std::get<Number>(store->answers.back()).value == 1);
    }
    BOOST_TEST((contents(other.machine()) == contents(one.machine())));
}

BOOST_AUTO_TEST_CASE(what_is_changed_between_two_parts_is_in_none_of_them)
{
    auto       one = store_of(3'000);
    auto       sink = Sink{};
    auto       parts = 0;
    auto const capture = one.machine().capture();
    for (auto more = true; more; ++parts) {
        more = capture.write_part(sink, static_cast<std::uint64_t>(parts));
        one.apply(Operation::set, {"key:" + std::to_string(parts), "changed"}); // It is not in the capture.
    }

    BOOST_TEST(parts > 0);
    auto other = Store{};
    BOOST_REQUIRE(not restore(other.machine(), sink.bytes));
    BOOST_TEST((contents(other.machine()) == contents(store_of(3'000).machine())));
}

BOOST_AUTO_TEST_CASE(a_large_store_is_written_in_parts)
{
    auto       one = store_of(40'000);
    auto const capture = one.machine().capture();
    auto       sink = Sink{};
    auto       largest = std::size_t{0};
    auto       parts = std::uint64_t{0};
    for (auto more = true; more; ++parts) {
        auto const before = sink.bytes.size();
        more = capture.write_part(sink, parts);
        largest = std::max(largest, sink.bytes.size() - before);
    }
    BOOST_TEST(parts > 8U);
    BOOST_TEST(largest < std::size_t{300} << 10U);
}

BOOST_AUTO_TEST_CASE(a_snapshot_that_is_cut_off_or_too_long_restores_nothing)
{
    auto const whole = store_of(20).snapshot();
    auto       other = store_of(3);
    auto const before = contents(other.machine());
    for (auto size = std::size_t{0}; size < whole.size(); ++size) {
        auto const refusal = restore(other.machine(), std::span{whole}.first(size));
        BOOST_REQUIRE_MESSAGE(refusal == "it ends before its last key", "of " << size << " bytes");
        BOOST_REQUIRE((contents(other.machine()) == before));
    }
    auto longer = whole;
    longer.push_back(std::byte{0});
    BOOST_TEST(restore(other.machine(), longer).value() == "it holds other keys than it says");
    BOOST_TEST((contents(other.machine()) == before));
    BOOST_TEST(other.machine().client_address(totora::ServerId{2}) == "two.example:6002");
}

/// Lengths that nobody wrote cost no memory that is not there.
BOOST_AUTO_TEST_CASE(any_bytes_are_refused_or_restored_whole)
{
    auto const whole = store_of(20).snapshot();
    auto       random = std::mt19937_64{1};
    for (auto round = 0; round < 2'000; ++round) {
        auto bytes = whole;
        for (auto flips = 1 + random() % 3; flips > 0; --flips)
            bytes[random() % bytes.size()] ^= static_cast<std::byte>(1U << random() % 8);
        auto       other = store_of(3);
        auto const before = contents(other.machine());
        if (restore(other.machine(), bytes))
            BOOST_REQUIRE((contents(other.machine()) == before));
    }
}

BOOST_AUTO_TEST_CASE(an_unknown_format_is_refused_with_what_to_do)
{
    auto       other = store_of(3);
    auto const before = contents(other.machine());
    auto const refusal = restore(other.machine(), store_of(20).snapshot(), store_format + 1);
    BOOST_TEST(refusal.value() == "it is of format 2, and this server reads format 1: it takes a newer server");
    BOOST_TEST((contents(other.machine()) == before));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kv::store_snapshot_tests
