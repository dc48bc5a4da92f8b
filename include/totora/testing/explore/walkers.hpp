// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/quorum.hpp"
#include "totora/core/values/types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace totora::inline v0::explore
{

/// Writes what is visited as bytes; small numbers take one.
class Writer
{
public:
    static constexpr bool reads = false;

    explicit Writer(std::string& bytes, bool configurations = false) : bytes_(&bytes), configurations_(configurations)
    {}

    [[nodiscard]] bool walks_configurations() const { return configurations_; }

    void number(std::uint64_t value)
    {
        for (; value > 127; value >>= 7U)
            bytes_->push_back(static_cast<char>((value & 127U) | 128U));
        bytes_->push_back(static_cast<char>(value));
    }

    void server(ServerId const& id) { number(id.value); }

    void set(ServerSet const& set)
    {
        auto bits = std::uint64_t{0};
        for (auto id = servers_max; id > 0; --id)
            bits = bits << 1U | (set.contains(ServerId{id}) ? 1U : 0U);
        number(bits);
    }

private:
    std::string* bytes_;
    bool         configurations_;
};

/// Reads what a `Writer` has written.
class Reader
{
public:
    static constexpr bool reads = true;

    explicit Reader(std::string_view bytes, bool configurations = false)
        : bytes_(bytes), configurations_(configurations)
    {}

    [[nodiscard]] bool walks_configurations() const { return configurations_; }

    template <typename Number>
    void number(Number& value)
    {
        auto read = std::uint64_t{0};
        for (auto shift = 0U;; shift += 7U) {
            auto const byte = static_cast<std::uint64_t>(static_cast<unsigned char>(bytes_[at_++]));
            read |= (byte & 127U) << shift;
            if (byte < 128)
                break;
        }
        value = static_cast<Number>(read);
    }

    void server(ServerId& id) { number(id.value); }

    void set(ServerSet& set)
    {
        auto bits = std::uint64_t{0};
        number(bits);
        set = ServerSet{};
        for (auto id = std::uint64_t{1}; bits != 0; ++id, bits >>= 1U)
            if ((bits & 1U) != 0)
                set.insert(ServerId{id});
    }

private:
    std::string_view bytes_;
    std::size_t      at_ = 0;
    bool             configurations_;
};

/// Gives servers other ids: the server `id` becomes `names[id]`; `nobody` stays `nobody`.
class Renamer
{
public:
    static constexpr bool reads = false;

    explicit Renamer(std::uint8_t const* names, bool configurations = false)
        : names_(names), configurations_(configurations)
    {}

    [[nodiscard]] bool walks_configurations() const { return configurations_; }

    template <typename Number>
    void number(Number&)
    {}

    void server(ServerId& id)
    {
        if (id != nobody)
            id.value = names_[id.value - 1] + std::uint64_t{1};
    }

    void set(ServerSet& set)
    {
        auto renamed = ServerSet{};
        for (auto id = std::uint64_t{1}; id <= servers_max; ++id)
            if (set.contains(ServerId{id})) {
                auto member = ServerId{id};
                server(member);
                renamed.insert(member);
            }
        set = renamed;
    }

private:
    std::uint8_t const* names_;
    bool                configurations_;
};

template <typename Walker, typename T, typename Visit>
void walk_optional(Walker& walker, std::optional<T>& value, Visit visit)
{
    auto present = std::uint64_t{value.has_value() ? 1U : 0U};
    walker.number(present);
    if constexpr (Walker::reads)
        value = present != 0 ? std::optional<T>{T{}} : std::optional<T>{};
    if (value)
        visit(*value);
}

/// A sequence whose values have an overload of `walk`.
template <typename Walker, typename Sequence>
void walk_all(Walker& walker, Sequence& sequence)
{
    auto count = std::uint64_t{sequence.size()};
    walker.number(count);
    if constexpr (Walker::reads) {
        sequence.clear();
        for (auto at = std::uint64_t{0}; at < count; ++at)
            sequence.push_back(typename Sequence::value_type{});
    }
    for (auto& value : sequence)
        walk(walker, value);
}

/// A variant whose alternatives have overloads of `walk`.
template <typename Walker, typename... Ts>
void walk_variant(Walker& walker, std::variant<Ts...>& value)
{
    auto which = std::uint64_t{value.index()};
    walker.number(which);
    if constexpr (Walker::reads) {
        auto at = std::uint64_t{0};
        (void)((at++ == which and ((value = std::variant<Ts...>{Ts{}}), true)) or ...);
    }
    std::visit([&](auto& one) { walk(walker, one); }, value);
}

} // namespace totora::inline v0::explore
