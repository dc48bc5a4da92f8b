// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/prng.hpp"
#include "totora/testing/simulate/disk/simulated_file.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::inline v0::simulate
{

/// The names of a directory: as programs see them, and as they are on the disk.
class DiskNames
{
public:
    using File = std::shared_ptr<SimulatedFile>;
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
        durable_ = now_;
        unsynced_.clear();
    }

    /// Only what is on the disk is left: of the changes that were not synced, it keeps the first ones.
    void lose_power(Kept kept, testing::Prng& random)
    {
        auto const steps = kept == Kept::nothing      ? 0
                           : kept == Kept::everything ? unsynced_.size()
                                                      : random.below(unsynced_.size() + 1);
        for (auto step = std::size_t{0}; step < steps; ++step)
            apply(durable_, unsynced_[step]);
        unsynced_.clear();
        now_ = durable_;
    }

    /// A file is not there any more, and was never removed.
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
            if (file and std::find(all.begin(), all.end(), file) == all.end())
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
        apply(now_, step);
        unsynced_.push_back(std::move(step));
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

} // namespace totora::inline v0::simulate
