// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/testing/simulate/checks/life_checks.hpp"
#include "totora/testing/simulate/network/wire.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace totora::inline v0::simulate
{

/// Bytes of entries that servers sent, and that others stored because they lacked them: what the first exceeds the
/// second by is wasted traffic.
struct EntryBytes
{
    std::uint64_t sent = 0;
    std::uint64_t stored = 0;
    std::uint64_t appends = 0;       ///< That carried entries.
    std::uint64_t appends_known = 0; ///< Of those, with two entries or more that were all durable at the follower.
};

/// Observes the nodes of a whole cluster and records all that they ever did. The first property that is violated is
/// kept, in words. Servers are counted from 0.
///
/// `after_event` is called after every event and checks what has changed; `in_full` checks everything.
class Checks : public LifeChecks
{
public:
    /// A server received what no correct server sends; `is_noted` if it noted just that, `is_silent` if it sent
    /// nothing.
    void received_hostile(State const& before, State const& after, bool is_noted, bool is_silent)
    {
        expect(before == after, "what no correct server can send changes nothing");
        expect(is_silent, "what no correct server can send is not answered");
        expect(is_noted, "what no correct server can send is noted, by its name and sender");
    }

    /// A server sends entries of so many bytes; it stores so many that it did not make itself.
    void entries_sent(std::uint64_t bytes) { entry_bytes_.sent += bytes; }
    void entries_stored(std::uint64_t bytes) { entry_bytes_.stored += bytes; }

    /// A leader sends a follower a run of entries. One alone may be a probe.
    void append_sent(ServerId to, Run const& run)
    {
        ++entry_bytes_.appends;
        if (run.count > 1 and registry().is_before({run.term, last_of(run)}, servers()[to.value - 1].durable.last()))
            ++entry_bytes_.appends_known;
    }

    [[nodiscard]] EntryBytes entry_bytes() const { return entry_bytes_; }

    /// A server has accepted this frame as intact and of its own cluster.
    void accepted(FrameInFlight const& frame)
    {
        expect(not frame.flipped, "a frame of which bits were flipped is refused");
        expect(not frame.foreign, "a frame of another cluster is refused");
    }

    /// A machine is given the command of this number.
    void applied(EntryView const& entry, std::uint64_t number)
    {
        expect_no(committed_log().apply(entry.index, entry.checksum, number));
        if (number >= proposals_.size())
            return fail("what is applied was proposed by a client");
        auto& proposal = proposals_[number];
        expect(proposal.end != End::refused, "what was refused is never applied");
        expect(proposal.at == Index{} or proposal.at == entry.index, "a proposal is applied once");
        proposal.at = entry.index;
    }

    /// A machine that has applied everything up to here has this digest.
    void machine_is(Index index, std::uint64_t digest) { expect_no(committed_log().compare(index, digest)); }

    /// A client makes a proposal; its number.
    [[nodiscard]] std::uint64_t proposed()
    {
        proposals_.emplace_back();
        return proposals_.size() - 1;
    }

    void acknowledged(std::uint64_t number, LogPosition position)
    {
        end(number, End::applied);
        expect(committed_log().holds(position, number),
               "what is acknowledged is committed, at the position that was acknowledged");
    }

    using LifeChecks::refused;
    void refused(std::uint64_t number)
    {
        end(number, End::refused);
        expect(proposals_[number].at == Index{}, "what was refused was never applied");
    }

    void left_open(std::uint64_t number) { end(number, End::unknown); }

private:
    enum class End : std::uint8_t
    {
        open,
        applied,
        refused,
        unknown,
    };

    struct Proposal
    {
        End   end = End::open;
        Index at; ///< Where it was applied; 0 if it was not.
    };

    void end(std::uint64_t number, End how)
    {
        expect(proposals_[number].end == End::open, "every proposal ends exactly once");
        proposals_[number].end = how;
    }

    EntryBytes            entry_bytes_;
    std::vector<Proposal> proposals_;
};

} // namespace totora::inline v0::simulate
