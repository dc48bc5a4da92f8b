// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "citations.hpp"
#include "tree.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <string_view>

/// Files that comments and documents name exist.
namespace totora::tidy
{

/// Names that readers are to fill in.
inline constexpr auto foreign_files = std::to_array<std::string_view>({"program.cpp", "CMakeLists.txt"});

/// Folders of others that a comment may name.
inline constexpr auto foreign_folders = std::to_array<std::string_view>({"boost/", "range/"});

/// Folders of which documents name files without their endings.
inline constexpr auto our_folders = std::to_array<std::string_view>(
    {"core/", "data/", "policy/", "wire/", "node/", "log/", "clock/", "transport/", "testing/", "cases/", "paper/",
     "stories/", "process/", "docs/", "tests/", "include/"});

using Names = std::set<std::string, std::less<>>;

/// Adds every ending of a path: `core/step.hpp` and `step.hpp` of include/totora/core/step.hpp.
inline void add_endings(Names& names, std::string_view path)
{
    names.emplace(path);
    for (auto slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1))
        names.emplace(path.substr(slash + 1));
}

/// By what names the files of a tree can be cited: with their endings, without them, and their folders. A decision is cited by
/// its number.
[[nodiscard]] inline Names names_of(Tree const& tree)
{
    auto names = Names{};
    for (auto const& file : tree) {
        auto const path = std::string_view{file.path};
        add_endings(names, path);
        add_endings(names, path.substr(0, path.rfind('.')));
        if (path.starts_with("docs/decisions/"))
            add_endings(names, path.substr(0, path.find('-')));
        for (auto slash = path.rfind('/'); slash != std::string_view::npos; slash = path.substr(0, slash).rfind('/'))
            add_endings(names, path.substr(0, slash));
    }
    return names;
}

[[nodiscard]] inline bool is_name_letter(char letter)
{
    return is_word_letter(letter) or letter == '/' or letter == '.' or letter == '-';
}

/// A name of a file of ours, by its ending. One in capitals, or with a part in capitals, is to be filled in.
[[nodiscard]] inline bool names_file(std::string_view word)
{
    constexpr auto endings = std::to_array<std::string_view>({".hpp", ".cpp", ".sh", ".md", ".py", ".txt"});
    auto const     is_ours = std::ranges::any_of(endings, [&](std::string_view ending) {
        return word.size() > ending.size() and word.ends_with(ending) and word[word.size() - ending.size() - 1] != '/';
    });
    auto const     stem = word.substr(0, word.rfind('.'));
    auto const     name = stem.substr(stem.rfind('/') + 1);
    auto const is_placeholder = std::ranges::none_of(name, [](char letter) { return letter >= 'a' and letter <= 'z'; });
    return is_ours and (not is_placeholder or word.ends_with("README.md"));
}

/// Whether a document names a file or folder of ours without its ending, such as `core/rules/election`.
[[nodiscard]] inline bool names_without_ending(File const& file, std::string_view word)
{
    auto const last = word.substr(word.rfind('/') + 1);
    return file.path.ends_with(".md") and last.find('.') == std::string_view::npos and not last.empty() and
           std::ranges::any_of(our_folders, [&](std::string_view folder) { return word.starts_with(folder); });
}

/// Where the comment of a line begins; its end if it has none. A mark within a literal begins none.
[[nodiscard]] inline std::size_t comment_in(std::string_view line)
{
    auto is_quoted = false;
    for (auto at = std::size_t{0}; at < line.size(); ++at) {
        if (line[at] == '"' and (at == 0 or line[at - 1] != '\\'))
            is_quoted = not is_quoted;
        if (not is_quoted and line.substr(at).starts_with("//"))
            return at;
    }
    return line.size();
}

/// The part of a line in which files are cited: all of a document, the comment of a source.
[[nodiscard]] inline std::string_view citing_part(File const& file, std::string_view line)
{
    if (file.path.ends_with(".md") or (file.path.starts_with("tests/stories/") and file.path.ends_with(".txt")))
        return line;
    return line.substr(is_cxx(file) ? comment_in(line) : std::min(line.find("# "), line.size()));
}

/// Takes the next word that can be a name from the front of `rest`; empty at its end.
[[nodiscard]] inline std::string_view take_name(std::string_view& rest)
{
    rest.remove_prefix(static_cast<std::size_t>(std::ranges::find_if(rest, is_name_letter) - rest.begin()));
    auto word = rest.substr(0, static_cast<std::size_t>(std::ranges::find_if_not(rest, is_name_letter) - rest.begin()));
    rest.remove_prefix(word.size());
    if (not rest.empty() and
        (rest.front() == '*' or rest.front() == '{' or rest.front() == ':')) // A pattern, or the web.
        word = word.substr(0, word.rfind('/') + 1);
    while (word.ends_with('.') or word.ends_with('/'))
        word.remove_suffix(1);
    while (word.starts_with("./") or word.starts_with("../"))
        word.remove_prefix(word.find('/') + 1);
    return word;
}

[[nodiscard]] inline bool is_foreign(std::string_view word)
{
    return std::ranges::find(foreign_files, word) != foreign_files.end() or word.starts_with('/') or
           std::ranges::any_of(foreign_folders, [&](std::string_view folder) { return word.starts_with(folder); });
}

[[nodiscard]] inline Complaints files_that_do_not_exist(Tree const& tree)
{
    auto const names = names_of(tree);
    auto       complaints = Complaints{};
    for (auto const& file : tree)
        for_each_line(file.text, [&](std::string_view line, int number) {
            for (auto rest = citing_part(file, line); not rest.empty();) {
                auto const word = take_name(rest);
                if ((names_file(word) or names_without_ending(file, word)) and not names.contains(word) and
                    not is_foreign(word))
                    complaints.push_back(place(file, number) + ": there is no file " + std::string{word});
            }
        });
    return complaints;
}

} // namespace totora::tidy
