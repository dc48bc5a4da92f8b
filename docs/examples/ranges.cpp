// SPDX-License-Identifier: BSL-1.0
// A machine that pipes its entries through range-v3, and what else a range of entries offers. See docs/ranges.md.
#include "totora/node/clients/staging.hpp"
#include "totora/policy/state_machine.hpp"

#include <range/v3/algorithm/for_each.hpp>
#include <range/v3/numeric/accumulate.hpp>
#include <range/v3/range/conversion.hpp>
#include <range/v3/view/enumerate.hpp>
#include <range/v3/view/filter.hpp>
#include <range/v3/view/transform.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

using namespace totora;
namespace views = ranges::views;

[[nodiscard]] std::string_view text_of(EntryView const& entry)
{
    return {reinterpret_cast<char const*>(entry.payload.data()), entry.payload.size()};
}

/// Adds up the lengths of the words that it is given; what is no word counts nothing.
struct WordLengths
{
    using Response = std::size_t;

    std::size_t sum = 0;

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        auto const is_word = [](std::string_view text) { return text.find(' ') == std::string_view::npos; };
        auto const length = [&](std::string_view text) { return is_word(text) ? text.size() : 0; };
        ranges::for_each(commands | views::transform(text_of) | views::transform(length),
                         [&](std::size_t more) { responses.push_back(sum += more); });
    }

    [[nodiscard]] Index applied_index() const { return {}; }
};
static_assert(state_machine<WordLengths>);

int main()
{
    auto staging = Staging{}; // As a node makes the entries that a log is given.
    for (auto const text : {"reed", "two words", "rafts"})
        staging.add(std::as_bytes(std::span{std::string_view{text}}));
    auto const entries = staging.seal({Term{1}, Index{1}, 3}, EntryKind::command);

    // Entries are a forward range of views that are decoded on the way: nothing is copied.
    auto const is_long = [](EntryView const& entry) { return entry.payload.size() > 4; };
    for (auto const& [number, text] : entries | views::filter(is_long) | views::transform(text_of) | views::enumerate)
        std::printf("%zu: %.*s\n", number, static_cast<int>(text.size()), text.data());

    // Slices are the memory that they stand in, for what writes or checks them whole.
    auto const size = [](EntrySlice const& slice) { return slice.bytes.size(); };
    auto const bytes = ranges::accumulate(entries.slices() | views::transform(size), std::size_t{0});

    auto       machine = WordLengths{};
    auto       responses = std::vector<std::size_t>{};
    auto const commands = entries | ranges::to<std::vector>();
    machine.apply(commands, responses);
    std::printf("%zu bytes of entries, %zu letters\n", bytes, machine.sum);
    return machine.sum == 9 and bytes == entries.bytes() ? 0 : 1;
}
