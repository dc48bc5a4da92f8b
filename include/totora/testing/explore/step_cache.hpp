// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/explore/perturbed_copy.hpp"
#include "totora/testing/explore/steps.hpp"
#include "totora/testing/safety.hpp"

#include <range/v3/algorithm/unique.hpp>

#include <deque>

namespace totora::inline v0::explore
{

/// The shipped step, memoized: a pure function need not be called twice with the same arguments.
///
/// Servers and messages are numbers here. Of the states that an exploration visits, thousands hold the same server with
/// the same event; each step, invariants included, is run once.
class StepCache
{
public:
    explicit StepCache(Scope const& scope)
        : scope_(scope), permutations_(scope.servers, scope.reductions.symmetry),
          servers_(permutations_, blank_server(scope, 0), has_changes(scope)),
          messages_(permutations_, InFlight{}, has_changes(scope)), logs_(no_permutation_, TermRuns{})
    {}

    StepCache(StepCache const&) = delete;
    StepCache& operator=(StepCache const&) = delete;

    [[nodiscard]] Permutations const&          permutations() const { return permutations_; }
    [[nodiscard]] InternTable<Replica> const&  servers() const { return servers_; }
    [[nodiscard]] InternTable<InFlight> const& messages() const { return messages_; }
    [[nodiscard]] Facts const&                 facts_of(std::uint32_t server) const { return facts_[server]; }
    [[nodiscard]] Address const&               address_of(std::uint32_t message) const { return addresses_[message]; }
    [[nodiscard]] std::size_t                  size() const { return steps_.size(); }

    [[nodiscard]] std::size_t bytes() const
    {
        return servers_.bytes() + messages_.bytes() + logs_.bytes() + known_.bytes() + steps_.size() * sizeof(Step) +
               facts_.capacity() * sizeof(Facts) + addresses_.capacity() * sizeof(Address) + agreements_.bytes();
    }

    /// A server as it starts for the first time.
    [[nodiscard]] Replica new_server(std::size_t position)
    {
        auto server = blank_server(scope_, position);
        auto consequences = Consequences{};
        happen(server, nobody, Started{}, outgoing_, consequences);
        return server;
    }

    /// The same in its normal form, by number.
    [[nodiscard]] std::uint32_t first(std::size_t position)
    {
        auto server = new_server(position);
        auto left = std::vector<InFlight>{};
        (void)normalise(server, left, scope_);
        return number_of(server);
    }

    /// The reference stays good: a deque moves no element.
    [[nodiscard]] Step const& step(std::uint32_t server, Happens happens)
    {
        auto const code = static_cast<std::uint32_t>(happens.event) << 28U | happens.number;
        auto const known = known_.find(server, code);
        if (known != testing::PairMap::unknown)
            return steps_[known];
        known_.insert(server, code, static_cast<std::uint32_t>(steps_.size()));
        steps_.push_back(find(server, happens));
        return steps_.back();
    }

    /// A server whose sealed answers to a leader's appends are outdated.
    [[nodiscard]] std::uint32_t outdated_server(std::uint32_t number, ServerId leader, Term term)
    {
        auto const whose = static_cast<std::uint32_t>(term.value << 4U | leader.value);
        auto       known = outdated_servers_.find(number, whose);
        if (known == testing::PairMap::unknown) {
            auto server = servers_.value_of(number);
            outdate(server, leader, term);
            drop_repeated(server);
            known = number_of(server);
            outdated_servers_.insert(number, whose, known);
        }
        return known;
    }

    /// A message in flight between a leader and a follower whose number is outdated.
    [[nodiscard]] std::uint32_t outdated_message(std::uint32_t number)
    {
        auto known = outdated_messages_.find(number, 0);
        if (known == testing::PairMap::unknown) {
            auto message = messages_.value_of(number);
            if (auto* append = std::get_if<AppendEntries>(&message.rpc))
                append->number = AppendNumber{};
            if (auto* response = std::get_if<AppendEntriesResponse>(&message.rpc))
                response->number = AppendNumber{};
            known = number_of(message);
            outdated_messages_.insert(number, 0, known);
        }
        return known;
    }

    [[nodiscard]] std::uint32_t number_of(InFlight const& message)
    {
        auto const number = messages_.number_of(message);
        while (addresses_.size() < messages_.size())
            addresses_.push_back(read_address(messages_.value_of(static_cast<std::uint32_t>(addresses_.size()))));
        return number;
    }

    [[nodiscard]] std::uint32_t number_of(TermRuns const& log) { return logs_.number_of(log); }

    /// How far two logs hold the same entries; nothing if they share an entry and differ below it ("Log Matching").
    [[nodiscard]] std::optional<Index> agreement(std::uint32_t a, std::uint32_t b)
    {
        auto known = agreements_.find(a, b);
        if (known == testing::PairMap::unknown) {
            auto const agreed = testing::find_agreement(logs_.value_of(a), logs_.value_of(b));
            known = agreed ? static_cast<std::uint32_t>(agreed->value) : no_match;
            agreements_.insert(a, b, known);
        }
        return known == no_match ? std::optional<Index>{} : std::optional<Index>{Index{known}};
    }

private:
    static constexpr std::uint32_t no_match = 0xfffffffeU;

    [[nodiscard]] std::uint32_t number_of(Replica const& server)
    {
        auto const number = servers_.number_of(server);
        while (facts_.size() < servers_.size())
            facts_.push_back(facts(servers_.value_of(static_cast<std::uint32_t>(facts_.size()))));
        return number;
    }

    [[nodiscard]] Facts facts(Replica const& server)
    {
        auto facts = read_facts(server);
        facts.log = number_of(server.state.log);
        facts.disk_log = number_of(server.disk.log);
        return facts;
    }

    /// Where messages may be duplicated endlessly, a second one subsumed adds nothing.
    void drop_repeated(Replica& server) const
    {
        if (scope_.duplicates != any_number)
            return;
        put_in_order(server);
        server.sealed.erase(ranges::unique(server.sealed), server.sealed.end());
    }

    /// A leader is asked for something.
    void ask(Replica& server, Happens happens, Consequences& consequences)
    {
        auto const is_asked = [&](auto const& request) { happen(server, nobody, request, outgoing_, consequences); };
        if (happens.event == Event::propose)
            is_asked(Proposed{1});
        else if (happens.event == Event::read)
            is_asked(ReadRequested{});
        else if (happens.event == Event::change)
            is_asked(change_to(server.state, scope_.targets[happens.number], scope_.forced));
        else if (happens.event == Event::cancel)
            is_asked(ChangeCancelled{});
        else if (happens.event == Event::announce)
            is_asked(Announced{ServerId{happens.number}, announced_abilities()});
        else
            is_asked(TransferRequested{ServerId{happens.number}});
    }

    void happen_to(Replica& server, Happens happens, Consequences& consequences, bool is_shifted = false)
    {
        switch (happens.event) {
        case Event::deliver: {
            auto const message = messages_.value_of(happens.number);
            deliver(server, is_shifted ? shifted(message) : message, outgoing_, consequences);
            break;
        }
        case Event::ring:
            ring(server, static_cast<Alarm>(happens.number), outgoing_, consequences);
            break;
        case Event::persist:
            persist(server, happens.number, outgoing_, consequences);
            break;
        case Event::propose:
        case Event::read:
        case Event::change:
        case Event::cancel:
        case Event::transfer:
        case Event::announce:
            ask(server, happens, consequences);
            break;
        case Event::crash:
            crash(server, happens.number, scope_.commit_is_saved, outgoing_, consequences);
            break;
        case Event::wipe:
            wipe(server, scope_, outgoing_, consequences);
            break;
        case Event::snapshot:
            take_snapshot(server, scope_, outgoing_, consequences);
            break;
        case Event::chunk:
            happen(server, nobody, take_chunk(server, ServerId{happens.number}), outgoing_, consequences);
            break;
        case Event::file:
        case Event::damage:
            finish_file(server, scope_, happens.event == Event::damage, outgoing_, consequences);
            break;
        }
        while (scope_.eager_writes and not server.writes.empty() and not consequences.broken)
            persist(server, server.writes.size(), outgoing_, consequences);
    }

    /// Whether a server's perturbed copy does what it did (perturbed_copy.hpp). An older ring of an alarm must do
    /// nothing at all.
    [[nodiscard]] bool
    does_as_its_perturbed_copy(Replica copy, Happens happens, Replica after, std::vector<InFlight> const& left)
    {
        auto consequences = Consequences{};
        if (happens.event == Event::ring) {
            auto const state = copy.state;
            auto       arming = copy.state.alarms.armings[happens.number];
            ++arming.value;
            core::advance(copy.state, nobody, AlarmRang{static_cast<Alarm>(happens.number), arming}, outgoing_);
            if (copy.state != state or not outgoing_.messages.empty() or not outgoing_.alarms.empty())
                return false;
        }
        perturb(copy, scope_);
        happen_to(copy, happens, consequences, scope_.reductions.numbers);
        (void)normalise(copy, consequences.left, scope_);
        drop_repeated(copy);
        put_in_order(copy);
        put_in_order(after);
        return not consequences.broken and copy == after and consequences.left == left;
    }

    [[nodiscard]] Step find(std::uint32_t number, Happens happens)
    {
        auto const before = servers_.value_of(number);
        auto       server = before;
        auto       consequences = Consequences{};
        happen_to(server, happens, consequences);

        auto step = Step{};
        step.broken = consequences.broken;
        step.read_started = consequences.read_started;
        step.read_allowed = consequences.read_allowed;
        if (step.broken)
            return step;
        step.outdated = normalise(server, consequences.left, scope_);
        if (is_leader(before.state) and
            not(is_leader(server.state) and server.state.current_term == before.state.current_term))
            step.outdated = scope_.reductions.numbers ? static_cast<Followers>(0xff) : Followers{0};
        drop_repeated(server);
        if (not does_as_its_perturbed_copy(before, happens, server, consequences.left))
            step.broken = "what the normal form of a server leaves out does not matter to it";
        step.after = number_of(server);
        for (auto const& left : consequences.left)
            step.left.push_back(number_of(left));
        step.is_idle = step.after == number and step.left.empty() and not step.read_started and
                       not step.read_allowed and step.outdated == 0;
        return step;
    }

    Scope                 scope_;
    Permutations          permutations_;
    Permutations          no_permutation_{1, false};
    InternTable<Replica>  servers_;
    InternTable<InFlight> messages_;
    InternTable<TermRuns> logs_;
    std::vector<Facts>    facts_;
    std::vector<Address>  addresses_;
    testing::PairMap      agreements_;
    testing::PairMap      known_;
    testing::PairMap      outdated_servers_;
    testing::PairMap      outdated_messages_;
    std::deque<Step>      steps_;
    Outgoing              outgoing_;
};

} // namespace totora::inline v0::explore
