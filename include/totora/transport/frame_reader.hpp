// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/result.hpp"
#include "totora/wire/decode.hpp"
#include "totora/wire/frame.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace totora
{

/// Cuts frames out of a stream of bytes. Entries stay in the block that they were received into, and keep it alive.
///
/// Memory: until a frame is there, at most what arrived of it and one block, whatever its header says. A frame of up
/// to `block_max` is received into one block; a longer one into several, and joined when it is complete.
/// Small runs of entries are copied out, because a log that kept 60 bytes would otherwise keep a whole block.
class FrameReader
{
public:
    static constexpr std::size_t block_size = std::size_t{64} << 10U;
    static constexpr std::size_t block_max = std::size_t{1} << 20U;

    explicit FrameReader(std::uint32_t frame_bytes_max) : frame_bytes_max_(frame_bytes_max) {}

    /// Changes the limit for the frames behind the last one that was returned.
    void limit(std::uint32_t frame_bytes_max) { frame_bytes_max_ = frame_bytes_max; }

    /// Where the next bytes are to be put; never empty. Call `next` until it returns nothing before this.
    [[nodiscard]] std::span<std::byte> space()
    {
        if (header_ and header_->frame_size() > block_max)
            return space_for_part();
        auto const needed = header_ ? static_cast<std::size_t>(header_->frame_size()) : frame_header_size;
        if (begin_ == end_ and not block_.lent)
            begin_ = end_ = 0;
        if (end_ == block_.size or block_.size - begin_ < needed)
            make_room(needed);
        return {block_.bytes.get() + end_, block_.size - end_};
    }

    /// Says that the first `count` bytes of `space()` were filled.
    void arrived(std::size_t count)
    {
        if (header_ and header_->frame_size() > block_max)
            parts_.back().filled += count;
        else
            end_ += count;
    }

    /// The next frame, or why it is refused; nothing if more bytes are needed.
    [[nodiscard]] std::optional<Result<Frame, FrameRefusal>> next()
    {
        if (broken_)
            return std::nullopt;
        if (not header_)
            if (auto const refusal = read_header()) {
                broken_ = true;
                return Unexpected{*refusal};
            }
        if (not header_ or arrived_of_frame() < header_->frame_size())
            return std::nullopt;

        auto const header = *std::exchange(header_, std::nullopt);
        auto       frame = header.frame_size() > block_max ? joined(header) : in_place(header);
        // The header was intact, so that the next frame is where it said, unless somebody changes bytes on the way.
        broken_ = not frame and frame.error() == FrameRefusal::bad_checksum;
        return frame;
    }

    /// Whether the stream can no longer be trusted: nothing is read from it any more.
    [[nodiscard]] bool broken() const { return broken_; }

    /// How many bytes are allocated for what has not been returned yet.
    [[nodiscard]] std::size_t held() const
    {
        auto size = block_.size;
        for (auto const& part : parts_)
            size += part.block.size;
        return size;
    }

private:
    struct Block
    {
        std::shared_ptr<std::byte[]> bytes;
        std::size_t                  size = 0;
        bool lent = false; ///< Entries may point into it, in any thread: it is never written again.
    };

    /// A part of a frame that is longer than a block may be.
    struct Part
    {
        Block       block;
        std::size_t filled = 0;
    };

    [[nodiscard]] static Block allocate(std::size_t size)
    {
        return {std::shared_ptr<std::byte[]>(new std::byte[size]), size, false};
    }

    [[nodiscard]] std::span<std::byte const> waiting() const { return {block_.bytes.get() + begin_, end_ - begin_}; }

    [[nodiscard]] std::uint64_t arrived_of_frame() const
    {
        if (header_->frame_size() <= block_max)
            return end_ - begin_;
        auto count = std::uint64_t{0};
        for (auto const& part : parts_)
            count += part.filled;
        return count;
    }

    [[nodiscard]] std::optional<FrameRefusal> read_header()
    {
        auto const header = decode_header(waiting(), frame_bytes_max_);
        if (header) {
            header_ = *header;
            if (header->frame_size() > block_max)
                begin_parts();
            return std::nullopt;
        }
        return header.error() == FrameRefusal::truncated ? std::nullopt : std::optional{header.error()};
    }

    /// Makes `needed` bytes fit behind `begin_`, keeping what waits there.
    void make_room(std::size_t needed)
    {
        auto const kept = end_ - begin_;
        if (block_.lent or block_.size < needed) {
            auto block = allocate(std::max(needed, block_size));
            if (kept > 0)
                std::memcpy(block.bytes.get(), block_.bytes.get() + begin_, kept);
            block_ = std::move(block);
        } else {
            std::memmove(block_.bytes.get(), block_.bytes.get() + begin_, kept);
        }
        begin_ = 0;
        end_ = kept;
    }

    /// Moves what waits, which is the beginning of a long frame and nothing else, to its first part.
    void begin_parts()
    {
        auto const kept = waiting();
        auto       part = Part{allocate(std::max(kept.size(), block_size)), kept.size()};
        std::memcpy(part.block.bytes.get(), kept.data(), kept.size());
        parts_.push_back(std::move(part));
        block_ = Block{};
        begin_ = 0;
        end_ = 0;
    }

    [[nodiscard]] std::span<std::byte> space_for_part()
    {
        auto const left = header_->frame_size() - arrived_of_frame();
        if (parts_.back().filled == parts_.back().block.size)
            parts_.push_back({allocate(static_cast<std::size_t>(std::min<std::uint64_t>(block_max, left))), 0});
        auto const& [block, filled] = parts_.back();
        auto const free = std::min<std::uint64_t>(block.size - filled, left);
        return {block.bytes.get() + filled, static_cast<std::size_t>(free)};
    }

    [[nodiscard]] Result<Frame, FrameRefusal> joined(FrameHeader const& header)
    {
        auto const whole = allocate(static_cast<std::size_t>(header.frame_size()));
        auto*      to = whole.bytes.get();
        for (auto const& [block, filled] : std::exchange(parts_, {})) {
            std::memcpy(to, block.bytes.get(), filled);
            to += filled;
        }
        return decode_body(header, std::span{whole.bytes.get(), whole.size}.subspan(frame_header_size), whole.bytes);
    }

    [[nodiscard]] Result<Frame, FrameRefusal> in_place(FrameHeader const& header)
    {
        auto const body = waiting().subspan(frame_header_size, header.body_size);
        begin_ += static_cast<std::size_t>(header.frame_size());

        auto const entry_bytes = std::size_t{header.body_size - header.fields_size};
        if (entry_bytes == 0)
            return decode_body(header, body, nullptr);
        if (entry_bytes * 8 >= block_.size) {
            block_.lent = true;
            return decode_body(header, body, block_.bytes);
        }
        auto const own = allocate(body.size());
        std::memcpy(own.bytes.get(), body.data(), body.size());
        return decode_body(header, std::span{own.bytes.get(), own.size}, own.bytes);
    }

    std::uint32_t              frame_bytes_max_;
    Block                      block_;
    std::size_t                begin_ = 0; ///< Of what was not returned yet.
    std::size_t                end_ = 0;   ///< Of what has arrived.
    std::optional<FrameHeader> header_;    ///< Of the frame that begins at `begin_`, once it is there.
    std::vector<Part>          parts_;
    bool                       broken_ = false;
};

} // namespace totora
