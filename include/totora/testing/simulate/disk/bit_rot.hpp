// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/log/log_directory.hpp"
#include "totora/log/segmented/segment_name.hpp"
#include "totora/log/segmented/start_mark.hpp"
#include "totora/log/snapshots/snapshot_file_header.hpp"
#include "totora/testing/prng.hpp"
#include "totora/testing/simulate/disk/simulated_disk.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace totora::inline v0::simulate
{

// Damage to what is durable. It never hits the newest segments: damage to what was synced last cannot be distinguished
// from a torn write, and would be cut off.

inline constexpr std::size_t segments_spared = 4;

/// The files of a log's directory that may be damaged, by name.
[[nodiscard]] inline std::vector<std::string> damageable_files(SimulatedDisk const& disk)
{
    auto segments = std::vector<std::string>{};
    auto files = std::vector<std::string>{};
    for (auto const& [name, file] : disk.names())
        if (generation_of(name))
            segments.push_back(name); // In order of their generations, as names are sorted.
        else if (name == identity_name or name == run_name)
            files.push_back(name);
    for (auto at = std::size_t{0}; at + segments_spared < segments.size(); ++at)
        files.push_back(segments[at]);
    return files;
}

/// Flips a bit of a file. False if there is none that may be damaged.
inline bool rot_a_bit(SimulatedDisk& disk, testing::Prng& random)
{
    auto const files = damageable_files(disk);
    if (files.empty())
        return false;
    auto const& file = disk.names().find(files[random.below(files.size())])->second;
    if (file->now().empty())
        return false;
    auto const byte = random.below(file->now().size()); // One by one: compilers differ in the order of arguments.
    auto const bit = static_cast<unsigned>(random.below(8));
    file->flip(byte, bit);
    return true;
}

/// Makes a file disappear. False if there is none that may be damaged.
inline bool lose_a_file(SimulatedDisk& disk, testing::Prng& random)
{
    auto const files = damageable_files(disk);
    if (files.empty())
        return false;
    disk.drop(files[random.below(files.size())]);
    return true;
}

/// Damages a snapshot in one of these ways, the newest file most often. False if there is none.
inline bool rot_a_snapshot(SimulatedDisk& disk, testing::Prng& random)
{
    auto files = std::vector<std::string>{};
    for (auto const& [name, file] : disk.names())
        if (auto const number = snapshot_number_of(name); number and name == snapshot_file_name(*number))
            files.push_back(name);
    if (files.empty())
        return false;
    auto const& name = random.below(3) == 0 ? files[random.below(files.size())] : files.back();
    auto const& file = disk.names().find(name)->second;
    auto const  how = random.below(4);
    auto const  at = random.below(file->now().size());
    if (how == 0)
        disk.drop(name);
    else if (how == 1)
        file->set_back(at);
    else
        file->flip(at, static_cast<unsigned>(random.below(8)));
    return true;
}

/// Sets a file back to what it was before the last of its writes. False if there is none that may be damaged.
inline bool set_a_file_back(SimulatedDisk& disk, testing::Prng& random)
{
    auto const files = damageable_files(disk);
    if (files.empty())
        return false;
    auto const& file = disk.names().find(files[random.below(files.size())])->second;
    file->set_back(random.below(file->now().size() + 1));
    return true;
}

} // namespace totora::inline v0::simulate
