// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/policy/state_machine.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace totora::inline v0
{

/// Where a capture writes itself. What it cannot take, for want of disk space for instance, it drops: the attempt then fails as a
/// whole, and the capture need not notice.
class SnapshotSink
{
public:
    virtual void write(std::span<std::byte const> bytes) = 0;

protected:
    SnapshotSink() = default;
    SnapshotSink(SnapshotSink const&) = default;
    SnapshotSink& operator=(SnapshotSink const&) = default;
    ~SnapshotSink() = default;
};

/// What a state machine is restored from: the bytes that a capture wrote, of which every checksum was checked before.
class SnapshotSource
{
public:
    /// Reads the next bytes; fewer than asked for only at the end, or if they cannot be read any more.
    [[nodiscard]] virtual std::size_t read(std::span<std::byte> into) = 0;

    /// The `snapshot_format` of the machine that wrote it.
    [[nodiscard]] std::uint32_t format() const { return format_; }

protected:
    explicit SnapshotSource(std::uint32_t format) : format_(format) {}
    SnapshotSource(SnapshotSource const&) = default;
    SnapshotSource& operator=(SnapshotSource const&) = default;
    ~SnapshotSource() = default;

private:
    std::uint32_t format_;
};

/// A state of a machine, which stays as it is while the machine goes on.
///
/// A large one may have `write_part(sink, part) const -> bool`: it writes a part of what `write` writes, from part 0 on, and returns whether
/// there is another one. Where snapshots are written on the node's thread, one part is written in a turn: it should take no
/// longer than a millisecond or so.
template <typename T>
concept snapshot_capture = std::movable<T> and requires(T const& capture, SnapshotSink& sink) {
    /// Writes all of it. Any thread may call it, and let the capture go.
    { capture.write(sink) } -> std::same_as<void>;
};

/// A state machine that can be brought back without the entries that it was given (§7). Without this the log of a server is never
/// compacted. One that keeps itself on disk needs no snapshots for that: policy/durable_machine.hpp.
///
/// What the compiler cannot check: a machine that was restored from what a capture wrote answers from there on as the one that was
/// captured. `capture` copies little: it may share what it captures with the machine, as long as that does not change it. `restore` is all
/// or nothing. Both are called on the node's thread, between two calls of `apply`. If `capture` or `write` throws, the attempt
/// ends and is made again later; if `restore` throws, the node has failed.
template <typename T>
concept snapshot_machine = state_machine<T> and requires(T& machine, T const& readable, SnapshotSource& source) {
    requires snapshot_capture<typename T::Capture>;
    /// The state of now.
    { readable.capture() } -> std::same_as<typename T::Capture>;
    /// Puts what was captured in place of what is there. Returns why that cannot be, in words, and has then changed nothing: it
    /// is of a format that this machine does not read (`source.format()`), or too short.
    { machine.restore(source) } -> std::same_as<std::optional<std::string>>;
    /// The version of the format in which captures write themselves.
    { readable.snapshot_format() } -> std::same_as<std::uint32_t>;
};

} // namespace totora::inline v0
