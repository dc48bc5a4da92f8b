// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "values.hpp"

#include "totora/core/values/types.hpp"
#include "totora/data/numbers.hpp"
#include "totora/policy/snapshot_machine.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace kv
{

/// Where the clients of each server find it.
using ClientAddresses = std::map<totora::ServerId, std::string>;

/// The format of a snapshot of the store. A later one gets the next number, and this one stays readable.
///
///     addresses (4)  then each: server (8), length (4), address
///     keys (8)       then each: length of the key (4), of the value (4), key, value
inline constexpr std::uint32_t store_format = 1;

/// The store at one moment.
class StoreCapture
{
public:
    StoreCapture(Values::Capture values, ClientAddresses addresses)
        : values_(std::move(values)), addresses_(std::move(addresses))
    {}

    void write(totora::SnapshotSink& sink) const
    {
        for (auto part = std::uint64_t{0}; write_part(sink, part);)
            ++part;
    }

    /// Parts are written in their order: part 0 first, or again. Each is about 256 KiB, or one bucket if that is larger.
    [[nodiscard]] bool write_part(totora::SnapshotSink& sink, std::uint64_t part) const
    {
        if (part == 0) {
            next_bucket_ = 0;
            write_head(sink);
        }
        auto written = std::size_t{0};
        for (auto buckets = 0; buckets < buckets_in_part and next_bucket_ < values_.buckets(); ++buckets) {
            values_.walk(next_bucket_++, [&](std::string const& key, std::string const& value) {
                auto head = std::array<std::byte, 8>{};
                totora::put(totora::put(head.data(), static_cast<std::uint32_t>(key.size())),
                            static_cast<std::uint32_t>(value.size()));
                sink.write(head);
                sink.write(std::as_bytes(std::span{key}));
                sink.write(std::as_bytes(std::span{value}));
                written += head.size() + key.size() + value.size();
            });
            if (written >= part_bytes)
                break;
        }
        return next_bucket_ < values_.buckets();
    }

private:
    static constexpr std::size_t part_bytes = std::size_t{256} << 10U;
    static constexpr int         buckets_in_part = 4096; ///< Most of which may be empty.

    void write_head(totora::SnapshotSink& sink) const
    {
        auto       number = std::array<std::byte, 8>{};
        auto const four = std::span{number}.first<4>();
        totora::put(number.data(), static_cast<std::uint32_t>(addresses_.size()));
        sink.write(four);
        for (auto const& [server, address] : addresses_) {
            totora::put(number.data(), server.value);
            sink.write(number);
            totora::put(number.data(), static_cast<std::uint32_t>(address.size()));
            sink.write(four);
            sink.write(std::as_bytes(std::span{address}));
        }
        totora::put(number.data(), std::uint64_t{values_.size()});
        sink.write(number);
    }

    Values::Capture     values_;
    ClientAddresses     addresses_;
    mutable std::size_t next_bucket_ = 0; ///< Where the next part begins. Who writes is one thread.
};

/// Reads what a capture wrote, and cuts it into numbers and texts.
class StoreReader
{
public:
    explicit StoreReader(totora::SnapshotSource& source) : source_(source) {}

    template <typename Number>
    [[nodiscard]] Number number()
    {
        auto bytes = std::array<std::byte, sizeof(Number)>{};
        take(bytes);
        return is_short_ ? Number{0} : totora::get<Number>(bytes.data());
    }

    /// A text of this length. Its memory grows with what is there: a length that is wrong costs nothing.
    void text(std::string& into, std::size_t length)
    {
        into.clear();
        while (length > 0 and not is_short_) {
            auto const piece = std::min(length, std::size_t{1} << 20U);
            into.resize(into.size() + piece);
            take(std::as_writable_bytes(std::span{into}.last(piece)));
            length -= piece;
        }
    }

    [[nodiscard]] bool is_short() const { return is_short_; }

    [[nodiscard]] bool is_at_end()
    {
        auto byte = std::array<std::byte, 1>{};
        return source_.read(byte) == 0;
    }

private:
    void take(std::span<std::byte> into) { is_short_ = is_short_ or source_.read(into) < into.size(); }

    totora::SnapshotSource& source_;
    bool                    is_short_ = false;
};

/// Reads a snapshot into an empty table. Why it cannot be read, if that is so.
[[nodiscard]] inline std::optional<std::string>
read_store(totora::SnapshotSource& source, Values& values, ClientAddresses& addresses)
{
    if (source.format() != store_format)
        return "it is of format " + std::to_string(source.format()) + ", and this server reads format " +
               std::to_string(store_format) + ": it takes a newer server";
    auto reader = StoreReader{source};
    auto key = std::string{};
    auto value = std::string{};
    for (auto left = reader.number<std::uint32_t>(); left > 0 and not reader.is_short(); --left) {
        auto const server = totora::ServerId{reader.number<std::uint64_t>()};
        reader.text(addresses[server], reader.number<std::uint32_t>());
    }
    auto const keys = reader.number<std::uint64_t>();
    for (auto left = keys; left > 0 and not reader.is_short(); --left) {
        auto const key_size = reader.number<std::uint32_t>();
        auto const value_size = reader.number<std::uint32_t>();
        reader.text(key, key_size);
        reader.text(value, value_size);
        if (not reader.is_short())
            values.put(key, value);
    }
    if (reader.is_short())
        return "it ends before its last key";
    if (values.size() != keys or not reader.is_at_end())
        return "it holds other keys than it says";
    return std::nullopt;
}

} // namespace kv
