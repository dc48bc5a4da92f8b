// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/release.hpp"
#include "totora/data/identity.hpp"
#include "totora/data/payload.hpp"
#include "totora/policy/transport.hpp"
#include "totora/testing/prng.hpp"
#include "totora/testing/simulate/faults/faults.hpp"
#include "totora/testing/simulate/network/frames_in_flight.hpp"
#include "totora/testing/simulate/network/links.hpp"
#include "totora/testing/simulate/network/network_options.hpp"
#include "totora/testing/simulate/network/residents.hpp"
#include "totora/testing/simulate/network/way.hpp"
#include "totora/testing/simulate/network/wire.hpp"
#include "totora/wire/codec.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace totora::inline v0::simulate
{

/// The wires between simulated servers, which are counted from 0: `ServerId` 1 is number 0.
///
/// Messages travel as frames of the real codec. The network draws the fate of each; its owner plans the arrivals.
class Network
{
public:
    struct Departure
    {
        std::uint32_t frame = 0;
        std::uint64_t arrives_us = 0;
    };

    /// Something that a link will have done, or that its sender is to be notified of.
    struct LinkNews
    {
        std::size_t         from = 0;
        std::size_t         to = 0;
        std::uint32_t       life = 0;
        std::uint64_t       in_us = 0;
        std::optional<Link> changed; ///< Nothing: a frame is sent.
    };

    Network(ClusterId cluster, NetworkOptions const& options, testing::Prng random, std::uint64_t const& now_us,
            FaultCounts& counts)
        : residents(cluster), options_(options), random_(random), now_us_(now_us), counts_(counts)
    {}

    Network(Network const&) = delete;
    Network& operator=(Network const&) = delete;

    Links     links;
    Residents residents;

    /// Ends the faults between these servers permanently.
    void heal(std::size_t a, std::size_t b)
    {
        links.mend_wholly(a, b);
        healed_.add(a, b);
    }

    /// Sends a message to a server in the life that is meant.
    void send(std::size_t from, Incarnation life, Released const& message, Payload const& payload)
    {
        auto const to = static_cast<std::size_t>(message.to().value - 1);
        if (links.is_cut(from, to))
            return disturb(from, to);
        auto const faulty = not healed_.contains(from, to);
        if (faulty and happens(Fault::message_lost))
            return disturb(from, to);
        auto const route = residents.route(from, {message.to(), life});
        auto const head = encode(route, message.rpc(), payload, FrameLimits{}.frame_bytes_max);
        if (not head)
            return;
        auto frame = frame_of(*head, payload);
        frame.from = from;
        frame.to = to;
        frame.foreign = residents.is_foreign(from);
        frame.faulty = faulty;
        frame.overtakes = may_overtake(message.rpc());
        frame.has_payload = not payload.empty();
        if (faulty and happens(Fault::message_repeated))
            put_on_wire(frame);
        if (faulty and happens(Fault::message_flipped)) {
            flip_bits(frame, random_);
            disturb(from, to);
        }
        put_on_wire(std::move(frame));
    }

    /// For a while a link carries so many bytes in a millisecond only.
    void slow_down(std::size_t from, std::size_t to, std::uint64_t bytes_per_ms, std::uint64_t lasts_us)
    {
        ways_[from][to].slow = {now_us_ + lasts_us, bytes_per_ms};
    }

    /// For a while a link takes nothing that may not overtake, entries above all, and reports nothing: heartbeats and
    /// responses pass. Making the connection again ends it, or does not help.
    void stop_bulk(std::size_t from, std::size_t to, std::uint64_t lasts_us, bool renewal_helps)
    {
        ways_[from][to].stopped = {now_us_ + lasts_us, renewal_helps};
    }

    [[nodiscard]] bool is_bulk_stopped(std::size_t from, std::size_t to) const
    {
        return now_us_ < ways_[from][to].stopped.until_us and not healed_.contains(from, to);
    }

    /// A server drops its connection to another and makes it again. What was in flight is lost.
    void renew(std::size_t from, std::size_t to)
    {
        auto& stopped = ways_[from][to].stopped;
        if (stopped.renewal_helps)
            stopped.until_us = 0;
        if (not ways_[from][to].wire.idle())
            disturb(from, to);
        ways_[from][to].wire.forget();
        news_.push_back({from, to, ways_[from][to].wire.life(), 1, Link::open});
    }

    /// How many bytes a link has ever taken of what may not overtake.
    [[nodiscard]] std::uint64_t bulk_bytes(std::size_t from, std::size_t to) const
    {
        return ways_[from][to].bulk_bytes;
    }

    /// When it last took none for no other reason; 0 if never.
    [[nodiscard]] std::uint64_t bulk_stopped_us(std::size_t from, std::size_t to) const
    {
        return ways_[from][to].bulk_stopped_us;
    }

    /// A link has sent a frame, if its sender is still the same.
    void finish_frame(std::size_t from, std::size_t to, std::uint32_t life)
    {
        auto& wire = ways_[from][to].wire;
        if (wire.life() != life)
            return;
        auto sent = wire.finish();
        depart(std::move(sent));
        if (wire.opens(options_.queue_bytes_max))
            news_.push_back({from, to, life, 1, Link::open});
        go_on(from, to);
    }

    /// A process has ended, and with it what it sent and what waited to be sent.
    void forget(std::size_t from)
    {
        departures_.clear();
        news_.clear();
        for (auto& way : ways_[from])
            way.wire.forget();
    }

    /// What links will have done, since the last call.
    [[nodiscard]] std::vector<LinkNews>& news() { return news_; }

    /// When something last went wrong with what was sent over a link, or it had a queue; 0 if never.
    [[nodiscard]] std::uint64_t disturbed_us(std::size_t from, std::size_t to) const
    {
        return ways_[from][to].disturbed_us;
    }

    /// The bytes that wait for the links from a server.
    [[nodiscard]] std::uint64_t waiting_bytes(std::size_t from) const
    {
        auto bytes = std::uint64_t{0};
        for (auto const& way : ways_[from])
            bytes += way.wire.bytes();
        return bytes;
    }

    /// What was sent since the last call.
    [[nodiscard]] std::vector<Departure>& departures() { return departures_; }

    /// Takes a frame off the wire.
    [[nodiscard]] FrameInFlight arrive(std::uint32_t frame) { return frames_.take(frame); }

    [[nodiscard]] std::size_t in_flight() const { return frames_.size(); }

private:
    void disturb(std::size_t from, std::size_t to) { ways_[from][to].disturbed_us = now_us_ + 1; }

    [[nodiscard]] bool happens(Fault fault)
    {
        auto const does = random_.chance(options_.chances[fault]);
        counts_[fault] += does ? 1 : 0;
        return does;
    }

    /// 0 for any number.
    [[nodiscard]] std::uint64_t bytes_per_ms(std::size_t from, std::size_t to) const
    {
        if (healed_.contains(from, to))
            return 0;
        auto const& slow = ways_[from][to].slow;
        return now_us_ < slow.until_us ? slow.bytes_per_ms : options_.bytes_per_ms;
    }

    /// Sends a frame at once where bytes take no time, and puts it into a queue otherwise.
    void put_on_wire(FrameInFlight frame)
    {
        auto const from = frame.from;
        auto const to = frame.to;
        if (not frame.overtakes and is_bulk_stopped(from, to)) {
            ++counts_[Fault::bulk_stopped];
            ways_[from][to].bulk_stopped_us = now_us_ + 1;
            return;
        }
        auto&      wire = ways_[from][to].wire;
        auto const is_slow = bytes_per_ms(from, to) > 0;
        if (not is_slow and wire.idle())
            return depart(std::move(frame));
        disturb(from, to);
        auto const bytes_max = is_slow ? options_.queue_bytes_max : std::numeric_limits<std::uint64_t>::max();
        auto const taken = wire.push(std::move(frame), bytes_max);
        if (taken == Wire::Taken::queued)
            return go_on(from, to);
        ++counts_[Fault::link_full];
        if (taken == Wire::Taken::dropped_first)
            news_.push_back({from, to, wire.life(), 1, Link::full});
    }

    /// Begins with the next frame.
    void go_on(std::size_t from, std::size_t to)
    {
        auto&      wire = ways_[from][to].wire;
        auto const size = wire.begin();
        if (not size)
            return;
        auto const rate = bytes_per_ms(from, to);
        auto const takes_us = rate == 0 ? std::uint64_t{1} : 1 + *size * 1000 / rate;
        news_.push_back({from, to, wire.life(), takes_us, std::nullopt});
    }

    void depart(FrameInFlight frame)
    {
        ways_[frame.from][frame.to].bulk_bytes += frame.overtakes ? 0 : frame.size;
        auto const faulty = frame.faulty;
        auto&      newest = ways_[frame.from][frame.to].newest_us;
        auto       arrives = now_us_ + options_.latency_us + random_.between(0, options_.jitter_us);
        if (faulty and happens(Fault::message_delayed)) {
            disturb(frame.from, frame.to);
            arrives += random_.between(options_.delayed_us / 4, options_.delayed_us);
        } else if (faulty and happens(Fault::message_reordered)) {
            disturb(frame.from, frame.to);
            arrives += random_.between(1, 20 * (options_.latency_us + options_.jitter_us));
        } else if (options_.ordered or not faulty)
            newest = arrives = std::max(arrives, newest);
        departures_.push_back({frames_.keep(std::move(frame)), arrives});
    }

    NetworkOptions                                                            options_;
    testing::Prng                                                             random_;
    std::uint64_t const&                                                      now_us_;
    FaultCounts&                                                              counts_;
    LinkSet                                                                   healed_;
    std::vector<Departure>                                                    departures_;
    FramesInFlight                                                            frames_;
    std::array<std::array<Way, simulated_servers_max>, simulated_servers_max> ways_{};
    std::vector<LinkNews>                                                     news_;
};

} // namespace totora::inline v0::simulate
