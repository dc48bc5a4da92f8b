// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/core/values/types.hpp"

#include <optional>

namespace totora::inline v0
{

/// The report that a write, and every write before it, survives any crash. Only a log can make it.
class Durable
{
public:
    [[nodiscard]] constexpr WriteNumber through() const { return through_; }

private:
    friend class DurableSource;

    constexpr explicit Durable(WriteNumber through) : through_(through) {}

    WriteNumber through_;
};

/// The base of a log, for it alone: with it a log can report what is durable.
class DurableSource
{
protected:
    [[nodiscard]] static constexpr Durable durable_through(WriteNumber number) { return Durable{number}; }
};

/// When a message may leave: at once, or when the newest write that it rests on is durable.
///
/// Figure 2 asks that persistent state be "updated on stable storage before responding to RPCs". A promise that left
/// earlier could be broken by a power loss.
class Release
{
public:
    constexpr Release() = default;

    [[nodiscard]] static constexpr Release at_once() { return {}; }
    [[nodiscard]] static constexpr Release once_durable(WriteNumber write) { return Release{write}; }

    /// The write waited for, or nothing.
    [[nodiscard]] constexpr std::optional<WriteNumber> awaits() const { return awaits_; }

    friend constexpr bool operator==(Release const&, Release const&) = default;

private:
    constexpr explicit Release(WriteNumber write) : awaits_(write) {}

    std::optional<WriteNumber> awaits_;
};

/// A message that may leave now. It exists only where an `Envelope` was opened, and is what a transport takes.
///
/// It refers to that envelope, and cannot be copied: a transport that keeps the message copies `rpc()`.
class Released
{
public:
    Released(Released const&) = delete;
    Released(Released&&) = default;
    Released& operator=(Released const&) = delete;
    Released& operator=(Released&&) = default;
    ~Released() = default;

    [[nodiscard]] constexpr ServerId   to() const { return to_; }
    [[nodiscard]] constexpr Rpc const& rpc() const { return *rpc_; }

private:
    friend class Envelope;

    constexpr Released(ServerId to, Rpc const& rpc) : to_(to), rpc_(&rpc) {}

    ServerId   to_;
    Rpc const* rpc_; ///< Owned by the envelope, which outlives the sending.
};

/// An addressed message, sealed until it may leave. It leaves as it was made, with the term it was made in.
class Envelope
{
public:
    constexpr Envelope() = default;
    constexpr Envelope(ServerId to, Rpc const& rpc, Release release) : to_(to), release_(release), rpc_(rpc) {}

    /// Seals a message where it is to stay: an `Rpc` is as large as the largest of them, and would be copied whole.
    template <typename Message>
    constexpr Envelope(ServerId to, Message const& message, Release release) : to_(to), release_(release), rpc_(message)
    {}

    [[nodiscard]] constexpr ServerId to() const { return to_; }
    [[nodiscard]] constexpr Release  release() const { return release_; }

    /// What is inside, to be looked at by tests and tools. It does not get out by this: a transport takes only `Released`.
    [[nodiscard]] constexpr Rpc const& rpc() const { return rpc_; }

    /// The message, if it promises nothing.
    [[nodiscard]] constexpr std::optional<Released> open() const
    {
        if (release_.awaits())
            return std::nullopt;
        return Released{to_, rpc_};
    }

    /// The message, if what it promises is durable.
    [[nodiscard]] constexpr std::optional<Released> open(Durable durable) const
    {
        if (release_.awaits() and durable.through() < *release_.awaits())
            return std::nullopt;
        return Released{to_, rpc_};
    }

    /// The run of entries whose payload must be pinned beside this message, so that it leaves with the bytes
    /// it was made with; null if it carries none.
    [[nodiscard]] constexpr Run const* entries() const
    {
        auto const* append = std::get_if<AppendEntries>(&rpc_);
        return append != nullptr and append->entries.count > 0 ? &append->entries : nullptr;
    }

    friend constexpr bool operator==(Envelope const&, Envelope const&) = default;

private:
    ServerId to_;
    Release  release_;
    Rpc      rpc_;
};

} // namespace totora::inline v0
