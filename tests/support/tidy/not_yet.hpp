// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "limits.hpp"

namespace totora::tidy
{

/// What is above a limit of limits.hpp today.
inline auto const not_yet = NotYet{
    .folders =
        {
            "include/totora/node/parts/",
        },
    .headers =
        {
            "docs/examples/kv/clients/connection.hpp",
            "docs/examples/kv/replica.hpp",
            "docs/examples/kv/server.hpp",
        },
    .functions =
        {
            "include/totora/core/decision.hpp",
            "include/totora/testing/conformance/sample_messages.hpp",
            "include/totora/testing/explore/counterexample.hpp",
            "include/totora/testing/explore/explore.hpp",
            "include/totora/testing/simulate/faults/fault_injector.hpp",
            "include/totora/testing/simulate/faults/faults.hpp",
            "tests/process/register_history.hpp",
        },
};

} // namespace totora::tidy
