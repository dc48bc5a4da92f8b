// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../protocol/resp.hpp"
#include "apply_order.hpp"
#include "store_snapshot.hpp"
#include "values.hpp"

#include "totora/data/entry.hpp"
#include "totora/policy/snapshot_machine.hpp"

#include <range/v3/view/chunk.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace kv
{

/// What can be asked of the store so that all servers do it. The numbers stand in the log: never change one, nor what it
/// does with any words, or servers that apply the same log again come to another state. A server of an older version does
/// nothing for a number that it does not know: so all servers are replaced before clients use what is new.
enum class Operation : std::uint8_t
{
    set = 1,       ///< Key, value. Takes the options of SET.
    remove = 2,    ///< Keys.
    increment = 3, ///< Key.
    set_many = 4,  ///< Key, value, key, value, ...
    announce = 5,  ///< A server's id (8 bytes) and where its clients find it: a leader's, or a follower's that asks it.
    add = 6,       ///< Key, number (8 bytes).
    append = 7,    ///< Key, what is added to the end of its value.
    exchange = 8,  ///< Key, value. Answers the value before.
    clear = 9,     ///< No words: removes all keys.
};

/// The largest value that `append` makes; that of a client's words besides. It too stands in the log.
inline constexpr std::size_t value_bytes_max = std::size_t{8} << 20U;

/// The options of SET, as bits. They too stand in the log.
inline constexpr std::uint8_t only_if_absent = 1;
inline constexpr std::uint8_t only_if_present = 2;

/// A command as the payload of an entry: operation (1 byte), options (1), then each word with its length (4) before it.
inline void encode_command(std::vector<std::byte>& payload, Operation operation, std::uint8_t options,
                           std::span<std::string_view const> words)
{
    auto size = std::size_t{2};
    for (auto const word : words)
        size += 4 + word.size();
    payload.resize(size);
    auto* to = totora::put(payload.data(), static_cast<std::uint8_t>(operation));
    to = totora::put(to, options);
    for (auto const word : words) {
        to = totora::put(to, static_cast<std::uint32_t>(word.size()));
        std::memcpy(to, word.data(), word.size());
        to += word.size();
    }
}

/// A number as a word of a command: `bytes` hold it.
[[nodiscard]] inline std::string_view encode_number(std::array<std::byte, 8>& bytes, std::uint64_t number)
{
    totora::put(bytes.data(), number);
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

/// The command by which a leader announces where clients find a server: itself, or a follower that asked for it (ANNOUNCE).
inline void encode_announcement(std::vector<std::byte>& payload, totora::ServerId server, std::string_view address)
{
    auto       id = std::array<std::byte, 8>{};
    auto const words = std::array{encode_number(id, server.value), address};
    encode_command(payload, Operation::announce, 0, words);
}

/// What a command comes back with.
struct Stored
{};
struct Nothing
{};
struct Number
{
    std::int64_t value = 0;
};
struct Complaint
{
    std::string_view what; ///< A literal.
};
struct OldValue
{
    std::string text; ///< Taken out of the store, so that the answers to many commands cost no memory.
};
using Answer = std::variant<Stored, Nothing, Number, Complaint, OldValue>;

/// The state machine: keys and their values, in memory. A restart rebuilds it from its newest snapshot and the log after that.
class KeyValue
{
public:
    using Response = Answer;
    using Capture = StoreCapture;

    void apply(std::span<totora::EntryView const> commands, std::vector<Response>& responses)
    {
        for (auto const& command : commands) {
            if (order_ != nullptr)
                order_->reach({command.term, command.index});
            responses.push_back(apply(command.payload));
        }
    }

    [[nodiscard]] totora::Index applied_index() const { return {}; }

    /// All keys and values, and where clients find servers, as they are now.
    [[nodiscard]] Capture capture() const { return {values_.capture(), client_addresses_}; }

    [[nodiscard]] std::uint32_t snapshot_format() const { return store_format; }

    /// Puts what a capture wrote in place of all there is; otherwise says why not, and nothing has changed.
    [[nodiscard]] std::optional<std::string> restore(totora::SnapshotSource& source)
    {
        auto read = Values{};
        auto addresses = ClientAddresses{};
        auto refusal = read_store(source, read, addresses);
        if (refusal)
            return values_.discard(read), refusal;
        values_.take(read);
        client_addresses_ = std::move(addresses);
        return std::nullopt;
    }

    /// Lets `order`, which outlives this, know of each command before it is applied.
    void set_order(ApplyOrder& order) { order_ = &order; }

    /// The value of a key, or null.
    [[nodiscard]] std::string const* find(std::string_view key) const { return values_.find(key); }

    [[nodiscard]] std::size_t size() const { return values_.size(); }

    /// The keys in the order of a scan (`Values::walk`).
    template <typename Visit>
    [[nodiscard]] std::uint64_t walk(std::uint64_t position, Visit visit) const
    {
        return values_.walk(position, std::move(visit));
    }

    /// Frees memory of keys that were removed together, for some hundred microseconds. Whether there is more.
    [[nodiscard]] bool sweep() { return values_.sweep(swept_per_turn); }

    /// Where the clients of a server find it, if it was ever announced; otherwise empty.
    [[nodiscard]] std::string_view client_address(totora::ServerId server) const
    {
        auto const found = client_addresses_.find(server);
        return found == client_addresses_.end() ? std::string_view{} : found->second;
    }

private:
    /// All servers must come to the same answer, also for bytes that no server of this version wrote.
    [[nodiscard]] Answer apply(std::span<std::byte const> payload)
    {
        constexpr auto unreadable = Complaint{"ERR unreadable command in the log"};
        if (payload.size() < 2 or not read_words(payload.subspan(2)))
            return unreadable;
        auto const options = static_cast<std::uint8_t>(payload[1]);
        switch (static_cast<Operation>(payload[0])) {
        case Operation::set:
            return words_.size() == 2 ? set(words_[0], words_[1], options) : Answer{unreadable};
        case Operation::remove:
            return remove();
        case Operation::increment:
            return words_.size() == 1 ? add(words_[0], 1) : Answer{unreadable};
        case Operation::set_many:
            return words_.size() % 2 == 0 ? set_many() : Answer{unreadable};
        case Operation::announce:
            return announce() ? Answer{Stored{}} : Answer{unreadable};
        case Operation::add:
            return words_.size() == 2 and words_[1].size() == 8
                       ? add(words_[0], static_cast<std::int64_t>(number_in(words_[1])))
                       : Answer{unreadable};
        case Operation::append:
            return words_.size() == 2 ? append(words_[0], words_[1]) : Answer{unreadable};
        case Operation::exchange:
            return words_.size() == 2 ? exchange(words_[0], words_[1]) : Answer{unreadable};
        case Operation::clear:
            if (not words_.empty())
                return unreadable;
            values_.clear();
            return Stored{};
        }
        return unreadable;
    }

    [[nodiscard]] bool read_words(std::span<std::byte const> bytes)
    {
        words_.clear();
        while (not bytes.empty()) {
            if (bytes.size() < 4)
                return false;
            auto const length = std::size_t{totora::get<std::uint32_t>(bytes.data())};
            if (bytes.size() - 4 < length)
                return false;
            words_.emplace_back(reinterpret_cast<char const*>(bytes.data() + 4), length);
            bytes = bytes.subspan(4 + length);
        }
        return true;
    }

    [[nodiscard]] Answer set(std::string_view key, std::string_view value, std::uint8_t options)
    {
        auto const is_present = find(key) != nullptr;
        auto const is_refused =
            (is_present and (options & only_if_absent) != 0) or (not is_present and (options & only_if_present) != 0);
        auto answer = is_refused ? Answer{Nothing{}} : Answer{Stored{}};
        if (not is_refused)
            values_.put(key, value);
        return answer;
    }

    [[nodiscard]] Answer remove()
    {
        auto removed = Number{};
        for (auto const key : words_)
            removed.value += values_.erase(key) ? 1 : 0;
        return removed;
    }

    [[nodiscard]] Answer add(std::string_view key, std::int64_t more)
    {
        using limits = std::numeric_limits<std::int64_t>;
        auto const* const value = find(key);
        auto const        number = value == nullptr ? std::optional{std::int64_t{0}} : parse_integer(*value);
        if (not number)
            return Complaint{"ERR value is not an integer or out of range"};
        if (more > 0 ? *number > limits::max() - more : *number < limits::min() - more)
            return Complaint{"ERR increment or decrement would overflow"};
        values_.put(key, std::to_string(*number + more));
        return Number{*number + more};
    }

    [[nodiscard]] Answer append(std::string_view key, std::string_view more)
    {
        auto* const value = values_.find_to_change(key);
        if ((value == nullptr ? 0 : value->size()) + more.size() > value_bytes_max)
            return Complaint{"ERR string exceeds maximum allowed size (8 MiB)"};
        if (value == nullptr)
            values_.put(key, more);
        else
            value->append(more);
        return Number{static_cast<std::int64_t>(value == nullptr ? more.size() : value->size())};
    }

    [[nodiscard]] Answer exchange(std::string_view key, std::string_view value)
    {
        auto* const before = values_.find_to_change(key);
        if (before != nullptr)
            return OldValue{std::exchange(*before, std::string{value})};
        values_.put(key, value);
        return Nothing{};
    }

    [[nodiscard]] Answer set_many()
    {
        for (auto const pair : words_ | ranges::views::chunk(2))
            values_.put(pair[0], pair[1]);
        return Stored{};
    }

    [[nodiscard]] bool announce()
    {
        if (words_.size() != 2 or words_[0].size() != 8)
            return false;
        client_addresses_[totora::ServerId{number_in(words_[0])}] = words_[1];
        return true;
    }

    /// What `encode_number` wrote.
    [[nodiscard]] static std::uint64_t number_in(std::string_view word)
    {
        return totora::get<std::uint64_t>(reinterpret_cast<std::byte const*>(word.data()));
    }

    static constexpr std::size_t swept_per_turn = 1'000;

    Values                        values_;
    ClientAddresses               client_addresses_;
    std::vector<std::string_view> words_; ///< Of the command at hand.
    ApplyOrder*                   order_ = nullptr;
};

static_assert(totora::snapshot_machine<KeyValue>);

} // namespace kv
