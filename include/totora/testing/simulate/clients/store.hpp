// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/policy/snapshot_machine.hpp"
#include "totora/testing/prng.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace totora::inline v0::simulate
{

/// A request of a client of the simulated store. Values are above 0; 0 is a key that is absent.
struct StoreCommand
{
    enum class Kind : std::uint8_t
    {
        put,
        compare_and_set,
        get,
    };

    std::uint64_t number = 0; ///< Of the proposal, unique in a run.
    std::uint32_t key = 0;
    Kind          kind{};
    std::uint64_t value = 0;
    std::uint64_t expected = 0;
};

inline constexpr std::size_t store_command_size = 29;

/// Writes a command; the caller fills the payload up to a larger size.
inline void encode_command(std::span<std::byte> into, StoreCommand const& command)
{
    auto* to = put(put(into.data(), command.number), command.key);
    put(put(put(to, static_cast<std::uint8_t>(command.kind)), command.value), command.expected);
}

[[nodiscard]] inline StoreCommand decode_command(std::span<std::byte const> payload)
{
    auto const* const from = payload.data();
    return {get<std::uint64_t>(from), get<std::uint32_t>(from + 8),
            static_cast<StoreCommand::Kind>(get<std::uint8_t>(from + 12)), get<std::uint64_t>(from + 13),
            get<std::uint64_t>(from + 21)};
}

/// The state machine of the simulation: a key-value store with compare-and-set. Its digest covers everything that it
/// ever applied and answered, so that two machines with equal digests have the same history.
class Store
{
public:
    using Response = std::uint64_t; ///< The value of a get; whether a compare-and-set did set, 0 or 1; 0 for a put.

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        for (auto const& entry : commands) {
            auto const command = decode_command(entry.payload);
            responses.push_back(apply(command));
            digest_ = testing::mixed(digest_ ^ entry.index.value);
            digest_ = testing::mixed(digest_ ^ command.number);
            digest_ = testing::mixed(digest_ ^ responses.back());
            applied_ = entry.index;
        }
    }

    /// Its state survives restarts, unless it is made again.
    [[nodiscard]] Index applied_index() const { return applied_; }

    /// All of it, as bytes: the digest, the index, and the values.
    class Capture
    {
    public:
        explicit Capture(Store const& store) : bytes_(16 + 8 * store.values_.size())
        {
            auto* to = put(put(bytes_.data(), store.digest_), store.applied_.value);
            for (auto const value : store.values_)
                to = put(to, value);
        }

        void write(SnapshotSink& sink) const { sink.write(bytes_); }

        [[nodiscard]] bool write_part(SnapshotSink& sink, std::uint64_t part) const
        {
            auto const from = static_cast<std::size_t>(part) * part_size;
            sink.write(std::span{bytes_}.subspan(from, std::min(part_size, bytes_.size() - from)));
            return from + part_size < bytes_.size();
        }

    private:
        static constexpr std::size_t part_size = 100;

        std::vector<std::byte> bytes_;
    };

    [[nodiscard]] Capture       capture() const { return Capture{*this}; }
    [[nodiscard]] std::uint32_t snapshot_format() const { return 1; }

    [[nodiscard]] std::optional<std::string> restore(SnapshotSource& source)
    {
        auto numbers = std::vector<std::uint64_t>{};
        auto bytes = std::array<std::byte, 8>{};
        auto got = source.read(bytes);
        for (; got == bytes.size(); got = source.read(bytes))
            numbers.push_back(get<std::uint64_t>(bytes.data()));
        if (got != 0 or numbers.size() < 2 or source.format() != 1)
            return "this is no snapshot of a store";
        digest_ = numbers[0];
        applied_ = Index{numbers[1]};
        values_.assign(numbers.begin() + 2, numbers.end());
        of_values_ = 0;
        for (auto key = std::size_t{0}; key < values_.size(); ++key)
            of_values_ ^= digest_of(key, values_[key]);
        return std::nullopt;
    }

    [[nodiscard]] std::uint64_t digest() const { return digest_ ^ of_values_; }
    [[nodiscard]] std::uint64_t value(std::uint32_t key) const { return key < values_.size() ? values_[key] : 0; }

private:
    /// Of a key that is there; nothing of one that is absent.
    [[nodiscard]] static std::uint64_t digest_of(std::size_t key, std::uint64_t value)
    {
        return value == 0 ? 0 : testing::mixed(testing::mixed(key) ^ value);
    }

    [[nodiscard]] Response apply(StoreCommand const& command)
    {
        if (command.key >= values_.size())
            values_.resize(command.key + std::size_t{1});
        auto& value = values_[command.key];
        if (command.kind == StoreCommand::Kind::get)
            return value;
        auto const sets = command.kind == StoreCommand::Kind::put or value == command.expected;
        if (sets) {
            of_values_ ^= digest_of(command.key, value) ^ digest_of(command.key, command.value);
            value = command.value;
        }
        return command.kind == StoreCommand::Kind::compare_and_set and sets ? 1 : 0;
    }

    std::vector<std::uint64_t> values_;     ///< By key; keys are small and dense.
    std::uint64_t              digest_ = 0; ///< Of what was applied and answered.
    std::uint64_t of_values_ = 0; ///< Of what is there: a value that is wrong shows before anyone asks for it.
    Index         applied_;
};

static_assert(snapshot_machine<Store>);

} // namespace totora::inline v0::simulate
