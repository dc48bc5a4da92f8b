// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/release.hpp"
#include "totora/policy/identity.hpp"
#include "totora/policy/queue.hpp"
#include "totora/policy/transport.hpp"
#include "totora/testing/prng.hpp"
#include "totora/testing/simulate/faults.hpp"
#include "totora/testing/simulate/links.hpp"
#include "totora/wire/codec.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace totora::simulate
{

/// How a network carries messages; times in microseconds.
struct NetworkHabits
{
    std::uint64_t           latency_us = 500; ///< The least.
    std::uint64_t           jitter_us = 500;  ///< On top, at most.
    std::uint64_t           delayed_us = 1'000'000;
    bool                    ordered = false; ///< Unless one is delayed or reordered, messages of a link stay in order.
    PerFault<std::uint32_t> chances;         ///< Of the faults of single messages, out of a million.
};

/// A frame on its way.
struct FrameInFlight
{
    std::shared_ptr<std::byte[]> bytes;
    std::size_t                  size = 0;
    std::size_t                  from = 0;
    std::size_t                  to = 0;
    bool                         flipped = false;
};

/// The wires between simulated servers, which are counted from 0: `ServerId` 1 is number 0.
///
/// Messages travel as frames of the real codec. The network draws what becomes of each; whoever owns it plans the arrivals.
class Network
{
public:
    struct Departure
    {
        std::uint32_t frame = 0;
        std::uint64_t arrives_us = 0;
    };

    Network(ClusterId cluster, NetworkHabits const& habits, testing::Prng random, std::uint64_t const& now_us,
            FaultCounts& counts)
        : cluster_(cluster), habits_(habits), random_(random), now_us_(now_us), counts_(counts)
    {}

    Network(Network const&) = delete;
    Network& operator=(Network const&) = delete;

    Links links;

    /// Between these servers nothing goes wrong any more.
    void heal(std::size_t a, std::size_t b)
    {
        links.mend_wholly(a, b);
        healed_.add(a, b);
    }

    void send(std::size_t from, Released const& message, Entries const& entries)
    {
        auto const to = static_cast<std::size_t>(message.to().value - 1);
        if (links.is_cut(from, to))
            return;
        auto const faulty = not healed_.contains(from, to);
        if (faulty and strikes(Fault::message_lost))
            return;
        auto const route = Route{.cluster = cluster_,
                                 .group = 0,
                                 .sender = {ServerId{from + 1}, first_incarnation},
                                 .addressee = {message.to(), first_incarnation}};
        auto const head = encode(route, message.rpc(), entries, FrameLimits{}.frame_bytes_max);
        if (not head)
            return;
        auto frame = join(*head, entries);
        frame.from = from;
        frame.to = to;
        if (faulty and strikes(Fault::message_repeated))
            depart(frame, faulty);
        if (faulty and strikes(Fault::message_flipped))
            flip(frame);
        depart(frame, faulty);
    }

    /// What was sent since it was asked last.
    [[nodiscard]] std::vector<Departure>& departures() { return departures_; }

    /// Takes a frame off the wire.
    [[nodiscard]] FrameInFlight arrive(std::uint32_t frame)
    {
        free_.push_back(frame);
        --in_flight_;
        return std::exchange(frames_[frame], {});
    }

    [[nodiscard]] std::size_t in_flight() const { return in_flight_; }

    /// What the receiver makes of a frame; nothing if it refuses it.
    [[nodiscard]] std::optional<Received> read(FrameInFlight const& frame) const
    {
        auto decoded = decode({frame.bytes.get(), frame.size}, frame.bytes);
        if (not decoded or refuse_route(decoded->route, cluster_, {ServerId{frame.to + 1}, first_incarnation}))
            return std::nullopt;
        auto* const rpc = std::get_if<Rpc>(&decoded->content);
        if (rpc == nullptr)
            return std::nullopt;
        return Received{decoded->route.sender.id, *rpc, std::move(decoded->entries)};
    }

private:
    [[nodiscard]] bool strikes(Fault fault)
    {
        auto const struck = random_.chance(habits_.chances[fault]);
        counts_[fault] += struck ? 1 : 0;
        return struck;
    }

    [[nodiscard]] static FrameInFlight join(FrameHead const& head, Entries const& entries)
    {
        auto       frame = FrameInFlight{};
        auto const bytes = head.bytes();
        frame.size = bytes.size() + static_cast<std::size_t>(entries.bytes());
        frame.bytes = std::make_shared_for_overwrite<std::byte[]>(frame.size);
        auto* to = std::copy(bytes.begin(), bytes.end(), frame.bytes.get());
        for (auto at = std::size_t{0}; at < entries.slice_count(); ++at) {
            auto const slice = entries.slice(at).bytes;
            to = std::copy(slice.begin(), slice.end(), to);
        }
        return frame;
    }

    /// In a copy: the bytes may be those of a frame that was repeated.
    void flip(FrameInFlight& frame)
    {
        auto damaged = std::make_shared_for_overwrite<std::byte[]>(frame.size);
        std::copy_n(frame.bytes.get(), frame.size, damaged.get());
        for (auto count = random_.between(1, 3); count > 0; --count) {
            auto const bit = static_cast<std::byte>(1U << random_.below(8));
            damaged[static_cast<std::ptrdiff_t>(random_.below(frame.size))] ^= bit;
        }
        frame.flipped = not std::equal(damaged.get(), damaged.get() + frame.size, frame.bytes.get());
        frame.bytes = std::move(damaged);
    }

    void depart(FrameInFlight frame, bool faulty)
    {
        auto& newest = newest_[frame.from][frame.to];
        auto  arrives = now_us_ + habits_.latency_us + random_.between(0, habits_.jitter_us);
        if (faulty and strikes(Fault::message_delayed))
            arrives += random_.between(habits_.delayed_us / 4, habits_.delayed_us);
        else if (faulty and strikes(Fault::message_reordered))
            arrives += random_.between(1, 20 * (habits_.latency_us + habits_.jitter_us));
        else if (habits_.ordered or not faulty)
            newest = arrives = std::max(arrives, newest);
        departures_.push_back({keep(std::move(frame)), arrives});
    }

    [[nodiscard]] std::uint32_t keep(FrameInFlight frame)
    {
        ++in_flight_;
        if (free_.empty()) {
            frames_.push_back(std::move(frame));
            return static_cast<std::uint32_t>(frames_.size() - 1);
        }
        auto const place = free_.back();
        free_.pop_back();
        frames_[place] = std::move(frame);
        return place;
    }

    using Moments = std::array<std::array<std::uint64_t, simulated_servers_max>, simulated_servers_max>;

    ClusterId                  cluster_;
    NetworkHabits              habits_;
    testing::Prng              random_;
    std::uint64_t const&       now_us_;
    FaultCounts&               counts_;
    LinkSet                    healed_;
    std::vector<Departure>     departures_;
    std::vector<FrameInFlight> frames_;
    std::vector<std::uint32_t> free_; ///< Places in `frames_`.
    std::size_t                in_flight_ = 0;
    Moments                    newest_{}; ///< When the last message in order arrives.
};

/// One server's end of a network, as its node sees it.
class Endpoint
{
public:
    Endpoint(Network& network, std::size_t server) : network_(&network), server_(server) {}

    void send(Released const& message, Entries const& entries) { network_->send(server_, message, entries); }

    [[nodiscard]] std::optional<TransportEvent> receive()
    {
        if (arrived_.empty())
            return std::nullopt;
        return arrived_.pop_front();
    }

    void update(ServerId, Incarnation, std::string_view) {}

    /// Something stands at the door.
    void arrive(TransportEvent event) { arrived_.push_back(std::move(event)); }

    [[nodiscard]] std::size_t waiting() const { return arrived_.size(); }

private:
    Network*              network_;
    std::size_t           server_;
    Queue<TransportEvent> arrived_;
};

static_assert(message_transport<Endpoint>);

} // namespace totora::simulate
