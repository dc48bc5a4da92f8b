// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "case_table.hpp"
#include "tree.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The sums in the tables of documents are right.
namespace totora::tidy
{

/// 1,141,045; nothing if the field is anything else.
[[nodiscard]] inline std::optional<std::uint64_t> number_in(std::string_view field)
{
    auto number = std::uint64_t{0};
    for (auto const letter : field) {
        if (letter != ',' and not is_digit(letter))
            return std::nullopt;
        if (letter != ',')
            number = number * 10 + static_cast<std::uint64_t>(letter - '0');
    }
    return field.empty() ? std::nullopt : std::optional{number};
}

/// How many rows "all eleven" covers; nothing if it is no row of sums. "all" covers any number.
[[nodiscard]] inline std::optional<std::optional<std::size_t>> rows_summed(std::string_view first_field)
{
    constexpr auto words = std::to_array<std::string_view>(
        {"none",     "one",     "two",     "three",     "four",     "five",     "six",
         "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",   "thirteen",
         "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"});
    if (first_field == "all" or first_field == "total" or first_field == "sum")
        return std::optional<std::size_t>{};
    if (not first_field.starts_with("all "))
        return std::nullopt;
    auto const count = first_field.substr(4);
    if (auto const digits = number_in(count))
        return std::optional<std::size_t>{static_cast<std::size_t>(*digits)};
    auto const word = std::ranges::find(words, count);
    if (word == words.end())
        return std::nullopt;
    return std::optional<std::size_t>{static_cast<std::size_t>(word - words.begin())};
}

/// A row that begins with "all", "all eleven", "sum" or "total" is the sum of the rows before it, column by column.
[[nodiscard]] inline Complaints wrong_sums(Tree const& tree)
{
    auto complaints = Complaints{};
    for (auto const& file : tree) {
        if (not file.path.ends_with(".md"))
            continue;
        auto sums = std::vector<std::uint64_t>{};
        auto rows = std::size_t{0};
        for_each_line(file.text, [&](std::string_view line, int number) {
            auto const fields = fields_of(line);
            if (fields.empty() or line.find("| ---") == 0) {
                sums.clear();
                rows = 0;
                return;
            }
            sums.resize(std::max(sums.size(), fields.size()));
            auto const summed = rows_summed(fields[0]);
            if (not summed) {
                ++rows;
                for (auto column = std::size_t{1}; column < fields.size(); ++column)
                    sums[column] += number_in(fields[column]).value_or(0);
                return;
            }
            if (*summed and **summed != rows)
                complaints.push_back(place(file, number) + ": there are " + std::to_string(rows) + " rows, not " +
                                     std::to_string(**summed));
            for (auto column = std::size_t{1}; column < fields.size(); ++column)
                if (auto const sum = number_in(fields[column]); sum and *sum != sums[column])
                    complaints.push_back(place(file, number) + ": the sum is " + std::to_string(sums[column]) +
                                         ", not " + std::to_string(*sum));
        });
    }
    return complaints;
}

} // namespace totora::tidy
