// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/disk/unsynced_file.hpp"

#include <range/v3/algorithm/contains.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::inline v0::testing
{

/// The names of a directory: as programs see them, and as they are on the disk. A change that runs out of memory changes nothing.
class DiskNames
{
public:
    using File = std::shared_ptr<UnsyncedFile>;
    using Names = std::map<std::string, File, std::less<>>;

    /// As programs see them.
    [[nodiscard]] Names const& now() const { return now_; }

    /// The file of this name; null if there is none.
    [[nodiscard]] File find(std::string_view name) const
    {
        auto const found = now_.find(name);
        return found == now_.end() ? nullptr : found->second;
    }

    void create(std::string_view name, File file) { change({std::string{name}, {}, std::move(file)}); }
    void remove(std::string_view name) { change({std::string{name}, {}, nullptr}); }
    void rename(std::string_view from, std::string_view to)
    {
        change({std::string{to}, std::string{from}, find(from)});
    }

    void sync()
    {
        auto names = now_; // An assignment that runs out of memory would leave half of them.
        durable_.swap(names);
        unsynced_.clear();
    }

    /// How many changes are not synced.
    [[nodiscard]] std::size_t unsynced() const { return unsynced_.size(); }

    /// Only what is on the disk is left: of the changes that were not synced, it keeps the first ones, `kept` at most.
    void lose_power(std::size_t kept)
    {
        for (auto step = std::size_t{0}; step < std::min(kept, unsynced_.size()); ++step)
            apply(durable_, unsynced_[step]);
        unsynced_.clear();
        now_ = durable_;
    }

    /// The same names of copies of the files.
    [[nodiscard]] DiskNames clone() const
    {
        auto copies = std::map<UnsyncedFile const*, File>{};
        for (auto const& file : files())
            copies[file.get()] = std::make_shared<UnsyncedFile>(*file);
        auto copy = *this;
        for (auto* names : {&copy.now_, &copy.durable_})
            for (auto& [name, file] : *names)
                file = copies[file.get()];
        for (auto& step : copy.unsynced_)
            step.file = step.file ? copies[step.file.get()] : nullptr;
        return copy;
    }

    /// A file disappears without having been removed.
    void drop(std::string const& name)
    {
        now_.erase(name);
        durable_.erase(name);
        std::erase_if(unsynced_, [&](Step const& step) { return step.name == name; });
    }

    /// Every file that has a name, here or on the disk, once.
    [[nodiscard]] std::vector<File> files() const
    {
        auto       all = std::vector<File>{};
        auto const add = [&](File const& file) {
            if (file and not ranges::contains(all, file))
                all.push_back(file);
        };
        for (auto const* names : {&now_, &durable_})
            for (auto const& [name, file] : *names)
                add(file);
        for (auto const& step : unsynced_)
            add(step.file);
        return all;
    }

private:
    /// A change of a name: created, removed, or renamed from `was`, in one step.
    struct Step
    {
        std::string name;
        std::string was;
        File        file; ///< Null if it is removed.
    };

    void change(Step step)
    {
        auto names = now_;
        apply(names, step);
        unsynced_.push_back(std::move(step));
        now_.swap(names);
    }

    static void apply(Names& names, Step const& step)
    {
        if (not step.was.empty())
            names.erase(step.was);
        if (step.file)
            names.insert_or_assign(step.name, step.file);
        else
            names.erase(step.name);
    }

    Names             now_;
    Names             durable_;
    std::vector<Step> unsynced_; ///< In order.
};

} // namespace totora::inline v0::testing
