// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/data/entry.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace totora::inline v0
{

/// The file that counts the starts.
inline constexpr std::string_view run_name = "run";
inline constexpr FileMagic        run_magic{"totorarn"};

/// The newest start of a process on this directory, and what was certainly durable then.
///
/// The content of the file "run": start, generation, batch (8 bytes each), clean (1 byte).
struct StartMark
{
    std::uint64_t start = 0;      ///< Counts the starts, from 1 on.
    std::uint64_t generation = 0; ///< The segment in use; 0 if there was none yet.
    std::uint64_t batch = 0;      ///< Everything up to this batch is durable.
    bool          clean = false;  ///< The process stopped cleanly, and `batch` is the last one.

    friend constexpr bool operator==(StartMark const&, StartMark const&) = default;
};

/// Writes the `StartMark`.
template <log_files Files>
[[nodiscard]] Result<Done, FileError> write_run_mark(Files& files, StartMark const& mark)
{
    auto  bytes = std::vector<std::byte>(25);
    auto* to = put(put(put(bytes.data(), mark.start), mark.generation), mark.batch);
    put(to, static_cast<std::uint8_t>(mark.clean ? 1 : 0));
    return write_sealed(files, run_name, run_magic, bytes);
}

/// Reads the `StartMark`; its zero value if no process ever started here.
template <log_files Files>
[[nodiscard]] Result<StartMark, LogError> read_run_mark(Files& files)
{
    auto const names = files.names();
    if (not names)
        return not_read(names.error());
    if (std::find(names->begin(), names->end(), run_name) == names->end())
        return StartMark{};
    auto const bytes = read_sealed(files, run_name, run_magic);
    if (not bytes)
        return Unexpected{bytes.error()};
    if (bytes->size() < 25)
        return log_failure(LogFailure::damaged, "The file run is too short. Restore the directory.");
    auto const* const from = bytes->data();
    return StartMark{get<std::uint64_t>(from), get<std::uint64_t>(from + 8), get<std::uint64_t>(from + 16),
                     get<std::uint8_t>(from + 24) != 0};
}

} // namespace totora::inline v0
