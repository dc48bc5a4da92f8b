// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/explore/replica.hpp"
#include "totora/testing/explore/scope.hpp"
#include "totora/testing/hashing.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::inline v0::explore
{

/// Every way to permute the ids of some servers. The first leaves all as they are.
class Permutations
{
public:
    using Names = std::array<std::uint8_t, explored_servers_max>;

    Permutations(std::size_t servers, bool all)
    {
        auto names = Names{};
        std::iota(names.begin(), names.end(), std::uint8_t{0});
        do
            names_.push_back(names);
        while (all and std::next_permutation(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(servers)));
        for (auto const& first : names_)
            for (auto const& second : names_) {
                auto both = Names{};
                for (auto at = std::size_t{0}; at < both.size(); ++at)
                    both[at] = second[first[at]];
                after_.push_back(number_of(both));
            }
    }

    [[nodiscard]] std::size_t  size() const { return names_.size(); }
    [[nodiscard]] Names const& operator[](std::size_t permutation) const { return names_[permutation]; }

    /// One permutation after another.
    [[nodiscard]] std::size_t both(std::size_t first, std::size_t second) const
    {
        return after_[first * names_.size() + second];
    }

    [[nodiscard]] std::uint8_t number_of(Names const& names) const
    {
        return static_cast<std::uint8_t>(std::lower_bound(names_.begin(), names_.end(), names) - names_.begin());
    }

private:
    std::vector<Names>        names_; ///< In ascending order.
    std::vector<std::uint8_t> after_;
};

/// Most values hold nothing in arbitrary order.
template <typename T>
void put_in_order(T&)
{}

/// Values by number: each is kept once, as bytes, together with all that it becomes when the ids of servers are
/// permuted.
///
/// `T` has an overload of `walk`. A type that holds something in arbitrary order has an overload of `put_in_order`
/// declared above: a replica.
template <typename T>
class InternTable
{
public:
    InternTable(Permutations const& permutations, T blank, bool configurations = false)
        : permutations_(&permutations), blank_(std::move(blank)), configurations_(configurations)
    {}

    [[nodiscard]] std::size_t size() const { return places_.size(); }

    [[nodiscard]] std::size_t bytes() const
    {
        return bytes_.capacity() + places_.capacity() * sizeof(Place) + slots_.size() * sizeof(std::uint32_t) +
               orbits_.capacity() * sizeof(std::uint32_t);
    }

    [[nodiscard]] std::uint32_t number_of(T value)
    {
        put_in_order(value);
        auto const known = find(packed(value));
        if (known != none)
            return known;

        auto const orbit = static_cast<std::uint32_t>(orbits_.size() / permutations_->size());
        auto       numbers = std::vector<std::uint32_t>{};
        for (auto permutation = std::size_t{0}; permutation < permutations_->size(); ++permutation) {
            auto renamed = value;
            auto renamer = Renamer{(*permutations_)[permutation].data(), configurations_};
            walk(renamer, renamed);
            put_in_order(renamed);
            auto bytes = packed(renamed);
            auto number = find(bytes);
            if (number == none) {
                number = insert(bytes, orbit, static_cast<std::uint8_t>(permutation));
                if (not(value_of(number) == renamed))
                    throw std::logic_error("a field is left out of what an exploration keeps (fields.hpp)");
            }
            numbers.push_back(number);
        }
        orbits_.insert(orbits_.end(), numbers.begin(), numbers.end());
        return numbers.front();
    }

    [[nodiscard]] T value_of(std::uint32_t number) const
    {
        auto value = blank_;
        auto reader = Reader{bytes_of(places_[number]), configurations_};
        walk(reader, value);
        return value;
    }

    /// What a value becomes when servers are renamed.
    [[nodiscard]] std::uint32_t renamed(std::uint32_t number, std::size_t permutation) const
    {
        auto const& place = places_[number];
        return orbits_[place.orbit * permutations_->size() + permutations_->both(place.permutation, permutation)];
    }

    /// Equal for values that can become each other.
    [[nodiscard]] std::uint32_t kind_of(std::uint32_t number) const { return places_[number].orbit; }

private:
    static constexpr std::uint32_t none = 0xffffffffU;

    struct Place
    {
        std::size_t   begin = 0;
        std::uint32_t size = 0;
        std::uint32_t orbit = 0;
        std::uint8_t  permutation = 0; ///< By which the orbit's first value becomes this one.
    };

    [[nodiscard]] std::string packed(T& value) const
    {
        auto bytes = std::string{};
        auto writer = Writer{bytes, configurations_};
        walk(writer, value);
        return bytes;
    }

    [[nodiscard]] std::string_view bytes_of(Place const& place) const
    {
        return {bytes_.data() + place.begin, place.size};
    }

    [[nodiscard]] std::size_t slot_of(std::string_view bytes) const
    {
        auto at = static_cast<std::size_t>(testing::hash_of(bytes.data(), bytes.size()).low) & (slots_.size() - 1);
        while (slots_[at] != none and bytes_of(places_[slots_[at]]) != bytes)
            at = (at + 1) & (slots_.size() - 1);
        return at;
    }

    [[nodiscard]] std::uint32_t find(std::string_view bytes) const { return slots_[slot_of(bytes)]; }

    std::uint32_t insert(std::string_view bytes, std::uint32_t orbit, std::uint8_t permutation)
    {
        auto const number = static_cast<std::uint32_t>(places_.size());
        places_.push_back({bytes_.size(), static_cast<std::uint32_t>(bytes.size()), orbit, permutation});
        bytes_.append(bytes);
        slots_[slot_of(bytes_of(places_.back()))] = number;
        if (places_.size() * 2 > slots_.size()) {
            slots_.assign(slots_.size() * 2, none);
            for (auto at = std::uint32_t{0}; at < places_.size(); ++at)
                slots_[slot_of(bytes_of(places_[at]))] = at;
        }
        return number;
    }

    Permutations const*        permutations_;
    T                          blank_;
    bool                       configurations_; ///< They differ from value to value.
    std::string                bytes_;
    std::vector<Place>         places_;
    std::vector<std::uint32_t> slots_ = std::vector<std::uint32_t>(1U << 10U, none);
    std::vector<std::uint32_t> orbits_; ///< For each orbit, what its first value becomes by each permutation.
};

} // namespace totora::inline v0::explore
