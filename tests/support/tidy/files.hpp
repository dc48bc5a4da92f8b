// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "citations.hpp"
#include "tree.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <string_view>

/// Where files are and what each of them must and must not hold.
namespace totora::tidy
{

/// The names that may be at the top level, beside those that begin with a dot.
inline constexpr auto top_level_names = std::to_array<std::string_view>(
    {"CMakeLists.txt", "README.md", "benchmarks", "docs", "include", "meson.build", "tests"});

[[nodiscard]] inline Complaints unexpected_at_the_top(Tree const& tree)
{
    auto unexpected = std::set<std::string>{};
    for (auto const& file : tree) {
        auto const name = file.path.substr(0, file.path.find('/'));
        if (not name.starts_with('.') and std::ranges::find(top_level_names, name) == top_level_names.end())
            unexpected.insert(name + " may not stand at the top level");
    }
    return {unexpected.begin(), unexpected.end()};
}

[[nodiscard]] inline Complaints headers_without_license(Tree const& tree)
{
    auto complaints = Complaints{};
    for (auto const& file : tree)
        if (is_header(file) and not file.text.starts_with("// SPDX-License-Identifier: BSL-1.0\n"))
            complaints.push_back(file.path + " does not begin with its SPDX line");
    return complaints;
}

/// A test that no program contains is a test that never runs: tests/CMakeLists.txt looks one folder deep.
[[nodiscard]] inline Complaints tests_that_never_run(Tree const& tree)
{
    auto complaints = Complaints{};
    for (auto const& file : tree) {
        auto const other_kind = std::ranges::any_of(
            std::to_array<std::string_view>({"tests/compile_failure/", "tests/package/", "tests/mutants/"}),
            [&](std::string_view folder) { return file.path.starts_with(folder); });
        if (file.path.starts_with("tests/") and file.path.ends_with(".cpp") and not other_kind and
            std::ranges::count(file.path, '/') > 2)
            complaints.push_back(file.path + " stands too deep: no test program contains it");
    }
    return complaints;
}

/// Words that mean "not finished" or stand for a figure to come, and paths that only one machine has. Spelt in parts, so that this
/// file may be read too.
[[nodiscard]] inline Complaints loose_ends(Tree const& tree)
{
    static auto const marks =
        std::array<std::string, 6>{std::string{"TO"} + "DO", std::string{"FIX"} + "ME", std::string{"XX"} + "X",
                                   std::string{"HA"} + "CK", std::string{"TB"} + "D",   std::string{"in TI"} + "ME"};
    static auto const folders = std::array<std::string_view, 4>{"home", "root", "work", "Users"};

    auto complaints = Complaints{};
    for (auto const& file : tree)
        for_each_line(file.text, [&](std::string_view line, int number) {
            for (auto const& mark : marks)
                for (auto at = line.find(mark); at != std::string_view::npos; at = line.find(mark, at + 1)) {
                    auto const after = at + mark.size();
                    if ((at == 0 or not is_word_letter(line[at - 1])) and
                        (after == line.size() or not is_word_letter(line[after])))
                        complaints.push_back(place(file, number) + ": " + mark + " leaves something open");
                }
            for (auto at = line.find('/'); at != std::string_view::npos; at = line.find('/', at + 1)) {
                if (at > 0 and (is_word_letter(line[at - 1]) or
                                std::string_view{".}*)>/~$"}.find(line[at - 1]) != std::string_view::npos))
                    continue;
                auto const next = line.find('/', at + 1);
                if (next == std::string_view::npos)
                    break;
                if (std::ranges::find(folders, line.substr(at + 1, next - at - 1)) != folders.end())
                    complaints.push_back(place(file, number) + ": a path of one machine");
            }
        });
    return complaints;
}

/// The three numbers and the string of version.hpp agree.
[[nodiscard]] inline Complaints versions_that_disagree(Tree const& tree)
{
    auto const file = std::ranges::find(tree, "include/totora/version.hpp", &File::path);
    if (file == tree.end())
        return {"include/totora/version.hpp is missing"};
    auto const value_of = [&](std::string_view name) {
        auto const at = file->text.find(std::string{name} + " = ");
        if (at == std::string::npos)
            return std::string{};
        auto const start = at + name.size() + 3;
        return file->text.substr(start, file->text.find(';', start) - start);
    };
    auto const numbers = value_of("version_major") + "." + value_of("version_minor") + "." + value_of("version_patch");
    if (value_of("version_string") == "\"" + numbers + "\"")
        return {};
    return {file->path + ": the numbers are " + numbers + ", the string " + value_of("version_string")};
}

} // namespace totora::tidy
