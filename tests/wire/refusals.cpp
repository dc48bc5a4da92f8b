#include "support/frames.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

namespace totora::test::refusals_tests
{
namespace
{

std::optional<FrameError> refusal_of(std::vector<std::byte> const& bytes)
{
    auto const frame = read_frame(bytes);
    return frame ? std::nullopt : std::optional{frame.error()};
}

/// Changes a number of a frame, and makes the checksums right again.
template <typename T>
std::vector<std::byte> with(std::vector<std::byte> frame, std::size_t offset, T value)
{
    put(frame.data() + offset, value);
    reseal(frame);
    return frame;
}

constexpr auto fields = frame_header_size;
constexpr auto append_fields = append_fields_size;

std::vector<std::byte> append_frame()
{
    auto const append = make_append(
        Term{7}, Index{41}, {{EntryKind::command, bytes_of("payload")}, {EntryKind::command, bytes_of("another")}});
    return to_frame(append.rpc, append.entries);
}

/// Changes a number of the first entry of a frame, and makes its checksum right again.
template <typename T>
std::vector<std::byte> with_entry(std::vector<std::byte> frame, std::size_t offset, T value)
{
    put(frame.data() + fields + append_fields + offset, value);
    reseal_entry(frame, fields + append_fields);
    return frame;
}

} // namespace

BOOST_AUTO_TEST_SUITE(refusals)

BOOST_AUTO_TEST_CASE(a_foreign_magic_is_refused_from_four_bytes_on)
{
    auto frame = append_frame();
    put(frame.data(), std::uint32_t{0x20544547});
    BOOST_TEST((refusal_of(frame) == FrameError::foreign_magic));
    frame.resize(4);
    BOOST_TEST((refusal_of(frame) == FrameError::foreign_magic));
}

BOOST_AUTO_TEST_CASE(a_newer_version_is_refused_by_name)
{
    BOOST_TEST((refusal_of(with(append_frame(), 4, std::uint8_t{2})) == FrameError::newer_version));
    BOOST_TEST((refusal_of(with(append_frame(), 4, std::uint8_t{0})) == FrameError::bad_field));
}

BOOST_AUTO_TEST_CASE(an_unknown_kind_can_be_skipped_but_only_if_it_is_intact)
{
    auto frame = with(append_frame(), 5, std::uint8_t{200});
    BOOST_TEST((refusal_of(frame) == FrameError::unknown_kind));
    auto const header = decode_header(frame, UINT32_MAX);
    BOOST_REQUIRE(header.has_value());
    BOOST_TEST(header->frame_size() == frame.size());

    frame[fields] ^= std::byte{1};
    BOOST_TEST((refusal_of(frame) == FrameError::bad_checksum));
}

BOOST_AUTO_TEST_CASE(lengths_near_all_limits_are_refused, *boost::unit_test::label("case_78"))
{
    auto const frame = append_frame();
    for (auto const length : {0x01000000U, 0x7FFFFFFFU, 0x80000000U, 0xFFFFFFF0U, 0xFFFFFFFFU})
        BOOST_TEST((refusal_of(with(frame, 8, length)) == FrameError::oversized));

    // The fields cannot be longer than the body.
    auto longer = frame;
    put(longer.data() + 12, std::uint32_t{0xFFFFFFFF});
    put(longer.data() + 68, crc32c(std::span{longer}.first(68)));
    BOOST_TEST((refusal_of(longer) == FrameError::bad_field));
}

BOOST_AUTO_TEST_CASE(a_frame_of_exactly_the_limit_is_read_and_one_more_byte_is_not, *boost::unit_test::label("case_84"))
{
    auto const frame = append_frame();
    auto const size = static_cast<std::uint32_t>(frame.size());
    BOOST_TEST(decode_header(frame, size).has_value());
    BOOST_TEST((decode_header(frame, size - 1).error() == FrameError::oversized));
}

BOOST_AUTO_TEST_CASE(numbers_above_the_highest_are_refused, *boost::unit_test::label("case_78"))
{
    for (auto const value : {number_max + 1, std::numeric_limits<std::uint64_t>::max()})
        for (auto const& [name, bytes] : sample_frames()) {
            if (name == "Hello" or name == "HandshakeError" or name == "Confirmation")
                continue;
            // Terms and indexes, one at a time: eight-byte fields up to the first byte that is something else.
            BOOST_TEST((refusal_of(with(bytes, fields, value)) == FrameError::bad_field), name);
        }
    for (auto offset = std::size_t{0}; offset < 72; offset += 8)
        BOOST_TEST((refusal_of(with(append_frame(), fields + offset, number_max + 1)) == FrameError::bad_field),
                   "offset " << offset);
    auto const refuses = [](std::string_view name, std::initializer_list<std::size_t> offsets) {
        auto const frames = sample_frames();
        auto const frame = std::ranges::find_if(frames, [&](Sample const& sample) { return sample.name == name; });
        BOOST_REQUIRE(frame != frames.end());
        for (auto const offset : offsets)
            BOOST_TEST((refusal_of(with(frame->bytes, fields + offset, number_max + 1)) == FrameError::bad_field),
                       name << ", offset " << offset);
    };
    refuses("AppendEntriesResponse", {0, 9, 17, 25, 33, 41});
    refuses("RequestPreVoteResponse", {0, 8, 17, 25});
    refuses("TimeoutNow", {0, 8, 16});
    // Lengths, offsets and the checksum of a snapshot may be any number.
    refuses("InstallSnapshot", {0, 8, 16});
    refuses("InstallSnapshotResponse", {0, 8, 16, 48});
}

BOOST_AUTO_TEST_CASE(a_chunk_that_is_not_what_it_is_said_to_be_is_refused, *boost::unit_test::label("7"))
{
    auto const bytes = std::make_shared<std::vector<std::byte>>(100, std::byte{0x5A});
    auto const rpc = InstallSnapshot{Term{7}, {{Term{6}, Index{40}}, 300, 9}, 64, bytes->size()};
    auto       frame = chunk_to_frame(rpc, {bytes, *bytes});
    BOOST_TEST(not refusal_of(frame).has_value());

    for (auto const count : {std::uint64_t{1}, std::uint64_t{99}, std::uint64_t{101}})
        BOOST_TEST((refusal_of(with(frame, fields + 48, count)) == FrameError::bad_field), count);
    BOOST_TEST((refusal_of(with(frame, fields + 48, std::uint64_t{0})) == FrameError::bad_field));
    frame.back() ^= std::byte{1};
    BOOST_TEST((refusal_of(frame) == FrameError::bad_checksum));
    auto const none = chunk_to_frame(rpc, {});
    BOOST_TEST((refusal_of(none) == FrameError::bad_field));
}

BOOST_AUTO_TEST_CASE(a_run_that_ends_above_the_highest_number_is_refused, *boost::unit_test::label("case_78"))
{
    auto const append = make_append(Term{7}, Index{number_max}, {{EntryKind::command, {}}, {EntryKind::command, {}}});
    BOOST_TEST((refusal_of(to_frame(append.rpc, append.entries)) == FrameError::bad_field));
    BOOST_TEST((refusal_of(with(append_frame(), fields + 40, number_max)) == FrameError::bad_field));
}

BOOST_AUTO_TEST_CASE(a_count_that_is_not_the_count_of_the_entries_is_refused)
{
    for (auto const count : {std::uint64_t{1}, std::uint64_t{3}, std::uint64_t{1} << 61U})
        BOOST_TEST((refusal_of(with(append_frame(), fields + 40, count)) == FrameError::bad_entry));
    BOOST_TEST((refusal_of(with(append_frame(), fields + 40, std::uint64_t{0})) == FrameError::bad_entry));
}

BOOST_AUTO_TEST_CASE(an_entry_before_the_first_is_refused)
{
    auto append = make_append(Term{7}, Index{0}, {{EntryKind::command, {}}});
    BOOST_TEST((refusal_of(to_frame(append.rpc, append.entries)) == FrameError::bad_field));
}

BOOST_AUTO_TEST_CASE(a_truth_that_is_neither_is_refused)
{
    auto const vote = to_frame(RequestVoteResponse{Term{7}, true});
    BOOST_TEST((refusal_of(with(vote, fields + 8, std::uint8_t{2})) == FrameError::bad_field));
}

BOOST_AUTO_TEST_CASE(flags_of_a_later_version_are_refused)
{
    for (auto const& [name, bytes] : sample_frames())
        BOOST_TEST((refusal_of(with(bytes, 6, std::uint16_t{0x8000})) == FrameError::bad_field), name);
}

BOOST_AUTO_TEST_CASE(a_piece_alone_is_refused_by_name)
{
    BOOST_TEST((refusal_of(to_piece(append_frame(), 0, 100)) == FrameError::bad_piece));
}

BOOST_AUTO_TEST_CASE(a_frame_from_or_to_nobody_is_refused)
{
    BOOST_TEST((refusal_of(with(append_frame(), 32, std::uint64_t{0})) == FrameError::bad_field));
    BOOST_TEST((refusal_of(with(append_frame(), 48, std::uint64_t{0})) == FrameError::bad_field));
}

BOOST_AUTO_TEST_CASE(fields_longer_than_the_message_are_refused_but_in_a_hello)
{
    auto const lengthen = [](std::vector<std::byte> frame) {
        frame.push_back(std::byte{1});
        put(frame.data() + 8, static_cast<std::uint32_t>(frame.size() - fields));
        put(frame.data() + 12, static_cast<std::uint32_t>(frame.size() - fields));
        reseal(frame);
        return frame;
    };
    for (auto const& [name, bytes] : sample_frames())
        if (name == "Hello")
            BOOST_TEST(not refusal_of(lengthen(bytes)).has_value());
        else
            BOOST_TEST(refusal_of(lengthen(bytes)).has_value(), name);
}

BOOST_AUTO_TEST_CASE(entries_after_any_other_message_are_refused)
{
    for (auto const& [name, bytes] : sample_frames()) {
        auto longer = bytes;
        longer.push_back(std::byte{1});
        put(longer.data() + 8, static_cast<std::uint32_t>(longer.size() - fields));
        reseal(longer);
        auto const refusal = refusal_of(longer);
        auto const append = name.starts_with("AppendEntries") and name != "AppendEntriesResponse";
        BOOST_TEST((refusal == (append ? FrameError::bad_entry : FrameError::bad_field)), name);
    }
}

BOOST_AUTO_TEST_CASE(an_entry_with_another_index_or_term_is_refused, *boost::unit_test::label("5.3"))
{
    BOOST_TEST((refusal_of(with_entry(append_frame(), 0, std::uint64_t{42})) == FrameError::bad_entry));
    BOOST_TEST((refusal_of(with_entry(append_frame(), 8, std::uint64_t{6})) == FrameError::bad_entry));
}

BOOST_AUTO_TEST_CASE(an_entry_of_an_unknown_kind_or_with_reserved_bits_is_refused, *boost::unit_test::label("case_99"))
{
    for (auto const kind : {std::uint8_t{0}, std::uint8_t{4}, std::uint8_t{255}})
        BOOST_TEST((refusal_of(with_entry(append_frame(), 28, kind)) == FrameError::newer_entry));
    BOOST_TEST((refusal_of(with_entry(append_frame(), 29, std::uint8_t{1})) == FrameError::newer_entry));
    BOOST_TEST((refusal_of(with_entry(append_frame(), 30, std::uint16_t{1})) == FrameError::newer_entry));
    BOOST_TEST((refusal_of(with_entry(append_frame(), 32, std::uint32_t{1})) == FrameError::newer_entry));
}

BOOST_AUTO_TEST_CASE(an_entry_whose_length_leaves_the_frame_is_refused, *boost::unit_test::label("case_78"))
{
    for (auto const length : {0x1000U, 0x7FFFFFFFU, 0xFFFFFFFFU}) {
        auto frame = append_frame();
        put(frame.data() + fields + append_fields + 24, length);
        BOOST_TEST((refusal_of(frame) == FrameError::bad_entry));
    }
}

BOOST_AUTO_TEST_CASE(an_entry_that_holds_no_sound_configuration_is_refused, *boost::unit_test::label("6"))
{
    // After the no-op and the head of the second entry: what is agreed, the count, and members of 31 bytes.
    constexpr auto entry = fields + append_fields + entry_header_size;
    constexpr auto count = entry + entry_header_size + abilities_size;
    constexpr auto first_member = count + 2;
    auto const     frame = [] {
        auto const append = make_configuration_append(Term{7}, Index{41}, 3);
        return to_frame(append.rpc, append.entries);
    }();
    BOOST_REQUIRE(not refusal_of(frame));

    auto const changed = [&](std::vector<std::byte> bytes, std::size_t at, auto value) {
        put(bytes.data() + at, value);
        reseal_entry(bytes, entry);
        return bytes;
    };
    auto learners = frame;
    for (auto member = std::size_t{0}; member < 3; ++member)
        learners = changed(std::move(learners), first_member + member * 31 + 16, std::uint8_t{2});
    BOOST_TEST((refusal_of(learners) == FrameError::bad_entry));
    BOOST_TEST((refusal_of(changed(frame, first_member + 16, std::uint8_t{6})) == FrameError::bad_entry));
    BOOST_TEST((refusal_of(changed(frame, first_member, std::uint64_t{2})) == FrameError::bad_entry));
    BOOST_TEST((refusal_of(changed(frame, first_member, std::uint64_t{0})) == FrameError::bad_entry));
    BOOST_TEST((refusal_of(changed(frame, count, std::uint16_t{2})) == FrameError::bad_entry));
    BOOST_TEST((refusal_of(changed(frame, count, std::uint16_t{17})) == FrameError::bad_entry));
    BOOST_TEST((refusal_of(changed(frame, count, std::uint16_t{0xFFFF})) == FrameError::bad_entry));
    // A command that calls itself a configuration.
    BOOST_TEST((refusal_of(with_entry(append_frame(), 28, std::uint8_t{3})) == FrameError::bad_entry));
}

BOOST_AUTO_TEST_CASE(a_frame_for_others_is_refused_by_name)
{
    auto const self = route_1_to_2.addressee;
    BOOST_TEST(not refuse_route(route_1_to_2, any_cluster, self).has_value());

    auto route = route_1_to_2;
    route.group = 1;
    BOOST_TEST((refuse_route(route, any_cluster, self) == FrameError::another_group));
    BOOST_TEST((refuse_route(route_1_to_2, ClusterId{1}, self) == FrameError::another_cluster));
    BOOST_TEST(
        (refuse_route(route_1_to_2, any_cluster, {ServerId{3}, self.incarnation}) == FrameError::another_server));
    BOOST_TEST(
        (refuse_route(route_1_to_2, any_cluster, {self.id, Incarnation{23}}) == FrameError::another_incarnation));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::refusals_tests
