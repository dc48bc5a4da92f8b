// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/simulate/disk/virtual_syncer.hpp"
#include "totora/testing/simulate/simulated_server.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// Parts of a simulated cluster that are wrong in one way, to see that it is noticed.
namespace totora::test
{

enum class Sabotage
{
    none,
    syncs_lie,             ///< Nothing is ever durable.
    votes_are_forgotten,   ///< The log saves the term only.
    a_machine_skips,       ///< Some machines leave out a command now and then.
    entries_are_forged,    ///< Payloads change in flight, and their checksums with them.
    reads_are_stale,       ///< A read looks at the machine at once.
    votes_do_not_arrive,   ///< Nobody is ever elected.
    appends_do_not_arrive, ///< Nothing is ever committed.
    leaders_fall_silent,   ///< After some messages a process sends no append any more.
    links_lie,             ///< They always report that they have taken more.
    lives_are_one,         ///< A transport does not tell the lives of a server apart.
    a_restore_loses        ///< A machine is not all that its snapshot stands for.
};

/// Which one is in force.
inline auto sabotage = Sabotage::none;

/// Puts one in force for as long as it lives.
class WithSabotage
{
public:
    explicit WithSabotage(Sabotage which) { sabotage = which; }
    WithSabotage(WithSabotage const&) = delete;
    WithSabotage& operator=(WithSabotage const&) = delete;
    ~WithSabotage() { sabotage = Sabotage::none; }
};

struct SabotagedLog : simulate::SegmentedStorage::Log
{
    using Honest = simulate::SegmentedStorage::Log;

    SabotagedLog(Honest&& log) : Honest(std::move(log)) {}

    void save_vote(WriteNumber write, Term term, std::optional<ServerId> vote)
    {
        Honest::save_vote(write, term, sabotage == Sabotage::votes_are_forgotten ? std::nullopt : vote);
    }
};

struct SabotagedStorage : simulate::BasicSegmentedStorage<SabotagedLog>
{
    SabotagedStorage(Identity const& identity, SegmentedLogOptions const& options, simulate::FaultCounts& counts)
        : BasicSegmentedStorage(identity, options, counts)
    {
        disk().lie_about_syncs(sabotage == Sabotage::syncs_lie);
    }
};

class SabotagedMachine : public simulate::Store
{
public:
    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        auto const skips = sabotage == Sabotage::a_machine_skips and not std::exchange(skipped_, true);
        if (skips)
            responses.resize(responses.size() + commands.size());
        else
            Store::apply(commands, responses);
    }

    [[nodiscard]] std::optional<std::string> restore(SnapshotSource& source)
    {
        lost_ = sabotage == Sabotage::a_restore_loses;
        return Store::restore(source);
    }

    [[nodiscard]] std::uint64_t digest() const { return Store::digest() ^ (lost_ ? 1U : 0U); }

private:
    bool skipped_ = made_++ % 3 != 0; ///< Every third one skips its first batch.
    bool lost_ = false;

    static inline std::size_t made_ = 0;
};

class SabotagedTransport : public simulate::Endpoint
{
public:
    using Endpoint::Endpoint;

    void send(Released const& message, Entries const& entries)
    {
        auto const* append = std::get_if<AppendEntriesResponse>(&message.rpc());
        if (sabotage == Sabotage::votes_do_not_arrive and std::holds_alternative<RequestVoteResponse>(message.rpc()))
            return;
        if (sabotage == Sabotage::appends_do_not_arrive and append != nullptr and append->match > Index{})
            return;
        if (sabotage == Sabotage::leaders_fall_silent and std::holds_alternative<AppendEntries>(message.rpc()) and
            ++appends_ > 400)
            return;
        if (sabotage == Sabotage::lives_are_one)
            send_to(life_of(message.to()), message, entries);
        else
            Endpoint::send(message, entries);
    }

    [[nodiscard]] bool takes(Party sender, Rpc const& rpc)
    {
        return Endpoint::takes(sender, rpc) or sabotage == Sabotage::lives_are_one;
    }

    [[nodiscard]] std::uint64_t bytes_taken(ServerId server)
    {
        return sabotage == Sabotage::links_lie ? ++lies_ : Endpoint::bytes_taken(server);
    }

    [[nodiscard]] std::optional<TransportEvent> receive()
    {
        auto event = Endpoint::receive();
        if (sabotage != Sabotage::entries_are_forged or not event)
            return event;
        if (auto* received = std::get_if<Received>(&*event); received != nullptr and ++received_ % 100 == 0)
            received->entries = forged(received->entries);
        return event;
    }

private:
    [[nodiscard]] static Entries forged(Entries const& entries)
    {
        auto copies = Entries{};
        for (auto const entry : entries) {
            auto const block = std::make_shared<std::vector<std::byte>>(entry.encoded.begin(), entry.encoded.end());
            if (not entry.payload.empty())
                block->back() ^= std::byte{1};
            seal_entry(*block, entry.index, entry.term, entry.kind, entry.time_ms);
            copies.add({block, *block}, 1);
        }
        return copies;
    }

    std::uint64_t received_ = 0;
    std::uint64_t appends_ = 0;
    std::uint64_t lies_ = 0;
};

struct SabotagedParts : simulate::DefaultParts
{
    using Machine = SabotagedMachine;
    using Storage = SabotagedStorage;
    using Transport = SabotagedTransport;

    template <typename Node, typename Completion>
    static void read(Node& node, Completion completion)
    {
        if (sabotage == Sabotage::reads_are_stale)
            completion(ReadOutcome{ReadableNow{}});
        else
            simulate::DefaultParts::read(node, std::move(completion));
    }
};

} // namespace totora::test
