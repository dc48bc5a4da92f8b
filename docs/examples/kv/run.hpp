// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "report/operator_log.hpp"
#include "start/arguments.hpp"

namespace kv
{

/// `kv run` with each log, in a file of its own because each builds a whole node. They return the exit code.
[[nodiscard]] int run_in_memory(Run const& run, OperatorLog& lines);
[[nodiscard]] int run_in_directory(Run const& run, OperatorLog& lines);

} // namespace kv
