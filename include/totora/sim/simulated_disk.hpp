// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/sim/faults.hpp"
#include "totora/sim/prng.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::sim
{

/// Thrown from within the call of a file during which the power failed: not one instruction more is executed.
struct PowerFailed
{};

/// The calls of a file that can be made to fail.
enum class DiskCall : std::uint8_t
{
    write,
    sync,
    read,
    other,
};

/// What the disk keeps of what was not synced when the power fails.
enum class Kept : std::uint8_t
{
    nothing,
    everything,
    some_sectors,
};

/// One directory on a disk that forgets what was not synced when the power is cut: bytes, sizes and names. As
/// `ForgetfulDisk`, without locks and copies: for one thread, and quick. `DiskFiles` is what a log sees.
class SimulatedDisk
{
public:
    static constexpr std::size_t sector_size = 512;

    /// A part of a file that was written, or a new size, and not synced yet.
    struct Change
    {
        std::size_t offset = 0; ///< Of the bytes, or the new size.
        std::size_t size = 0;
        std::size_t stored = 0; ///< Where in `Content::written` the bytes are.
        bool        resizes = false;
    };

    /// The content of a file: as programs see it, and as it is on the disk.
    struct Content
    {
        std::vector<std::byte> now;
        std::vector<std::byte> durable;
        std::vector<Change>    unsynced;
        std::vector<std::byte> written; ///< The bytes of the unsynced changes.
    };

    using Names = std::map<std::string, std::shared_ptr<Content>, std::less<>>;

    explicit SimulatedDisk(FaultCounts& counts) : counts_(counts) {}
    SimulatedDisk(SimulatedDisk const&) = delete;
    SimulatedDisk& operator=(SimulatedDisk const&) = delete;

    // --- What goes wrong --------------------------------------------------------------------------------------------

    /// The power fails during the call of this number from now, counted from 1; or between the next writes and their sync.
    void cut_power_in(std::uint64_t calls) { calls_left_ = calls; }
    void cut_power_before_sync() { power_fails_before_sync_ = true; }

    void keep_power()
    {
        calls_left_ = never;
        power_fails_before_sync_ = false;
    }

    /// The next call of this kind fails, once.
    void fail_next(DiskCall call) { failing_ |= bit_of(call); }

    /// How many bytes more all files together may have from now on.
    void limit_space(std::uint64_t more) { space_ = used_ + more; }
    void free_space() { space_ = never; }

    /// Nothing is armed any more.
    void heal()
    {
        failing_ = 0;
        keep_power();
        free_space();
    }

    /// From now on syncs say that they succeeded and do nothing: what checkers must notice.
    void lie_about_syncs(bool lies) { lies_ = lies; }

    /// How often a call was made to fail, or found no room.
    [[nodiscard]] std::uint64_t troubles() const { return troubles_; }

    /// Loses the power: the process that had files open must be gone.
    void lose_power(Kept kept, Prng& random)
    {
        keep_power();
        sectors_kept_ = sectors_lost_ = 0;
        for (auto const& content : contents()) {
            for (auto const& change : content->unsynced)
                keep(*content, change, kept, random);
            content->unsynced.clear();
            content->written.clear();
            content->now = content->durable;
        }
        if (sectors_kept_ > 0 and sectors_lost_ > 0)
            ++counts_[Fault::write_torn];
        auto const steps = kept == Kept::nothing      ? 0
                           : kept == Kept::everything ? name_steps_.size()
                                                      : random.below(name_steps_.size() + 1);
        for (auto step = std::size_t{0}; step < steps; ++step)
            apply(durable_names_, name_steps_[step]);
        name_steps_.clear();
        names_ = durable_names_;
        used_ = 0;
        for (auto const& [name, content] : names_)
            used_ += content->now.size();
    }

    [[nodiscard]] Names const&  names() const { return names_; }
    [[nodiscard]] std::uint64_t used() const { return used_; } ///< Bytes of all files.

    /// Flips a bit of a file, seen at once and durable.
    void flip(Content& content, std::size_t byte, unsigned bit)
    {
        auto const mask = static_cast<std::byte>(1U << bit);
        content.now[byte] ^= mask;
        if (byte < content.durable.size())
            content.durable[byte] ^= mask;
    }

    /// A file is not there any more, and was never removed.
    void drop(std::string const& name)
    {
        if (auto const found = names_.find(name); found != names_.end())
            used_ -= found->second->now.size();
        names_.erase(name);
        durable_names_.erase(name);
        std::erase_if(name_steps_, [&](NameStep const& step) { return step.name == name; });
    }

private:
    friend class DiskFiles;

    static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

    /// A change of a name: created, removed, or renamed from `was`, in one step.
    struct NameStep
    {
        std::string              name;
        std::string              was;
        std::shared_ptr<Content> content; ///< Null if it is removed.
    };

    [[nodiscard]] static constexpr unsigned bit_of(DiskCall call) { return 1U << static_cast<unsigned>(call); }

    /// Every call begins with it: 0, or the `errno` to fail with.
    [[nodiscard]] int begin_call(DiskCall call)
    {
        if ((calls_left_ != never and --calls_left_ == 0) or (power_fails_before_sync_ and call == DiskCall::sync)) {
            keep_power();
            throw PowerFailed{};
        }
        if ((failing_ & bit_of(call)) == 0)
            return 0;
        failing_ &= ~bit_of(call);
        ++troubles_;
        ++counts_[call == DiskCall::write  ? Fault::write_failed
                  : call == DiskCall::sync ? Fault::sync_failed
                                           : Fault::read_failed];
        return EIO;
    }

    [[nodiscard]] std::uint64_t space_left() const { return space_ - std::min(space_, used_); }

    void resize(Content& content, std::size_t size)
    {
        used_ += size;
        used_ -= content.now.size();
        content.now.resize(size);
        content.unsynced.push_back({size, 0, 0, true});
    }

    void write(Content& content, std::size_t offset, std::span<std::byte const> bytes)
    {
        auto const end = offset + bytes.size();
        if (end > content.now.size()) {
            used_ += end - content.now.size();
            content.now.resize(end);
        }
        std::copy(bytes.begin(), bytes.end(), content.now.begin() + static_cast<std::ptrdiff_t>(offset));
        content.unsynced.push_back({offset, bytes.size(), content.written.size(), false});
        content.written.insert(content.written.end(), bytes.begin(), bytes.end());
    }

    /// What was written is on the disk; or, if the sync failed, never will be, although it is clean to the eye (as on Linux).
    void settle(Content& content, bool synced)
    {
        if (lies_)
            return;
        if (synced)
            for (auto const& change : content.unsynced)
                apply(content, change, change.offset, change.offset + change.size);
        content.unsynced.clear();
        content.written.clear();
    }

    /// Takes a part of a change to the disk.
    static void apply(Content& content, Change const& change, std::size_t begin, std::size_t end)
    {
        if (change.resizes)
            return content.durable.resize(change.offset);
        if (content.durable.size() < end)
            content.durable.resize(end);
        auto const from = content.written.begin() + static_cast<std::ptrdiff_t>(change.stored + begin - change.offset);
        std::copy_n(from, end - begin, content.durable.begin() + static_cast<std::ptrdiff_t>(begin));
    }

    void keep(Content& content, Change const& change, Kept kept, Prng& random)
    {
        if (kept == Kept::nothing)
            return;
        if (kept == Kept::everything)
            return apply(content, change, change.offset, change.offset + change.size);
        if (change.resizes) {
            if (random.below(2) == 0)
                apply(content, change, 0, 0);
            return;
        }
        for (auto begin = change.offset; begin < change.offset + change.size;) {
            auto const end = std::min(change.offset + change.size, (begin / sector_size + 1) * sector_size);
            auto const is_kept = random.below(2) == 0;
            if (is_kept)
                apply(content, change, begin, end);
            ++(is_kept ? sectors_kept_ : sectors_lost_);
            begin = end;
        }
    }

    /// Gives a name to a content, or, with none, takes the name away.
    void change_name(NameStep step)
    {
        apply(names_, step);
        name_steps_.push_back(std::move(step));
    }

    static void apply(Names& names, NameStep const& step)
    {
        if (not step.was.empty())
            names.erase(step.was);
        if (step.content)
            names.insert_or_assign(step.name, step.content);
        else
            names.erase(step.name);
    }

    [[nodiscard]] std::vector<std::shared_ptr<Content>> contents() const
    {
        auto       all = std::vector<std::shared_ptr<Content>>{};
        auto const add = [&](Names const& names) {
            for (auto const& [name, content] : names)
                if (std::find(all.begin(), all.end(), content) == all.end())
                    all.push_back(content);
        };
        add(names_);
        add(durable_names_);
        for (auto const& step : name_steps_)
            if (step.content and std::find(all.begin(), all.end(), step.content) == all.end())
                all.push_back(step.content);
        return all;
    }

    FaultCounts&           counts_;
    Names                  names_;
    Names                  durable_names_;
    std::vector<NameStep>  name_steps_; ///< The unsynced changes of names, in order.
    std::vector<std::byte> gathered_;   ///< By the write under way; kept to be used again.
    std::uint64_t          used_ = 0;
    std::uint64_t          space_ = never;
    std::uint64_t          calls_left_ = never;
    std::uint64_t          troubles_ = 0;
    std::uint64_t          sectors_kept_ = 0; ///< When the power was lost last.
    std::uint64_t          sectors_lost_ = 0;
    unsigned               failing_ = 0; ///< A bit for each kind of call that fails next time.
    bool                   power_fails_before_sync_ = false;
    bool                   lies_ = false;
};

} // namespace totora::sim
