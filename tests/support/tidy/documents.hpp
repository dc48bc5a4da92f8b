// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "tree.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

/// What documents repeat of the tree is what stands there.
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
        complaints.push_back("docs/testing.md does not say what is in tests/" + folder);
    return complaints;
}

} // namespace totora::tidy
