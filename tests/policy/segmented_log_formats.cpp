// SPDX-License-Identifier: BSL-1.0
#include "totora/log/segmented_log.hpp"

#include "support/builders.hpp"
#include "support/log_entries.hpp"
#include "support/log_workload.hpp"
#include "totora/testing/disk/forgetful_files.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::test::segmented_log_formats_tests
{

// What a log does with bytes that a newer version of this program wrote, and with sizes and numbers at the edges.

using boost::unit_test::label;

namespace
{

/// An entry that is intact, and in whose header a byte was set before that.
Entries entry_with(Index index, std::size_t offset, std::uint8_t value)
{
    auto bytes = std::make_shared<std::vector<std::byte>>(entry_header_size + 20);
    seal_entry(*bytes, index, Term{1}, EntryKind::command, 0);
    put((*bytes).data() + offset, value);
    put((*bytes).data() + 36, entry_checksum(*bytes));
    auto entries = Entries{};
    entries.add({bytes, *bytes}, 1);
    return entries;
}

/// A log of three entries, of which the last was written by another version; it is truncated afterwards if so wished.
Disk disk_with(Entries const& last, bool truncated = false)
{
    auto const disk = disk_with_log();
    auto       log = open_log(disk);
    log->append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 2));
    log->append(WriteNumber{2}, last);
    log->sync();
    if (truncated)
        log->truncate(WriteNumber{3}, Index{3});
    log->sync();
    return disk;
}

bool is_refused_as_newer(Disk const& disk)
{
    auto const opened = open_log(disk);
    return not opened and opened.error().failure == LogFailure::foreign_format and
           opened.error().what.find("newer version") != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(segmented_log_formats)

/// Case 99: what version 1 does not know it neither applies nor skips.
BOOST_AUTO_TEST_CASE(an_entry_unknown_to_this_version_is_refused, *label("case_99"))
{
    BOOST_TEST(not is_refused_as_newer(disk_with(entry_with(Index{3}, 28, 1))));
    for (auto const kind : {std::uint8_t{0}, std::uint8_t{4}, std::uint8_t{9}, std::uint8_t{255}})
        BOOST_TEST(is_refused_as_newer(disk_with(entry_with(Index{3}, 28, kind))), "kind " << int{kind});
    for (auto const flags : {std::uint8_t{1}, std::uint8_t{128}})
        BOOST_TEST(is_refused_as_newer(disk_with(entry_with(Index{3}, 29, flags))), "flags " << int{flags});
    for (auto reserved = std::size_t{30}; reserved < 36; ++reserved)
        BOOST_TEST(is_refused_as_newer(disk_with(entry_with(Index{3}, reserved, 1))), "byte " << reserved);

    auto const what = open_log(disk_with(entry_with(Index{3}, 28, 9))).error().what;
    BOOST_TEST(what.find("entry 3") != std::string::npos, what);
}

/// A configuration of members that this version cannot read is as unknown as another kind.
BOOST_AUTO_TEST_CASE(an_unreadable_configuration_is_refused, *label("case_99"))
{
    BOOST_TEST(is_refused_as_newer(disk_with(entry_with(Index{3}, 28, 3))));
}

BOOST_AUTO_TEST_CASE(an_unknown_entry_that_was_truncated_is_no_part_of_the_log, *label("case_99"))
{
    auto const disk = disk_with(entry_with(Index{3}, 28, 9), true);

    auto const log = open_log(disk);

    BOOST_REQUIRE(log.has_value());
    BOOST_TEST(log->last().index.value == 2U);
}

BOOST_AUTO_TEST_CASE(a_record_unknown_to_this_version_is_refused_and_not_cut, *label("case_99"))
{
    auto const disk = disk_with(entry_with(Index{3}, 28, 1));
    auto const bytes = disk->content(segment_name(1));
    auto const seed = segment_seed(identity_of_first(), 1);
    auto const place = header_size_for(0); // The seal of the header's batch.
    BOOST_REQUIRE((decode_head(std::span{bytes}.subspan(place), seed, place)->kind == RecordKind::seal));
    for (auto const kind : {std::uint8_t{0}, std::uint8_t{8}, std::uint8_t{200}}) {
        auto changed = bytes;
        encode_head(std::span{changed}.subspan(place), {.kind = static_cast<RecordKind>(kind), .numbers = {1, 0, 0}},
                    seed, place);
        auto const copy = disk->clone();
        copy->set_content(segment_name(1), changed);

        BOOST_TEST(is_refused_as_newer(copy), "kind " << int{kind});
        BOOST_TEST((copy->content(segment_name(1)) == changed)); // Nothing was cut.
    }
}

/// Which has no index then: what it says would be all that this version reads.
BOOST_AUTO_TEST_CASE(a_record_unknown_to_this_version_is_refused_in_an_earlier_segment_too, *label("case_99"))
{
    auto const disk = disk_with_log();
    {
        auto log = open_log(disk);
        log->append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 3));
        log->sync();
        log->close();
    }
    open_log(disk)->close();
    auto files = ForgetfulFiles{disk};
    auto bytes = disk->content(segment_name(1));
    bytes.resize(static_cast<std::size_t>(LogRecovery<ForgetfulFiles>{files}.run()->segments.front().length));
    auto const seed = segment_seed(identity_of_first(), 1);
    auto const place = header_size_for(0);
    BOOST_REQUIRE((decode_head(std::span{bytes}.subspan(place), seed, place)->kind == RecordKind::seal));
    encode_head(std::span{bytes}.subspan(place), {.kind = RecordKind{8}, .numbers = {1, 0, 0}}, seed, place);
    disk->set_content(segment_name(1), bytes);

    BOOST_TEST(is_refused_as_newer(disk));
}

/// Sets the version of a small file or of a segment's header, with a checksum that is right.
std::vector<std::byte> with_version(std::vector<std::byte> bytes, std::uint32_t version)
{
    put(bytes.data() + 8, version);
    auto const all = std::span<std::byte const>{bytes};
    auto const is_segment = bytes[6] == std::byte{'s'};
    auto const size = get<std::uint32_t>(bytes.data() + 12) + (is_segment ? 0 : sealed_header_size);
    put(bytes.data() + 16, crc32c(all.first(size).subspan(20), crc32c(all.first(16))));
    return bytes;
}

BOOST_AUTO_TEST_CASE(a_log_of_another_format_version_is_refused_with_the_reason, *label("case_99"))
{
    auto const disk = disk_with_log();
    open_log(disk)->close();
    for (auto const& name : {std::string{identity_name}, std::string{run_name}, segment_name(1)}) {
        auto const newer = disk->clone();
        newer->set_content(name, with_version(newer->content(name), 2));

        auto const opened = open_log(newer);

        BOOST_REQUIRE(not opened.has_value());
        BOOST_TEST((opened.error().failure == LogFailure::foreign_format));
        BOOST_TEST(opened.error().what.find("version 2") != std::string::npos);
    }
}

/// Point 25: an operator who was asked to start a newer program would look for one in vain.
BOOST_AUTO_TEST_CASE(a_flipped_bit_in_a_version_is_damage_and_no_newer_version, *label("case_65"))
{
    auto const disk = disk_with_log();
    open_log(disk)->close();
    for (auto const& name : {std::string{identity_name}, std::string{run_name}, segment_name(1)})
        for (auto at = std::size_t{8}; at < 12; ++at) {
            auto const rotten = disk->clone();
            auto       bytes = rotten->content(name);
            bytes[at] ^= std::byte{2};
            rotten->set_content(name, bytes);

            auto const opened = open_log(rotten);

            BOOST_REQUIRE(not opened.has_value());
            BOOST_TEST((opened.error().failure == LogFailure::damaged), name << ": " << opened.error().what);
        }
}

BOOST_AUTO_TEST_CASE(sizes_that_no_segment_can_have_are_refused_at_once)
{
    auto const disk = disk_with_log();
    auto const calls = disk->calls();
    auto const refused = [&](std::uint64_t segment, std::uint64_t record) {
        auto options = small_options();
        options.segment_bytes = segment;
        options.record_bytes_max = record;
        auto const opened = open_log(disk, options);
        return not opened and opened.error().failure == LogFailure::unsupported;
    };

    BOOST_TEST(refused(0, 700));
    BOOST_TEST(refused(4096, 0));
    BOOST_TEST(refused(std::uint64_t{1} << 32U, 700));
    BOOST_TEST(refused(std::uint64_t{1} << 40U, 700));
    BOOST_TEST(refused(4096, std::uint64_t{1} << 32U));
    BOOST_TEST(disk->calls() == calls);
    for (auto const record_bytes_max : {std::uint64_t{1}, std::uint64_t{700}}) {
        auto options = small_options();
        options.record_bytes_max = record_bytes_max;
        auto log = open_log(disk, options);
        for (auto const bytes : {std::uint64_t{1} << 32U, std::uint64_t{1} << 57U, ~std::uint64_t{0}})
            BOOST_TEST(not log->has_room(bytes), "room for " << bytes << " bytes");
        BOOST_TEST(log->has_room(100));
    }
}

BOOST_AUTO_TEST_CASE(a_file_with_a_generation_that_no_log_reaches_is_refused)
{
    for (auto const generation : {generation_end, ~std::uint64_t{0}}) {
        auto const disk = disk_with_log();
        open_log(disk)->close();
        auto files = ForgetfulFiles{disk};
        BOOST_TEST(files.create(segment_name(generation)).has_value());
        auto const names = disk->file_names();

        auto const opened = open_log(disk);

        BOOST_REQUIRE(not opened.has_value());
        BOOST_TEST(opened.error().what.find(segment_name(generation)) != std::string::npos);
        BOOST_TEST((disk->file_names() == names));
    }
}

/// Bytes in hexadecimal.
std::string hex_of(std::span<std::byte const> bytes)
{
    auto text = std::string{};
    for (auto const byte : bytes)
        for (auto const digit : {std::to_integer<unsigned>(byte) >> 4U, std::to_integer<unsigned>(byte) & 0xFU})
            text += "0123456789abcdef"[digit];
    return text;
}

// What is on disks must be readable for as long as there are such disks. Until the tag v0.1.0 the bytes of version 1 may
// be made again.

Identity identity_of_version_1() { return {{1}, {2}, {1}, {{{ServerId{2}, Incarnation{1}}, "a:1"}}, 4}; }

BOOST_AUTO_TEST_CASE(the_bytes_of_a_segment_header_stay_as_they_are)
{
    auto const header = SegmentHeader{.cluster = {1},
                                      .id = {2},
                                      .incarnation = {3},
                                      .group = 4,
                                      .needed = 0,
                                      .ignorable = 5,
                                      .generation = 6,
                                      .start = 7,
                                      .batch = 8,
                                      .durable_batch = 9,
                                      .size = 10,
                                      .current_term = {11},
                                      .voted_for = {12},
                                      .commit_index = {13},
                                      .base = {{14}, {15}},
                                      .last = {{16}, {17}},
                                      .earlier = {{18, 19, {20}, 21}}};
    BOOST_TEST(hex_of(encode_segment_header(header)) ==
               "746f746f7261736701000000c80000004248a5730100000001000000000000000200000000000000"
               "03000000000000000400000000000000000000000000000005000000000000000600000000000000"
               "0700000000000000080000000000000009000000000000000a000000000000000b00000000000000"
               "0c000000000000000d000000000000000e000000000000000f000000000000001000000000000000"
               "11000000000000001200000000000000130000000000000014000000000000001500000000000000");
    BOOST_TEST((decode_segment_header(encode_segment_header(header)) == header));
}

BOOST_AUTO_TEST_CASE(the_bytes_of_a_boundary_stay_as_they_are, *label("case_99"))
{
    auto one = Configuration{.index = Index{5}, .members = {}};
    BOOST_TEST(one.members.push_back(Member{ServerId{6}, Incarnation{7}, MemberKind::learner}));
    auto const peers = KnownPeers{{{one.members[0], "a:1"}}, {}};
    auto const boundary = LogBoundary{{Term{1}, Index{2}}, {one, {}}, peers, {{Term{1}, Index{2}}, 3, 4}, false};
    auto const bytes = encode_boundary(boundary);
    BOOST_TEST(hex_of(bytes) ==
               "0300000000000000040000000000000000000000000000000000000000000000"
               "05000000000000000100000001000000000080001000000001060000000000000007000000000000000203613a31"
               "00000000000000000100000001000000000080001000000000");
    BOOST_TEST((decode_boundary(bytes, boundary.base) == boundary));
    for (auto size = std::size_t{0}; size < bytes.size(); ++size)
        BOOST_TEST(not decode_boundary(std::span{bytes}.first(size), boundary.base).has_value());
    for (auto reserved = std::size_t{24}; reserved < 32; ++reserved) {
        auto newer = bytes;
        newer[reserved] = reserved == 28 ? std::byte{2} : std::byte{1};
        BOOST_TEST(not decode_boundary(newer, boundary.base).has_value());
    }
    auto kept = boundary;
    kept.is_kept_by_machine = true;
    auto with_bit = bytes;
    with_bit[28] = std::byte{1};
    BOOST_TEST((encode_boundary(kept) == with_bit));
    BOOST_TEST((decode_boundary(with_bit, boundary.base) == kept));

    auto header = SegmentHeader{};
    header.needed = feature_boundary;
    header.base = boundary.base;
    header.boundary = boundary;
    header.earlier = {{18, 19, {20}, 21}, {22, 23, {24}, 25}};
    BOOST_TEST((decode_segment_header(encode_segment_header(header)) == header));
    header.needed |= 2; // Of a newer version, whatever follows the fields: it is refused by name.
    BOOST_TEST(decode_segment_header(encode_segment_header(header))->needed == 3U);
}

BOOST_AUTO_TEST_CASE(a_header_holds_the_longest_boundary_that_there_can_be)
{
    auto boundary = LogBoundary{
        .base = {Term{1}, Index{2}}, .configurations = {cluster(16), cluster(16)}, .peers = {}, .installed = {}};
    for (auto const& member : boundary.configurations.in_force.members)
        boundary.peers.in_force.push_back(
            {member, std::string(address_size_max, static_cast<char>('a' + member.id.value))});
    boundary.peers.previous = boundary.peers.in_force;
    BOOST_TEST(encode_boundary(boundary).size() == boundary_size_max);

    auto header = SegmentHeader{};
    header.needed = feature_boundary;
    header.base = boundary.base;
    header.boundary = boundary;
    header.earlier = {{18, 19, {20}, 21}};
    BOOST_TEST((decode_segment_header(encode_segment_header(header)) == header));
}

BOOST_AUTO_TEST_CASE(the_bytes_of_identity_and_start_mark_stay_as_they_are)
{
    auto const disk = std::make_shared<ForgetfulDisk>();
    auto       files = ForgetfulFiles{disk};
    auto const identity = identity_of_version_1();
    BOOST_TEST(create_log(files, identity).has_value());
    BOOST_TEST(hex_of(disk->content(identity_name)) ==
               "746f746f72616964010000003f000000f9da5fcf0100000000000000020000000000000001000000"
               "00000000040000000000000000000000000000000100020000000000000001000000000000000103"
               "613a31");
    BOOST_TEST((*read_identity(files) == identity));
    BOOST_TEST(write_run_mark(files, {3, 4, 5, true}).has_value());
    BOOST_TEST(hex_of(disk->content(run_name)) ==
               "746f746f7261726e0100000019000000228999bf0300000000000000040000000000000005000000"
               "0000000001");
}

BOOST_AUTO_TEST_CASE(the_bytes_of_a_record_and_an_entry_stay_as_they_are)
{
    auto head = std::vector<std::byte>(record_head_size);
    encode_head(head, {.kind = RecordKind::append, .numbers = {7, 0, 0}, .body_size = 50, .count = 1, .body_guard = 9},
                segment_seed(identity_of_version_1(), 6), 168);
    BOOST_TEST(hex_of(head) == "4fbc37be090000003200000001000000020000000000000007000000000000000000000000000000"
                               "0000000000000000");
    auto entry = std::vector<std::byte>(entry_header_size + 4);
    entry[entry_header_size] = std::byte{'x'};
    seal_entry(entry, Index{7}, Term{3}, EntryKind::command, 0);
    BOOST_TEST(hex_of(entry) == "070000000000000003000000000000000000000000000000040000000100000000000000dfa1fa91"
                                "78000000");
}

/// The disk whose newest segment has this header instead, with a checksum that is right.
template <typename Change>
Disk with_header(Disk const& disk, Change change)
{
    auto const copy = disk->clone();
    auto       bytes = copy->content(segment_name(1));
    auto       header = *decode_segment_header(bytes);
    change(header);
    auto const encoded = encode_segment_header(header);
    std::copy(encoded.begin(), encoded.end(), bytes.begin());
    copy->set_content(segment_name(1), bytes);
    return copy;
}

BOOST_AUTO_TEST_CASE(a_feature_that_a_segment_needs_is_known_or_refused, *label("case_99"))
{
    auto const disk = disk_with_log();
    open_log(disk)->close();
    for (auto bit = 1U; bit < 64; ++bit) { // The first one is `feature_boundary`.
        auto const feature = std::uint64_t{1} << bit;
        BOOST_TEST(is_refused_as_newer(with_header(disk, [&](auto& header) { header.needed = feature; })));
        BOOST_TEST(open_log(with_header(disk, [&](auto& header) { header.ignorable = feature; })).has_value());
    }
    auto const other_group = open_log(with_header(disk, [](auto& header) { header.group = 1; }));
    BOOST_REQUIRE(not other_group.has_value());
    BOOST_TEST((other_group.error().failure == LogFailure::foreign_format));
}

BOOST_AUTO_TEST_CASE(a_feature_that_an_identity_needs_is_known_or_refused, *label("case_99"))
{
    auto const disk = disk_with_log();
    auto       bytes = disk->content(identity_name);
    bytes[sealed_header_size + 32] = std::byte{1};
    disk->set_content(identity_name, with_version(bytes, 1));

    BOOST_TEST(is_refused_as_newer(disk));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::segmented_log_formats_tests
