// SPDX-License-Identifier: BSL-1.0
#include "totora/log/segmented_log.hpp"

#include "support/log/slow_syncer.hpp"
#include "support/log_entries.hpp"
#include "support/log_workload.hpp"
#include "totora/testing/disk/forgetful_files.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::test::segmented_log_recovery_tests
{

using boost::unit_test::label;

namespace
{

/// A log with two synced batches and one that is written and not synced.
struct Unsynced
{
    explicit Unsynced(std::uint64_t seed, std::size_t payload_max = 120) : workload(seed)
    {
        auto log = open_log(disk);
        for (auto batch = 0; batch < 2; ++batch) {
            workload.vote(*log);
            workload.append(*log, 4, 2, payload_max);
            log->sync();
        }
        workload.note(*log);
        before = disk->clone();
        // A sync whose end never came: all is written, and nothing is kept.
        disk->interfere([](FileCall call, std::string_view) { return call == FileCall::sync ? EIO : 0; });
        workload.append(*log, 3, 3, payload_max);
        workload.vote(*log);
        workload.truncate(*log, workload.current().entries.size() - 1);
        workload.append(*log, 3, 1, payload_max);
        writes_of(*log);
    }

    /// Catches the bytes of the last write.
    void writes_of(TestLog& log)
    {
        log.sync();
        for (auto const& name : disk->file_names())
            if (disk->content(name) != before->content(name)) {
                file = name;
                after = disk->content(name);
            }
        auto const old = before->content(file);
        begin = 0;
        while (old[begin] == after[begin])
            ++begin;
        end = after.size();
        while (end > begin and after[end - 1] == old[end - 1])
            --end;
    }

    /// The disk after a crash that left these bytes in the file.
    [[nodiscard]] Disk with(std::vector<std::byte> const& bytes) const
    {
        auto copy = before->clone();
        copy->set_content(file, bytes);
        return copy;
    }

    Disk                   disk = disk_with_log();
    Disk                   before;
    Workload               workload;
    std::string            file;
    std::vector<std::byte> after;
    std::size_t            begin = 0; ///< Of what the last write changed.
    std::size_t            end = 0;
};

/// Six runs on one disk, most of which end by a power loss at a random call. Returns how many did.
template <typename Syncer>
int crash_at_random(std::uint64_t seed)
{
    using Log = SegmentedLog<ForgetfulFiles, Syncer>;
    auto       crashes = 0;
    auto const disk = disk_with_log();
    auto       workload = Workload{seed};
    for (auto run = 0; run < 6; ++run) {
        auto&      random = workload.random();
        auto       calls = disk->calls();
        auto const dies_at = calls + 5 + random.below(110);
        disk->interfere([&calls, dies_at](FileCall, std::string_view) { return ++calls > dies_at ? EIO : 0; });
        if (auto log = Log::open(ForgetfulFiles{disk}, small_options())) {
            if (auto const content = content_of(*log, *log->recover())) {
                BOOST_TEST(workload.allows(*content), "seed " << seed << ", run " << run);
                workload.restart(*content);
                for (auto step = 0; step < 60 and not log->failure(); ++step)
                    workload.step(*log);
            }
        }
        crashes += calls > dies_at ? 1 : 0;
        disk->interfere(nullptr);
        auto const how = random.below(3); // Keep nothing, everything, or any part.
        disk->lose_power({.keeps = [&](auto, auto) { return how == 1 or (how == 2 and random.below(2) == 0); },
                          .names_kept = random.below(4)});
        auto const problem = check_recovery(disk->clone(), workload);
        BOOST_REQUIRE_MESSAGE(problem.empty(), "seed " << seed << ", run " << run << ": " << problem);
    }
    return crashes;
}

/// Files that note how much is read at once.
class NotedFiles
{
public:
    class File
    {
    public:
        File(ForgetfulFiles::File file, std::size_t& most) : file_(std::move(file)), most_(&most) {}

        auto size() { return file_.size(); }
        auto write(std::uint64_t offset, std::span<std::span<std::byte const> const> parts)
        {
            for (auto const& part : parts)
                *most_ = std::max(*most_, part.size());
            return file_.write(offset, parts);
        }
        auto read(std::uint64_t offset, std::span<std::byte> into)
        {
            *most_ = std::max(*most_, into.size());
            return file_.read(offset, into);
        }
        auto allocate(std::uint64_t size) { return file_.allocate(size); }
        auto truncate(std::uint64_t size) { return file_.truncate(size); }
        auto sync() { return file_.sync(); }

    private:
        ForgetfulFiles::File file_;
        std::size_t*         most_;
    };

    NotedFiles(Disk disk, std::size_t& most) : files_(std::move(disk)), most_(&most) {}

    auto               names() { return files_.names(); }
    auto               rename(std::string_view from, std::string_view to) { return files_.rename(from, to); }
    auto               remove(std::string_view name) { return files_.remove(name); }
    auto               sync_directory() { return files_.sync_directory(); }
    [[nodiscard]] auto open(std::string_view name) { return noted(files_.open(name)); }
    [[nodiscard]] auto create(std::string_view name) { return noted(files_.create(name)); }

private:
    [[nodiscard]] Result<File, FileError> noted(Result<ForgetfulFiles::File, FileError> file) const
    {
        if (not file)
            return Unexpected{file.error()};
        return File{std::move(*file), *most_};
    }

    ForgetfulFiles files_;
    std::size_t*   most_;
};

struct PowerFails
{};

/// A start during which the power fails, so that of its segment's first write everything is kept but the first sector.
void start_and_lose_the_header(Disk const& disk)
{
    auto ready = std::set<std::string, std::less<>>{}; // A segment is made durable before its header is written.
    auto has_header = false;
    disk->interfere([&](FileCall call, std::string_view name) {
        has_header = has_header or (call == FileCall::write and ready.contains(name));
        if (has_header and call == FileCall::sync)
            throw PowerFails{};
        if (call == FileCall::sync and generation_of(name))
            ready.emplace(name);
        return 0;
    });
    BOOST_CHECK_THROW((void)open_log(disk), PowerFails);
    disk->interfere(nullptr);
    disk->lose_power({.keeps = [](auto, std::size_t sector) { return sector >= 1; }, .names_kept = 1000});
}

/// Writes a batch that spans segments, and loses the power before it is durable: the first part is kept, and of the
/// others everything but their first sectors.
void write_and_lose_a_second_header(Disk const& disk)
{
    auto log = open_log(disk);
    auto written = std::set<std::string, std::less<>>{};
    disk->interfere([&](FileCall call, std::string_view name) {
        if (call == FileCall::write)
            written.emplace(name);
        if (call == FileCall::sync and written.size() >= 2)
            throw PowerFails{};
        if (call == FileCall::sync)
            written.clear();
        return 0;
    });
    log->append(WriteNumber{1}, entries_of(Term{99}, next(log->last().index), 40, 50));
    log->sync();
    BOOST_TEST(log->failure().has_value()); // What is thrown where it writes ends the log, and nothing else.
    disk->interfere(nullptr);
    auto const changes = disk->unsynced();
    disk->lose_power({.keeps = [&](auto change, auto sector) { return changes[change].offset > 0 or sector >= 1; },
                      .names_kept = 1000});
}

} // namespace

BOOST_AUTO_TEST_SUITE(segmented_log_recovery)

BOOST_AUTO_TEST_CASE(every_prefix_of_the_last_write_recovers, *label("case_64"))
{
    auto const torn = Unsynced{1};
    BOOST_REQUIRE(torn.end - torn.begin > 500U);
    auto const old = torn.before->content(torn.file);
    for (auto written = torn.begin; written <= torn.end; ++written) {
        auto bytes = old;
        std::copy_n(torn.after.begin(), written, bytes.begin());
        auto const disk = torn.with(bytes);
        auto const problem = check_recovery(disk, torn.workload);
        BOOST_TEST(problem == "", "after " << written << " bytes: " << problem);
    }
}

/// Its size was durable before its header was written.
BOOST_AUTO_TEST_CASE(a_newest_segment_shorter_than_its_header_has_it_is_damage, *label("case_98"))
{
    auto const torn = Unsynced{2};
    auto const size = torn.before->content(torn.file).size();
    for (auto length = std::size_t{header_size_for(0)}; length < size; ++length) {
        auto bytes = torn.after;
        bytes.resize(length);

        auto const opened = open_log(torn.with(bytes));

        BOOST_REQUIRE(not opened.has_value());
        BOOST_TEST((opened.error().failure == LogFailure::damaged));
        auto const has = "has only " + std::to_string(length) + " of " + std::to_string(size) + " bytes";
        BOOST_TEST(opened.error().what.find(has) != std::string::npos, opened.error().what);
    }
}

BOOST_AUTO_TEST_CASE(every_subset_of_the_sectors_of_the_last_write_recovers, *label("case_64"))
{
    for (auto seed = std::uint64_t{1}; seed <= 6; ++seed) {
        auto const torn = Unsynced{seed, 300};
        auto const old = torn.before->content(torn.file);
        auto const first = torn.begin / 512;
        auto const sectors = (torn.end + 511) / 512 - first;
        BOOST_REQUIRE(sectors <= 8U);
        for (auto kept = 0U; kept < 1U << sectors; ++kept) {
            auto bytes = old;
            for (auto sector = std::size_t{0}; sector < sectors; ++sector)
                if ((kept >> sector & 1U) != 0)
                    std::copy_n(torn.after.begin() + static_cast<std::ptrdiff_t>((first + sector) * 512), 512,
                                bytes.begin() + static_cast<std::ptrdiff_t>((first + sector) * 512));
            auto const problem = check_recovery(torn.with(bytes), torn.workload);
            BOOST_TEST(problem == "", "seed " << seed << ", sectors " << kept << ": " << problem);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_torn_tail_is_reported_with_the_first_index_that_was_cut, *label("case_64"))
{
    auto const disk = disk_with_log();
    {
        auto log = open_log(disk);
        log->append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 5));
        log->sync();
        log->append(WriteNumber{2}, entries_of(Term{1}, Index{6}, 3));
        log->sync();
    }
    auto       bytes = disk->content(segment_name(1));
    auto const head = record_head_size;
    auto const second_batch = header_size_for(0) + head + head + aligned(250) + head;
    bytes[second_batch + head + 60] ^= std::byte{1}; // In the entry 7.
    disk->set_content(segment_name(1), bytes);

    auto       log = open_log(disk);
    auto const recovered = log->recover();

    BOOST_TEST(recovered->entries.last().index.value == 5U);
    BOOST_REQUIRE(recovered->torn_tail.has_value());
    BOOST_TEST(recovered->torn_tail->first.value == 7U);
    BOOST_TEST(recovered->torn_tail->bytes == head + aligned(150) + head);
}

BOOST_AUTO_TEST_CASE(a_cut_is_durable_before_anything_is_written_after_it, *label("case_64"))
{
    // The torn batch is [lost, kept]. If new records were written over the lost one, the kept one could follow them.
    auto       torn = Unsynced{3};
    auto       bytes = torn.before->content(torn.file);
    auto const last_sector = (torn.end - 1) / 512 * 512;
    std::copy(torn.after.begin() + static_cast<std::ptrdiff_t>(last_sector), torn.after.end(),
              bytes.begin() + static_cast<std::ptrdiff_t>(last_sector));
    auto const disk = torn.with(bytes);
    auto       workload = torn.workload;
    for (auto round = 0; round < 3; ++round) {
        {
            auto log = open_log(disk);
            BOOST_REQUIRE(log.has_value());
            auto const content = content_of(*log, *log->recover());
            BOOST_REQUIRE(content.has_value());
            BOOST_TEST(workload.allows(*content));
            workload.restart(*content);
            workload.append(*log, 2, 1, 100);
            log->sync();
            workload.note(*log);
        }
        disk->lose_power();
    }
}

BOOST_AUTO_TEST_CASE(recovery_makes_durable_what_a_killed_process_left_in_the_page_cache, *label("case_63"))
{
    auto const disk = disk_with_log();
    auto       workload = Workload{7};
    {
        auto log = open_log(disk);
        auto asked = [](FileCall call, std::string_view) { return call == FileCall::sync ? EIO : 0; };
        workload.append(*log, 5, 5, 50);
        disk->interfere(asked);
        log->sync(); // Killed in the middle: written, not synced.
        disk->interfere(nullptr);
    }
    auto found = Content{};
    {
        auto log = open_log(disk);
        found = *content_of(*log, *log->recover());
        BOOST_TEST(found.entries.size() == 5U);
    }
    disk->lose_power();

    auto log = open_log(disk);

    BOOST_TEST((content_of(*log, *log->recover()) == found));
}

BOOST_AUTO_TEST_CASE(random_writes_survive_a_power_loss_at_any_call,
                     *label("case_1") * label("case_63") * label("case_69"))
{
    auto crashes = 0;
    for (auto seed = std::uint64_t{1}; seed <= 300; ++seed)
        crashes += crash_at_random<InlineSyncer>(seed);
    BOOST_TEST(crashes > 1000);
}

BOOST_AUTO_TEST_CASE(batches_that_share_a_sync_survive_a_power_loss_at_any_call, *label("case_63"))
{
    auto crashes = 0;
    for (auto seed = std::uint64_t{1}; seed <= 300; ++seed)
        crashes += crash_at_random<SlowSyncer>(seed);
    BOOST_TEST(crashes > 1000);
}

BOOST_AUTO_TEST_CASE(these_tests_detect_a_disk_that_ignores_syncs, *label("case_63"))
{
    auto const disk = disk_with_log();
    auto       workload = Workload{5};
    {
        auto log = open_log(disk);
        disk->lie_about_syncs();
        workload.append(*log, 3, 3, 10);
        log->sync();
        workload.note(*log);
    }
    disk->lose_power();

    BOOST_TEST(check_recovery(disk, workload) != "");
}

BOOST_AUTO_TEST_CASE(these_tests_detect_a_disk_that_ignores_syncs_of_names, *label("case_69"))
{
    auto const disk = disk_with_log();
    auto       workload = Workload{5};
    {
        auto log = open_log(disk);
        disk->lie_about_names();
        for (auto write = 0; write < 10; ++write) {
            workload.append(*log, 10, 3, 100);
            log->sync();
        }
        workload.note(*log);
    }
    disk->lose_power();

    BOOST_TEST(check_recovery(disk, workload) != "");
}

BOOST_AUTO_TEST_CASE(a_reused_segment_yields_none_of_its_old_records)
{
    // Every record has the same length in every life of the file, so that old ones are exactly after new ones.
    auto const disk = disk_with_log();
    auto       workload = Workload{9};
    {
        auto log = open_log(disk);
        for (auto life = 0; life < 12; ++life) {
            for (auto write = 0; write < 20; ++write) {
                workload.append(*log, 2, 2, 0);
                log->sync();
            }
            workload.truncate(*log, 1);
            log->sync();
        }
        for (auto write = 0; write < 3; ++write)
            workload.append(*log, 2, 2, 0);
        log->sync();
        workload.note(*log);
    }
    disk->lose_power();

    auto       log = open_log(disk);
    auto const recovered = log->recover();

    BOOST_TEST(recovered->entries.last().index.value == 6U);
    BOOST_TEST(not recovered->torn_tail.has_value());
}

/// Segments that a truncation freed are reused under new names, whose durability may fail, once or permanently.
BOOST_AUTO_TEST_CASE(a_reused_segment_has_a_durable_name, *label("case_69"))
{
    for (auto const syncs_failing : {0, 1, 1000}) {
        auto const disk = disk_with_log();
        auto       workload = Workload{9};
        auto       renamed = 0;
        auto       fails = 0;
        disk->interfere([&](FileCall call, std::string_view name) {
            if (call == FileCall::rename and generation_of(name)) {
                ++renamed;
                fails = syncs_failing;
            }
            return call == FileCall::sync_directory and fails-- > 0 ? EIO : 0;
        });
        auto log = open_log(disk);
        for (auto write = 0; write < 60; ++write) {
            workload.append(*log, 2, 2, 100);
            if (write % 20 == 19)
                workload.truncate(*log, 1);
            log->sync();
            workload.note(*log);

            auto const after = disk->clone();
            after->lose_power();
            auto const problem = check_recovery(after, workload);
            BOOST_REQUIRE_MESSAGE(problem.empty(), "write " << write << ": " << problem);
        }
        BOOST_TEST((syncs_failing > 1 or workload.durable() == workload.writes()));
        BOOST_TEST(renamed > 0);
    }
}

BOOST_AUTO_TEST_CASE(a_record_counts_only_in_the_place_and_the_generation_it_was_written_for)
{
    auto const seed = segment_seed(identity_of_first(), 7);
    auto const head = RecordHead{.kind = RecordKind::seal, .numbers = {1, 2, 3}};
    auto       bytes = std::array<std::byte, record_head_size>{};
    encode_head(bytes, head, seed, 512);

    BOOST_TEST((decode_head(bytes, seed, 512) == head));
    BOOST_TEST((decode_head(bytes, seed, 520) == std::nullopt));
    BOOST_TEST((decode_head(bytes, segment_seed(identity_of_first(), 8), 512) == std::nullopt));
}

/// The header of a start grows with the segments that it names. What its seal claims must hold even if the header
/// itself, in another sector, did not make it.
BOOST_AUTO_TEST_CASE(a_start_that_lost_its_header_but_not_its_seal_never_was, *label("case_64") * label("case_65"))
{
    for (auto const stops_cleanly : {true, false}) {
        auto disk = disk_with_log();
        for (auto start = std::uint64_t{1}; start <= 16; ++start) {
            {
                auto log = open_log(disk);
                BOOST_REQUIRE(log.has_value());
                log->save_vote(WriteNumber{1}, Term{start}, ServerId{1});
                log->append(WriteNumber{2}, entries_of(Term{start}, next(log->last().index), 1, 50));
                log->sync();
                if (stops_cleanly)
                    log->close();
            }
            disk->lose_power();
            start_and_lose_the_header(disk);

            auto log = open_log(disk);
            BOOST_REQUIRE_MESSAGE(log.has_value(), log.error().what);
            BOOST_TEST((log->recover()->entries.last() == LogPosition{Term{start}, Index{start}}));
        }
    }
}

/// A batch continues in the next segment, and only the part in the first one was kept. That part is made durable by
/// recovery, but the batch never was; what the next start records of it must not make the rest damage.
BOOST_AUTO_TEST_CASE(a_batch_of_which_a_part_was_cut_never_was_durable, *label("case_64") * label("case_65"))
{
    auto const disk = disk_with_log();
    for (auto start = std::uint64_t{1}; start <= 16; ++start) { // So that a header takes more than a sector.
        auto log = open_log(disk);
        log->append(WriteNumber{1}, entries_of(Term{start}, next(log->last().index), 1, 50));
        log->sync();
    }
    write_and_lose_a_second_header(disk);
    start_and_lose_the_header(disk);

    auto log = open_log(disk);

    BOOST_REQUIRE_MESSAGE(log.has_value(), log.error().what);
    BOOST_TEST(log->recover()->entries.last().index.value > 16U);
    BOOST_TEST(log->recover()->entries.last().index.value < 56U);
}

/// A write can tear between a head and its entries, where another life of the file may have left entries that are
/// intact and have the same indexes.
BOOST_AUTO_TEST_CASE(a_record_takes_no_entries_that_another_one_left_in_its_place, *label("case_64"))
{
    auto const seed = segment_seed(identity_of_first(), 7);
    auto const bytes_of_record = [&](Term of_head, Term of_entries) {
        auto head = RecordHead{.kind = RecordKind::append, .numbers = {1, 0, 0}, .count = 3};
        for (auto const entry : entries_of(of_head, Index{1}, 3))
            head.body_guard = extend_body_guard(head.body_guard, entry.checksum);
        auto bytes = std::vector<std::byte>(record_head_size);
        for (auto const entry : entries_of(of_entries, Index{1}, 3))
            bytes.insert(bytes.end(), entry.encoded.begin(), entry.encoded.end());
        head.body_size = static_cast<std::uint32_t>(bytes.size() - record_head_size);
        encode_head(bytes, head, seed, 0);
        bytes.resize(record_head_size + aligned(head.body_size));
        return bytes;
    };

    auto       taken = 0;
    auto const take = [&](Record const&) { ++taken; };
    auto const surveyed = [&](Term of_head, Term of_entries) {
        auto const bytes = bytes_of_record(of_head, of_entries);
        auto       source = BytesInMemory{bytes};
        return survey_segment(source, seed, 0, 1, take);
    };
    auto const whole = surveyed(Term{2}, Term{2});
    auto const torn = surveyed(Term{2}, Term{1});

    BOOST_TEST(taken == 1);
    BOOST_TEST(not whole.torn());
    BOOST_TEST(torn.torn());
    BOOST_TEST((torn.broken == Index{1}));
}

/// Point 25: segments are large, and a server that starts has other uses for its memory.
BOOST_AUTO_TEST_CASE(recovery_holds_a_window_of_a_segment_and_reports_its_progress)
{
    auto const disk = disk_with_log();
    auto       options = small_options();
    options.segment_bytes = std::uint64_t{8} << 20U;
    options.record_bytes_max = std::uint64_t{1} << 16U;
    {
        auto log = open_log(disk, options);
        for (auto write = std::uint64_t{1}; write <= 200; ++write) {
            log->append(WriteNumber{write}, entries_of(Term{1}, Index{write * 20 - 19}, 20, 5000));
            log->sync();
        }
    }
    auto       most = std::size_t{0};
    auto       reported = std::vector<RecoveryProgress>{};
    auto       files = NotedFiles{disk, most};
    auto const report = [&](RecoveryProgress const& progress) { reported.push_back(progress); };

    auto const recovered = LogRecovery<NotedFiles>{files, report}.run();

    BOOST_REQUIRE(recovered.has_value());
    BOOST_TEST((recovered->index.last() == Index{4000}));
    BOOST_TEST(most <= (std::size_t{1} << 20U));
    BOOST_REQUIRE(reported.size() >= 2U);
    for (auto at = std::size_t{1}; at < reported.size(); ++at)
        BOOST_TEST((reported[at - 1].bytes < reported[at].bytes and reported[at - 1].last < reported[at].last));
    BOOST_TEST(reported.back().bytes == reported.back().bytes_total);
    BOOST_TEST((reported.back().last == Index{4000}));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::segmented_log_recovery_tests
