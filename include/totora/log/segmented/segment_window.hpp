// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/segmented/segment_name.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// The source of a survey whose bytes are all in memory.
struct BytesInMemory
{
    std::span<std::byte const> all;

    [[nodiscard]] std::uint64_t size() const { return all.size(); }

    [[nodiscard]] std::span<std::byte const> bytes(std::uint64_t offset, std::uint64_t count) const
    {
        auto const begin = std::min<std::uint64_t>(offset, all.size());
        return all.subspan(static_cast<std::size_t>(begin),
                           static_cast<std::size_t>(std::min<std::uint64_t>(count, all.size() - begin)));
    }
};

/// The source of a survey that keeps a part of a segment in memory: whatever the size of segments, recovery needs no
/// more memory than this part, or than the largest record if that is larger.
template <typename File>
class SegmentWindow
{
public:
    static constexpr std::uint64_t window_size = std::uint64_t{1} << 20U;

    SegmentWindow(File file, std::uint64_t size) : file_(std::move(file)), size_(size) {}

    [[nodiscard]] std::uint64_t size() const { return size_; }

    /// Sets how much is read at once, of what is read in a row.
    void read_at_once(std::uint64_t bytes) { at_once_ = bytes; }

    /// Ends the segment here at the latest.
    void limit(std::uint64_t size) { size_ = std::min(size_, size); }

    /// The bytes from `offset` on, as many as there are; valid until the next call. None after a failure.
    [[nodiscard]] std::span<std::byte const> bytes(std::uint64_t offset, std::uint64_t count)
    {
        offset = std::min(offset, size_);
        count = std::min(count, size_ - offset);
        if (offset < begin_ or offset + count > begin_ + window_.size())
            fill(offset, std::min(std::max(count, at_once_), size_ - offset));
        if (offset < begin_ or offset + count > begin_ + window_.size())
            return {};
        return std::span<std::byte const>{window_}.subspan(static_cast<std::size_t>(offset - begin_),
                                                           static_cast<std::size_t>(count));
    }

    /// Set when a read failed; the result of the survey is invalid then.
    [[nodiscard]] std::optional<FileError> const& failure() const { return failure_; }

private:
    void fill(std::uint64_t offset, std::uint64_t count)
    {
        begin_ = offset;
        window_.resize(failure_ ? 0 : static_cast<std::size_t>(count));
        auto const got = file_.read(offset, window_);
        if (not got)
            failure_ = got.error();
        window_.resize(got ? *got : 0);
    }

    File                     file_;
    std::uint64_t            size_;
    std::uint64_t            at_once_ = window_size;
    std::uint64_t            begin_ = 0; ///< Of the window, in the file.
    std::vector<std::byte>   window_;
    std::optional<FileError> failure_;
};

/// Opens a segment, as far as `size_max`.
template <log_files Files>
[[nodiscard]] Result<SegmentWindow<typename Files::File>, FileError>
open_window(Files& files, std::uint64_t generation, std::uint64_t size_max)
{
    auto file = files.open(segment_name(generation));
    if (not file)
        return Unexpected{file.error()};
    auto const size = file->size();
    if (not size)
        return Unexpected{size.error()};
    return SegmentWindow<typename Files::File>{std::move(*file), std::min(*size, size_max)};
}

} // namespace totora::inline v0
