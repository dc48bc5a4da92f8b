// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/log/memory_log.hpp"
#include "totora/policy/clock.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/state_machine.hpp"
#include "totora/policy/transport.hpp"
#include "totora/testing/disk/forgetful_disk.hpp"
#include "totora/testing/disk/forgetful_files.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// One policy of each kind that offers exactly what its concept asks for, and nothing more: what instantiates with
/// these, instantiates with whatever a user writes. None can be copied, moved, or made without an argument; none offers a
/// call on a constant object unless its concept asks for one there.
namespace totora::test
{

/// What no archetype can be: made from nothing, copied, moved.
class Archetype
{
public:
    explicit Archetype(int) {}
    Archetype(Archetype const&) = delete;
    Archetype& operator=(Archetype const&) = delete;

    void operator&() const = delete; ///< Nor is its address.
};

/// A response that can only be moved: it cannot even be made from nothing.
class ArchetypeResponse
{
public:
    explicit ArchetypeResponse(std::size_t size) : size_(size) {}
    ArchetypeResponse(ArchetypeResponse&&) = default;
    ArchetypeResponse& operator=(ArchetypeResponse&&) = default;

    [[nodiscard]] std::size_t size() const { return size_; }

private:
    std::size_t size_;
};

class ArchetypeMachine : Archetype
{
public:
    using Archetype::Archetype;
    using Response = ArchetypeResponse;

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        for (auto const& command : commands)
            responses.emplace_back(command.payload.size());
    }

    [[nodiscard]] Index applied_index() const { return {}; }
};

/// Works, by the log in memory that it hides.
class ArchetypeLog : Archetype
{
public:
    explicit ArchetypeLog(Identity const& identity) : Archetype(0), memory_(identity) {}

    [[nodiscard]] Result<Recovered, LogError> recover() { return memory_.recover(); }
    void save_vote(WriteNumber write, Term term, std::optional<ServerId> vote) { memory_.save_vote(write, term, vote); }
    void append(WriteNumber write, Entries const& entries) { memory_.append(write, entries); }
    void truncate(WriteNumber write, Index index) { memory_.truncate(write, index); }
    void save_commit(Index index) { memory_.save_commit(index); }
    void sync() { memory_.sync(); }
    [[nodiscard]] Durable                   durable() { return memory_.durable(); }
    [[nodiscard]] std::optional<LogError>   failure() const { return memory_.failure(); }
    [[nodiscard]] LogPosition               last() const { return memory_.last(); }
    [[nodiscard]] Result<Entries, LogError> read(Index first, Index last, std::uint64_t bytes_max)
    {
        return memory_.read(first, last, bytes_max);
    }
    [[nodiscard]] std::uint64_t bytes(Index first, Index last) const { return memory_.bytes(first, last); }
    [[nodiscard]] bool          has_room(std::uint64_t bytes) const { return memory_.has_room(bytes); }
    void                        close() { memory_.close(); }

protected:
    [[nodiscard]] MemoryLog&       memory() { return memory_; }
    [[nodiscard]] MemoryLog const& memory() const { return memory_; }

private:
    MemoryLog memory_;
};

class ArchetypeTransport : Archetype
{
public:
    using Archetype::Archetype;

    void                                        send(Released const&, Entries const&) {}
    [[nodiscard]] std::optional<TransportEvent> receive() { return std::nullopt; }
    void                                        update(ServerId, Incarnation, std::string_view) {}
};

/// Rings whatever is armed, one alarm at each asking and no more than eight in all: time flies.
class ArchetypeClock : Archetype
{
public:
    using Archetype::Archetype;

    void arm(Alarm alarm, Arming arming, Delay) { place(alarm) = AlarmRang{alarm, arming}; }
    void cancel(Alarm alarm) { place(alarm).reset(); }

    [[nodiscard]] std::optional<AlarmRang> ring()
    {
        for (auto& armed : armed_)
            if (armed and rung_ < 8) {
                ++rung_;
                return std::exchange(armed, {});
            }
        return std::nullopt;
    }

    [[nodiscard]] std::optional<std::uint64_t> next_ring_ms() const { return std::nullopt; }
    [[nodiscard]] std::uint64_t                now_ms() const { return 0; }

private:
    [[nodiscard]] std::optional<AlarmRang>& place(Alarm alarm) { return armed_[static_cast<std::size_t>(alarm)]; }

    std::array<std::optional<AlarmRang>, alarm_kinds> armed_;
    int                                               rung_ = 0;
};

/// Files of a disk in memory. They can be moved, once, and a file of theirs can be moved; nothing can be copied.
class ArchetypeFiles
{
public:
    class File
    {
    public:
        explicit File(ForgetfulFiles::File file) : file_(std::move(file)) {}
        File(File&&) = default;
        File& operator=(File&&) = default;

        [[nodiscard]] Result<std::uint64_t, FileError> size() { return file_.size(); }
        [[nodiscard]] Result<Done, FileError>
        write(std::uint64_t offset, std::span<std::span<std::byte const> const> parts)
        {
            return file_.write(offset, parts);
        }
        [[nodiscard]] Result<std::size_t, FileError> read(std::uint64_t offset, std::span<std::byte> into)
        {
            return file_.read(offset, into);
        }
        [[nodiscard]] Result<Done, FileError> allocate(std::uint64_t size) { return file_.allocate(size); }
        [[nodiscard]] Result<Done, FileError> truncate(std::uint64_t size) { return file_.truncate(size); }
        [[nodiscard]] Result<Done, FileError> sync() { return file_.sync(); }

    private:
        ForgetfulFiles::File file_;
    };

    explicit ArchetypeFiles(std::shared_ptr<ForgetfulDisk> disk) : files_(std::move(disk)) {}
    ArchetypeFiles(ArchetypeFiles&&) = default;
    ArchetypeFiles& operator=(ArchetypeFiles&&) = delete;

    [[nodiscard]] Result<std::vector<std::string>, FileError> names() { return files_.names(); }
    [[nodiscard]] Result<File, FileError> open(std::string_view name) { return wrap(files_.open(name)); }
    [[nodiscard]] Result<File, FileError> create(std::string_view name) { return wrap(files_.create(name)); }
    [[nodiscard]] Result<Done, FileError> rename(std::string_view from, std::string_view to)
    {
        return files_.rename(from, to);
    }
    [[nodiscard]] Result<Done, FileError> remove(std::string_view name) { return files_.remove(name); }
    [[nodiscard]] Result<Done, FileError> sync_directory() { return files_.sync_directory(); }

private:
    [[nodiscard]] static Result<File, FileError> wrap(Result<ForgetfulFiles::File, FileError> file)
    {
        if (not file)
            return Unexpected{file.error()};
        return File{*std::move(file)};
    }

    ForgetfulFiles files_;
};

static_assert(log_files<ArchetypeFiles>);
static_assert(state_machine<ArchetypeMachine>);
static_assert(durable_log<ArchetypeLog>);
static_assert(message_transport<ArchetypeTransport>);
static_assert(alarm_clock<ArchetypeClock>);

} // namespace totora::test
