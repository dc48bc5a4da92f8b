// SPDX-License-Identifier: BSL-1.0
// The bytes of a snapshot: what was written is read, whatever was done to it is noticed, and nothing is read beyond its end.
#include "totora/data/snapshot_format.hpp"
#include "support/snapshot/snapshot_bytes.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace totora::test::snapshot_format_tests
{
namespace
{

using boost::unit_test::label;

[[nodiscard]] SnapshotHeader any_header(std::uint64_t members)
{
    auto configurations = Configurations{cluster(members), cluster(members / 2)};
    configurations.in_force.agreed = {3, 4, 5, 6};
    configurations.previous.agreed = {7, 8, 9, 10};
    return {.machine_format = 0x01020304,
            .last = {Term{7}, Index{0x1122334455667788}},
            .configurations = configurations,
            .peers = peers_in(configurations)};
}

[[nodiscard]] bool is_whole(SnapshotId const& id, std::span<std::byte const> bytes, std::size_t at_a_time)
{
    auto check = SnapshotCheck{id};
    for (; not bytes.empty(); bytes = bytes.subspan(std::min(bytes.size(), at_a_time)))
        check.add(bytes.first(std::min(bytes.size(), at_a_time)));
    return check.is_whole();
}

BOOST_AUTO_TEST_CASE(a_header_is_read_as_it_was_written, *label("7"))
{
    for (auto const members : {0U, 1U, 3U, 16U}) {
        auto const header = any_header(members);
        auto       bytes = encode_snapshot_header(header);
        auto const size = bytes.size();
        BOOST_TEST(size <= snapshot_header_max);
        bytes.resize(size + 100, std::byte{0xEE}); // What the machine wrote.

        auto const read = decode_snapshot_header(bytes);

        BOOST_REQUIRE(read.has_value());
        BOOST_TEST((read->header == header));
        BOOST_TEST(read->size == size);
    }
}

BOOST_AUTO_TEST_CASE(a_header_holds_the_longest_addresses_of_as_many_members_as_there_can_be, *label("7"))
{
    auto header = any_header(servers_max);
    header.configurations.previous = header.configurations.in_force;
    for (auto& peer : header.peers.in_force)
        peer.address = std::string(address_size_max, static_cast<char>('a' + peer.member.id.value));
    header.peers.previous = header.peers.in_force;

    auto const bytes = encode_snapshot_header(header);

    BOOST_TEST(bytes.size() == snapshot_header_max);
    BOOST_REQUIRE(decode_snapshot_header(bytes).has_value());
    BOOST_TEST((decode_snapshot_header(bytes)->header == header));
}

BOOST_AUTO_TEST_CASE(the_bytes_of_a_header_of_version_1_stay, *label("7"))
{
    auto const bytes = encode_snapshot_header({.machine_format = 5,
                                               .last = {Term{6}, Index{40}},
                                               .configurations = {cluster(1), {}},
                                               .peers = {{{cluster(1).members[0], "a:1"}}, {}}});
    auto       text = std::string{};
    for (auto const byte : bytes) {
        constexpr auto digits = "0123456789ABCDEF";
        text += digits[static_cast<unsigned>(byte) >> 4U];
        text += digits[static_cast<unsigned>(byte) & 15U];
    }
    BOOST_TEST(text.substr(0, text.size() - 8) == "54545253"
                                                  "01000000"
                                                  "6B000000"
                                                  "05000000"
                                                  "2800000000000000"
                                                  "0600000000000000"
                                                  "0000000000000000"
                                                  "01000000010000000000800010000000"
                                                  "01"
                                                  "0100000000000000"
                                                  "0100000000000000"
                                                  "01"
                                                  "03613A31"
                                                  "0000000000000000"
                                                  "01000000010000000000800010000000"
                                                  "00");
}

BOOST_AUTO_TEST_CASE(every_flipped_bit_of_a_header_is_noticed, *label("7"))
{
    auto const whole = encode_snapshot_header(any_header(3));
    for (auto bit = std::size_t{0}; bit < whole.size() * 8; ++bit) {
        auto bytes = whole;
        bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
        BOOST_TEST(not decode_snapshot_header(bytes).has_value(), "bit " << bit);
    }
}

BOOST_AUTO_TEST_CASE(a_header_without_its_end_is_truncated_and_one_of_another_kind_is_foreign, *label("7"))
{
    auto bytes = encode_snapshot_header(any_header(3));
    for (auto size = std::size_t{0}; size < bytes.size(); ++size)
        BOOST_TEST((decode_snapshot_header(std::span{bytes}.first(size)).error() == SnapshotFault::truncated));
    bytes[4] = std::byte{2};
    BOOST_TEST((decode_snapshot_header(bytes).error() == SnapshotFault::newer_version));
    bytes[0] = std::byte{0};
    BOOST_TEST((decode_snapshot_header(bytes).error() == SnapshotFault::foreign));
}

BOOST_AUTO_TEST_CASE(a_snapshot_is_checked_however_its_bytes_are_cut, *label("case_106"))
{
    auto const snapshot = snapshot_of({Term{1}, Index{8}}, {"reed", "rush"});
    for (auto at_a_time = std::size_t{1}; at_a_time <= snapshot.bytes.size(); ++at_a_time) {
        BOOST_TEST(is_whole(snapshot.id, snapshot.bytes, at_a_time), at_a_time);
        BOOST_TEST(not is_whole(snapshot.id, std::span{snapshot.bytes}.first(snapshot.bytes.size() - 1), at_a_time));
    }
    for (auto bit = std::size_t{0}; bit < snapshot.bytes.size() * 8; ++bit) {
        auto bytes = snapshot.bytes;
        bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
        BOOST_TEST(not is_whole(snapshot.id, bytes, 16), "bit " << bit);
    }
    auto other = snapshot.id;
    ++other.checksum;
    BOOST_TEST(not is_whole(other, snapshot.bytes, 16));
    auto longer = snapshot.bytes;
    longer.push_back(std::byte{0});
    BOOST_TEST(not is_whole(snapshot.id, longer, 16));
}

} // namespace
} // namespace totora::test::snapshot_format_tests
