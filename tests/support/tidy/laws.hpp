// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "tree.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Every law that a simulation checks has a text, and some test breaks the law and expects that text.
namespace totora::tidy
{

/// Joins string literals that follow each other, as a compiler does.
[[nodiscard]] inline std::string with_joined_literals(std::string_view text)
{
    auto joined = std::string{};
    for (auto at = std::size_t{0}; at < text.size(); ++at) {
        auto const next = text[at] == '"' and at > 0 and text[at - 1] != '\\' ? text.find_first_not_of(" \t\n", at + 1)
                                                                              : std::string_view::npos;
        if (next == std::string_view::npos or next == at + 1 or text[next] != '"')
            joined += text[at];
        else
            at = next;
    }
    return joined;
}

/// The last argument of the call that is opened at the beginning of `text`.
[[nodiscard]] inline std::string_view last_argument(std::string_view text)
{
    auto depth = 0;
    auto begin = std::size_t{0};
    for (auto at = std::size_t{0}; at < text.size(); ++at) {
        if (text[at] == '"')
            at = std::min(text.find('"', at + 1), text.size() - 1);
        depth += text[at] == '(' ? 1 : text[at] == ')' ? -1 : 0;
        if (text[at] == ',' and depth == 1)
            begin = at;
        if (depth == 0)
            return text.substr(begin, at - begin);
    }
    return text.substr(begin);
}

/// The literal that `text` has first, without its quotes; empty if it has none.
[[nodiscard]] inline std::string_view first_literal(std::string_view text)
{
    auto const begin = text.find('"');
    if (begin == std::string_view::npos)
        return {};
    text.remove_prefix(begin + 1);
    return text.substr(0, text.find('"'));
}

/// The texts of the laws that this file checks: arguments of `fail`, `expect` and `check`, or the result of a function.
[[nodiscard]] inline std::vector<std::string_view> laws_in(std::string_view text)
{
    auto laws = std::vector<std::string_view>{};
    auto add = [&](std::string_view law) {
        if (not law.empty())
            laws.push_back(law);
    };
    for (std::string_view const asked : {"fail(", "expect(", "check("})
        for (auto at = text.find(asked); at != std::string_view::npos; at = text.find(asked, at + 1))
            add(first_literal(last_argument(text.substr(at + asked.size() - 1))));
    constexpr std::string_view found = "return \"";
    if (text.find("optional<std::string_view>") != std::string_view::npos)
        for (auto at = text.find(found); at != std::string_view::npos; at = text.find(found, at + 1))
            add(first_literal(text.substr(at)));
    return laws;
}

[[nodiscard]] inline Complaints laws_that_no_test_breaks(Tree const& tree)
{
    auto tests = std::string{};
    for (auto const& file : tree)
        if (file.path.starts_with("tests/testing/"))
            tests += with_joined_literals(file.text);
    auto complaints = Complaints{};
    for (auto const& file : tree) {
        if (not file.path.starts_with("include/totora/testing/simulate/"))
            continue;
        auto const text = with_joined_literals(file.text);
        for (auto const law : laws_in(text))
            if (tests.find("\"" + std::string{law}) == std::string::npos)
                complaints.push_back(file.path + ": no test breaks the law: " + std::string{law});
    }
    return complaints;
}

} // namespace totora::tidy
