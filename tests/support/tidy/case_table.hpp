// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "citations.hpp"
#include "tree.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>

/// The table at the head of docs/cases.md shows for every case whether it is tested; the labels of the tests decide.
namespace totora::tidy
{

/// The numbers N for which some test carries the label case_N.
[[nodiscard]] inline std::set<std::string> labelled_cases(Tree const& tree)
{
    constexpr std::string_view label = "\"case_";

    auto cases = std::set<std::string>{};
    for (auto const& file : tree) {
        if (not file.path.starts_with("tests/") or not is_cxx(file))
            continue;
        auto const text = std::string_view{file.text};
        for (auto at = text.find(label); at != std::string_view::npos; at = text.find(label, at + 1))
            cases.emplace(number_at(text.substr(at + label.size())));
    }
    return cases;
}

/// The fields of `| 14 | Figure 8 | now | |`, without the blanks around them.
[[nodiscard]] inline std::vector<std::string_view> fields_of(std::string_view row)
{
    auto fields = std::vector<std::string_view>{};
    while (row.starts_with('|')) {
        row.remove_prefix(1);
        auto const end = row.find('|');
        if (end == std::string_view::npos)
            break;
        auto field = row.substr(0, end);
        field.remove_prefix(std::min(field.find_first_not_of(' '), field.size()));
        field = field.substr(0, field.find_last_not_of(' ') + 1);
        fields.push_back(field);
        row.remove_prefix(end);
    }
    return fields;
}

[[nodiscard]] inline Complaints wrong_rows_of_cases(Tree const& tree)
{
    auto const labelled = labelled_cases(tree);
    auto       complaints = Complaints{};
    auto       rows = std::map<std::string, int>{};
    for (auto const& file : tree)
        if (file.path == "docs/cases.md")
            for_each_line(file.text, [&](std::string_view line, int at) {
                auto const fields = fields_of(line);
                if (fields.size() != 4 or fields[0].empty() or number_at(fields[0]) != fields[0])
                    return;
                auto const number = std::string{fields[0]};
                auto const status = fields[2];
                auto const complain = [&](std::string_view what) {
                    complaints.push_back(place(file, at) + ": " + number + std::string{what});
                };
                ++rows[number];
                if (status == "now" and not labelled.contains(number))
                    complain(" is listed as tested now, and no test is labelled with it");
                if (status == "waits" and labelled.contains(number))
                    complain(" is listed as waiting, and a test is labelled with it");
                if (status == "waits" and fields[3].empty())
                    complain(" waits for nothing");
                if (status != "now" and status != "waits")
                    complain(" is neither now nor waits");
            });
    for (auto const& number : known_cases(tree))
        if (rows[number] != 1)
            complaints.push_back("docs/cases.md does not list " + number + " once");
    return complaints;
}

} // namespace totora::tidy
