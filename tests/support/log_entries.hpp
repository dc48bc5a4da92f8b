// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/data/entry.hpp"
#include "totora/testing/conformance/sample_entries.hpp"

#include <cstdint>
#include <vector>

/// What tests of logs put into them and compare them by.
namespace totora::test
{

using conformance::configuration_entry;
using conformance::entries_of;
using conformance::entry_slice;
using conformance::identity_of_first;
using conformance::payload_for;

/// The terms of all entries in a range, for comparing with what is expected; 0 for an entry that is not intact.
inline std::vector<std::uint64_t> terms_in(Entries const& entries)
{
    auto terms = std::vector<std::uint64_t>{};
    for (auto const& entry : entries)
        terms.push_back(is_intact(entry) ? entry.term.value : 0);
    return terms;
}

} // namespace totora::test
