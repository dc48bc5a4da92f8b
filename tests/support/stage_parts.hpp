// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/builders.hpp"
#include "support/bytes.hpp"
#include "totora/node/raft_node.hpp"
#include "totora/policy/snapshot_machine.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// The parts of a stage (stage.hpp): a machine, a transport and completions that record what they see.
namespace totora::test
{

/// Records what it applied and answers with the command; keeps its state over restarts on request.
struct Recorder
{
    using Response = std::string;

    struct Applied
    {
        LogPosition position;
        std::string command;

        friend bool operator==(Applied const&, Applied const&) = default;
    };

    std::vector<Applied>             applied;
    Index                            kept;
    bool                             keeps = false;
    std::optional<Index>             throws_at;
    bool                             throws_no_exception = false; ///< But an int.
    int                              responses_too_many = 0;      ///< Or too few, if below 0.
    int                              calls = 0;
    std::function<void(std::size_t)> takes_time; ///< Called with the number of commands that are applied.
    std::uint32_t                    format = 1;
    bool                             captures_throw = false;
    bool                             writes_throw = false;
    bool                             restores_throw = false;
    mutable int                      captures = 0;
    int                              restores = 0;
    std::optional<std::uint64_t>     part_size; ///< In entries: a capture is written in parts.

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        ++calls;
        if (takes_time)
            takes_time(commands.size());
        for (auto const& command : commands) {
            if (throws_at == command.index) {
                if (throws_no_exception)
                    throw 42;
                throw std::runtime_error("the reeds are wet");
            }
            applied.push_back({{command.term, command.index}, text_of(command.payload)});
            responses.push_back(text_of(command.payload));
            if (keeps)
                kept = command.index;
        }
        responses.resize(static_cast<std::size_t>(static_cast<int>(responses.size()) + responses_too_many));
    }

    [[nodiscard]] Index applied_index() const { return kept; }

    /// All that was applied.
    struct Capture
    {
        std::vector<Applied> applied;
        std::uint64_t        part_size = 0;
        bool                 throws = false;

        void write(SnapshotSink& sink) const
        {
            for (auto part = std::uint64_t{0}; write_part(sink, part); ++part) {}
        }

        [[nodiscard]] bool write_part(SnapshotSink& sink, std::uint64_t part) const
        {
            if (throws)
                throw std::runtime_error("the ink is dry");
            auto const first = part * part_size;
            auto const end = std::min<std::uint64_t>(first + part_size, applied.size());
            for (auto at = first; at < end; ++at) {
                auto const& [position, command] = applied[at];
                auto bytes = std::vector<std::byte>(24);
                put(put(put(bytes.data(), position.index.value), position.term.value), std::uint64_t{command.size()});
                sink.write(bytes);
                sink.write(bytes_of(command));
            }
            return end < applied.size();
        }
    };

    [[nodiscard]] Capture capture() const
    {
        ++captures;
        if (captures_throw)
            throw std::runtime_error("the reeds do not hold still");
        return {applied, part_size.value_or(std::uint64_t{1} << 32U), writes_throw};
    }

    [[nodiscard]] std::optional<std::string> restore(SnapshotSource& source)
    {
        ++restores;
        if (restores_throw)
            throw std::runtime_error("the reeds are withered");
        if (source.format() != format)
            return "it is of format " + std::to_string(source.format());
        auto found = std::vector<Applied>{};
        for (auto head = std::vector<std::byte>(24); source.read(head) == head.size();) {
            auto command = std::vector<std::byte>(get<std::uint64_t>(head.data() + 16));
            if (source.read(command) != command.size())
                return "it is too short";
            found.push_back({{Term{get<std::uint64_t>(head.data() + 8)}, Index{get<std::uint64_t>(head.data())}},
                             text_of(command)});
        }
        applied = std::move(found);
        return std::nullopt;
    }

    [[nodiscard]] std::uint32_t snapshot_format() const { return format; }

    /// The process ends, and another one begins.
    void begin_run()
    {
        if (not keeps)
            applied.clear();
    }

    [[nodiscard]] std::vector<std::string> commands() const
    {
        auto texts = std::vector<std::string>{};
        for (auto const& one : applied)
            texts.push_back(one.command);
        return texts;
    }
};

/// A transport whose far end is the test.
class Wire
{
public:
    struct Sent
    {
        ServerId               to;
        Rpc                    rpc;
        Entries                entries;
        std::vector<std::byte> chunk = {};
    };

    struct Update
    {
        ServerId    server;
        Incarnation incarnation;
        std::string address;

        friend bool operator==(Update const&, Update const&) = default;
    };

    std::deque<TransportEvent> arriving;
    std::vector<Sent>          sent;
    std::vector<Update>        updates;
    std::vector<ServerId>      removed;

    void send(Released const& message, Entries const& entries)
    {
        sent.push_back({message.to(), message.rpc(), entries});
    }

    void send_chunk(Released const& message, PinnedBytes const& chunk)
    {
        sent.push_back({message.to(), message.rpc(), {}, {chunk.bytes.begin(), chunk.bytes.end()}});
    }

    [[nodiscard]] std::optional<TransportEvent> receive()
    {
        if (arriving.empty())
            return std::nullopt;
        auto event = std::move(arriving.front());
        arriving.pop_front();
        return event;
    }

    void update(ServerId server, Incarnation incarnation, std::string_view address)
    {
        updates.push_back({server, incarnation, std::string{address}});
    }

    void remove(ServerId server) { removed.push_back(server); }
};

static_assert(snapshot_machine<Recorder>);
static_assert(chunk_transport<Wire>);

/// The outcome of a request, and how often it ended: exactly once, if all is well.
template <typename Decision>
struct End
{
    int                     times = 0;
    std::optional<Decision> outcome;

    template <typename Ending>
    [[nodiscard]] Ending const* as() const
    {
        return times == 1 and outcome ? std::get_if<Ending>(&*outcome) : nullptr;
    }

    [[nodiscard]] bool refused(ProposalError why, ServerId leader) const
    {
        auto const* refusal = as<RefusedBecause>();
        return refusal != nullptr and refusal->why == why and refusal->leader == leader;
    }
};

template <typename Decision>
using Ended = std::shared_ptr<End<Decision>>;

using ProposalEnd = Ended<ProposalOutcome<std::string>>;
using BatchEnd = Ended<ProposalOutcome<std::vector<std::string>>>;
using ReadEnd = Ended<ReadOutcome>;

/// A completion that records how it was called.
template <typename Decision>
[[nodiscard]] auto note_in(Ended<Decision> end)
{
    return [end = std::move(end)](Decision outcome) {
        ++end->times;
        end->outcome = std::move(outcome);
    };
}

/// Records what a node reports.
struct Events
{
    std::shared_ptr<std::vector<NodeEvent>> all = std::make_shared<std::vector<NodeEvent>>();

    void operator()(NodeEvent const& event) const { all->push_back(event); }

    template <typename Event>
    [[nodiscard]] std::vector<Event> of() const
    {
        auto found = std::vector<Event>{};
        for (auto const& event : *all)
            if (auto const* one = std::get_if<Event>(&event))
                found.push_back(*one);
        return found;
    }
};

/// The first members of a cluster of this size, with addresses.
[[nodiscard]] inline std::vector<Peer> peers_of(std::uint64_t voters)
{
    auto peers = std::vector<Peer>{};
    for (auto id = std::uint64_t{1}; id <= voters; ++id)
        peers.push_back({{ServerId{id}, first_incarnation, MemberKind::voter}, "host:" + std::to_string(id)});
    return peers;
}

} // namespace totora::test
