// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace totora::tidy
{

/// A file of the tree, by its path from the top.
struct File
{
    std::string path;
    std::string text;
};

/// The whole tree in memory, so that a test can plant a violation without touching a disk.
using Tree = std::vector<File>;

/// The violations that a check found, one line each.
using Complaints = std::vector<std::string>;

[[nodiscard]] inline bool is_header(File const& file) { return file.path.ends_with(".hpp"); }

[[nodiscard]] inline bool is_cxx(File const& file) { return is_header(file) or file.path.ends_with(".cpp"); }

/// Files whose words are ours to check: sources, scripts, build files, documents.
[[nodiscard]] inline bool is_text(std::filesystem::path const& path)
{
    constexpr std::string_view endings[] = {".hpp", ".cpp", ".md", ".sh", ".txt", ".cmake", ".in", ".build", ".yml"};
    auto const                 extension = path.extension().string();
    return std::ranges::find(endings, extension) != std::ranges::end(endings) or extension.empty();
}

/// What is made by building and editing, as .gitignore has it.
[[nodiscard]] inline bool is_made(std::filesystem::path const& top_level_name)
{
    auto const name = top_level_name.string();
    return name == ".git" or name == ".cache" or name == "compile_commands.json" or name.starts_with("build") or
           name.ends_with(".swp");
}

/// Reads the tree below `top`. Of a file that is not text only the path is kept.
[[nodiscard]] inline Tree read_tree(std::filesystem::path const& top)
{
    auto tree = Tree{};
    auto entry = std::filesystem::recursive_directory_iterator{top};
    for (auto const end = std::filesystem::recursive_directory_iterator{}; entry != end; ++entry) {
        auto const path = entry->path().lexically_relative(top);
        if (entry.depth() == 0 and is_made(path)) {
            if (entry->is_directory())
                entry.disable_recursion_pending();
            continue;
        }
        if (not entry->is_regular_file())
            continue;
        auto file = File{path.generic_string(), {}};
        if (is_text(path)) {
            auto stream = std::ifstream{entry->path(), std::ios::binary};
            file.text.assign(std::istreambuf_iterator<char>{stream}, {});
        }
        tree.push_back(std::move(file));
    }
    std::ranges::sort(tree, {}, &File::path);
    return tree;
}

/// Calls `use(line, number)` for every line of a text, without its end.
template <typename Use>
void for_each_line(std::string_view text, Use use)
{
    auto number = 1;
    while (not text.empty()) {
        auto const end = text.find('\n');
        use(text.substr(0, end), number++);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
}

/// `path:line`, as compilers write it.
[[nodiscard]] inline std::string place(File const& file, int line) { return file.path + ":" + std::to_string(line); }

} // namespace totora::tidy
