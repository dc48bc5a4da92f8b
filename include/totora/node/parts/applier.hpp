// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/term_runs.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/data/entry.hpp"
#include "totora/node/links/cold_reads.hpp"
#include "totora/node/parts/guard.hpp"
#include "totora/node/status.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/versioned_machine.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// Gives the state machine what is committed, in index order, once per index.
template <typename Machine, typename Log>
class Applier
{
public:
    using Response = typename Machine::Response;

    Applier(Machine& machine, Log& log, ColdReads& cold_reads) : machine_(machine), log_(log), cold_reads_(cold_reads)
    {}

    /// The machine has applied everything up to here: it kept it, or was restored from a snapshot.
    void start_after(Index index) { applied_ = index; }

    /// How far the machine is. Entries that are no commands count: there is nothing to apply in them.
    /// Whether the next entry need not be waited for.
    [[nodiscard]] bool can_read() const { return cold_reads_.can_apply(log_, next(applied_)); }

    [[nodiscard]] Index applied() const { return applied_; }

    /// Applies one batch of entries up to `through`, at most `count_max` of them, and hands each response to `respond(position,
    /// response)`. Nothing is applied if the disk must not be read again in this turn.
    /// What the log gives back is applied only if it is intact and is what the core knows to stand there, by `terms`.
    /// A failure is final: what was not applied is neither skipped nor tried again, since either would let servers differ.
    template <typename Respond>
    [[nodiscard]] std::optional<Failed>
    apply(TermRuns const& terms, Index through, std::uint64_t count_max, std::uint64_t bytes_max, Respond respond)
    {
        if (applied_ >= through)
            return std::nullopt;
        through = std::min(through, applied_ + count_max);
        auto const allowed = cold_reads_.allowed(log_, ColdReads::Reader::machine, next(applied_), bytes_max);
        if (allowed == 0)
            return std::nullopt;
        auto const batch = log_.read(next(applied_), through, allowed);
        if (not batch and batch.error().failure == LogFailure::not_now)
            return cold_reads_.stop(ColdReads::Reader::machine, batch.error().what), std::nullopt;
        if (not batch)
            return Failed{NodeFailure::storage, batch.error().what};
        auto last = applied_;
        commands_.clear();
        for (auto const entry : *batch) {
            if (last == through or not is_intact(entry) or entry.index != next(last) or
                entry.term != terms.term_at(entry.index))
                break;
            if (entry.kind == EntryKind::configuration and versioned_machine<Machine>) {
                if (not commands_.empty()) // They come first, by the version before.
                    break;
                if (auto failed = change_version(entry))
                    return failed;
            }
            last = entry.index;
            if (entry.kind == EntryKind::command)
                commands_.push_back(entry);
        }
        if (last == applied_)
            return Failed{NodeFailure::storage,
                          "the log gave back no intact entry at index " + std::to_string(next(last).value)};
        cold_reads_.count(log_, ColdReads::Reader::machine, next(applied_), last);
        if (auto failed = run())
            return failed;
        applied_ = last;
        for (auto at = std::size_t{0}; at < commands_.size(); ++at)
            respond(LogPosition{commands_[at].term, commands_[at].index}, std::move(responses_[at]));
        return std::nullopt;
    }

private:
    /// Has the machine go on by the version that this entry, which is committed, agrees on.
    [[nodiscard]] std::optional<Failed> change_version(EntryView const& entry)
    {
        auto const configuration = decode_configuration(entry);
        if (not configuration)
            return Failed{NodeFailure::storage,
                          "the log gave back no configuration at index " + std::to_string(entry.index.value)};
        auto thrown = attempt("the state machine", [&] { use_version(machine_, configuration->agreed.machine); });
        if (thrown)
            return Failed{NodeFailure::apply, *std::move(thrown)};
        return std::nullopt;
    }

    /// Runs the user's code.
    [[nodiscard]] std::optional<Failed> run()
    {
        responses_.clear();
        if (commands_.empty())
            return std::nullopt;
        auto thrown =
            attempt("the state machine", [&] { machine_.apply(std::span<EntryView const>{commands_}, responses_); });
        if (thrown)
            return Failed{NodeFailure::apply, *std::move(thrown)};
        if (responses_.size() != commands_.size())
            return Failed{NodeFailure::apply, "the state machine gave " + std::to_string(responses_.size()) +
                                                  " responses to " + std::to_string(commands_.size()) + " commands"};
        return std::nullopt;
    }

    Machine&               machine_;
    Log&                   log_;
    ColdReads&             cold_reads_;
    Index                  applied_;
    std::vector<EntryView> commands_; ///< Recycled, like `responses_`.
    std::vector<Response>  responses_;
};

} // namespace totora::inline v0
