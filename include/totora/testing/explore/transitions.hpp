// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/explore/durability.hpp"
#include "totora/testing/explore/global_state.hpp"
#include "totora/testing/explore/irrelevant_messages.hpp"
#include "totora/testing/explore/lives.hpp"
#include "totora/testing/explore/symmetry_reduction.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace totora::inline v0::explore
{

/// Every transition that a scope allows, and its effect.
class Transitions
{
public:
    explicit Transitions(Scope const& scope)
        : scope_(as_explored(scope)), steps_(scope_), ghosts_(steps_.permutations(), GhostState{}),
          canonical_(steps_, ghosts_, scope_.servers), irrelevant_(scope_, steps_)
    {}

    Transitions(Transitions const&) = delete;
    Transitions& operator=(Transitions const&) = delete;

    [[nodiscard]] Scope const&                   scope() const { return scope_; }
    [[nodiscard]] StepCache&                     steps() { return steps_; }
    [[nodiscard]] StepCache const&               steps() const { return steps_; }
    [[nodiscard]] InternTable<GhostState> const& ghosts() const { return ghosts_; }
    [[nodiscard]] SymmetryReduction&             canonical() { return canonical_; }

    [[nodiscard]] GlobalState first()
    {
        auto global = GlobalState{};
        for (auto at = std::size_t{0}; at < scope_.servers; ++at)
            global.servers[at] = steps_.first(at);
        global.ghost = ghosts_.number_of(GhostState{});
        canonical_(global);
        return global;
    }

    /// Calls `visit(transition)` for every transition that a state has, in the same order for equal states.
    template <typename Visit>
    void for_each(GlobalState const& global, Visit visit)
    {
        auto const is_left = [&](Budget bound) { return global.spent.is_left(scope_, bound); };
        auto const can_be = [&](Members const& members) { return are_these_lives(global, steps_, members); };
        for (auto at = std::uint8_t{0}; at < scope_.servers; ++at) {
            auto const facts = steps_.facts_of(global.servers[at]);
            for (auto alarm = std::uint32_t{0}; alarm < alarm_kinds; ++alarm)
                if ((facts.armed >> alarm & 1U) != 0 and may_ring(at, static_cast<Alarm>(alarm), global))
                    visit(Transition{at, {Event::ring, alarm}});
            for (auto count = std::uint32_t{1}; count <= facts.writes; ++count)
                visit(Transition{at, {Event::persist, count}});
            if (facts.is_leader)
                for_each_request(scope_, at, is_left, can_be, visit);
            for_each_of_snapshots(scope_.servers, at, facts, is_left, visit);
            if (is_left(Budget::crashes))
                for (auto kept = std::uint32_t{0}; kept <= facts.writes; ++kept)
                    visit(Transition{at, {Event::crash, kept}});
            if (at + 1U == scope_.servers and is_left(Budget::wipes))
                visit(Transition{at, {Event::wipe, 0}});
        }
        for (auto at = std::uint16_t{0}; at < global.in_flight; ++at) {
            auto const message = global.messages[at];
            if (at > 0 and global.messages[at - 1] == message)
                continue;
            auto transition = Transition{steps_.address_of(message).to, {Event::deliver, message}, at};
            if (scope_.duplicates != any_number)
                visit(transition);
            transition.stays = true;
            if (is_left(Budget::duplicates))
                visit(transition);
            transition.is_loss = true;
            if (scope_.in_flight != 0)
                visit(transition);
        }
    }

    enum class Made : std::uint8_t
    {
        nothing,   ///< The transition is dropped: nothing changed, or it leaves the scope.
        state,     ///< `global` is the state it led to, in its canonical form.
        violation, ///< A property is violated.
    };

    /// Takes a transition. The permutation that led to the canonical form is in `permutation`.
    [[nodiscard]] Made make(GlobalState& global, Transition const& transition)
    {
        violation = {};
        if (transition.is_loss) {
            remove(global, transition.message);
            permutation = canonical_(global);
            return Made::state;
        }
        if (not happen(global, transition))
            return violation.empty() ? Made::nothing : Made::violation;
        for (auto at = std::uint8_t{0}; at < scope_.servers; ++at)
            if (auto const votes = votes_at_once(global, at);
                votes > 0 and not happen(global, Transition{at, {Event::persist, votes}}))
                return violation.empty() ? Made::nothing : Made::violation;
        irrelevant_.drop_from(global);
        permutation = canonical_(global);
        return Made::state;
    }

    std::size_t      permutation = 0; ///< Of the last transition taken.
    std::string_view violation;       ///< The property that the last transition violated, if any.

    /// How many writes of a server are durable without a transition of their own (`Reductions::votes_at_once`).
    [[nodiscard]] std::uint32_t votes_at_once(GlobalState const& global, std::uint8_t at) const
    {
        auto const& facts = steps_.facts_of(global.servers[at]);
        auto const  applies = scope_.reductions.votes_at_once and not global.spent.is_left(scope_, Budget::crashes);
        return applies and not(has_changes(scope_) and facts.elects_itself) ? facts.votes : 0;
    }

private:
    [[nodiscard]] bool fails(std::string_view what)
    {
        violation = what;
        return false;
    }

    /// Applies an event to one server, and checks the properties. False if it is dropped, or a violation.
    [[nodiscard]] bool happen(GlobalState& global, Transition const& transition)
    {
        auto const  before = global.servers[transition.server];
        auto const& step = steps_.step(before, transition.happens);
        if (step.broken)
            return fails(*step.broken);
        if (step.is_idle and (scope_.reductions.idle_deliveries or transition.stays))
            return false;

        global.servers[transition.server] = step.after;
        spend(global, transition);
        if (transition.happens.event == Event::deliver and not transition.stays)
            remove(global, transition.message);
        if (step.outdated != 0)
            outdate(global, transition.server, steps_.facts_of(before).term, step.outdated);
        if (transition.happens.event == Event::wipe)
            remove_messages_to(global, steps_, transition.server);
        for (auto const message : step.left)
            if (scope_.wipes == 0 or reaches(global, steps_, message))
                add(global, message, scope_.duplicates == any_number);
        if (scope_.in_flight != 0 and global.in_flight > scope_.in_flight)
            return false;
        if (auto const broken = remember_step(global, step))
            return fails(*broken);
        if (auto const broken = find_broken(global, transition.server, before))
            return fails(*broken);
        return true;
    }

    [[nodiscard]] bool may_ring(std::uint8_t at, Alarm alarm, GlobalState const& global) const
    {
        auto const term = steps_.facts_of(global.servers[at]).term;
        auto const is_candidate = scope_.candidates == 0 or at < scope_.candidates;
        if (alarm == Alarm::election and
            (not is_candidate or (scope_.terms != any_number and term.value >= scope_.terms)))
            return false;
        auto const budget = budget_of({Event::ring, static_cast<std::uint32_t>(alarm)});
        return not budget or global.spent.is_left(scope_, *budget);
    }

    void spend(GlobalState& global, Transition const& transition) const
    {
        if (auto const budget = budget_of(transition.happens))
            global.spent.spend(scope_, *budget);
        if (transition.happens.event == Event::deliver and transition.stays)
            global.spent.spend(scope_, Budget::duplicates);
    }

    /// Appends of this leader and term to these followers, and their responses, are outdated, wherever they are.
    void outdate(GlobalState& global, std::uint8_t leader, Term term, Followers followers)
    {
        auto changed = false;
        for (auto at = std::size_t{0}; at < global.in_flight; ++at) {
            auto const address = steps_.address_of(global.messages[at]);
            auto const other = address.from == leader ? address.to : address.from;
            if (address.term != term or (address.from != leader and address.to != leader) or
                (followers >> other & 1U) == 0)
                continue;
            auto const outdated = steps_.outdated_message(global.messages[at]);
            changed = changed or outdated != global.messages[at];
            global.messages[at] = outdated;
        }
        if (changed)
            put_in_order(global, scope_.duplicates == any_number);
        for (auto at = std::size_t{0}; at < scope_.servers; ++at)
            if (at != leader and (followers >> at & 1U) != 0 and steps_.facts_of(global.servers[at]).has_sealed_answers)
                global.servers[at] =
                    steps_.outdated_server(global.servers[at], ServerId{leader + std::uint64_t{1}}, term);
    }

    [[nodiscard]] std::optional<std::string_view> remember_step(GlobalState& global, Step const& step)
    {
        auto const& facts = steps_.facts_of(step.after);
        auto const  is_about_reads = scope_.reads != 0;
        if (not facts.is_leader and facts.commit_index == Index{} and not is_about_reads)
            return std::nullopt;
        auto const known = is_about_reads ? testing::PairMap::unknown : remembered_.find(global.ghost, step.after);
        if (known != testing::PairMap::unknown) {
            global.ghost = known;
            return std::nullopt;
        }
        auto       ghost = ghosts_.value_of(global.ghost);
        auto const state = steps_.servers().value_of(step.after).state;
        if (auto const broken = ghost.safety.observe(state))
            return broken;
        if (is_about_reads) {
            auto consequences = Consequences{};
            consequences.read_started = step.read_started;
            consequences.read_allowed = step.read_allowed;
            if (auto const broken = remember_reads(ghost, state, consequences))
                return broken;
        }
        auto const after = ghosts_.number_of(ghost);
        while (committed_.size() < ghosts_.size()) {
            auto const log = ghosts_.value_of(static_cast<std::uint32_t>(committed_.size())).safety.committed;
            committed_.push_back({steps_.number_of(log), log.last().index});
        }
        if (not is_about_reads)
            remembered_.insert(global.ghost, step.after, after);
        global.ghost = after;
        return std::nullopt;
    }

    /// The properties between servers, as far as a change of one of them can violate them.
    [[nodiscard]] std::optional<std::string_view>
    find_broken(GlobalState const& global, std::uint8_t changed, std::uint32_t before)
    {
        auto const& facts = steps_.facts_of(global.servers[changed]);
        auto const& earlier = steps_.facts_of(before);
        for (auto at = std::uint8_t{0}; at < scope_.servers; ++at) {
            if (at == changed)
                continue;
            auto const& other = steps_.facts_of(global.servers[at]);
            if (facts.log != earlier.log and not steps_.agreement(facts.log, other.log))
                return testing::figure_3::log_matching;
            if (global.spent.of(Budget::wipes) == 0 and
                (not is_match_durable(steps_, facts, other, at) or not is_match_durable(steps_, other, facts, changed)))
                return "match is durable there and the same prefix";
        }
        if (global.spent.of(Budget::wipes) != 0) // What was on a disk that is lost is counted, and held nowhere.
            return std::nullopt;
        if (has_changes(scope_))
            return find_lost_of_members(global, steps_, scope_.servers, facts, earlier);
        if (global.ghost < committed_.size() and
            (facts.disk_log != earlier.disk_log or facts.commit_index != earlier.commit_index))
            return find_lost(global);
        return std::nullopt;
    }

    [[nodiscard]] std::optional<std::string_view> find_lost(GlobalState const& global)
    {
        auto const& committed = committed_[global.ghost];
        auto const  holders = holders_of(global, steps_, scope_.servers, committed.log, committed.last);
        if (static_cast<std::size_t>(std::popcount(holders)) * 2 <= scope_.servers)
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
    InternTable<GhostState> ghosts_;
    SymmetryReduction       canonical_;
    IrrelevantMessages      irrelevant_;
    testing::PairMap        remembered_; ///< What a ghost state becomes by a server.
    std::vector<Committed>  committed_;  ///< Of each ghost state.
};

} // namespace totora::inline v0::explore
