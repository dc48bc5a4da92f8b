// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/prng.hpp"
#include "totora/testing/simulate/faults/faults.hpp"
#include "totora/testing/simulate/scenario_options.hpp"

#include <range/v3/algorithm/sort.hpp>
#include <range/v3/view/enumerate.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace totora::inline v0::simulate
{

/// Draws scenarios.
class ScenarioMaker
{
public:
    ScenarioMaker(std::uint64_t seed, SimulationOptions const& options)
        : seed_(seed), options_(options), random_(testing::mixed(seed))
    {}

    [[nodiscard]] Scenario make()
    {
        scenario_.seed = seed_;
        scenario_.servers = static_cast<std::size_t>(draw_servers());
        scenario_.events = options_.events;
        scenario_.damageable = random_.below((scenario_.servers - 1) / 2 + 1);
        draw_settings();
        draw_options();
        draw_chances();
        draw_plan();
        scenario_.terms_end = random_.below(4) == 0;
        random_ = testing::Prng{seed_}.split(5); // What follows leaves all before it as it would be without.
        draw_snapshots();
        random_ = testing::Prng{seed_}.split(6);
        draw_membership();
        number_plan();
        leave_out();
        return std::move(scenario_);
    }

private:
    [[nodiscard]] bool coin() { return random_.below(2) == 0; }

    /// A power of two times `least`, so that small and large are equally likely.
    [[nodiscard]] std::uint64_t scaled(std::uint64_t least, std::uint64_t doublings)
    {
        return least << random_.below(doublings + 1);
    }

    /// Clusters of one or two servers, in which little can happen, are rare.
    [[nodiscard]] std::uint64_t draw_servers()
    {
        auto const few = std::min<std::uint64_t>(options_.servers_most, 2);
        if (options_.servers_most <= few or (options_.servers_least <= few and random_.below(12) == 0))
            return random_.between(options_.servers_least, few);
        return random_.between(std::max<std::uint64_t>(options_.servers_least, few + 1), options_.servers_most);
    }

    void draw_settings()
    {
        auto&      core = scenario_.settings.core;
        auto const least = scaled(75, 2);
        core.election = {least, least * random_.between(15, 25) / 10};
        core.heartbeat_ms = std::max<std::uint64_t>(1, least / random_.between(3, 8));
        core.append_entries_max = scaled(1, 6);
        core.window = scaled(1, 8);
        core.pre_vote = random_.below(4) != 0;
        core.sticky = random_.below(6) != 0;
        core.check_quorum = random_.below(3) != 0;
        core.sticky = core.sticky and core.check_quorum;
        auto& settings = scenario_.settings;
        settings.entry_bytes_max = 2048;
        settings.uncommitted_bytes_max = scaled(256, 8);
        settings.append_bytes_max = scaled(128, 6);
        settings.window_bytes = scaled(1024, 4);
        settings.cold_bytes_max = scaled(128, 6);
        settings.apply_bytes_max = scaled(256, 6);
        settings.apply_entries_max = scaled(1, 8);
        settings.receive_max = scaled(1, 8);
        scenario_.log = {.segment_bytes = scaled(16'384, 3),
                         .cache_bytes = coin() ? scaled(256, 8) : 0,
                         .record_bytes_max = scaled(256, 4),
                         .prepare_bytes = scaled(1024, 3),
                         .retry_after = std::chrono::milliseconds{0},
                         .snapshot_sync_bytes = 512};
    }

    void draw_options()
    {
        scenario_.network.latency_us = scaled(50, 7);
        scenario_.network.jitter_us = scaled(10, 10);
        scenario_.network.delayed_us = 3'000 * scenario_.settings.core.election.at_most_ms;
        scenario_.network.ordered = coin();
        auto& syncs = scenario_.syncs;
        syncs.at_once = random_.below(4) == 0;
        syncs.takes_us = scaled(20, 8);
        syncs.jitter_us = scaled(10, 9);
        syncs.per_call_us = coin() ? 0 : scaled(1, 6);
        syncs.per_kib_us = coin() ? 0 : scaled(1, 9);
        scenario_.apply_us = coin() ? 0 : scaled(1, 6);
        auto& clients = scenario_.clients;
        clients.count = static_cast<std::size_t>(random_.between(1, 6));
        clients.thinks_us = scaled(1'000, 7);
        clients.reads = static_cast<std::uint32_t>(random_.below(700'000));
        clients.batches = coin() ? 0 : 100'000;
        clients.padding = coin() ? 0 : scaled(8, 5);
        clients.wanders = coin() ? 0 : static_cast<std::uint32_t>(scaled(10'000, 5));
        scenario_.network.bytes_per_ms = coin() ? 0 : scaled(256, 8);
        scenario_.network.queue_bytes_max = scaled(2'048, 6);
        scenario_.machines_forget = coin();
        scenario_.clocks_drift = coin();
    }

    /// How much of a kind this seed has: a third of them nothing at all, some much.
    [[nodiscard]] std::uint32_t amount(std::uint32_t little, std::uint32_t much)
    {
        auto const what = random_.below(6);
        return static_cast<std::uint32_t>(what < 2 ? 0 : random_.between(1, what < 5 ? little : much));
    }

    void draw_chances()
    {
        auto& chances = scenario_.network.chances;
        chances[Fault::message_lost] = amount(20'000, 200'000);
        chances[Fault::message_repeated] = amount(20'000, 100'000);
        chances[Fault::message_reordered] = amount(50'000, 300'000);
        chances[Fault::message_delayed] = amount(5'000, 50'000);
        chances[Fault::message_flipped] = amount(5'000, 50'000);
    }

    /// Every kind of fault that is planned, and how often it may come in a run of 50,000 events: a little, and much.
    void draw_plan()
    {
        for (auto const kind : {Fault::isolate_one,
                                Fault::split_in_halves,
                                Fault::one_way,
                                Fault::bridge,
                                Fault::ring,
                                Fault::flapping_link,
                                Fault::queue_full,
                                Fault::link_slow,
                                Fault::power_lost,
                                Fault::power_lost_in_a_call,
                                Fault::power_lost_in_recovery,
                                Fault::power_lost_everywhere,
                                Fault::process_killed,
                                Fault::stopped_cleanly,
                                Fault::paused,
                                Fault::apply_slow,
                                Fault::memory_ran_out,
                                Fault::other_members,
                                Fault::disk_slow,
                                Fault::read_slow,
                                Fault::sync_slow,
                                Fault::sync_hangs,
                                Fault::write_failed,
                                Fault::sync_failed,
                                Fault::read_failed,
                                Fault::disk_full,
                                Fault::bit_rot,
                                Fault::file_lost,
                                Fault::file_set_back,
                                Fault::clock_drifts,
                                Fault::clock_jumps,
                                Fault::clock_stands_still})
            draw_plan(kind, loses_power(kind) ? amount(4, 12) : amount(3, 8));
        draw_plan(Fault::hostile_message, amount(10, 40));
        draw_plan(Fault::bulk_stopped, amount(4, 12));
        draw_plan(Fault::log_full, amount(6, 20));
        draw_plan(Fault::leader_disk_hangs, amount(4, 12));
    }

    /// A quarter of the seeds has no snapshots.
    void draw_snapshots()
    {
        auto& snapshots = scenario_.settings.snapshots;
        snapshots.automatic = random_.below(4) != 0;
        if (not snapshots.automatic)
            return;
        snapshots.entries_max = scaled(16, 5);
        snapshots.log_bytes_min = coin() ? snapshots.log_bytes_min : scaled(1024, 5);
        snapshots.trailing_entries = coin() ? 0 : random_.below(100);
        snapshots.follower_bytes_max = coin() ? 0 : scaled(256, 6);
        snapshots.pause_ms = scaled(1, 9);
        snapshots.chunk_bytes = scaled(32, 6);
        snapshots.chunks_in_flight = random_.between(1, 4);
        scenario_.captures_in_parts = coin();
        for (auto const kind :
             {Fault::power_lost_writing_snapshot, Fault::power_lost_finishing_snapshot,
              Fault::power_lost_before_boundary, Fault::power_lost_receiving_snapshot,
              Fault::power_lost_installing_snapshot, Fault::power_lost_before_restore, Fault::snapshot_disk_full,
              Fault::memory_ran_out_capturing, Fault::memory_ran_out_writing, Fault::memory_ran_out_restoring,
              Fault::snapshot_rot, Fault::server_left_behind})
            draw_plan(kind, amount(4, 10));
        scenario_.machine_saves_every = random_.below(6) == 0 ? scaled(1, 5) : 0;
    }

    /// The members of a third of the seeds do not change. Where they do no data are damaged, so that all servers can be healed.
    void draw_membership()
    {
        scenario_.members_change = scenario_.servers > 1 and random_.below(3) != 0;
        if (not scenario_.members_change)
            return;
        scenario_.damageable = 0;
        if (coin())
            scenario_.first_members = random_.below(4) != 0 ? std::min<std::size_t>(3, scenario_.servers)
                                                            : random_.between(1, scenario_.servers);
        auto const much = random_.below(3) == 0 ? 8U : 1U;
        draw_plan(Fault::members_changed, much * amount(20, 40) + 5);
        draw_plan(Fault::change_cancelled, much * amount(5, 10));
        draw_plan(Fault::lead_transferred, much * amount(5, 10));
        draw_plan(Fault::campaigned, amount(5, 20));
        if (coin())
            draw_plan(Fault::directory_lost, amount(3, 8) + 1);
    }

    void number_plan()
    {
        auto& plan = scenario_.plan;
        ranges::sort(plan, {}, [](PlannedFault const& fault) { return std::pair{fault.at_event, fault.seed}; });
        for (auto const [at, fault] : plan | ranges::views::enumerate)
            fault.number = static_cast<std::uint32_t>(at + 1);
    }

    [[nodiscard]] static bool loses_power(Fault kind)
    {
        return kind == Fault::power_lost or kind == Fault::power_lost_in_a_call;
    }

    /// Damage is planned for servers that it may hit.
    [[nodiscard]] std::size_t draw_server(Fault kind)
    {
        auto const damages = kind == Fault::bit_rot or kind == Fault::file_lost or kind == Fault::file_set_back or
                             kind == Fault::snapshot_rot;
        auto const among = damages and scenario_.damageable > 0 ? scenario_.damageable : scenario_.servers;
        return static_cast<std::size_t>(random_.below(among));
    }

    void draw_plan(Fault kind, std::uint32_t count)
    {
        auto const scaled_down = (count * options_.events + 49'999) / 50'000;
        for (auto left = std::max<std::uint64_t>(scaled_down, count > 0 ? 1 : 0); left > 0; --left)
            scenario_.plan.push_back({.at_event = random_.below(std::max<std::uint64_t>(options_.events, 1)),
                                      .kind = kind,
                                      .server = draw_server(kind),
                                      .lasts_us = scaled(30'000, 7),
                                      .seed = random_.next()});
    }

    /// Numbers stay: they are those of the whole plan.
    void leave_out()
    {
        std::erase_if(scenario_.plan, [&](PlannedFault const& fault) {
            return options_.without.contains(fault.kind) or
                   (options_.only and not options_.only->contains(fault.number));
        });
        for (auto const kind : options_.without)
            scenario_.network.chances[kind] = 0;
    }

    std::uint64_t            seed_;
    SimulationOptions const& options_;
    testing::Prng            random_;
    Scenario                 scenario_;
};

[[nodiscard]] inline Scenario make_scenario(std::uint64_t seed, SimulationOptions const& options)
{
    return ScenarioMaker{seed, options}.make();
}

} // namespace totora::inline v0::simulate
