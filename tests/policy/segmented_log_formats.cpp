// SPDX-License-Identifier: BSL-1.0
#include "totora/log/segmented_log.hpp"

#include "support/log_entries.hpp"
#include "support/log_workload.hpp"
#include "totora/log/forgetful_files.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

// What a log does with bytes that a newer version of this program wrote, and with sizes and numbers at the edges.

using namespace totora;
using namespace totora::test;
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
           opened.error().sentence.find("newer version") != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(segmented_log_formats)

/// Case 99: what version 1 does not know it neither applies nor passes over.
BOOST_AUTO_TEST_CASE(an_entry_that_this_version_does_not_know_is_refused, *label("case_99"))
{
    BOOST_TEST(not is_refused_as_newer(disk_with(entry_with(Index{3}, 28, 1))));
    for (auto const kind : {std::uint8_t{0}, std::uint8_t{4}, std::uint8_t{9}, std::uint8_t{255}})
        BOOST_TEST(is_refused_as_newer(disk_with(entry_with(Index{3}, 28, kind))), "kind " << int{kind});
    for (auto const flags : {std::uint8_t{1}, std::uint8_t{128}})
        BOOST_TEST(is_refused_as_newer(disk_with(entry_with(Index{3}, 29, flags))), "flags " << int{flags});
    for (auto reserved = std::size_t{30}; reserved < 36; ++reserved)
        BOOST_TEST(is_refused_as_newer(disk_with(entry_with(Index{3}, reserved, 1))), "byte " << reserved);

    auto const sentence = open_log(disk_with(entry_with(Index{3}, 28, 9))).error().sentence;
    BOOST_TEST(sentence.find("entry 3") != std::string::npos, sentence);
}

/// A configuration of members that this version cannot read is as unknown as another kind.
BOOST_AUTO_TEST_CASE(a_configuration_that_cannot_be_read_is_not_passed_over, *label("case_99"))
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

BOOST_AUTO_TEST_CASE(a_record_that_this_version_does_not_know_is_refused_and_not_cut, *label("case_99"))
{
    auto const disk = disk_with(entry_with(Index{3}, 28, 1));
    auto const bytes = disk->content(segment_name(1));
    auto const seed = segment_seed(identity_of_first(), 1);
    auto const place = header_size_for(0); // The seal of the header's batch.
    BOOST_REQUIRE((decode_head(std::span{bytes}.subspan(place), seed, place)->kind == RecordKind::seal));
    for (auto const kind : {std::uint8_t{0}, std::uint8_t{6}, std::uint8_t{200}}) {
        auto changed = bytes;
        encode_head(std::span{changed}.subspan(place), {.kind = static_cast<RecordKind>(kind), .numbers = {1, 0, 0}},
                    seed, place);
        auto const copy = disk->clone();
        copy->set_content(segment_name(1), changed);

        BOOST_TEST(is_refused_as_newer(copy), "kind " << int{kind});
        BOOST_TEST((copy->content(segment_name(1)) == changed)); // Nothing was cut.
    }
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

BOOST_AUTO_TEST_CASE(a_log_of_another_format_version_is_refused_with_a_sentence, *label("case_99"))
{
    auto const disk = disk_with_log();
    open_log(disk)->close();
    for (auto const& name : {std::string{identity_name}, std::string{run_name}, segment_name(1)}) {
        auto const newer = disk->clone();
        newer->set_content(name, with_version(newer->content(name), 2));

        auto const opened = open_log(newer);

        BOOST_REQUIRE(not opened.has_value());
        BOOST_TEST((opened.error().failure == LogFailure::foreign_format));
        BOOST_TEST(opened.error().sentence.find("version 2") != std::string::npos);
    }
}

/// Point 25: whoever is told to start a newer program looks for one in vain.
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
            BOOST_TEST((opened.error().failure == LogFailure::damaged), name << ": " << opened.error().sentence);
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
    auto log = open_log(disk);
    BOOST_TEST(not log->has_room(std::uint64_t{1} << 32U));
    BOOST_TEST(log->has_room(100));
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
        BOOST_TEST(opened.error().sentence.find(segment_name(generation)) != std::string::npos);
        BOOST_TEST((disk->file_names() == names));
    }
}

BOOST_AUTO_TEST_SUITE_END()
