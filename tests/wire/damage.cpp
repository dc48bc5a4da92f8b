#include "support/frames.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

namespace totora::test::damage_tests
{
namespace
{

std::optional<FrameError> refusal_of(std::vector<std::byte> bytes)
{
    auto const frame = read_frame(std::move(bytes));
    return frame ? std::nullopt : std::optional{frame.error()};
}

void flip(std::vector<std::byte>& bytes, std::size_t bit) { bytes[bit / 8] ^= std::byte{1} << (bit % 8); }

} // namespace

BOOST_AUTO_TEST_SUITE(damage)

BOOST_AUTO_TEST_CASE(every_truncation_is_refused)
{
    for (auto const& [name, bytes] : sample_frames())
        for (auto size = std::size_t{0}; size < bytes.size(); ++size)
            BOOST_TEST((refusal_of({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}) ==
                        FrameError::truncated),
                       name << " cut to " << size << " bytes");
}

BOOST_AUTO_TEST_CASE(bytes_after_a_frame_are_refused)
{
    for (auto const& [name, bytes] : sample_frames()) {
        auto longer = bytes;
        longer.push_back(std::byte{0});
        BOOST_TEST((refusal_of(longer) == FrameError::bad_field), name);
    }
}

BOOST_AUTO_TEST_CASE(every_single_bit_flip_is_refused)
{
    for (auto const& [name, bytes] : sample_frames()) {
        BOOST_REQUIRE(not refusal_of(bytes));
        for (auto bit = std::size_t{0}; bit < bytes.size() * 8; ++bit) {
            auto changed = bytes;
            flip(changed, bit);
            auto const refusal = refusal_of(changed);
            BOOST_TEST(refusal.has_value(), name << " with bit " << bit << " flipped");
            // A flip is never taken for a frame of a later kind, which would be skipped without an error.
            BOOST_TEST((refusal != FrameError::unknown_kind), name << " with bit " << bit << " flipped");
        }
    }
}

BOOST_AUTO_TEST_CASE(every_flip_of_two_neighbouring_bits_is_refused)
{
    for (auto const& [name, bytes] : sample_frames())
        for (auto bit = std::size_t{0}; bit + 1 < bytes.size() * 8; ++bit) {
            auto changed = bytes;
            flip(changed, bit);
            flip(changed, bit + 1);
            BOOST_TEST(refusal_of(changed).has_value(), name << " with bits from " << bit << " on flipped");
        }
}

BOOST_AUTO_TEST_CASE(random_bytes_are_refused)
{
    auto random = std::mt19937_64{1};
    for (auto round = 0; round < 100'000; ++round) {
        auto bytes = std::vector<std::byte>(random() % 600);
        std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<std::byte>(random() & 0xFFU); });
        if (round % 2 == 0 and bytes.size() >= 8) {
            put(bytes.data(), frame_magic);
            put(bytes.data() + 4, frame_version);
        }
        BOOST_REQUIRE(refusal_of(std::move(bytes)).has_value());
    }
}

// Checksums keep random changes from the checks after them; here they are made right again after each change.
BOOST_AUTO_TEST_CASE(what_is_read_from_changed_frames_with_right_checksums_is_sound,
                     *boost::unit_test::label("case_78"))
{
    auto       random = std::mt19937_64{2};
    auto const samples = sample_frames();
    auto       read = 0;
    for (auto round = 0; round < 200'000; ++round) {
        auto       bytes = samples[random() % samples.size()].bytes;
        auto const size = bytes.size();
        for (auto change = random() % 4; change < 4; ++change) {
            auto const at = 5 + random() % (size - 5);
            bytes[at] = static_cast<std::byte>(random() % 3 == 0 ? 0xFFU : random() & 0xFFU);
        }
        // Mostly of a length that is there, as a real frame would be.
        if (random() % 8 != 0) {
            put(bytes.data() + 8, static_cast<std::uint32_t>(size - frame_header_size));
            put(bytes.data() + 12,
                std::min(get<std::uint32_t>(bytes.data() + 12), static_cast<std::uint32_t>(size - frame_header_size)));
            put(bytes.data() + 6, std::uint16_t{0});
            reseal(bytes);
        }
        auto const frame = read_frame(bytes);
        if (not frame)
            continue;
        ++read;
        if (auto const* rpc = std::get_if<Rpc>(&frame->content)) {
            BOOST_REQUIRE((read_frame(to_frame(*rpc, frame->entries, frame->route)).has_value()));
            if (auto const* append = std::get_if<AppendEntries>(rpc)) {
                BOOST_REQUIRE(frame->entries.count() == append->entries.count);
                for (auto const& entry : frame->entries) {
                    BOOST_REQUIRE(entry.term.value <= number_max);
                    BOOST_REQUIRE((entry.kind != EntryKind::configuration or decode_configuration(entry)));
                }
            }
        }
    }
    BOOST_TEST(read > 10'000);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::damage_tests
