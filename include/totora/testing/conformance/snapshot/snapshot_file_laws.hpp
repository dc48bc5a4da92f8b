// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/payload.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_log.hpp"
#include "totora/testing/conformance/log/log_user.hpp"
#include "totora/testing/conformance/sample_snapshots.hpp"
#include "totora/testing/conformance/snapshot/snapshot_log_user.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0::conformance
{

/// The laws of the snapshots that a server makes, as files of its log. See `check_log`.
template <typename Storage>
class SnapshotFileLaws
{
public:
    using Log = typename Storage::Log;

    explicit SnapshotFileLaws(LogUser<Storage>& user) : user_(user), snapshots_(user) {}

    void a_snapshot_that_is_whole_is_kept()
    {
        auto* const log = user_.start();
        if (log == nullptr)
            return;
        auto index = std::uint64_t{4};
        for (auto const size : {std::size_t{0}, std::size_t{1}, std::size_t{3000}, std::size_t{200'000}}) {
            auto const sample = sample_snapshot({Term{2}, Index{index += 3}}, size);
            snapshots_.begin(*log);
            snapshots_.write(*log, sample.bytes);
            user_.let_work();
            snapshots_.expect_not_kept(*log, sample, "what is not finished is not kept");
            snapshots_.finish(*log, sample.id);
            if (not snapshots_.ends_well(*log, sample, false))
                return;
            snapshots_.expect_no_end(*log);
        }
        user_.expect(not log->failure(), "a log does not fail by itself", "It failed when a snapshot was stored.");
    }

    /// From every place, in any length.
    void a_snapshot_is_read_as_it_was_written()
    {
        auto* const log = user_.start();
        auto const  sample = sample_snapshot({Term{2}, Index{9}}, 150'000);
        if (log == nullptr or not snapshots_.keep_own(*log, sample))
            return;
        auto step = std::uint64_t{1};
        for (auto at = std::uint64_t{0}; at < sample.id.bytes; at += step, step += at % 7)
            for (auto const most : {std::uint64_t{1}, std::uint64_t{100}, std::uint64_t{70'000}})
                expect_read(*log, sample, at, most);
        expect_read(*log, sample, sample.id.bytes - 1, 10);
        auto const beyond = files(*log).read_snapshot(sample.id, sample.id.bytes, 10);
        user_.expect(not beyond or beyond->bytes.empty(), "a snapshot is read as it was written",
                     "After its last byte there is another one.");
        auto const other = sample_snapshot({Term{2}, Index{9}}, 150'000, 1);
        user_.expect(not files(*log).read_snapshot(other.id, 0, 10), "a snapshot is read as it was written",
                     "One that was never stored can be read, of the same position as another one.");
        user_.expect(not log->failure(), "a log does not fail by itself", "A read of what is not there failed it.");
    }

    /// As soon as it is among `snapshots`, whether its end was reported or not.
    void a_snapshot_survives_until_it_is_removed()
    {
        constexpr auto law = "a snapshot survives until it is removed";
        auto*          log = user_.start();
        auto const     first = sample_snapshot({Term{2}, Index{9}}, 5000);
        auto const     second = sample_snapshot({Term{2}, Index{12}}, 90'000);
        if (log == nullptr or not snapshots_.keep_own(*log, first))
            return;
        snapshots_.write_own(*log, second);
        auto const is_kept = snapshots_.find(*log, second.id) != nullptr;
        log = snapshots_.restart(found_);
        if (log == nullptr)
            return;
        snapshots_.expect_kept(*log, first, false, law);
        if (is_kept)
            snapshots_.expect_kept(*log, second, false, law);
        snapshots_.expect_no_end(*log);
        if (snapshots_.find(*log, second.id) == nullptr and not snapshots_.keep_own(*log, second))
            return;
        snapshots_.begin(*log);
        snapshots_.write(*log, std::span{first.bytes}.first(2000)); // Lost with the process.
        log = snapshots_.restart(found_);
        if (log == nullptr)
            return;
        snapshots_.expect_kept(*log, first, false, law);
        snapshots_.expect_kept(*log, second, false, law);
        auto const& all = std::as_const(files(*log)).snapshots();
        user_.expect(all.size() == 2, "what is not finished is not kept",
                     "After a start there are " + std::to_string(all.size()) + " snapshots instead of two.");
    }

    void snapshots_are_in_order()
    {
        auto* log = user_.start();
        if (log == nullptr)
            return;
        for (auto const index : {9U, 5U, 30U, 7U})
            if (not snapshots_.keep_own(*log, sample_snapshot({Term{2}, Index{index}}, 100)))
                return;
        auto const expect = [&] {
            auto const& all = std::as_const(files(*log)).snapshots();
            auto const  in_order = [](auto const& a, auto const& b) { return a.id.last.index < b.id.last.index; };
            user_.expect(std::is_sorted(all.begin(), all.end(), in_order), "snapshots are in order",
                         "Those that are kept are not in the order of their indexes.");
        };
        expect();
        log = snapshots_.restart(found_);
        if (log != nullptr)
            expect();
    }

    void what_was_read_of_a_snapshot_does_not_change()
    {
        constexpr auto law = "what was read of a snapshot does not change";
        auto* const    log = user_.start();
        auto const     sample = sample_snapshot({Term{2}, Index{9}}, 50'000);
        if (log == nullptr or not snapshots_.keep_own(*log, sample))
            return;
        auto const read = files(*log).read_snapshot(sample.id, 10, 20'000);
        auto const is_intact = [&] {
            return read and std::equal(read->bytes.begin(), read->bytes.end(), sample.bytes.begin() + 10);
        };
        user_.call("remove_snapshot()");
        files(*log).remove_snapshot(sample.id);
        snapshots_.expect_not_kept(*log, sample, "a removed snapshot is not kept");
        user_.expect(not files(*log).read_snapshot(sample.id, 0, 1), "a removed snapshot is not kept",
                     "It can still be read.");
        (void)snapshots_.keep_own(*log, sample_snapshot({Term{2}, Index{9}}, 50'000, 1));
        user_.expect(is_intact(), law, "It is another after the snapshot was removed.");
        user_.call("stop()");
        user_.storage().stop();
        user_.expect(is_intact(), law, "It is another after the log has ended.");
    }

private:
    [[nodiscard]] static auto& files(Log& log) { return SnapshotLogUser<Storage>::files(log); }

    void expect_read(Log& log, SampleSnapshot const& sample, std::uint64_t at, std::uint64_t most)
    {
        auto const read = files(log).read_snapshot(sample.id, at, most);
        auto const size = read ? read->bytes.size() : 0;
        user_.expect(size > 0 and size <= most and at + size <= sample.id.bytes and
                         std::equal(read->bytes.begin(), read->bytes.end(),
                                    sample.bytes.begin() + static_cast<std::ptrdiff_t>(at)),
                     "a snapshot is read as it was written",
                     "At most " + std::to_string(most) + " bytes from " + std::to_string(at) +
                         " on were asked for, and none, too many or others came.");
    }

    LogUser<Storage>&        user_;
    SnapshotLogUser<Storage> snapshots_;
    Recovered                found_; ///< At the last start.
};

} // namespace totora::inline v0::conformance
