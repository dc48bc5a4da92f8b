// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configurations.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/data/entry.hpp"
#include "totora/policy/log.hpp"
#include "totora/testing/conformance/log/log_content.hpp"
#include "totora/testing/conformance/log/log_user.hpp"
#include "totora/testing/conformance/sample_entries.hpp"
#include "totora/testing/conformance/sample_snapshots.hpp"
#include "totora/testing/conformance/snapshot/snapshot_log_user.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace totora::inline v0::conformance
{

/// The laws of a log that begins after a snapshot. See `check_log`.
template <typename Storage>
class SnapshotBoundaryLaws
{
public:
    using Log = typename Storage::Log;

    explicit SnapshotBoundaryLaws(LogUser<Storage>& user) : user_(user), snapshots_(user) {}

    /// At once for what is after the base, and after a start for all.
    void a_compacted_log_begins_after_its_base()
    {
        auto* log = filled(12);
        for (auto const base : {Index{5}, Index{6}, Index{12}}) {
            if (log == nullptr)
                return;
            auto const position = LogPosition{Term{1}, base};
            auto const configurations = sample_configurations(position);
            if (not snapshots_.keep_own(*log, sample_snapshot(position, 300)))
                return;
            compact(*log, position, configurations);
            expect_range(*log, position, Index{12}, "a compacted log begins after its base");
            log = user_.restart(*log, found_);
            if (log == nullptr)
                return;
            expect_found(*log, position, Index{12}, "a compacted log begins after its base");
            expect_configurations(configurations, "a boundary keeps its configurations");
        }
        user_.append(*log, Term{1}, 3);
        log = user_.restart(*log, found_);
        if (log != nullptr)
            expect_found(*log, {Term{1}, Index{12}}, Index{15}, "a compacted log begins after its base");
    }

    /// Those that stand after the base are newer than those of the boundary; if they are truncated, these are in force again.
    void a_boundary_keeps_its_configurations()
    {
        constexpr auto law = "a boundary keeps its configurations";
        auto*          log = filled(6);
        if (log == nullptr)
            return;
        auto const position = LogPosition{Term{1}, Index{5}};
        auto const at_base = sample_configurations(position);
        auto const newer = sample_configuration(Term{1}, Index{7});
        if (not snapshots_.keep_own(*log, sample_snapshot(position, 300)))
            return;
        compact(*log, position, at_base);
        user_.append(*log, newer);
        user_.append(*log, Term{1}, 2);
        log = user_.restart(*log, found_);
        if (log == nullptr)
            return;
        expect_configurations({*decode_configuration(*newer.begin()), at_base.in_force}, law);
        user_.truncate(*log, Index{7});
        log = user_.restart(*log, found_);
        if (log != nullptr)
            expect_configurations(at_base, law);
    }

    /// A longer log, a shorter one, and one that begins after an earlier one.
    void an_install_takes_the_place_of_the_log()
    {
        constexpr auto law = "an install takes the place of the log";
        auto*          log = filled(12);
        auto           term = Term{1};
        for (auto const index : {Index{8}, Index{40}, Index{41}}) {
            if (log == nullptr)
                return;
            auto const position = LogPosition{term = Term{term.value + 1}, index};
            auto const sample = sample_snapshot(position, 2000);
            if (not snapshots_.keep_received(*log, sample))
                return;
            install(*log, sample);
            expect_range(*log, position, index, law);
            user_.append(*log, entries_of(term, next(index), 3));
            expect_range(*log, position, index + 3, law);
            log = user_.restart(*log, found_);
            if (log == nullptr)
                return;
            expect_found(*log, position, index + 3, law);
            expect_configurations(sample.configurations, "a boundary keeps its configurations");
            snapshots_.expect_listed(*log, sample, false);
        }
    }

    /// What a loss of power leaves is a boundary and the snapshot that it stands on, or neither.
    void boundaries_are_writes_of_the_sequence()
    {
        constexpr auto law = "boundaries are writes of the sequence";
        auto*          log = filled(12);
        if (log == nullptr)
            return;
        auto const sample = sample_snapshot({Term{3}, Index{30}}, 2000);
        if (not snapshots_.keep_own(*log, sample_snapshot({Term{1}, Index{8}}, 300)) or
            not snapshots_.keep_received(*log, sample))
            return;
        user_.vote(*log, Term{7});
        compact(*log, {Term{1}, Index{8}}, sample_configurations({Term{1}, Index{8}}));
        user_.vote(*log, Term{8});
        install(*log, sample);
        user_.vote(*log, Term{9});
        log = snapshots_.restart(found_);
        if (log == nullptr)
            return;
        auto const base = found_.entries.base().index;
        auto const is_installed = base == Index{30};
        auto const is_prefix = found_.current_term <= Term{6}   ? base == Index{}
                               : found_.current_term == Term{7} ? base == Index{} or base == Index{8}
                               : found_.current_term == Term{8} ? base == Index{8} or is_installed
                                                                : is_installed;
        user_.expect(is_prefix, law,
                     "After a loss of power the vote in term " + std::to_string(found_.current_term.value) +
                         " and the base " + std::to_string(base.value) + " were found, of which one is older.");
        snapshots_.expect_listed(*log, sample, not is_installed);
    }

    void an_install_that_had_begun_is_finished()
    {
        constexpr auto law = "an install that had begun is finished";
        auto*          log = filled(12);
        auto const     sample = sample_snapshot({Term{3}, Index{30}}, 2000);
        if (log == nullptr or not snapshots_.keep_received(*log, sample))
            return;
        log = user_.restart(*log, found_);
        if (log == nullptr)
            return;
        auto const unknown = sample_snapshot({Term{3}, Index{31}}, 2000);
        user_.call("finish_install(), of what is not kept");
        user_.expect(SnapshotLogUser<Storage>::files(*log).finish_install(unknown.id).has_value(), law,
                     "A snapshot that is not kept was installed, without an error.");
        log = snapshots_.restart(found_);
        if (log == nullptr)
            return;
        user_.call("finish_install()");
        auto const failed = SnapshotLogUser<Storage>::files(*log).finish_install(sample.id);
        user_.expect(not failed, law, failed ? failed->what : "");
        if (failed)
            return;
        expect_range(*log, sample.id.last, Index{30}, law);
        log = snapshots_.restart(found_); // It was durable when it returned.
        if (log == nullptr)
            return;
        expect_found(*log, sample.id.last, Index{30}, law);
        expect_configurations(sample.configurations, "a boundary keeps its configurations");
        snapshots_.expect_listed(*log, sample, false);
        user_.append(*log, entries_of(Term{3}, Index{31}, 2));
        log = user_.restart(*log, found_);
        if (log != nullptr)
            expect_found(*log, sample.id.last, Index{32}, law);
    }

    void boundaries_of_any_size_are_kept()
    {
        auto* log = filled(3);
        for (auto const number : {(std::uint64_t{1} << 32U) + 1, (std::uint64_t{1} << 53U) + 1, number_max - 100}) {
            if (log == nullptr)
                return;
            auto const sample = sample_snapshot({Term{number}, Index{number}}, 100);
            if (not snapshots_.keep_received(*log, sample))
                return;
            install(*log, sample);
            user_.append(*log, entries_of(Term{number}, Index{number + 1}, 2));
            log = user_.restart(*log, found_);
            if (log == nullptr)
                return;
            expect_found(*log, sample.id.last, Index{number + 2}, "boundaries of any size are kept");
            snapshots_.expect_kept(*log, sample, false, "boundaries of any size are kept");
        }
    }

private:
    /// A new log of so many durable entries of term 1; null if it cannot be written.
    [[nodiscard]] Log* filled(std::uint64_t count)
    {
        auto* const log = user_.start();
        if (log == nullptr)
            return nullptr;
        user_.append(*log, Term{1}, count);
        user_.sync(*log);
        user_.settle(*log);
        return log;
    }

    void compact(Log& log, LogPosition base, Configurations const& configurations)
    {
        user_.call("compact(), up to " + std::to_string(base.index.value));
        SnapshotLogUser<Storage>::files(log).compact(user_.next_write(), base, configurations,
                                                     sample_peers(configurations));
    }

    void install(Log& log, SampleSnapshot const& sample)
    {
        user_.call("install(), " + SnapshotLogUser<Storage>::name(sample.id));
        SnapshotLogUser<Storage>::files(log).install(user_.next_write(), sample.id, sample.configurations,
                                                     sample_peers(sample.configurations));
    }

    /// The log holds the entries after `base` up to `last`, and no others.
    void expect_range(Log& log, LogPosition base, Index last, std::string const& law)
    {
        auto expected = base.index;
        auto sound = log.last().index == last and (last > base.index or log.last() == base);
        if (last > base.index) {
            auto const read = log.read(next(base.index), last, std::uint64_t{1} << 20U);
            for (auto const& entry : read ? whole_entries(*read) : std::vector<EntryView>{}) {
                expected = next(expected);
                sound = sound and entry.index == expected and is_intact(entry);
            }
            constexpr auto each = entry_header_size + std::size_t{10};
            sound = sound and log.bytes(next(base.index), last) == (last.value - base.index.value) * each;
        }
        user_.expect(sound and expected == last, law,
                     "The log does not hold the entries after " + std::to_string(base.index.value) + " up to " +
                         std::to_string(last.value) + ", or others than these.");
        auto const beyond = log.read(next(last), next(last), 1000);
        user_.expect(beyond and beyond->empty(), law, "After its last entry there is another one.");
    }

    /// The same after a start.
    void expect_found(Log& log, LogPosition base, Index last, std::string const& law)
    {
        expect_range(log, base, last, law);
        user_.expect(found_.entries.base() == base, law,
                     "A start finds the base " + std::to_string(found_.entries.base().index.value) + " instead of " +
                         std::to_string(base.index.value) + ".");
    }

    void expect_configurations(Configurations const& expected, std::string const& law)
    {
        user_.expect(Configurations{found_.configuration, found_.previous_configuration} == expected, law,
                     "A start finds other configurations than those of the boundary, or after it.");
        user_.expect(has_sample_peers(found_), "the addresses of members are recovered",
                     "A start finds other addresses than those of the boundary, or of entries after it.");
    }

    LogUser<Storage>&        user_;
    SnapshotLogUser<Storage> snapshots_;
    Recovered                found_; ///< At the last start.
};

} // namespace totora::inline v0::conformance
