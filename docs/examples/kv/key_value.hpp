// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "resp.hpp"
#include "values.hpp"

#include "totora/policy/entry.hpp"
#include "totora/policy/state_machine.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace kv
{

/// What can be asked of the store so that all servers do it. The numbers stand in the log: never change one.
enum class Operation : std::uint8_t
{
    set = 1,       ///< Key, value. Takes the options of SET.
    remove = 2,    ///< Keys.
    increment = 3, ///< Key.
    set_many = 4,  ///< Key, value, key, value, ...
    announce = 5,  ///< A server's id (8 bytes) and where its clients find it: said by each leader as its term begins.
};

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

/// The command with which a leader tells where its clients find it.
inline void encode_announcement(std::vector<std::byte>& payload, totora::ServerId server, std::string_view address)
{
    auto id = std::array<std::byte, 8>{};
    totora::put(id.data(), server.value);
    auto const words = std::array{std::string_view{reinterpret_cast<char const*>(id.data()), id.size()}, address};
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
    std::string_view sentence; ///< A literal.
};
using Answer = std::variant<Stored, Nothing, Number, Complaint>;

/// The state machine: keys and their values, in memory. It keeps nothing over a restart, and is then rebuilt by
/// applying the log from its first entry on.
class KeyValue
{
public:
    using Response = Answer;

    void apply(std::span<totora::EntryView const> commands, std::vector<Response>& responses)
    {
        for (auto const& command : commands)
            responses.push_back(apply(command.payload));
    }

    [[nodiscard]] totora::Index applied_index() const { return {}; }

    /// The value of a key, or null.
    [[nodiscard]] std::string const* find(std::string_view key) const { return values_.find(key); }

    [[nodiscard]] std::size_t size() const { return values_.size(); }

    /// Where the clients of a server find it, if it ever led and said so; otherwise empty.
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
            return words_.size() == 1 ? increment(words_[0]) : Answer{unreadable};
        case Operation::set_many:
            return words_.size() % 2 == 0 ? set_many() : Answer{unreadable};
        case Operation::announce:
            return announce() ? Answer{Stored{}} : Answer{unreadable};
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

    [[nodiscard]] Answer increment(std::string_view key)
    {
        auto const* const value = find(key);
        auto const        number = value == nullptr ? std::optional{std::int64_t{0}} : parse_integer(*value);
        if (not number)
            return Complaint{"ERR value is not an integer or out of range"};
        if (*number == std::numeric_limits<std::int64_t>::max())
            return Complaint{"ERR increment or decrement would overflow"};
        values_.put(key, std::to_string(*number + 1));
        return Number{*number + 1};
    }

    [[nodiscard]] Answer set_many()
    {
        for (auto at = std::size_t{0}; at < words_.size(); at += 2)
            values_.put(words_[at], words_[at + 1]);
        return Stored{};
    }

    [[nodiscard]] bool announce()
    {
        if (words_.size() != 2 or words_[0].size() != 8)
            return false;
        auto const id = totora::get<std::uint64_t>(reinterpret_cast<std::byte const*>(words_[0].data()));
        client_addresses_[totora::ServerId{id}] = words_[1];
        return true;
    }

    Values                                  values_;
    std::map<totora::ServerId, std::string> client_addresses_;
    std::vector<std::string_view>           words_; ///< Of the command at hand.
};

static_assert(totora::state_machine<KeyValue>);

} // namespace kv
