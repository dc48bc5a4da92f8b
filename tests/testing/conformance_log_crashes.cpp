// SPDX-License-Identifier: BSL-1.0
#include "totora/data/known_peers.hpp"
#include "totora/testing/conformance/log/log_crashes.hpp"

#include "support/log/crash_logs.hpp"
#include "totora/testing/disk/crash_choices.hpp"
#include "totora/testing/disk/crash_disk.hpp"
#include "totora/testing/disk/crash_files.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::test::conformance_log_crashes_tests
{

using namespace totora::conformance;
using boost::unit_test::label;

namespace
{

/// What can be wrong with a log.
enum class Fault
{
    lies_about_durability,
    forgets_truncations,
    refuses_torn_tails,
    cannot_read_back,
    invents_a_commit_index,
    recovers_from_failures,
    cannot_be_made,
    forgets_the_commit,
    is_another_life,
    names_no_first_members,
    forgets_addresses,
    is_always_clean,
    loses_snapshots,
    compacts_nothing,
    installs_nothing,
};

/// Reports any write durable.
struct Lying : DurableSource
{
    static Durable through(WriteNumber write) { return durable_through(write); }
};

using Sound = SegmentedUnderCrashes<InlineSyncer>;

/// A log of ours with one fault.
template <Fault fault>
class Faulty : public Sound::Log
{
public:
    using Base = Sound::Log;

    explicit Faulty(Base&& base) : Base(std::move(base)) {}

    void append(WriteNumber write, Entries const& entries)
    {
        written_ = write;
        if (forgot_) // They would not follow what is there, and be refused for that.
            Base::save_vote(write, Term{1000}, {});
        else
            Base::append(write, entries);
    }

    void truncate(WriteNumber write, Index index)
    {
        if constexpr (fault != Fault::forgets_truncations)
            Base::truncate(write, index);
        else {
            Base::save_vote(write, Term{1000}, {});
            forgot_ = true;
        }
    }

    void compact(WriteNumber write, LogPosition base, Configurations const& configurations, KnownPeers const& peers)
    {
        if constexpr (fault == Fault::compacts_nothing)
            Base::save_vote(write, Term{1000}, {});
        else
            Base::compact(write, base, configurations, peers);
    }

    void install(WriteNumber write, SnapshotId const& id, Configurations const& configurations, KnownPeers const& peers)
    {
        if constexpr (fault == Fault::installs_nothing) {
            Base::save_vote(write, Term{1000}, {});
            forgot_ = true;
        } else {
            Base::install(write, id, configurations, peers);
        }
    }

    [[nodiscard]] std::vector<StoredSnapshot> const& snapshots() const
    {
        static auto const none = std::vector<StoredSnapshot>{};
        return fault == Fault::loses_snapshots ? none : Base::snapshots();
    }

    Result<Recovered, LogError> recover()
    {
        auto recovered = Base::recover();
        if (fault == Fault::refuses_torn_tails and recovered->torn_tail)
            return Unexpected{LogError{LogFailure::damaged, "There is half a record."}};
        if (fault == Fault::invents_a_commit_index)
            recovered->commit_index = recovered->entries.last().index;
        if (fault == Fault::forgets_the_commit)
            recovered->commit_index = {};
        if (fault == Fault::is_another_life)
            recovered->identity.incarnation = Incarnation{recovered->identity.incarnation.value + 1};
        if (fault == Fault::names_no_first_members)
            recovered->configuration = recovered->previous_configuration = Configuration{};
        if (fault == Fault::forgets_addresses)
            recovered->peers.previous = peers_of(recovered->previous_configuration, {});
        recovered->cleanly_stopped = recovered->cleanly_stopped or fault == Fault::is_always_clean;
        return recovered;
    }

    Result<Entries, LogError> read(Index from, Index up_to, std::uint64_t bytes_max)
    {
        if (fault == Fault::cannot_read_back and from.value > 20)
            return Entries{};
        return Base::read(from, up_to, bytes_max);
    }

    Durable durable()
    {
        if constexpr (fault == Fault::lies_about_durability)
            return Lying::through(written_);
        else
            return Base::durable();
    }

    [[nodiscard]] std::optional<LogError> failure() const
    {
        auto const failed = Base::failure();
        if (fault == Fault::recovers_from_failures and failed and reported_++ > 0)
            return std::nullopt;
        return failed;
    }

private:
    WriteNumber written_;
    bool        forgot_ = false; ///< A truncation.
    mutable int reported_ = 0;
};

template <Fault fault>
struct FaultyMaker
{
    using Log = Faulty<fault>;

    [[nodiscard]] Result<Done, LogError> create(CrashFiles& files, Identity const& identity) const
    {
        if (fault == Fault::cannot_be_made)
            return Unexpected{LogError{LogFailure::unsupported, "It does not want to."}};
        return Sound{}.create(files, identity);
    }

    [[nodiscard]] Result<Log, LogError> open(CrashFiles& files) const
    {
        auto opened = Sound{}.open(files);
        if (not opened)
            return Unexpected{opened.error()};
        return Log{std::move(*opened)};
    }
};

/// The law that catches a log with this fault; empty if none does within thirty workloads.
template <Fault fault>
std::string caught_by(WorkloadMix const& mood = {})
{
    auto kit = LogCrashes<FaultyMaker<fault>>{{.images_max = 500}};
    for (auto seed = std::uint64_t{1}; seed <= 30 and kit.broken().empty(); ++seed)
        kit.run({}, seed, mood);
    if (kit.broken().empty())
        return {};
    BOOST_TEST(kit.broken().size() == 1U);
    BOOST_TEST(not kit.broken().front().reproduction.empty());
    return kit.broken().front().law;
}

constexpr auto with_snapshots = WorkloadMix{.sync = 25, .commit = 15, .configuration = 5, .snapshots = 30};

/// A file with these bytes, written and synced.
CrashFiles::File file_of(CrashFiles& files, std::size_t size)
{
    auto       file = *files.create("file");
    auto const bytes = std::vector<std::byte>(size, std::byte{1});
    auto const parts = std::array<std::span<std::byte const>, 1>{bytes};
    BOOST_REQUIRE(file.write(0, parts).has_value());
    BOOST_REQUIRE(file.sync().has_value());
    BOOST_REQUIRE(files.sync_directory().has_value());
    return file;
}

void write(CrashFiles::File& file, std::uint64_t offset, std::size_t size, std::byte byte)
{
    auto const bytes = std::vector<std::byte>(size, byte);
    auto const parts = std::array<std::span<std::byte const>, 1>{bytes};
    (void)file.write(offset, parts);
}

/// What the files of all images hold, each as "name:first byte of each sector".
std::set<std::string> images_of(CrashDisk const& disk)
{
    auto found = std::set<std::string>{};
    auto random = testing::SplitMix{1};
    visit_choices(disk.choices(), 10'000, random, [&](auto const& choice) {
        auto text = std::string{};
        for (auto const& [name, content] : disk.image(choice).files) {
            text += name + ":";
            for (auto at = std::size_t{0}; at < content->bytes.size(); at += sector_size)
                text += std::to_string(static_cast<int>(content->bytes[at]));
        }
        found.insert(text);
    });
    return found;
}

using Images = std::set<std::string>;

} // namespace

BOOST_AUTO_TEST_SUITE(log_crashes)

BOOST_AUTO_TEST_CASE(each_sector_of_a_write_that_was_not_synced_is_there_or_not)
{
    auto const disk = std::make_shared<CrashDisk>();
    auto       files = CrashFiles{disk};
    auto       file = file_of(files, 1024);
    BOOST_TEST(images_of(*disk) == Images{"file:11"}, boost::test_tools::per_element());

    write(file, 0, 1024, std::byte{2});
    BOOST_TEST(images_of(*disk) == (Images{"file:11", "file:12", "file:21", "file:22"}),
               boost::test_tools::per_element());

    write(file, 0, 512, std::byte{3}); // A sector is as it was after any of the writes to it.
    BOOST_TEST(images_of(*disk) == (Images{"file:11", "file:12", "file:21", "file:22", "file:31", "file:32"}),
               boost::test_tools::per_element());

    BOOST_REQUIRE(file.sync().has_value());
    BOOST_TEST(images_of(*disk) == Images{"file:32"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_size_and_a_name_that_were_not_synced_are_there_or_not)
{
    auto const disk = std::make_shared<CrashDisk>();
    auto       files = CrashFiles{disk};
    auto       file = file_of(files, 512);

    BOOST_REQUIRE(file.allocate(1024).has_value());
    BOOST_TEST(images_of(*disk) == (Images{"file:1", "file:10"}), boost::test_tools::per_element());
    BOOST_REQUIRE(file.sync().has_value());
    BOOST_REQUIRE(files.rename("file", "other").has_value());
    BOOST_TEST(images_of(*disk) == (Images{"file:10", "other:10"}), boost::test_tools::per_element());
    BOOST_REQUIRE(files.remove("other").has_value());
    BOOST_TEST(images_of(*disk) == (Images{"", "file:10", "other:10"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_a_failed_sync_should_have_kept_is_kept_by_no_later_one, *label("case_66"))
{
    auto const disk = std::make_shared<CrashDisk>();
    auto       files = CrashFiles{disk};
    auto       file = file_of(files, 1024);
    write(file, 0, 512, std::byte{2});
    disk->interfere([](FileCall call, std::string_view) { return call == FileCall::sync ? EIO : 0; });
    BOOST_TEST(not file.sync().has_value());
    disk->interfere(nullptr);

    write(file, 512, 512, std::byte{3});
    BOOST_REQUIRE(file.sync().has_value());
    BOOST_TEST(images_of(*disk) == (Images{"file:13", "file:23"}), boost::test_tools::per_element());

    write(file, 0, 512, std::byte{2});
    BOOST_REQUIRE(file.sync().has_value());
    BOOST_TEST(images_of(*disk) == Images{"file:23"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(beyond_the_limit_a_sample_is_drawn_with_the_extremes_in_it)
{
    auto       seen = std::set<std::vector<std::uint32_t>>{};
    auto       random = testing::SplitMix{1};
    auto const counts = std::vector<std::uint32_t>(20, 2);

    auto const coverage = visit_choices(counts, 100, random, [&](auto const& choice) { seen.insert(choice); });

    BOOST_TEST((coverage == Coverage::sampled));
    BOOST_TEST(seen.size() > 90U);
    BOOST_TEST(seen.contains(std::vector<std::uint32_t>(20, 0)));
    BOOST_TEST(seen.contains(std::vector<std::uint32_t>(20, 1)));
}

BOOST_AUTO_TEST_CASE(no_image_of_a_crash_breaks_a_promise_of_the_segmented_log,
                     *label("case_1") * label("case_63") * label("case_64") * label("case_69"))
{
    auto at_once = LogCrashes<SegmentedUnderCrashes<InlineSyncer>>{{.images_max = 1000}};
    auto shared = LogCrashes<SegmentedUnderCrashes<SlowSyncer>>{{.images_max = 1000}};
    for (auto number = std::uint64_t{1}; number <= 10; ++number)
        NumberedWorkload{number}.run(number, at_once, shared);

    BOOST_TEST(to_string(at_once.broken()) == "");
    BOOST_TEST(to_string(shared.broken()) == "");
    BOOST_TEST(at_once.figures().distinct_images + shared.figures().distinct_images > 5000U);
    BOOST_TEST(at_once.figures().torn_tails > 100U);
    BOOST_TEST(at_once.figures().again_points > 100U);
}

BOOST_AUTO_TEST_CASE(no_image_of_a_crash_breaks_a_promise_of_a_log_with_snapshots,
                     *label("7") * label("case_33") * label("case_69") * label("case_75"))
{
    auto const bounds = CrashBounds{.images_per_call = 24, .deep_every = 200, .images_max = 4000};
    auto       at_once = LogCrashes<SegmentedUnderCrashes<InlineSyncer>>{bounds};
    auto       shared = LogCrashes<SegmentedUnderCrashes<SlowSyncer>>{bounds};
    for (auto seed = std::uint64_t{1}; seed <= 12; ++seed) {
        at_once.run({}, seed, with_snapshots);
        shared.run({}, seed, with_snapshots);
    }

    for (auto const& [broken, figures] :
         {std::pair{at_once.broken(), at_once.figures()}, std::pair{shared.broken(), shared.figures()}}) {
        BOOST_TEST(to_string(broken) == "");
        BOOST_TEST(figures.snapshots > 100U);
        BOOST_TEST(figures.compactions > 30U);
        BOOST_TEST(figures.installs > 20U);
    }
}

BOOST_AUTO_TEST_CASE(the_same_workload_is_the_same_run)
{
    auto one = LogCrashes<Sound>{{.images_max = 300}};
    auto two = LogCrashes<Sound>{{.images_max = 300}};
    two.run({}, 7); // What was run before makes no difference.
    auto const before = two.figures();
    one.run({}, 8);
    two.run({}, 8);

    BOOST_TEST(one.figures().images == two.figures().images - before.images);
    BOOST_TEST(one.figures().recoveries == two.figures().recoveries - before.recoveries);
}

BOOST_AUTO_TEST_CASE(a_log_that_breaks_a_law_is_caught_by_that_law)
{
    BOOST_TEST(caught_by<Fault::lies_about_durability>() == "durable writes survive");
    BOOST_TEST(caught_by<Fault::forgets_truncations>() == "recovery gives a prefix");
    BOOST_TEST(caught_by<Fault::refuses_torn_tails>() == "no image of a crash is refused");
    BOOST_TEST(caught_by<Fault::cannot_read_back>() == "what was recovered can be read");
    BOOST_TEST(caught_by<Fault::invents_a_commit_index>() == "a recovered commit index was saved and is in the log");
    BOOST_TEST(caught_by<Fault::recovers_from_failures>() == "a failure is permanent");
    BOOST_TEST(caught_by<Fault::cannot_be_made>() == "a log can be made");
    BOOST_TEST(caught_by<Fault::forgets_the_commit>() == "a saved commit index is remembered");
    BOOST_TEST(caught_by<Fault::is_another_life>() == "the identity is kept");
    BOOST_TEST(caught_by<Fault::names_no_first_members>() == "the two newest configurations are recovered");
    BOOST_TEST(caught_by<Fault::forgets_addresses>() == "the addresses of members are recovered");
    BOOST_TEST(caught_by<Fault::is_always_clean>() == "a clean stop leaves its mark");
    BOOST_TEST(caught_by<Fault::loses_snapshots>(with_snapshots) == "snapshots are there as they were reported");
    BOOST_TEST(caught_by<Fault::compacts_nothing>(with_snapshots) == "recovery gives a prefix");
    BOOST_TEST(caught_by<Fault::installs_nothing>(with_snapshots) == "recovery gives a prefix");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::conformance_log_crashes_tests
