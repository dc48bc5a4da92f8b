// SPDX-License-Identifier: BSL-1.0
#include "run.hpp"
#include "run_in_directory.hpp"

int kv::run_with_sync_inline(Run const& run) { return run_in_directory<totora::InlineSyncer>(run); }
