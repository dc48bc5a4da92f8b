// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/policy/log.hpp"
#include "totora/testing/conformance/law_violation.hpp"
#include "totora/testing/conformance/log/log_content.hpp"
#include "totora/testing/conformance/log/log_recovery_laws.hpp"
#include "totora/testing/conformance/log/log_workload.hpp"
#include "totora/testing/conformance/sample_entries.hpp"
#include "totora/testing/disk/crash_bounds.hpp"
#include "totora/testing/disk/crash_choices.hpp"
#include "totora/testing/disk/crash_disk.hpp"
#include "totora/testing/disk/crash_files.hpp"
#include "totora/testing/disk/disk_image.hpp"
#include "totora/testing/hashing.hpp"
#include "totora/testing/prng.hpp"

#include <algorithm>
#include <cerrno>
#include <concepts>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::inline v0::conformance
{

/// Runs workloads on a log, lets the power fail at every call that it makes of its files, and recovers every image of
/// the disk that can be found then.
///
/// Kept must be what was reported durable, and of the rest a prefix of the writes. No such image may be refused. The
/// recovered log is then written to, loses its power again, and must have kept all. In some images, recovery itself is
/// interrupted at every call; some disks are full when it begins. Some calls fail, too. A workload is the same for the
/// same seed, whatever was run before.
template <log_over_files Maker>
class LogCrashes
{
public:
    using Log = typename Maker::Log;

    /// `distinct` counts images; kits that run together may share it.
    explicit LogCrashes(CrashBounds const&                bounds = {},
                        std::shared_ptr<testing::HashSet> distinct = std::make_shared<testing::HashSet>())
        : bounds_(bounds), distinct_(std::move(distinct))
    {}

    [[nodiscard]] CrashFigures const&  figures() const { return figures_; }
    [[nodiscard]] LawViolations const& broken() const { return broken_; }

    /// Called after every crash of a workload, to show progress.
    void on_progress(std::function<void(CrashFigures const&)> report) { report_ = std::move(report); }

    /// Runs a workload on a log. Ends at the first law that is broken.
    void run(Maker const& maker, std::uint64_t seed, WorkloadMix const& mood = {})
    {
        maker_ = &maker;
        random_ = testing::SplitMix{seed ^ 0x6c6f6773U};
        seen_ = testing::HashSet{};
        is_closing_ = false;
        recycled_ = 0;
        ++figures_.workloads;
        auto       disk = std::make_shared<CrashDisk>();
        auto       workload = Workload{seed, mood};
        auto       files = CrashFiles{disk};
        auto const start = [&] { return std::vector<std::string>{"workload " + std::to_string(seed)}; };
        if (auto const made = maker.create(files, identity_of_first()); not made)
            return breaks("a log can be made", made.error().what, start);
        for (life_ = 1; life_ <= bounds_.lives and not done(); ++life_) {
            live(disk, workload, [&] {
                auto lines = start();
                lines.front() += ", start " + std::to_string(life_);
                return joined(std::move(lines), disk->last_calls(20));
            });
            if (random_.below(2) == 0) { // Else the process was killed, and will find what it wrote in the page cache.
                recycled_ += disk->recycled_files();
                disk = lose_power(disk);
            }
        }
        figures_.recycled += recycled_ + disk->recycled_files();
        figures_.snapshots += workload.snapshots().promises();
        figures_.compactions += workload.compactions();
        figures_.installs += workload.installs();
    }

private:
    using Disk = std::shared_ptr<CrashDisk>;
    using Lines = std::vector<std::string>;
    using Story = std::function<Lines()>; ///< The calls so far; printed only if a law is broken.

    [[nodiscard]] bool done() const { return not broken_.empty() or seen_.size() >= bounds_.images_max; }

    [[nodiscard]] static Lines joined(Lines lines, Lines more)
    {
        std::move(more.begin(), more.end(), std::back_inserter(lines));
        return lines;
    }

    /// One start of the log: recovery, writes, perhaps a call that fails, perhaps a clean stop.
    void live(Disk const& disk, Workload& workload, Story const& story)
    {
        disk->on_change([&] { crash(*disk, workload, story); });
        open(disk, workload, story, [&](Log& log) {
            is_closing_ = false; // A start removes the mark.
            plan_fault(*disk);
            auto steps_left = bounds_.steps;
            for (; steps_left > 0 and not done(); --steps_left) {
                auto const durable = workload.durable();
                auto const promised = workload.promised();
                auto const failure = log.failure();
                if (failure)
                    steps_left = std::min<std::uint64_t>(steps_left, 4); // A node would have stopped at once.
                workload.step(log, bounds_.payload_max);
                if (failure and (workload.durable() != durable or not log.failure()))
                    breaks("a failure is permanent", "After it failed (" + failure->what + ") it went on.", story);
                if (workload.promised() != promised)
                    crash(*disk, workload, story); // Nothing changed on the disk, but more is promised.
            }
            is_closing_ = random_.below(3) == 0;
            if (is_closing_)
                log.close();
        });
        disk->on_change(nullptr);
        disk->interfere(nullptr);
    }

    /// In one life of four, one call fails: no violation, if the log reports it or can do without.
    void plan_fault(CrashDisk& disk)
    {
        if (random_.below(4) != 0)
            return;
        auto const number = random_.below(3) == 0 ? ENOSPC : EIO;
        disk.interfere([this, number, calls_left = random_.below(60)](FileCall, std::string_view) mutable {
            if (calls_left-- != 0)
                return 0;
            ++figures_.faults;
            return number;
        });
    }

    /// Opens a log, compares its content with what may be there, and lets the workload continue after it, with `then`.
    template <typename Then>
    void open(Disk const& disk, Workload& workload, Story const& story, Then then)
    {
        ++figures_.recoveries;
        auto files = CrashFiles{disk};
        auto log = maker_->open(files);
        if (not log and log.error().failure == LogFailure::no_space and disk->is_limited()) {
            // It may need space; then it changed nothing that keeps the next start from succeeding.
            ++figures_.too_full;
            disk->limit_space(std::numeric_limits<std::uint64_t>::max());
            log = maker_->open(files);
        }
        if (not log)
            return breaks("no image of a crash is refused", "It was refused: " + log.error().what, story);
        auto const recovered = log->recover();
        if (not recovered)
            return breaks("no image of a crash is refused", "It was refused: " + recovered.error().what, story);
        figures_.torn_tails += recovered->torn_tail ? 1U : 0U;
        auto const content = content_of(*log, *recovered);
        if (auto broken = find_broken_recovery(*recovered, content, workload, is_closing_))
            return breaks(std::move(broken->law), std::move(broken->what), story);
        if (auto broken = find_broken_snapshots(*log, content->base.index, workload))
            return breaks(std::move(broken->law), std::move(broken->what), story);
        workload.restart(*content, recovered->commit_index);
        if (auto broken = find_broken_reception(*log, workload))
            return breaks(std::move(broken->law), std::move(broken->what), story);
        then(*log);
    }

    /// The power fails now: recovers every image that can be found.
    void crash(CrashDisk const& disk, Workload const& workload, Story const& story)
    {
        if (done())
            return;
        auto const coverage = visit(disk, bounds_.images_per_call, life_ << 56U | workload.promised(), story,
                                    [&](DiskImage const& image, testing::Hash128 hash, Story const& crashed) {
                                        count(hash, disk.recycled_files());
                                        recover(image, hash, workload, crashed);
                                    });
        ++figures_.points;
        figures_.points_sampled += coverage == Coverage::sampled ? 1U : 0U;
        if (report_)
            report_(figures_);
    }

    /// Recovers an image, writes after what was found, loses the power again, and checks whether all is there.
    void recover(DiskImage const& image, testing::Hash128 parent, Workload const& before, Story const& crashed)
    {
        auto       workload = before;
        auto const disk = std::make_shared<CrashDisk>(image);
        auto const story = Story{[&] {
            auto lines = crashed();
            lines.emplace_back("recovered, and then:");
            return joined(std::move(lines), disk->last_calls(20));
        }};
        if (parent.high % bounds_.full_every == 0) {
            ++figures_.full;
            disk->limit_space(disk->used() + parent.low % 1024);
        }
        if (parent.low % bounds_.deep_every == 0)
            disk->on_change([&] { crash_again(*disk, parent, workload, story); });
        open(disk, workload, story, [&](Log& log) {
            auto const count = 1 + workload.random().below(3);
            auto const full = disk->is_limited();
            if (not full or log.has_room(count * (bounds_.payload_max + entry_header_size)))
                workload.append(log, count, 2, bounds_.payload_max);
            if (not full or log.has_room(0))
                workload.vote(log);
            log.sync();
            workload.note(log);
        });
        disk->on_change(nullptr);
        if (not broken_.empty())
            return;
        auto const was_closing = std::exchange(is_closing_, false); // The first start has removed the mark.
        open(lose_power(disk), workload, story, [](Log&) {});
        is_closing_ = was_closing;
    }

    /// The power fails while an image is recovered or written to: opens every image that can be found, and no more.
    void crash_again(CrashDisk const& disk, testing::Hash128 parent, Workload const& workload, Story const& story)
    {
        if (not broken_.empty())
            return;
        auto const coverage = visit(disk, bounds_.deep_images, parent.high ^ workload.durable(), story,
                                    [&](DiskImage const& image, testing::Hash128 hash, Story const& crashed) {
                                        count(hash, disk.recycled_files());
                                        auto copy = workload;
                                        open(std::make_shared<CrashDisk>(image), copy, crashed, [](Log&) {});
                                    });
        ++figures_.again_points;
        figures_.again_sampled += coverage == Coverage::sampled ? 1U : 0U;
    }

    /// Visits the images that a disk may leave, but none again that was seen when the same was promised.
    template <typename Look>
    Coverage visit(CrashDisk const& disk, std::uint64_t limit, std::uint64_t promised, Story const& story, Look look)
    {
        return visit_choices(disk.choices(), limit, random_, [&](std::vector<std::uint32_t> const& choice) {
            if (not broken_.empty())
                return;
            ++figures_.images;
            auto const image = disk.image(choice);
            auto const hash = image.hash();
            if (not seen_.insert({hash.low ^ testing::spread(promised + 1), hash.high}))
                return;
            look(image, hash, Story{[&] {
                     auto lines = story();
                     lines.emplace_back("the power fails:");
                     return joined(std::move(lines), disk.describe(choice));
                 }});
        });
    }

    /// The disk after a power loss that kept nothing, everything, or any part of what was not synced.
    [[nodiscard]] Disk lose_power(Disk const& disk)
    {
        auto       choice = disk->choices();
        auto const how = random_.below(4);
        for (auto& version : choice)
            version = how == 0 ? 0 : how == 1 ? version - 1 : static_cast<std::uint32_t>(random_.below(version));
        return std::make_shared<CrashDisk>(disk->image(choice));
    }

    void count(testing::Hash128 hash, std::uint64_t recycled)
    {
        if (not distinct_->insert(hash))
            return;
        ++figures_.distinct_images;
        figures_.images_recycled += recycled_ + recycled > 0 ? 1U : 0U;
    }

    void breaks(std::string law, std::string what, Story const& story)
    {
        if (not broken_.empty())
            return; // What follows from it.
        broken_.push_back({std::move(law), std::move(what), story()});
    }

    CrashBounds                              bounds_;
    CrashFigures                             figures_;
    LawViolations                            broken_;
    std::function<void(CrashFigures const&)> report_;
    Maker const*                             maker_ = nullptr; ///< Of the workload that is run.
    std::uint64_t                            life_ = 0;
    bool                                     is_closing_ = false; ///< The last start is being closed, or was.
    testing::SplitMix                        random_{0};
    testing::HashSet                         seen_;         ///< Of this workload: what was recovered.
    std::shared_ptr<testing::HashSet>        distinct_;     ///< Of all workloads.
    std::uint64_t                            recycled_ = 0; ///< In this workload, on the disks before this one.
};

} // namespace totora::inline v0::conformance
