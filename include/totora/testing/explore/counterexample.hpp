// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/explore/sent_messages.hpp"
#include "totora/testing/explore/transitions.hpp"
#include "totora/testing/text.hpp"

#include <range/v3/algorithm/find_if_not.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::inline v0::explore
{

/// The path to a state, printed twice: in words, and as a test with the hand-driven cluster of tests/support.
struct Counterexample
{
    std::vector<std::string> lines;
    std::string              test;
};

/// Applies events to real servers, whose numbers count on and whose messages are all kept, while an exploration takes
/// the same transitions with its own.
class CounterexamplePrinter
{
public:
    /// The transitions of the search that found the path; outlives this: what a number means depends on what it has
    /// seen.
    explicit CounterexamplePrinter(Transitions& moves) : transitions_(moves), scope_(moves.scope())
    {
        for (auto at = std::size_t{0}; at < scope_.servers; ++at)
            servers_.push_back(transitions_.steps().new_server(at));
    }

    /// Follows the transitions of these numbers from the initial state on.
    [[nodiscard]] Counterexample print(std::vector<std::uint16_t> const& way)
    {
        auto global = transitions_.first();
        auto names = Permutations::Names{0, 1, 2, 3, 4};
        for (auto const number : way) {
            auto chosen = Transition{};
            auto at = std::uint16_t{0};
            transitions_.for_each(global, [&](Transition const& transition) {
                if (at++ == number)
                    chosen = transition;
            });
            print(global, chosen, names);
            print_votes();
            auto const made = transitions_.make(global, chosen);
            if (made == Transitions::Made::violation) {
                counterexample_.lines.push_back("Does not hold: " + std::string{transitions_.violation});
                test_ += "\n    // Does not hold: " + std::string{transitions_.violation} + ".\n";
            }
            auto renamed = names;
            for (auto server = std::size_t{0}; server < scope_.servers; ++server)
                renamed[transitions_.steps().permutations()[transitions_.permutation][server]] = names[server];
            names = renamed;
        }
        finish();
        return std::move(counterexample_);
    }

private:
    void print(GlobalState const& global, Transition const& transition, Permutations::Names const& names)
    {
        if (transition.is_loss)
            return;
        auto const where = names[transition.server];
        auto&      server = servers_[where];
        auto const name = testing::to_string(server.state.own.id);
        auto       consequences = Consequences{};
        auto [words, code] = act(global, transition, names, server, consequences);
        while (scope_.eager_writes and not server.writes.empty()) {
            persist(server, server.writes.size(), outgoing_, consequences);
            code += ";\n    cluster.persists(" + name + ")";
        }
        keep(consequences);
        counterexample_.lines.push_back(name + words + "  [" + name + " " + testing::to_string(server.state) + "]");
        test_ += "    cluster." + code + ";\n";
    }

    /// A transition in words that follow the server's name, and as a call of the hand-driven cluster.
    struct Description
    {
        std::string words;
        std::string code;
    };

    /// Applies to a server what happens to it in a transition.
    [[nodiscard]] Description act(GlobalState const& global, Transition const& transition,
                                  Permutations::Names const& names, Replica& server, Consequences& consequences)
    {
        auto const name = testing::to_string(server.state.own.id);
        switch (transition.happens.event) {
        case Event::deliver: {
            auto const wanted = transitions_.steps().messages().value_of(global.messages[transition.message]);
            auto const sender = ServerId{names[wanted.from.value - 1] + std::uint64_t{1}};
            return receive(server, find_sent(messages_, sender, server, wanted), outgoing_, consequences);
        }
        case Event::ring: {
            auto const alarm = static_cast<Alarm>(transition.happens.number);
            auto const text = std::string{testing::to_string(alarm)};
            ring(server, alarm, outgoing_, consequences);
            return {": " + text + " rings", "rings(" + name + ", " + text + ")"};
        }
        case Event::persist: {
            auto const write = write_at(server, transition.happens.number);
            persist(server, transition.happens.number, outgoing_, consequences);
            return {": its writes up to " + write + " are durable",
                    "persists(" + name + ", WriteNumber{" + write + "})"};
        }
        case Event::propose:
        case Event::read:
        case Event::change:
        case Event::cancel:
        case Event::transfer:
        case Event::announce:
            return act_on_request(transition, names, server, consequences);
        case Event::snapshot:
        case Event::chunk:
        case Event::file:
        case Event::damage:
            return act_on_snapshot(transition, names, server, consequences);
        case Event::wipe:
            wipe(server, scope_, outgoing_, consequences);
            return {" loses its disk", "loses_disk(" + name + ")"};
        case Event::crash:
            break;
        }
        return crash_with(server, transition.happens.number, consequences);
    }

    /// A message arrives; each part of it is a call.
    [[nodiscard]] static Description
    receive(Replica& server, InFlight const& message, Outgoing& outgoing, Consequences& consequences)
    {
        auto const from = testing::to_string(message.from);
        auto       description = Description{" receives from " + from + ":", {}};
        testing::for_each_part(message, [&](auto const& part) {
            auto const text = testing::to_string(part);
            description.words += ' ' + text;
            description.code += (description.code.empty() ? "" : ";\n    cluster.") + std::string{"arrives("} +
                                testing::to_string(server.state.own.id) + ", from(" + from + ", " + text + "))";
        });
        deliver(server, message, outgoing, consequences);
        return description;
    }

    [[nodiscard]] Description act_on_request(Transition const& transition, Permutations::Names const& names,
                                             Replica& server, Consequences& consequences)
    {
        auto const asks = [&](std::string words, auto const& what) {
            happen(server, nobody, what, outgoing_, consequences);
            return Description{std::move(words), "happens(" + testing::to_string(server.state.own.id) + ", " +
                                                     testing::to_string(what) + ")"};
        };
        auto const number = transition.happens.number;
        if (transition.happens.event == Event::propose)
            return asks(" is given a proposal", Proposed{1});
        if (transition.happens.event == Event::read)
            return asks(" receives a read request", ReadRequested{});
        if (transition.happens.event == Event::cancel)
            return asks(" is asked to take the change back", ChangeCancelled{});
        if (transition.happens.event == Event::change) {
            auto const change = change_to(server.state, scope_.targets[number], scope_.forced);
            return asks(" is asked for " + testing::to_string(change.target), change);
        }
        auto const target = ServerId{names[number - 1] + std::uint64_t{1}};
        if (transition.happens.event == Event::announce)
            return asks(" is told what " + testing::to_string(target) + " can",
                        Announced{target, announced_abilities()});
        return asks(" is asked to hand over to " + testing::to_string(target), TransferRequested{target});
    }

    [[nodiscard]] Description act_on_snapshot(Transition const& transition, Permutations::Names const& names,
                                              Replica& server, Consequences& consequences)
    {
        auto const name = testing::to_string(server.state.own.id);
        auto const happens = [&](std::string words, auto const& what) {
            return Description{std::move(words), "happens(" + name + ", " + testing::to_string(what) + ")"};
        };
        if (transition.happens.event == Event::snapshot) {
            take_snapshot(server, scope_, outgoing_, consequences);
            return {" takes a snapshot", "takes_snapshot(" + name + ")"};
        }
        if (transition.happens.event == Event::chunk) {
            auto const follower = ServerId{names[transition.happens.number - 1] + std::uint64_t{1}};
            auto const chunk = take_chunk(server, follower);
            happen(server, nobody, chunk, outgoing_, consequences);
            return happens(" has a chunk for " + testing::to_string(follower), chunk);
        }
        auto const snapshot = server.file.snapshot;
        auto const is_damaged = transition.happens.event == Event::damage;
        finish_file(server, scope_, is_damaged, outgoing_, consequences);
        if (is_damaged)
            return happens(" finds a received snapshot damaged", SnapshotDamaged{snapshot});
        return {" has received a snapshot", "receives_snapshot(" + name + ")"};
    }

    [[nodiscard]] Description crash_with(Replica& server, std::uint32_t kept, Consequences& consequences)
    {
        auto description = Description{" loses its power", "loses_power(" + testing::to_string(server.state.own.id)};
        if (kept > 0) {
            auto const write = write_at(server, kept);
            description.words += "; its writes up to " + write + " had become durable";
            description.code += ", WriteNumber{" + write + "}";
        }
        description.code += ")";
        crash(server, kept, transitions_.scope().commit_is_saved, outgoing_, consequences);
        ++crashes_;
        return description;
    }

    /// The number of the newest of the oldest `count` writes.
    [[nodiscard]] static std::string write_at(Replica const& server, std::size_t count)
    {
        return std::to_string(number_of(server.writes[count - 1].write).value);
    }

    /// What becomes durable without a transition of its own (`Reductions::votes_at_once`).
    void print_votes()
    {
        if (not scope_.reductions.votes_at_once or crashes_ < scope_.crashes)
            return;
        for (auto& server : servers_) {
            auto const is_vote = [](testing::PendingWrite const& pending) {
                return std::holds_alternative<SaveVote>(pending.write);
            };
            auto const end = ranges::find_if_not(server.writes, is_vote);
            auto const votes = static_cast<std::size_t>(end - server.writes.begin());
            if (votes == 0 or (has_changes(scope_) and read_facts(server).elects_itself))
                continue;
            auto       consequences = Consequences{};
            auto const name = testing::to_string(server.state.own.id);
            auto const write = write_at(server, votes);
            persist(server, votes, outgoing_, consequences);
            keep(consequences);
            counterexample_.lines.push_back(name + ": its writes up to " + write + " are durable  [" + name + " " +
                                            testing::to_string(server.state) + "]");
            test_ += "    cluster.persists(" + name + ", WriteNumber{" + write + "});\n";
        }
    }

    void keep(Consequences const& consequences)
    {
        messages_.insert(messages_.end(), consequences.left.begin(), consequences.left.end());
    }

    void finish()
    {
        auto& test = counterexample_.test;
        test += "/// Found by the explorer in the scope \"" + scope_.name + "\".\n";
        test += "BOOST_AUTO_TEST_CASE(a_story_of_the_explorer)\n{\n    auto settings = Settings{};\n";
        test += "    settings.append_entries_max = " + std::to_string(scope_.entries_per_append) + ";\n";
        test += "    settings.pre_vote = " + testing::to_string(scope_.pre_vote) + ";\n";
        test += "    settings.sticky = " + testing::to_string(scope_.sticky) + ";\n";
        test += "    settings.check_quorum = " + testing::to_string(scope_.check_quorum) + ";\n";
        test += "    auto cluster = Cluster{" + std::to_string(voters_of(scope_)) + ", settings, " +
                std::to_string(scope_.servers - voters_of(scope_)) + "};\n\n";
        test += test_ + "}\n";
    }

    Transitions&          transitions_;
    Scope                 scope_;
    std::vector<Replica>  servers_;
    std::vector<InFlight> messages_; ///< All that ever left.
    std::uint32_t         crashes_ = 0;
    Outgoing              outgoing_;
    Counterexample        counterexample_;
    std::string           test_;
};

} // namespace totora::inline v0::explore
