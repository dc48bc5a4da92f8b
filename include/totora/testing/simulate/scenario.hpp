// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/log/segmented_log_options.hpp"
#include "totora/node/settings.hpp"
#include "totora/testing/prng.hpp"
#include "totora/testing/simulate/faults/faults.hpp"
#include "totora/testing/simulate/network/links.hpp"
#include "totora/testing/simulate/network/network_options.hpp"

#include <range/v3/algorithm/sort.hpp>
#include <range/v3/view/enumerate.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

namespace totora::inline v0::simulate
{

/// Options of a run.
struct SimulationOptions
{
    std::uint64_t                          servers_least = 1;
    std::uint64_t                          servers_most = 7;
    std::uint64_t                          events = 50'000; ///< Until the network and the disks of a quorum are healed.
    std::set<Fault>                        without{};       ///< Kinds of faults that are left out.
    std::optional<std::set<std::uint32_t>> only{};          ///< Of the planned faults, those of these numbers.
};

/// A fault that happens at a certain moment of a run.
struct PlannedFault
{
    std::uint32_t number = 0;   ///< In the seed's whole plan, counted from 1.
    std::uint64_t at_event = 0; ///< When so many events, requests and faults have happened.
    Fault         kind{};
    std::size_t   server = 0;
    std::uint64_t lasts_us = 0;
    std::uint64_t seed = 0; ///< For everything else to be drawn about it.
};

/// Speed of a disk, in microseconds.
struct SyncOptions
{
    std::uint64_t per_call_us = 0;
    std::uint64_t per_kib_us = 0;  ///< Written.
    bool          at_once = false; ///< Within the turn that requests it.
    std::uint64_t takes_us = 200;
    std::uint64_t jitter_us = 200;
};

/// How clients behave, in microseconds.
struct ClientOptions
{
    std::size_t   count = 3;
    std::uint64_t thinks_us = 10'000;
    std::uint64_t patience_us = 2'000'000; ///< Then it makes another request; the answer may still come.
    std::uint32_t reads = 300'000;         ///< Of a million requests, that are reads without an entry.
    std::uint32_t batches = 50'000;        ///< Of a million proposals.
    std::uint32_t wanders = 0;             ///< Of a million requests, that go to any server.
    std::uint64_t padding = 0;             ///< Additional bytes in a payload, at most.
};

/// Everything about a run that is drawn in advance: a function of the seed and the options.
struct Scenario
{
    std::uint64_t       seed = 0;
    std::size_t         servers = 3;
    std::uint64_t       events = 0;
    NodeSettings        settings;
    SegmentedLogOptions log;
    NetworkOptions      network;
    SyncOptions         syncs;
    ClientOptions       clients;
    std::uint64_t       apply_us = 0;            ///< That a command takes a machine.
    bool                machines_forget = false; ///< What they applied, when their process ends.
    bool                clocks_drift = false;    ///< All the time, and a little.
    bool                terms_end = false; ///< It begins near the highest term, in which a server campaigns in the end.
    std::size_t         damageable = 0;    ///< Servers whose synced data may be damaged: 0 up to this, exclusive.
    std::vector<PlannedFault> plan;        ///< In order of `at_event`.
    /// How many bytes of entries may be sent for 100 that followers stored, in the whole run; 0 for any number.
    std::uint64_t sent_percent_max = 0;
};

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
                         .retry_after = std::chrono::milliseconds{0}};
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
        auto const damages = kind == Fault::bit_rot or kind == Fault::file_lost or kind == Fault::file_set_back;
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
