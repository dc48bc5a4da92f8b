// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "sections.hpp"
#include "tree.hpp"

#include <cctype>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// What the tree cites must exist: cases of docs/cases.md, sections of the paper and of the dissertation.
namespace totora::tidy
{

struct Citation
{
    enum class Source
    {
        cases,
        paper,
        dissertation,
    };

    Source      source;
    std::string what;
    int         line = 0;

    friend bool operator==(Citation const&, Citation const&) = default;
};

[[nodiscard]] inline bool is_digit(char letter) { return letter >= '0' and letter <= '9'; }

[[nodiscard]] inline bool is_word_letter(char letter)
{
    return std::isalnum(static_cast<unsigned char>(letter)) != 0 or letter == '_';
}

/// A number with points at the start of `text`, such as 12 or 5.4.1; a point that ends a sentence is not part of it.
[[nodiscard]] inline std::string_view number_at(std::string_view text)
{
    auto end = std::size_t{0};
    while (end < text.size() and (is_digit(text[end]) or
                                  (text[end] == '.' and end > 0 and end + 1 < text.size() and is_digit(text[end + 1]))))
        ++end;
    return text.substr(0, end);
}

[[nodiscard]] inline int line_at(std::string_view text, std::size_t position)
{
    return 1 + static_cast<int>(std::ranges::count(text.substr(0, position), '\n'));
}

/// Does `text` end with `word`, looking past blanks, line breaks and the marks that begin a line of comment?
[[nodiscard]] inline bool follows_word(std::string_view text, std::string_view word)
{
    auto const last = text.find_last_not_of(" \t\n/*#>");
    text = last == std::string_view::npos ? std::string_view{} : text.substr(0, last + 1);
    if (text.ends_with("'s"))
        text.remove_suffix(2);
    return text.ends_with(word);
}

/// Is `between` only what joins the parts of a list: "5.2, 5.3 and 5.4", "12/21", "1 to 17"?
[[nodiscard]] inline bool joins_a_list(std::string_view between)
{
    constexpr std::string_view joints[] = {", ", " and ", ", and ", " or ", ", or ", " to ", "/", "-", "–", ","};
    return std::ranges::find(joints, between) != std::ranges::end(joints);
}

/// `§5.3`, `dissertation §3.8`, and the plain `paper 5.3`, `dissertation 3.8`; a list continues with its first source.
inline void collect_sections(std::string_view text, std::vector<Citation>& citations)
{
    constexpr std::string_view mark = "§";
    auto                       position = std::size_t{0};
    auto                       last_source = Citation::Source::paper;
    auto                       last_end = std::string_view::npos;
    while (position < text.size()) {
        auto const rest = text.substr(position);
        auto       number = std::string_view{};
        auto       source = Citation::Source::paper;
        if (rest.starts_with(mark)) {
            auto const skip = rest.find_first_not_of(" ", mark.size());
            if (skip != std::string_view::npos)
                number = number_at(rest.substr(skip));
            if (follows_word(text.substr(0, position), "issertation"))
                source = Citation::Source::dissertation;
            else if (last_end != std::string_view::npos and joins_a_list(text.substr(last_end, position - last_end)))
                source = last_source;
        } else {
            for (auto const& [word, meant] :
                 {std::pair<std::string_view, Citation::Source>{"dissertation ", Citation::Source::dissertation},
                  {"paper ", Citation::Source::paper}})
                if (rest.starts_with(word)) {
                    number = number_at(rest.substr(word.size()));
                    source = meant;
                }
        }
        if (number.empty()) {
            ++position;
            continue;
        }
        citations.push_back({source, std::string{number}, line_at(text, position)});
        position = static_cast<std::size_t>(number.data() - text.data()) + number.size();
        last_source = source;
        last_end = position;
    }
}

/// Sections used as labels of tests: `label("5.4.1")` and `TOTORA_PROVE(name, "5.4.1")`.
inline void collect_labels(std::string_view text, std::vector<Citation>& citations)
{
    for_each_line(text, [&](std::string_view line, int number) {
        if (line.find("label(\"") == std::string_view::npos and line.find("TOTORA_PROVE(") == std::string_view::npos)
            return;
        for (auto quote = line.find('"'); quote != std::string_view::npos;) {
            auto const closing = line.find('"', quote + 1);
            if (closing == std::string_view::npos)
                return;
            auto const label = line.substr(quote + 1, closing - quote - 1);
            if (not label.empty() and number_at(label) == label)
                citations.push_back({Citation::Source::paper, std::string{label}, number});
            quote = line.find('"', closing + 1);
        }
    });
}

/// `case 14`, `case_14`, `cases 12, 21 and 30`; a label of a switch statement is none.
inline void collect_cases(std::string_view text, bool is_source, std::vector<Citation>& citations)
{
    for (auto position = text.find("ase"); position != std::string_view::npos;
         position = text.find("ase", position + 1)) {
        if (position == 0 or (text[position - 1] != 'c' and text[position - 1] != 'C') or
            (position > 1 and is_word_letter(text[position - 2])))
            continue;
        auto rest = text.substr(position + 3);
        if (rest.starts_with('s'))
            rest.remove_prefix(1);
        if (rest.empty() or (rest.front() != ' ' and rest.front() != '_'))
            continue;
        rest.remove_prefix(1);
        auto number = rest.substr(0, rest.find_first_not_of("0123456789"));
        if (number.empty())
            continue;
        auto const line_start = text.rfind('\n', position) + 1; // npos + 1 is the start of the text.
        auto const before = text.substr(line_start, position - 1 - line_start);
        if (is_source and before.find_first_not_of(" \t") == std::string_view::npos and rest.size() > number.size() and
            rest[number.size()] == ':')
            continue;
        for (;;) {
            citations.push_back({Citation::Source::cases, std::string{number}, line_at(text, position)});
            rest.remove_prefix(number.size());
            auto const next = rest.find_first_of("0123456789");
            if (next == std::string_view::npos or not joins_a_list(rest.substr(0, next)))
                break;
            rest.remove_prefix(next);
            number = rest.substr(0, rest.find_first_not_of("0123456789"));
        }
    }
}

[[nodiscard]] inline std::vector<Citation> citations_of(File const& file)
{
    auto citations = std::vector<Citation>{};
    collect_cases(file.text, is_cxx(file), citations);
    collect_sections(file.text, citations);
    if (is_cxx(file))
        collect_labels(file.text, citations);
    return citations;
}

/// The numbers of docs/cases.md: its headings `### 14. Figure 8: ...`.
[[nodiscard]] inline std::set<std::string> known_cases(Tree const& tree)
{
    auto cases = std::set<std::string>{};
    for (auto const& file : tree)
        if (file.path == "docs/cases.md")
            for_each_line(file.text, [&](std::string_view line, int) {
                if (line.starts_with("### "))
                    cases.emplace(line.substr(4, line.find('.') - 4));
            });
    return cases;
}

[[nodiscard]] inline Complaints broken_citations(Tree const& tree)
{
    auto const cases = known_cases(tree);
    auto       complaints = Complaints{};
    for (auto const& file : tree)
        for (auto const& [source, what, line] : citations_of(file)) {
            if (source == Citation::Source::cases and not cases.contains(what))
                complaints.push_back(place(file, line) + ": docs/cases.md has no case " + what);
            if (source == Citation::Source::paper and not is_paper_section(what))
                complaints.push_back(place(file, line) + ": the paper has no section " + what);
            if (source == Citation::Source::dissertation and not is_dissertation_section(what))
                complaints.push_back(place(file, line) + ": the dissertation has no section " + what);
        }
    return complaints;
}

} // namespace totora::tidy
