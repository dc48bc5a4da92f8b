// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/explore/global_state.hpp"
#include "totora/testing/explore/irrelevant_messages.hpp"
#include "totora/testing/explore/symmetry_reduction.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace totora::inline v0::explore
{

/// All that can happen in a scope, and what it does.
class Transitions
{
public:
    explicit Transitions(Scope const& scope)
        : scope_(scope), steps_(scope_), pasts_(steps_.exchanges(), GhostState{}),
          canonical_(steps_, pasts_, scope_.servers), dead_(scope_, steps_)
    {}

    Transitions(Transitions const&) = delete;
    Transitions& operator=(Transitions const&) = delete;

    [[nodiscard]] Scope const&                   scope() const { return scope_; }
    [[nodiscard]] StepCache&                     steps() { return steps_; }
    [[nodiscard]] StepCache const&               steps() const { return steps_; }
    [[nodiscard]] InternTable<GhostState> const& pasts() const { return pasts_; }
    [[nodiscard]] SymmetryReduction&             canonical() { return canonical_; }

    [[nodiscard]] GlobalState first()
    {
        auto world = GlobalState{};
        for (auto at = std::size_t{0}; at < scope_.servers; ++at)
            world.servers[at] = steps_.first(at);
        world.past = pasts_.number_of(GhostState{});
        canonical_(world);
        return world;
    }

    /// Calls `visit(move)` for every move that a world has, in the same order for equal worlds.
    template <typename Visit>
    void for_each(GlobalState const& world, Visit visit)
    {
        auto const is_left = [&](Budget bound) { return world.spent.is_left(scope_, bound); };
        for (auto at = std::uint8_t{0}; at < scope_.servers; ++at) {
            auto const facts = steps_.facts_of(world.servers[at]);
            for (auto alarm = std::uint32_t{0}; alarm < alarm_kinds; ++alarm)
                if ((facts.armed >> alarm & 1U) != 0 and may_ring(static_cast<Alarm>(alarm), facts, world.spent))
                    visit(Transition{at, {Event::ring, alarm}});
            for (auto count = std::uint32_t{1}; count <= facts.writes; ++count)
                visit(Transition{at, {Event::persist, count}});
            if (facts.is_leader and is_left(Budget::proposals))
                visit(Transition{at, {Event::propose, 0}});
            if (facts.is_leader and is_left(Budget::reads))
                visit(Transition{at, {Event::read, 0}});
            if (is_left(Budget::crashes))
                for (auto kept = std::uint32_t{0}; kept <= facts.writes; ++kept)
                    visit(Transition{at, {Event::crash, kept}});
        }
        for (auto at = std::uint16_t{0}; at < world.in_flight; ++at) {
            auto const message = world.messages[at];
            if (at > 0 and world.messages[at - 1] == message)
                continue;
            auto move = Transition{steps_.address_of(message).to, {Event::deliver, message}, at};
            if (scope_.duplicates != any_number)
                visit(move);
            move.stays = true;
            if (is_left(Budget::duplicates))
                visit(move);
            move.is_loss = true;
            if (scope_.in_flight != 0)
                visit(move);
        }
    }

    enum class Made : std::uint8_t
    {
        nothing,   ///< The move leads nowhere: nothing changed, or out of the scope.
        world,     ///< `world` is what came of it, in its canonical form.
        violation, ///< Something that must hold does not.
    };

    /// Makes a move. The exchange that led to the canonical form is in `exchange`.
    [[nodiscard]] Made make(GlobalState& world, Transition const& move)
    {
        violation = {};
        if (move.is_loss) {
            remove(world, move.message);
            exchange = canonical_(world);
            return Made::world;
        }
        if (not happen(world, move))
            return violation.empty() ? Made::nothing : Made::violation;
        for (auto at = std::uint8_t{0}; at < scope_.servers; ++at)
            if (auto const votes = votes_at_once(world, at);
                votes > 0 and not happen(world, Transition{at, {Event::persist, votes}}))
                return violation.empty() ? Made::nothing : Made::violation;
        dead_.drop_from(world);
        exchange = canonical_(world);
        return Made::world;
    }

    std::size_t      exchange = 0; ///< Of the last move made.
    std::string_view violation;    ///< What did not hold, if the last move made led there.

    /// How many writes of a server are durable without a move of their own (`Reductions::votes_at_once`).
    [[nodiscard]] std::uint32_t votes_at_once(GlobalState const& world, std::uint8_t at) const
    {
        auto const applies = scope_.reductions.votes_at_once and not world.spent.is_left(scope_, Budget::crashes);
        return applies ? steps_.facts_of(world.servers[at]).votes : 0;
    }

private:
    [[nodiscard]] bool fails(std::string_view what)
    {
        violation = what;
        return false;
    }

    /// Lets a thing happen to one server, and asks what must hold. False if it leads nowhere, or to a violation.
    [[nodiscard]] bool happen(GlobalState& world, Transition const& move)
    {
        auto const  before = world.servers[move.server];
        auto const& step = steps_.step(before, move.happens);
        if (step.broken)
            return fails(*step.broken);
        if (step.is_idle and (scope_.reductions.idle_deliveries or move.stays))
            return false;

        world.servers[move.server] = step.after;
        spend(world, move);
        if (move.happens.event == Event::deliver and not move.stays)
            remove(world, move.message);
        if (step.outdated != 0)
            outdate(world, move.server, steps_.facts_of(before).term, step.outdated);
        for (auto const message : step.left)
            add(world, message, scope_.duplicates == any_number);
        if (scope_.in_flight != 0 and world.in_flight > scope_.in_flight)
            return false;
        if (auto const broken = remember_step(world, step))
            return fails(*broken);
        if (auto const broken = find_broken(world, move.server, before))
            return fails(*broken);
        return true;
    }

    [[nodiscard]] bool may_ring(Alarm alarm, Facts const& facts, BudgetUsed spent) const
    {
        if (alarm == Alarm::election)
            return spent.is_left(scope_, Budget::elections) and
                   (scope_.terms == any_number or facts.term.value < scope_.terms);
        if (alarm == Alarm::heartbeat)
            return spent.is_left(scope_, Budget::heartbeats);
        return true;
    }

    void spend(GlobalState& world, Transition const& move) const
    {
        auto const event = move.happens.event;
        if (event == Event::ring and move.happens.number == static_cast<std::uint32_t>(Alarm::election))
            world.spent.spend(scope_, Budget::elections);
        if (event == Event::ring and move.happens.number == static_cast<std::uint32_t>(Alarm::heartbeat))
            world.spent.spend(scope_, Budget::heartbeats);
        if (event == Event::propose)
            world.spent.spend(scope_, Budget::proposals);
        if (event == Event::read)
            world.spent.spend(scope_, Budget::reads);
        if (event == Event::crash)
            world.spent.spend(scope_, Budget::crashes);
        if (event == Event::deliver and move.stays)
            world.spent.spend(scope_, Budget::duplicates);
    }

    /// Appends of this leader and term to these followers, and their answers, are outdated, wherever they are.
    void outdate(GlobalState& world, std::uint8_t leader, Term term, Followers followers)
    {
        auto changed = false;
        for (auto at = std::size_t{0}; at < world.in_flight; ++at) {
            auto const address = steps_.address_of(world.messages[at]);
            auto const other = address.from == leader ? address.to : address.from;
            if (address.term != term or (address.from != leader and address.to != leader) or
                (followers >> other & 1U) == 0)
                continue;
            auto const outdated = steps_.outdated_message(world.messages[at]);
            changed = changed or outdated != world.messages[at];
            world.messages[at] = outdated;
        }
        if (changed)
            put_in_order(world, scope_.duplicates == any_number);
        for (auto at = std::size_t{0}; at < scope_.servers; ++at)
            if (at != leader and (followers >> at & 1U) != 0 and steps_.facts_of(world.servers[at]).has_sealed_answers)
                world.servers[at] =
                    steps_.outdated_server(world.servers[at], ServerId{leader + std::uint64_t{1}}, term);
    }

    [[nodiscard]] std::optional<std::string_view> remember_step(GlobalState& world, Step const& step)
    {
        auto const& facts = steps_.facts_of(step.after);
        auto const  is_about_reads = scope_.reads != 0;
        if (not facts.is_leader and facts.commit_index == Index{} and not is_about_reads)
            return std::nullopt;
        auto const known = is_about_reads ? testing::PairMap::unknown : remembered_.find(world.past, step.after);
        if (known != testing::PairMap::unknown) {
            world.past = known;
            return std::nullopt;
        }
        auto       past = pasts_.value_of(world.past);
        auto const state = steps_.servers().value_of(step.after).state;
        if (auto const broken = past.safety.observe(state))
            return broken;
        if (is_about_reads) {
            auto consequences = Consequences{};
            consequences.read_started = step.read_started;
            consequences.read_allowed = step.read_allowed;
            if (auto const broken = remember_reads(past, state, consequences))
                return broken;
        }
        auto const after = pasts_.number_of(past);
        while (committed_.size() < pasts_.size()) {
            auto const log = pasts_.value_of(static_cast<std::uint32_t>(committed_.size())).safety.committed;
            committed_.push_back({steps_.number_of(log), log.last().index});
        }
        if (not is_about_reads)
            remembered_.insert(world.past, step.after, after);
        world.past = after;
        return std::nullopt;
    }

    /// What must hold between servers, as far as a change of one of them can break it.
    [[nodiscard]] std::optional<std::string_view>
    find_broken(GlobalState const& world, std::uint8_t changed, std::uint32_t before)
    {
        auto const facts = steps_.facts_of(world.servers[changed]);
        for (auto at = std::uint8_t{0}; at < scope_.servers; ++at) {
            if (at == changed)
                continue;
            auto const& other = steps_.facts_of(world.servers[at]);
            if (not steps_.agreement(facts.log, other.log))
                return testing::figure_3::log_matching;
            if (not is_match_durable(facts, other, at) or not is_match_durable(other, facts, changed))
                return "match is durable there and the same prefix";
        }
        if (world.past < committed_.size() and (facts.disk_log != steps_.facts_of(before).disk_log or
                                                facts.commit_index != steps_.facts_of(before).commit_index))
            return find_lost(world);
        return std::nullopt;
    }

    /// A later leader may have overwritten it; then the follower's disk knows a later term.
    [[nodiscard]] bool is_match_durable(Facts const& leader, Facts const& follower, std::uint8_t at)
    {
        if (not leader.is_leader or leader.match[at] == Index{} or follower.disk_term > leader.term)
            return true;
        auto const agreed = steps_.agreement(leader.log, follower.disk_log);
        return agreed and leader.match[at] <= *agreed;
    }

    [[nodiscard]] std::optional<std::string_view> find_lost(GlobalState const& world)
    {
        auto const& committed = committed_[world.past];
        auto        holders = std::size_t{0};
        for (auto at = std::size_t{0}; at < scope_.servers; ++at) {
            auto const agreed = steps_.agreement(committed.log, steps_.facts_of(world.servers[at]).disk_log);
            if (agreed and *agreed >= committed.last)
                ++holders;
        }
        if (holders * 2 <= scope_.servers)
            return "what is committed is durable on a majority";
        return std::nullopt;
    }

    struct Committed
    {
        std::uint32_t log = 0;
        Index         last;
    };

    Scope                   scope_;
    StepCache               steps_;
    InternTable<GhostState> pasts_;
    SymmetryReduction       canonical_;
    IrrelevantMessages      dead_;
    testing::PairMap        remembered_; ///< What a past becomes by a server.
    std::vector<Committed>  committed_;  ///< Of each past.
};

} // namespace totora::inline v0::explore
