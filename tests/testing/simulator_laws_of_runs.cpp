// SPDX-License-Identifier: BSL-1.0
// Laws of the simulator about processes, disks and clients of a whole cluster, each broken by a part with one fault.
#include "support/calm_scenario.hpp"
#include "totora/testing/simulate/simulation.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace totora::test::simulator_laws_of_runs_tests
{
namespace
{

using boost::unit_test::label;

enum class Wrong
{
    nothing,
    links_change_without_end,
    senders_are_lost,       ///< Messages arrive without a sender.
    entries_are_denied,     ///< A follower that has accepted several reports once that they are not there.
    all_is_denied,          ///< After some, followers report that they have nothing of what they acknowledged.
    answers_stop,           ///< After some, followers answer no append any more.
    commits_stop,           ///< Appends with entries are not answered.
    a_machine_throws,       ///< Each at its third command.
    a_log_does_not_open,    ///< Where there is nothing wrong with the disk.
    a_syncer_has_no_memory, ///< Though memory has not run out.
    a_disk_fills,           ///< With what is no entry.
    reads_end_twice,
    reads_never_end,
    configurations_are_lost, ///< Appends that hold one do not arrive.
};

/// Which one is in force.
auto wrong = Wrong::nothing;

class WrongTransport : public simulate::Endpoint
{
public:
    using Endpoint::Endpoint;

    void send(Released const& message, Entries const& entries)
    {
        auto const* answer = std::get_if<AppendEntriesResponse>(&message.rpc());
        if (wrong == Wrong::answers_stop and answer != nullptr and ++answers_ > 400)
            return;
        if (wrong == Wrong::all_is_denied and answer != nullptr and answer->success and ++answers_ > 400)
            return Endpoint::send(*denied_all(message.to(), *answer).open(), entries);
        if (wrong == Wrong::commits_stop and answer != nullptr and answer->match > Index{})
            return;
        auto const held = answer != nullptr and answer->success ? answer->match.value : std::uint64_t{0};
        auto const had = std::exchange(held_, std::max(held_, held));
        if (held > had + 1 and wrong == Wrong::entries_are_denied)
            return Endpoint::send(*denied(message.to(), *answer, Index{had}).open(), entries);
        if (wrong == Wrong::configurations_are_lost and holds_configuration(entries))
            return;
        Endpoint::send(message, entries);
    }

    [[nodiscard]] std::optional<TransportEvent> receive()
    {
        if (wrong == Wrong::links_change_without_end)
            return TransportEvent{LinkChanged{ServerId{1}, Link::open}};
        auto event = Endpoint::receive();
        if (auto* const received = event ? std::get_if<Received>(&*event) : nullptr)
            received->from = wrong == Wrong::senders_are_lost ? nobody : received->from;
        return event;
    }

private:
    [[nodiscard]] static bool holds_configuration(Entries const& entries)
    {
        for (auto const entry : entries)
            if (entry.kind == EntryKind::configuration)
                return true;
        return false;
    }

    /// Reports that the last entries are not there, and nothing but what was acknowledged before.
    [[nodiscard]] static Envelope denied(ServerId leader, AppendEntriesResponse answer, Index had)
    {
        answer.success = false;
        answer.match = before(answer.match);
        answer.conflict_hint = had == Index{} ? LogPosition{} : LogPosition{answer.term, had};
        return {leader, answer, Release::at_once()};
    }

    [[nodiscard]] static Envelope denied_all(ServerId leader, AppendEntriesResponse answer)
    {
        answer.success = false;
        return {leader, answer, Release::at_once()};
    }

    std::uint64_t answers_ = 0;
    std::uint64_t held_ = 0; ///< The last entry that was acknowledged.
};

class WrongMachine : public simulate::Store
{
public:
    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        if (wrong == Wrong::a_machine_throws and (applied_ += commands.size()) > 2)
            throw std::runtime_error{"no more of that"};
        Store::apply(commands, responses);
    }

private:
    std::size_t applied_ = 0;
};

class WrongStorage : public simulate::SegmentedStorage
{
public:
    using BasicSegmentedStorage::BasicSegmentedStorage;

    [[nodiscard]] Result<Done, LogError> open()
    {
        if (wrong == Wrong::a_log_does_not_open)
            return Unexpected{LogError{LogFailure::read_failed, "it does not please"}};
        auto opened = BasicSegmentedStorage::open();
        if (wrong == Wrong::a_syncer_has_no_memory) {
            auto const seated = simulate::AtDesk{desk()};
            simulate::VirtualSyncer{}.start([]() -> bool { throw std::bad_alloc{}; });
        }
        if (wrong == Wrong::a_disk_fills)
            (void)simulate::DiskFiles{disk()}.create("ballast")->allocate(std::uint64_t{16} << 20U);
        return opened;
    }
};

struct WrongParts : simulate::DefaultParts
{
    using Machine = WrongMachine;
    using Storage = WrongStorage;
    using Transport = WrongTransport;

    template <typename Node, typename Completion>
    static void read(Node& node, Completion completion)
    {
        if (wrong == Wrong::reads_never_end)
            return;
        if (wrong == Wrong::reads_end_twice)
            completion(ReadOutcome{ReadableNow{}});
        simulate::DefaultParts::read(node, std::move(completion));
    }
};

/// What a run of a cluster of which a part is wrong comes to.
[[nodiscard]] simulate::SimulationReport run(Wrong which, simulate::Scenario const& scenario)
{
    wrong = which;
    auto report = simulate::Simulation<WrongParts>{scenario}.run();
    wrong = Wrong::nothing;
    return report;
}

/// The law that is seen to be broken, in a cluster to which nothing else happens.
[[nodiscard]] std::string find(Wrong which) { return run(which, calm_scenario(1, 5'000)).broken; }

BOOST_AUTO_TEST_CASE(parts_of_which_none_is_wrong_break_no_law) { BOOST_TEST(find(Wrong::nothing) == ""); }

BOOST_AUTO_TEST_CASE(a_node_that_does_not_come_to_rest_is_detected)
{
    BOOST_TEST(find(Wrong::links_change_without_end) == "a node comes to rest");
}

BOOST_AUTO_TEST_CASE(a_node_that_fails_without_a_reason_is_detected)
{
    BOOST_TEST(find(Wrong::a_machine_throws) ==
               "a node failed, and nothing was wrong with its disk: the state machine threw: no more of that");
}

BOOST_AUTO_TEST_CASE(a_process_that_an_exception_ends_without_a_reason_is_detected, *label("case_92"))
{
    BOOST_TEST(find(Wrong::a_syncer_has_no_memory) == "a healthy server does not end of its own");
}

BOOST_AUTO_TEST_CASE(a_server_that_refuses_to_start_without_a_reason_is_detected)
{
    BOOST_TEST(find(Wrong::a_log_does_not_open) ==
               "a server that lost only what was not durable does not start: it does not please");
}

BOOST_AUTO_TEST_CASE(a_server_that_takes_another_one_for_broken_is_detected)
{
    BOOST_TEST(find(Wrong::senders_are_lost) == "a correct server was taken for a broken one: violation_sender");
}

BOOST_AUTO_TEST_CASE(a_server_that_takes_another_one_for_set_back_is_detected, *label("case_68"))
{
    BOOST_TEST(find(Wrong::all_is_denied) == "a server that kept its disk was taken for one whose disk was set back");
}

BOOST_AUTO_TEST_CASE(a_log_that_fills_the_disk_with_what_is_no_entry_is_detected)
{
    BOOST_TEST(find(Wrong::a_disk_fills) == "a log takes a bounded multiple of its entries on the disk");
}

BOOST_AUTO_TEST_CASE(a_resignation_without_a_reason_in_the_simulation_is_detected, *label("case_94"))
{
    auto scenario = calm_scenario(1, 5'000);
    scenario.settings.core.check_quorum = true;
    auto const report = run(Wrong::answers_stop, scenario);
    auto       last = simulate::TraceEvent{};
    report.last.for_each([&](simulate::TraceEvent const& event) { last = event; });

    BOOST_TEST(report.broken == "no election while a leader and a quorum with it are well, and their links and disks");
    BOOST_TEST((last.before.role == RoleName::leader and last.after.role == RoleName::follower));
    BOOST_TEST((last.before.term == last.after.term), "it was nobody's campaign");
}

BOOST_AUTO_TEST_CASE(a_healed_quorum_whose_leader_commits_nothing_is_detected)
{
    BOOST_TEST(find(Wrong::commits_stop) == "a healed quorum commits something new");
}

BOOST_AUTO_TEST_CASE(a_healed_cluster_that_does_not_change_its_members_is_detected, *label("6"))
{
    auto scenario = calm_scenario(1, 5'000);
    scenario.members_change = true;
    scenario.settings.core.check_quorum = scenario.settings.core.sticky = false;
    scenario.clients.count = 6;
    scenario.clients.thinks_us = 1'000;
    BOOST_TEST(run(Wrong::nothing, scenario).broken == "");
    BOOST_TEST(run(Wrong::configurations_are_lost, scenario).broken ==
               "healed servers become the members that a leader is asked for");
}

BOOST_AUTO_TEST_CASE(a_request_that_never_ends_is_detected)
{
    BOOST_TEST(find(Wrong::reads_never_end) ==
               "all requests of a healed quorum end, and its machines become equal, within 50 election timeouts");
}

BOOST_AUTO_TEST_CASE(a_request_that_ends_twice_is_detected)
{
    BOOST_TEST(find(Wrong::reads_end_twice) == "every proposal and every read ends exactly once");
}

/// Every proposal is of several entries, and they travel together.
[[nodiscard]] simulate::Scenario only_batches()
{
    auto scenario = calm_scenario(1, 5'000);
    scenario.settings.core.append_entries_max = 64;
    scenario.settings.core.window = 256;
    scenario.settings.append_bytes_max = scenario.settings.window_bytes = 65'536;
    scenario.settings.uncommitted_bytes_max = 65'536;
    scenario.clients.thinks_us = 1'000;
    scenario.clients.reads = 0;
    scenario.clients.batches = 1'000'000;
    return scenario;
}

BOOST_AUTO_TEST_CASE(entries_that_are_sent_again_to_a_follower_that_has_them_are_detected, *label("case_89"))
{
    auto const right = run(Wrong::nothing, only_batches());
    auto const twice = run(Wrong::entries_are_denied, only_batches());

    BOOST_TEST(right.broken == "");
    BOOST_TEST(right.entry_bytes.appends_known == 0U);
    BOOST_TEST(twice.broken == "followers are not sent again what they have");
}

BOOST_AUTO_TEST_CASE(what_waits_in_queues_is_counted)
{
    auto links = only_batches();
    links.network.bytes_per_ms = 16;
    links.plan = {{.number = 1, .at_event = 500, .kind = simulate::Fault::paused, .server = 1, .lasts_us = 10'000'000}};
    auto disks = only_batches();
    disks.syncs.takes_us = 60'000;

    auto const quick = run(Wrong::nothing, only_batches());
    auto const slow_links = run(Wrong::nothing, links);
    auto const slow_disks = run(Wrong::nothing, disks);

    BOOST_TEST(quick.queues.arrivals == 0U);
    BOOST_TEST(quick.queues.link_bytes == 0U);
    BOOST_TEST(slow_links.broken == "");
    BOOST_TEST(slow_links.queues.arrivals > 0U);
    BOOST_TEST(slow_links.queues.link_bytes > 0U);
    BOOST_TEST(slow_disks.broken == "");
    BOOST_TEST(slow_disks.queues.unsynced_bytes > 0U);
}

} // namespace
} // namespace totora::test::simulator_laws_of_runs_tests
