// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/queue.hpp"
#include "totora/node/clients/pending.hpp"
#include "totora/node/clients/staging.hpp"
#include "totora/node/outcomes.hpp"
#include "totora/node/parts/guard.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// The way of a proposal: staged beside the log, then in the log and waiting to be applied, or refused.
///
/// No completion is called while it is handed over: refusals are delivered in the next turn. A pending proposal is always in one
/// place: room is made before it moves, so that it is not lost when there is no memory.
template <typename Response>
class Proposals
{
public:
    explicit Proposals(Guard& guard) : guard_(guard), pending_(guard) {}

    /// Copies payloads that succeed together beside the log. If it throws, nothing has changed.
    void stage(std::span<std::span<std::byte const> const> payloads, PendingProposal<Response>&& proposal)
    {
        auto bytes = payloads.size() * entry_header_size;
        for (auto const& payload : payloads)
            bytes += payload.size();
        staging_.make_room(payloads.size(), bytes);
        staged_.push_back({bytes, std::move(proposal)}); // The last that can throw.
        for (auto const& payload : payloads)
            staging_.add(payload);
    }

    /// If it throws, nothing has changed.
    void refuse(RefusedBecause why, PendingProposal<Response>&& proposal)
    {
        refused_.make_room(1);
        refused_.push_back({why, std::move(proposal)});
    }

    /// How many encoded bytes, and how many entries, are staged.
    [[nodiscard]] std::uint64_t staged_bytes() const { return staging_.bytes(); }
    [[nodiscard]] std::uint64_t staged_count() const { return staging_.count(); }

    /// Refuses what is staged beyond `bytes_max`, latest first. The first may be larger, if it is `alone`: nothing else waits.
    /// Whether any was refused.
    bool cut(std::uint64_t bytes_max, bool alone, RefusedBecause why)
    {
        auto bytes = std::uint64_t{0};
        auto entries = std::uint64_t{0};
        auto fits = std::size_t{0};
        for (; fits < staged_.size(); ++fits) {
            bytes += staged_[fits].bytes;
            if (bytes > bytes_max and not(alone and fits == 0))
                break;
            entries += staged_[fits].proposal.count();
        }
        auto const any_refused = fits < staged_.size();
        refused_.make_room(staged_.size() - fits);
        for (auto at = fits; at < staged_.size(); ++at)
            refuse(why, std::move(staged_[at].proposal));
        staged_.erase(staged_.begin() + static_cast<std::ptrdiff_t>(fits), staged_.end());
        staging_.keep(static_cast<std::size_t>(entries));
        return any_refused;
    }

    /// Refuses all that is staged, with its bytes.
    void refuse_staged(RefusedBecause why)
    {
        refused_.make_room(staged_.size());
        staging_.keep(0);
        for (auto& staged : staged_)
            refuse(why, std::move(staged.proposal));
        staged_.clear();
    }

    /// The core has accepted what is staged, as this run: makes entries of it, which wait to be applied.
    [[nodiscard]] Entries accept(Run const& run)
    {
        pending_.make_room(staged_.size());
        auto own = Run{run.term, run.first, 0};
        for (auto& staged : staged_) {
            own.count = staged.proposal.count();
            pending_.add(own, std::move(staged.proposal));
            own.first = next(last_of(own));
        }
        staged_.clear();
        return staging_.seal(run, EntryKind::command);
    }

    /// The entries that are in the log and wait for their end.
    [[nodiscard]] PendingProposals<Response>&       pending() { return pending_; }
    [[nodiscard]] PendingProposals<Response> const& pending() const { return pending_; }

    /// Completes those that were refused until now.
    void deliver_refusals()
    {
        for (auto count = refused_.size(); count > 0 and not refused_.empty(); --count) {
            auto refused = refused_.pop_front();
            refused.proposal.end(guard_, refused.why);
        }
    }

    /// Ends all that is here now. What is in no log is refused; the outcome of the rest is unknown.
    void end_all(RefusedBecause why)
    {
        pending_.lose_after(Index{});
        staging_.keep(0);
        for (auto& staged : std::exchange(staged_, {}))
            staged.proposal.end(guard_, why);
        deliver_refusals();
    }

    /// Whether completions of refused proposals are still to be called.
    [[nodiscard]] bool any_refused() const { return not refused_.empty(); }

    /// Whether the next turn has something to do here.
    [[nodiscard]] bool has_work() const { return not staged_.empty() or not refused_.empty(); }

private:
    struct Staged
    {
        std::size_t               bytes = 0;
        PendingProposal<Response> proposal;
    };

    struct Refusal
    {
        RefusedBecause            why;
        PendingProposal<Response> proposal;
    };

    Guard&                     guard_;
    Staging                    staging_;
    std::vector<Staged>        staged_;
    Queue<Refusal>             refused_;
    PendingProposals<Response> pending_;
};

} // namespace totora::inline v0
