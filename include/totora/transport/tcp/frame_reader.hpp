// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
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

namespace totora::inline v0
{

/// Cuts frames out of a stream of bytes, and assembles those that come in pieces. Entries stay in the block that they
/// were received into, and keep it alive.
///
/// Invariant: a block with entries that were returned is never written again.
///
/// Memory: a block for what arrives, and of one frame in pieces at most what arrived of it and `part_max`, whatever its
/// header claims. A frame of up to `part_max` is assembled in place; the parts of a longer one are joined when it is
/// complete. Small runs of entries are copied, because a log that keeps 60 bytes would otherwise keep a whole block.
class FrameReader
{
public:
    static constexpr std::size_t block_size = whole_frame_max;
    static constexpr std::size_t part_max = std::size_t{1} << 20U;

    explicit FrameReader(std::uint32_t frame_bytes_max) : frame_bytes_max_(frame_bytes_max) {}

    /// Changes the limit for the frames after the last one that was returned.
    void limit(std::uint32_t frame_bytes_max) { frame_bytes_max_ = frame_bytes_max; }

    /// The space for the next bytes; never empty. Precondition: `next` has returned nothing.
    [[nodiscard]] std::span<std::byte> space()
    {
        auto const needed = header_ ? static_cast<std::size_t>(header_->frame_size()) : frame_header_size;
        if (begin_ == end_ and not block_.lent)
            begin_ = end_ = 0;
        if (end_ == block_.size or block_.size - begin_ < needed or block_.size < wanted())
            make_room();
        return {block_.bytes.get() + end_, block_.size - end_};
    }

    /// Notes that the first `count` bytes of `space()` were filled.
    void arrived(std::size_t count) { end_ += count; }

    /// The next frame, or why it is refused; nothing if more bytes are needed.
    [[nodiscard]] std::optional<Result<Frame, FrameError>> next()
    {
        while (not broken_) {
            if (not header_)
                if (auto const refusal = read_header())
                    return give_up(*refusal);
            if (not header_ or end_ - begin_ < header_->frame_size())
                return std::nullopt;

            auto const header = *std::exchange(header_, std::nullopt);
            auto const body = waiting().subspan(frame_header_size, header.body_size);
            begin_ += static_cast<std::size_t>(header.frame_size());
            if (header.kind != static_cast<std::uint8_t>(FrameKind::piece))
                return checked(in_place(header, body));
            if (auto const refusal = add_piece(header, body))
                return give_up(*refusal);
            if (assembly_ and assembly_->arrived == assembly_->header.frame_size())
                return checked(joined());
        }
        return std::nullopt;
    }

    /// Whether the stream is unusable: nothing is read from it any more.
    [[nodiscard]] bool broken() const { return broken_; }

    /// Whether a part of a frame has arrived.
    [[nodiscard]] bool within_frame() const { return begin_ != end_ or assembly_.has_value(); }

    /// How many bytes are allocated for what has not been returned yet.
    [[nodiscard]] std::size_t held() const
    {
        auto size = block_.size;
        if (assembly_)
            for (auto const& part : assembly_->parts)
                size += part.size;
        return size;
    }

private:
    struct Block
    {
        std::shared_ptr<std::byte[]> bytes;
        std::size_t                  size = 0;
        bool lent = false; ///< Entries or a chunk may point into it, in any thread: it is never written again.
    };

    /// A frame that comes in pieces, as far as it has arrived.
    struct Assembly
    {
        FrameHeader        header;
        std::uint64_t      arrived = 0;
        std::vector<Block> parts; ///< All but the last one full, of `part_max` each.
    };

    [[nodiscard]] static Block allocate(std::size_t size)
    {
        return {std::shared_ptr<std::byte[]>(new std::byte[size]), size, false};
    }

    /// The size of a block: no more than one frame needs. Before a handshake that is little.
    [[nodiscard]] std::size_t wanted() const
    {
        return std::clamp<std::size_t>(frame_bytes_max_, frame_header_size, block_size);
    }

    [[nodiscard]] std::span<std::byte const> waiting() const { return {block_.bytes.get() + begin_, end_ - begin_}; }

    [[nodiscard]] std::optional<FrameError> read_header()
    {
        auto const header = decode_header(waiting(), std::min(frame_bytes_max_, whole_frame_max));
        if (header) {
            header_ = *header;
            return std::nullopt;
        }
        return header.error() == FrameError::truncated ? std::nullopt : std::optional{header.error()};
    }

    [[nodiscard]] Unexpected<FrameError> give_up(FrameError refusal)
    {
        broken_ = true;
        return Unexpected{refusal};
    }

    /// Checks a frame with an intact header: the stream stays usable unless the content was changed on the way.
    [[nodiscard]] Result<Frame, FrameError> checked(Result<Frame, FrameError> frame)
    {
        broken_ = not frame and frame.error() == FrameError::bad_checksum;
        return frame;
    }

    /// Makes room for a whole frame from `begin_` on, and keeps the bytes there.
    void make_room()
    {
        auto const kept = end_ - begin_;
        if (block_.lent or block_.size < wanted()) {
            auto block = allocate(wanted());
            if (kept > 0)
                std::memcpy(block.bytes.get(), block_.bytes.get() + begin_, kept);
            block_ = std::move(block);
        } else {
            std::memmove(block_.bytes.get(), block_.bytes.get() + begin_, kept);
        }
        begin_ = 0;
        end_ = kept;
    }

    /// Adds the next piece of the frame in assembly, or the first one of another.
    [[nodiscard]] std::optional<FrameError> add_piece(FrameHeader const& header, std::span<std::byte const> body)
    {
        auto const piece = decode_piece(header, body);
        if (not piece)
            return piece.error();
        auto bytes = body.subspan(header.fields_size);
        if (piece->offset == 0 and not assembly_) {
            // The frame's length is checked, intact and within the limit, before anything is allocated for it.
            auto const whole = decode_header(bytes, frame_bytes_max_);
            if (not whole)
                return whole.error() == FrameError::truncated ? FrameError::bad_piece : whole.error();
            if (whole->kind == static_cast<std::uint8_t>(FrameKind::piece))
                return FrameError::bad_piece;
            assembly_ = Assembly{*whole, 0, {}};
        }
        if (not assembly_ or bytes.empty() or piece->offset != assembly_->arrived or
            piece->frame_size != assembly_->header.frame_size() or piece->frame_size - piece->offset < bytes.size())
            return FrameError::bad_piece;
        while (not bytes.empty()) {
            auto const at = static_cast<std::size_t>(assembly_->arrived % part_max);
            auto const left = piece->frame_size - assembly_->arrived;
            if (at == 0)
                assembly_->parts.push_back(allocate(static_cast<std::size_t>(std::min<std::uint64_t>(part_max, left))));
            auto const& part = assembly_->parts.back();
            auto const  count = std::min(part.size - at, bytes.size());
            std::memcpy(part.bytes.get() + at, bytes.data(), count);
            assembly_->arrived += count;
            bytes = bytes.subspan(count);
        }
        return std::nullopt;
    }

    [[nodiscard]] Result<Frame, FrameError> joined()
    {
        auto assembly = *std::exchange(assembly_, std::nullopt);
        auto whole = std::move(assembly.parts.front());
        if (assembly.parts.size() > 1) {
            auto const first = std::exchange(whole, allocate(static_cast<std::size_t>(assembly.header.frame_size())));
            std::memcpy(whole.bytes.get(), first.bytes.get(), first.size);
            auto* to = whole.bytes.get() + first.size;
            for (auto at = std::size_t{1}; at < assembly.parts.size(); ++at) {
                std::memcpy(to, assembly.parts[at].bytes.get(), assembly.parts[at].size);
                to += assembly.parts[at].size;
            }
        }
        return decode_body(assembly.header, std::span{whole.bytes.get(), whole.size}.subspan(frame_header_size),
                           whole.bytes);
    }

    [[nodiscard]] Result<Frame, FrameError> in_place(FrameHeader const& header, std::span<std::byte const> body)
    {
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
    std::optional<Assembly>    assembly_;
    bool                       broken_ = false;
};

} // namespace totora::inline v0
