// SPDX-License-Identifier: BSL-1.0
// Which two configurations a log in segments recovers when a loss of power, or a truncation, took the newest of them.
#include "totora/data/configuration_entry.hpp"
#include "totora/log/segmented_log.hpp"

#include "support/log_entries.hpp"
#include "support/log_workload.hpp"
#include "totora/testing/disk/forgetful_files.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace totora::test::segmented_log_configurations_tests
{

using boost::unit_test::label;

namespace
{

/// A log with configurations, each followed by so many other entries. Forty of them fill most of a segment.
class LogWithConfigurations
{
public:
    explicit LogWithConfigurations(std::uint64_t entries_between) : between_(entries_between) {}

    void add_configurations(int count)
    {
        for (; count > 0; --count) {
            auto const index = next(log_->last().index);
            auto const entries = configuration_entry(Term{1}, index, {1, 2, 3 + index.value % 7});
            configurations_.push_back(*decode_configuration(*entries.begin()));
            log_->append(next_write(), entries);
            if (between_ > 0)
                log_->append(next_write(), entries_of(Term{1}, next(index), between_, 50));
        }
    }

    void add_entries(std::uint64_t count)
    {
        log_->append(next_write(), entries_of(Term{1}, next(log_->last().index), count, 50));
        log_->sync();
    }

    void sync() { log_->sync(); }

    /// The log begins after the newest configuration, or so many entries before that.
    void compact(std::uint64_t entries_before)
    {
        auto const base = Index{configurations_.back().index.value - entries_before};
        log_->compact(next_write(), {Term{1}, base}, newest_at(base), {});
        log_->sync();
    }

    /// Removes the newest configurations with all that follows them.
    void truncate(std::size_t count)
    {
        log_->truncate(next_write(), configurations_[configurations_.size() - count].index);
        configurations_.resize(configurations_.size() - count);
        log_->sync();
    }

    /// Writes what was appended, and loses the power before it is durable: only what `keeps` names is on the disk.
    void lose_power_while_writing(bool (*keeps)(std::size_t change, std::size_t sector))
    {
        auto const durable = log_->durable().through();
        disk_->interfere([](FileCall call, std::string_view) {
            if (call == FileCall::sync)
                throw PowerFails{};
            return 0;
        });
        log_->sync();
        BOOST_TEST(log_->failure().has_value());
        BOOST_TEST(log_->durable().through().value == durable.value);
        disk_->interfere(nullptr);
        disk_->lose_power({.keeps = keeps, .names_kept = 1000});
    }

    void lose_power() { disk_->lose_power(); }

    /// The next start recovers the newest configurations of what is left of the log. Returns its last entry.
    Index restart()
    {
        log_.reset();
        auto opened = open_log(disk_);
        BOOST_REQUIRE(opened.has_value());
        log_.emplace(*std::move(opened));
        auto const recovered = log_->recover();
        auto const last = recovered->entries.last().index;
        while (configurations_.back().index > last)
            configurations_.pop_back();
        auto const newest = newest_at(last);
        BOOST_TEST((recovered->configuration == newest.in_force),
                   recovered->configuration.index.value << " instead of " << newest.in_force.index.value);
        BOOST_TEST((recovered->previous_configuration == newest.previous),
                   recovered->previous_configuration.index.value << " instead of " << newest.previous.index.value);
        write_ = WriteNumber{};
        return last;
    }

    [[nodiscard]] Index last() const { return log_->last().index; }

private:
    struct PowerFails
    {};

    WriteNumber next_write() { return WriteNumber{++write_.value}; }

    /// The configuration in force at an index, and the one before.
    [[nodiscard]] Configurations newest_at(Index index) const
    {
        auto newest = Configurations{configurations_.front(), configurations_.front()};
        for (auto at = std::size_t{1}; at < configurations_.size() and configurations_[at].index <= index; ++at)
            newest.append(configurations_[at]);
        return newest;
    }

    std::uint64_t              between_;
    Disk                       disk_ = disk_with_log();
    std::optional<TestLog>     log_{*open_log(disk_)};
    WriteNumber                write_;
    std::vector<Configuration> configurations_{first_configuration(identity_of_first())};
};

/// Where the log begins: nowhere else than it was made, or so many entries before its newest configuration.
constexpr auto beginnings = {std::optional<std::uint64_t>{}, std::optional<std::uint64_t>{0},
                             std::optional<std::uint64_t>{1}};

/// A log with three durable configurations that begins there.
[[nodiscard]] LogWithConfigurations log_of_three(std::uint64_t between, std::optional<std::uint64_t> beginning)
{
    auto log = LogWithConfigurations{between};
    log.add_configurations(3);
    log.sync();
    if (beginning)
        log.compact(*beginning);
    return log;
}

using Keeps = bool (*)(std::size_t change, std::size_t sector);

constexpr Keeps nothing = [](std::size_t, std::size_t) { return false; };
constexpr Keeps first_sectors = [](std::size_t, std::size_t sector) { return sector == 0; };
constexpr Keeps all_but_first_sectors = [](std::size_t, std::size_t sector) { return sector > 0; };
constexpr Keeps everything = [](std::size_t, std::size_t) { return true; };

} // namespace

BOOST_AUTO_TEST_SUITE(segmented_log_configurations)

/// Whatever of it is on the disk: of what is written together some or all is cut.
BOOST_AUTO_TEST_CASE(a_torn_tail_takes_all_configurations_in_it, *label("6") * label("case_64"))
{
    auto cut = 0;
    auto kept = 0;
    for (auto const between : {0U, 1U, 40U})
        for (auto const beginning : beginnings)
            for (auto const torn : {1, 2, 3})
                for (auto const keeps : {nothing, first_sectors, all_but_first_sectors, everything}) {
                    auto       log = log_of_three(between, beginning);
                    auto const durable = log.last();
                    log.add_configurations(torn);
                    auto const written = log.last();
                    log.lose_power_while_writing(keeps);

                    auto const last = log.restart();
                    BOOST_TEST((durable <= last and last <= written));
                    BOOST_TEST((keeps != nothing or last == durable));
                    cut += keeps != nothing and last == durable ? 1 : 0;
                    kept += last == written ? 1 : 0;

                    log.add_configurations(1);
                    log.sync();
                    log.lose_power();
                    log.restart();
                }
    BOOST_TEST(cut > 20); // Of 81 whose tail is torn or whole.
    BOOST_TEST(kept > 20);
}

/// By its record, by the headers of later segments, and by the index of the segment that they were in.
BOOST_AUTO_TEST_CASE(a_truncation_takes_all_configurations_that_it_removes, *label("6"))
{
    for (auto const between : {0U, 1U, 40U})
        for (auto const beginning : beginnings)
            for (auto const removed : {1U, 2U, 3U}) {
                auto log = log_of_three(between, beginning);
                log.add_configurations(3);
                log.sync();
                log.truncate(removed);

                log.restart();
                log.lose_power();
                log.restart();
                for (auto more = 0; more < 3; ++more) {
                    log.add_entries(40);
                    log.lose_power();
                    log.restart();
                }
                log.add_configurations(1);
                log.sync();
                log.lose_power();
                log.restart();
            }
}

/// The segment that held them ends after the truncation, so that its index is written without them.
BOOST_AUTO_TEST_CASE(a_segment_that_ends_after_a_truncation_names_no_configuration_that_it_removed, *label("6"))
{
    for (auto const beginning : beginnings)
        for (auto const removed : {1U, 2U, 3U}) {
            auto log = log_of_three(1, beginning);
            log.add_configurations(3);
            log.truncate(removed);
            for (auto more = 0; more < 4; ++more)
                log.add_entries(20);

            log.lose_power();
            log.restart();
        }
}

/// A log that lost its newest configurations is truncated below what was recovered next.
BOOST_AUTO_TEST_CASE(the_configurations_before_are_found_again_and_again, *label("6"))
{
    for (auto const between : {0U, 40U}) {
        auto log = LogWithConfigurations{between};
        log.add_configurations(5);
        log.sync();
        for (auto left = 5; left > 0; --left) {
            log.truncate(1);
            log.lose_power();
            log.restart();
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::segmented_log_configurations_tests
