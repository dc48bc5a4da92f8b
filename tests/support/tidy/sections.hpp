// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace totora::tidy
{

/// The sections of "In Search of an Understandable Consensus Algorithm (Extended Version)", 2014.
inline constexpr auto paper_sections = std::to_array<std::string_view>({
    "1",   "2",   "3", "4", "5", "5.1", "5.2", "5.3", "5.4", "5.4.1", "5.4.2", "5.4.3",
    "5.5", "5.6", "6", "7", "8", "9",   "9.1", "9.2", "9.3", "10",    "11",
});

/// The sections of "Consensus: Bridging Theory and Practice", 2014, as far as anyone would cite them.
inline constexpr auto dissertation_sections = std::to_array<std::string_view>({
    "1",                                                                                                //
    "2",     "2.1",   "2.2",    "2.3",                                                                  //
    "3",     "3.1",   "3.2",    "3.3",   "3.4",    "3.5",    "3.6",   "3.6.1", "3.6.2", "3.6.3", "3.7", //
    "3.8",   "3.9",   "3.10",   "3.11",                                                                 //
    "4",     "4.1",   "4.2",    "4.2.1", "4.2.2",  "4.2.3",  "4.2.4", "4.3",   "4.4",   "4.5",          //
    "5",     "5.1",   "5.1.1",  "5.1.2", "5.1.3",  "5.2",    "5.3",   "5.3.1", "5.3.2", "5.3.3", "5.4", //
    "5.4.1", "5.4.2", "5.5",                                                                            //
    "6",     "6.1",   "6.2",    "6.3",   "6.4",    "6.4.1",  "6.5",                                     //
    "7",     "7.1",   "7.2",    "7.3",   "7.4",    "7.5",                                               //
    "8",     "8.1",   "8.2",    "8.3",   "8.4",                                                         //
    "9",     "9.1",   "9.2",    "9.3",   "9.4",    "9.5",    "9.6",   "9.7",                            //
    "10",    "10.1",  "10.1.1", "10.2",  "10.2.1", "10.2.2", "10.3",  "10.4",                           //
    "11",    "11.1",  "11.2",   "11.3",  "11.4",   "11.5",   "11.6",  "11.7",  "11.8",  "11.9",         //
    "12",
});

[[nodiscard]] constexpr bool is_paper_section(std::string_view section)
{
    return std::ranges::find(paper_sections, section) != paper_sections.end();
}

[[nodiscard]] constexpr bool is_dissertation_section(std::string_view section)
{
    return std::ranges::find(dissertation_sections, section) != dissertation_sections.end();
}

} // namespace totora::tidy
