// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// Bytes, and what keeps them alive and unchanged. The last pin may be let go on another thread than the one that made it.
struct PinnedBytes
{
    std::shared_ptr<void const> pin;
    std::span<std::byte const>  bytes;
};

/// The bytes that travel beside a message, pinned, in slices: encoded entries (`Entries`), or a chunk of a snapshot.
/// Copying copies no byte.
class Payload
{
public:
    Payload() = default;
    explicit Payload(PinnedBytes chunk) { add(std::move(chunk)); }

    [[nodiscard]] bool          empty() const { return slices_ == 0; }
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; } ///< Of entries, headers included.

    [[nodiscard]] std::size_t        slice_count() const { return slices_; }
    [[nodiscard]] PinnedBytes const& slice(std::size_t at) const { return slices_ == 1 ? one_ : many_[at]; }

    /// The memory that the bytes stand in, in order, for what writes or checks them whole, without decoding. Lasts as long as
    /// this object and is not moved with it.
    [[nodiscard]] std::span<PinnedBytes const> slices() const
    {
        return slices_ == 1 ? std::span<PinnedBytes const>{&one_, 1} : std::span<PinnedBytes const>{many_};
    }

protected:
    /// Adds bytes that follow what is there. An empty slice is not added.
    void add(PinnedBytes slice)
    {
        if (slice.bytes.empty())
            return;
        bytes_ += slice.bytes.size();
        if (slices_ == 0) {
            one_ = std::move(slice);
        } else {
            if (slices_ == 1) {
                many_.reserve(2);
                many_.push_back(std::exchange(one_, {}));
            }
            many_.push_back(std::move(slice));
        }
        ++slices_;
    }

private:
    PinnedBytes              one_; ///< Most payloads are one slice, and should not allocate.
    std::vector<PinnedBytes> many_;
    std::size_t              slices_ = 0;
    std::uint64_t            bytes_ = 0;
};

} // namespace totora::inline v0
