// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configuration.hpp"
#include "totora/core/values/configurations.hpp"
#include "totora/core/messages/release.hpp"
#include "totora/core/values/result.hpp"
#include "totora/core/values/term_runs.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/data/known_peers.hpp"

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace totora::inline v0
{

/// Why a log cannot go on, or cannot be opened.
enum class LogFailure : std::uint8_t
{
    not_found = 1,  ///< No log was ever made there.
    already_exists, ///< A log was made there before; making another would forget its votes and acknowledgements.
    in_use,         ///< Another process has it open.
    damaged,        ///< What was durable cannot be read back. Nothing was cut or repaired.
    foreign_format, ///< Not a log of ours, or one of a newer version.
    read_failed,
    not_now,      ///< Only from `read`, and no failure of the log. Ask again. It is being fetched, and the text is empty; or what that needs, as a
                  ///< descriptor, is used up, and the text says so.
    write_failed, ///< Final: what the failed write left on the disk is unknown.
    sync_failed,  ///< Final: the kernel may have dropped what it could not write.
    no_space,     ///< Only from making or opening a log; a running one has no room (`has_room`) instead.
    unsupported,  ///< No log can be made or kept so: a directory that is none or is not writable, an identity that is no server's, a limit of 0.
};

/// The name of a failure.
[[nodiscard]] constexpr std::string_view to_string(LogFailure failure)
{
    switch (failure) {
    case LogFailure::not_found:
        return "not_found";
    case LogFailure::already_exists:
        return "already_exists";
    case LogFailure::in_use:
        return "in_use";
    case LogFailure::damaged:
        return "damaged";
    case LogFailure::foreign_format:
        return "foreign_format";
    case LogFailure::read_failed:
        return "read_failed";
    case LogFailure::not_now:
        return "not_now";
    case LogFailure::write_failed:
        return "write_failed";
    case LogFailure::sync_failed:
        return "sync_failed";
    case LogFailure::no_space:
        return "no_space";
    case LogFailure::unsupported:
        return "unsupported";
    }
    return "unknown";
}

/// A failure and a text for the operator: what happened where, and what to do.
struct LogError
{
    LogFailure failure{};
    std::string what;
};

/// Entries that a recovery cut off: the tail of the last batch, never acknowledged, torn by a crash.
struct TornTail
{
    Index first; ///< The first index that was cut, if the torn records still show it; otherwise the one after the log's last.
    std::uint64_t bytes = 0;
};

/// What a log knows when it is opened: the "persistent state" of Figure 2.
struct Recovered
{
    Identity identity;
    Term current_term;
    std::optional<ServerId> voted_for;
    TermRuns entries;
    Configuration configuration;          ///< The newest in the log; if it holds none, `first_configuration(identity)`.
    Configuration previous_configuration; ///< The one before it, which may be `first_configuration(identity)`; the same if that is the newest.
    Index commit_index;                   ///< The last one saved; at most `entries.last().index`.
    bool cleanly_stopped = false;         ///< The last start ended with `close`, and went well. Every start takes the mark back.
    std::optional<TornTail> torn_tail;
    /// Snapshots that are there, and of which nothing can be read: a sentence each, for people. They are kept as they are, and not listed.
    std::vector<std::string> damaged_snapshots = {};
    KnownPeers peers = {}; ///< The members of `configuration` and `previous_configuration`, with their addresses.
};

/// How far a log has read what it holds in the background, to find damage before it matters.
struct ScrubStatus
{
    std::uint64_t passes = 0;      ///< How often all of it was read since the start.
    std::uint64_t bytes = 0;       ///< That were read in the present pass.
    std::uint64_t bytes_total = 0; ///< Of one pass, as of now.

    friend constexpr bool operator==(ScrubStatus const&, ScrubStatus const&) = default;
};

/// What is wrong with the configurations of a recovery, for people; empty if nothing is. A server that does not know its first members
/// would wait permanently and silently to be named; without addresses nobody could be reached. One that was made without them may have
/// those of the cluster from a snapshot.
[[nodiscard]] inline std::string fault_in_configurations(Recovered const& recovered)
{
    auto const first = first_configuration(recovered.identity);
    auto const is_from_snapshot = first.members.empty() and recovered.entries.base().index > Index{};
    for (auto const* one : {&recovered.configuration, &recovered.previous_configuration})
        if (one->index == first.index and *one != first and not is_from_snapshot)
            return "as the configuration at index 0 the log recovered another one than its identity's first members";
    if (not are_members(recovered.peers, {recovered.configuration, recovered.previous_configuration}))
        return "the log recovered addresses of others than the members of its configurations";
    return {};
}

/// Durable storage of a server (Figure 2, "persistent state").
///
/// Writes are numbered by the caller, 1, 2, 3 and so on from each start. They form one sequence, whatever files they live in:
/// what is durable is always a prefix of it. A call that writes takes effect for `read`, `last` and `bytes` at once.
/// No call throws. All calls come from the node's thread; a log with a thread of its own hides it, and may have
/// `set_wake(std::function<void()>)`: `Driver` hands it what to call, from any thread, when `durable` or `failure` may have
/// changed. It replaces an earlier one, which nobody calls any more when this returns. Only what derives from
/// `DurableSource` (core/messages/release.hpp) can make a `Durable`. Sizes are those of encoded entries, in bytes.
/// A log that does not hold all of its entries in memory may have `cold_bytes(first, last) -> std::uint64_t`: how many bytes of
/// that range a `read` would take from disk; a node reads no more than `NodeSettings::cold_bytes_max` in a turn.
/// A log that reads what it holds in the background may have `scrub_status() -> std::optional<ScrubStatus>`,
/// nothing if it is told not to: `Status` shows it.
///
/// What the compiler cannot check: what was reported durable survives any crash; recovery gives a prefix of the
/// writes; a torn tail is cut, damage below it is reported; after a failed write or sync `failure()` is set
/// permanently and `durable()` no longer moves; no room is a state that can end.
template <typename T>
concept durable_log = requires(T& log, T const& readable, WriteNumber write, Term term, std::optional<ServerId> vote,
                               Entries const& entries, Index index, std::uint64_t bytes) {
    /// Reads back what an earlier run made durable. Called once, before everything else; an error keeps the node from starting.
    { log.recover() } -> std::same_as<Result<Recovered, LogError>>;
    /// Term and vote are one record.
    { log.save_vote(write, term, vote) } -> std::same_as<void>;
    /// Appends entries right after `last()`; they are pinned, not copied, until they are written.
    { log.append(write, entries) } -> std::same_as<void>;
    /// Removes the entry at `index` and all after it.
    { log.truncate(write, index) } -> std::same_as<void>;
    /// Remembers a commit index with the next write that happens anyway. The caller names none above what is durable.
    { log.save_commit(index) } -> std::same_as<void>;
    /// Begins to make durable all that was written so far; may return before it is.
    { log.sync() } -> std::same_as<void>;
    /// The newest write that is durable with all before it; 0 until the first one is.
    { log.durable() } -> std::same_as<Durable>;
    /// Set permanently from the first failed write, sync or read on.
    { readable.failure() } -> std::same_as<std::optional<LogError>>;
    /// The last entry, durable or not; term and index 0 if there is none.
    { readable.last() } -> std::same_as<LogPosition>;
    /// Entries from the first index to the second, both included, cut to `bytes`; the first one always, if it exists. What is on a disk only
    /// may be fetched in the background: the first entry is `not_now` then, or those before it are returned alone, and the log wakes the
    /// node when it can be read. Entries that cannot be read back are an error, and `failure()` from then on unless it is `not_now`.
    { log.read(index, index, bytes) } -> std::same_as<Result<Entries, LogError>>;
    /// The size of the entries from the first index to the second, both included. Exact; 0 if the second is before the first.
    { readable.bytes(index, index) } -> std::same_as<std::uint64_t>;
    /// Whether that many bytes more of entries can surely be written, and afterwards still a term, a vote, a truncation and a
    /// no-op. False refuses proposals until it is true again. For 0 bytes: false if not even those four can be written, and only
    /// then; a server without them must neither vote nor campaign. A log that can reserve no space returns true: to it, a full disk is a
    /// failed write, and final.
    { readable.has_room(bytes) } -> std::same_as<bool>;
    /// Syncs, waiting for it, and leaves the mark of a clean stop, unless something for it is used up. Ends the log's threads. Nothing is called afterwards but
    /// `failure`, which shows whether that went well.
    { log.close() } -> std::same_as<void>;
};

} // namespace totora::inline v0
