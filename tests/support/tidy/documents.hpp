// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "citations.hpp"
#include "tree.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <string_view>

/// What documents repeat of the tree is what is there.
namespace totora::tidy
{

[[nodiscard]] inline std::string_view text_of(Tree const& tree, std::string_view path)
{
    auto const file = std::ranges::find(tree, path, &File::path);
    return file == tree.end() ? std::string_view{} : std::string_view{file->text};
}

/// The README's program is docs/examples/first.cpp, which is compiled and run, without its first line.
[[nodiscard]] inline Complaints program_that_nobody_runs(Tree const& tree)
{
    auto program = text_of(tree, "docs/examples/first.cpp");
    program.remove_prefix(std::min(program.find('\n') + 1, program.size()));
    if (program.empty() or
        text_of(tree, "README.md").find("```cpp\n" + std::string{program} + "```\n") == std::string::npos)
        return {"README.md: the program is not docs/examples/first.cpp without its first line"};
    return {};
}

/// The words of sources, scripts and build files, and the names of files.
[[nodiscard]] inline std::set<std::string, std::less<>> words_of_code(Tree const& tree)
{
    auto words = std::set<std::string, std::less<>>{};
    auto add = [&](std::string_view text) {
        while (not text.empty()) {
            auto const begin = std::ranges::find_if(text, is_word_letter) - text.begin();
            text.remove_prefix(static_cast<std::size_t>(begin));
            auto const end = std::ranges::find_if_not(text, is_word_letter) - text.begin();
            words.emplace(text.substr(0, static_cast<std::size_t>(end)));
            text.remove_prefix(static_cast<std::size_t>(end));
        }
    };
    for (auto const& file : tree) {
        add(file.path);
        if (not file.path.ends_with(".md"))
            add(file.text);
    }
    return words;
}

/// Names with an underscore that documents put in `backticks` stand in the code. docs/cases.md names what others have,
/// docs/CHANGELOG.md what was, and kv's README fields that it makes.
[[nodiscard]] inline Complaints names_that_do_not_exist(Tree const& tree)
{
    auto const words = words_of_code(tree);
    auto       complaints = Complaints{};
    for (auto const& file : tree) {
        auto const is_ours =
            file.path == "README.md" or (file.path.starts_with("docs/") and file.path.ends_with(".md"));
        if (not is_ours or file.path.starts_with("docs/examples/") or file.path == "docs/cases.md" or
            file.path == "docs/CHANGELOG.md")
            continue;
        for_each_line(file.text, [&](std::string_view line, int number) {
            for (auto mark = line.find('`'); mark != std::string_view::npos; mark = line.find('`')) {
                line.remove_prefix(mark + 1);
                auto const name = line.substr(0, line.find('`'));
                line.remove_prefix(std::min(name.size() + 1, line.size()));
                if (name.find('_') != std::string_view::npos and name.find('_') + 1 < name.size() and
                    std::ranges::all_of(name, is_word_letter) and not words.contains(name))
                    complaints.push_back(place(file, number) + ": there is no " + std::string{name});
            }
        });
    }
    return complaints;
}

/// The table in docs/testing.md names the folders of the tests, each in a row of its own that begins with | `core/` |.
[[nodiscard]] inline Complaints folders_of_tests_that_differ(Tree const& tree)
{
    auto folders = std::set<std::string>{};
    for (auto const& file : tree)
        if (auto const end = file.path.find('/', 6); file.path.starts_with("tests/") and end != std::string::npos)
            folders.insert(file.path.substr(6, end - 5));
    auto complaints = Complaints{};
    for_each_line(text_of(tree, "docs/testing.md"), [&](std::string_view line, int number) {
        auto const end = line.find("/` |");
        if (not line.starts_with("| `") or end == std::string_view::npos)
            return;
        auto const folder = std::string{line.substr(3, end - 2)};
        if (folders.erase(folder) == 0)
            complaints.push_back("docs/testing.md:" + std::to_string(number) + ": there is no tests/" + folder);
    });
    for (auto const& folder : folders)
        complaints.push_back("docs/testing.md does not describe tests/" + folder);
    return complaints;
}

} // namespace totora::tidy
