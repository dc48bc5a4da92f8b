// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "case_table.hpp"
#include "documents.hpp"
#include "tree.hpp"

#include <algorithm>
#include <string>
#include <string_view>

/// The tables of results in docs/testing.md are as tests/results.sh reads and writes them.
namespace totora::tidy
{

/// 2026-11-29
[[nodiscard]] inline bool is_date(std::string_view text)
{
    return text.size() == 10 and text[4] == '-' and text[7] == '-' and std::ranges::count_if(text, is_digit) == 8;
}

/// f4f81ab
[[nodiscard]] inline bool is_commit(std::string_view text)
{
    return text.size() == 7 and text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// What is wrong with a row of the table of `program`; empty if nothing is.
[[nodiscard]] inline std::string
fault_in_result(std::string_view row, std::string_view program, std::string_view scopes)
{
    auto const fields = fields_of(row);
    if (fields.size() < 4 or not fields[0].starts_with("`" + std::string{program}) or not fields[0].ends_with('`'))
        return "no command of " + std::string{program};
    if (not is_commit(fields[fields.size() - 2]) or not is_date(fields.back()))
        return "no commit and date of a run";
    auto const option = std::string_view{"--scope "};
    auto const at = fields[0].find(option);
    if (at == std::string_view::npos)
        return {};
    auto const scope = fields[0].substr(at + option.size(), fields[0].size() - at - option.size() - 1);
    return scopes.find("\"" + std::string{scope} + "\"") == std::string_view::npos ? "no such scope" : "";
}

/// Between its two markers each program has a table: a head of two lines, rows, and at most one row of sums, the last.
[[nodiscard]] inline Complaints wrong_results(Tree const& tree)
{
    auto const document = text_of(tree, "docs/testing.md");
    auto const scopes = text_of(tree, "tests/explore/scopes.hpp");
    auto       complaints = Complaints{};
    for (auto const program : {"simulate", "explore", "crash_images", "mutants"}) {
        auto const first = "<!-- results of " + std::string{program} + " -->\n";
        auto const last = "<!-- end of " + std::string{program} + " -->\n";
        auto const begin = document.find(first);
        auto const end = document.find(last);
        if (begin == std::string_view::npos or end == std::string_view::npos or end < begin or
            document.find(first, begin + 1) != std::string_view::npos) {
            complaints.push_back("docs/testing.md has not one table of results of " + std::string{program});
            continue;
        }
        auto const table = document.substr(begin + first.size(), end - begin - first.size());
        for_each_line(table, [&](std::string_view row, int number) {
            if (number <= 2 or row.starts_with("| all "))
                return;
            if (auto const fault = fault_in_result(row, program, scopes); not fault.empty())
                complaints.push_back("docs/testing.md: " + fault + ": " + std::string{row});
        });
    }
    return complaints;
}

} // namespace totora::tidy
